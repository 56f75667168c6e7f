// Which way the pictures of a camera come: in turn WebRTC, WebSocket, HLS, the next when one shows nothing in time. The
// way that worked is kept per camera, as long as the tab lives.

import type { Way } from './layout';

const ORDER: readonly Way[] = ['rtc', 'ws', 'hls'];
/** Seconds in which a way must show a picture of a camera that is online. HLS needs two segments first. */
const PATIENCE: Record<Way, number> = { rtc: 3, ws: 4, hls: 15 };
/** After all ways have failed it begins anew, in seconds. */
const REST = 15;
const KEY = 'h5edge-ways';

/** What the browser takes. */
export interface Able {
  rtc: boolean;
  ws: boolean;
  /** H.265 over each. */
  hevcRtc: boolean;
  hevcWs: boolean;
}

export function able(): Able {
  const types = typeof RTCRtpReceiver === 'undefined' ? [] : (RTCRtpReceiver.getCapabilities('video')?.codecs ?? []);
  const media = (globalThis as { MediaSource?: typeof MediaSource; ManagedMediaSource?: typeof MediaSource }).MediaSource ?? (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource;
  return {
    rtc: typeof RTCPeerConnection !== 'undefined',
    ws: media !== undefined,
    hevcRtc: types.some(({ mimeType }) => mimeType.toLowerCase() === 'video/h265'),
    hevcWs: media?.isTypeSupported('video/mp4; codecs="hvc1.1.6.L93.B0"') ?? false,
  };
}

/** The ways to try, best first. Empty when the browser has none for the codec. */
export function waysFor(can: Able, hevc: boolean, fixed?: Way, kept?: Way): Way[] {
  const fits = (way: Way) => (way === 'rtc' ? can.rtc && (!hevc || can.hevcRtc) : (way === 'hls' || can.ws) && (!hevc || can.hevcWs));
  if (fixed) return fits(fixed) ? [fixed] : [];
  const ways = ORDER.filter(fits);
  return kept && ways.includes(kept) ? [kept, ...ways.filter((way) => way !== kept)] : ways;
}

/** Where the turn of the ways stands. Time comes from outside, a tick each second. */
export class Turn {
  private at = 0;
  private waited = 0;
  private resting = false;

  constructor(private readonly ways: readonly Way[]) {}

  /** `undefined` while all have failed. */
  get way(): Way | undefined {
    return this.resting ? undefined : this.ways[this.at];
  }

  /** It shows a picture. */
  shown(): void {
    this.waited = 0;
  }

  /** The way in use cannot show this camera: the next one, or none for now. */
  failed(): void {
    this.waited = 0;
    if (this.at + 1 < this.ways.length) this.at++;
    else this.resting = true;
  }

  /** Goes on to this way if it is the next one. */
  takes(way: Way): boolean {
    if (this.resting || this.ways[this.at + 1] !== way) return false;
    this.failed();
    return true;
  }

  /**
   * A second without a picture. `ready`: the camera is online, so that the picture could be there. True when the way has
   * changed.
   */
  second(ready: boolean): boolean {
    if (this.resting) {
      if (++this.waited < REST) return false;
      this.resting = false;
      this.waited = 0;
      this.at = 0;
      return true;
    }
    const way = this.ways[this.at];
    // A way that was chosen by hand has no other to give way to.
    if (!way || !ready || this.ways.length === 1) {
      this.waited = 0;
      return false;
    }
    if (++this.waited < PATIENCE[way]) return false;
    this.failed();
    return true;
  }
}

export function keptWay(token: string): Way | undefined {
  return readKept()[token];
}

export function keepWay(token: string, way: Way): void {
  const kept = readKept();
  if (kept[token] !== way) sessionStorage.setItem(KEY, JSON.stringify({ ...kept, [token]: way }));
}

function readKept(): Record<string, Way> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, Way>;
  } catch {
    return {};
  }
}
