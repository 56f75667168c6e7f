// The picture of one camera and its player: one playback, begun, moved and paced from here. It tells to some
// milliseconds which moment is shown, so that several can be kept in step.

import { signal } from '@preact/signals';
import type { H5sConf, H5sState } from '../../player/conf';
import type { H5sPlayer } from '../../player/helper';
import type * as Player from '../../player';
import { readSession } from '../session';
import type { Span } from './spans';
import { iso } from './time';

/** The delivered classic script has set its names on the page. */
export const player = globalThis as unknown as typeof Player;

export type Way = 'ws' | 'rtc' | 'hls';

/** A list of all segments is fetched for so long a span around the place, in milliseconds. */
const HLS_BEFORE = 10 * 60_000;
const HLS_AFTER = 50 * 60_000;
/** Where only notices tell the place, it runs on by itself between two of them, but not for longer, in milliseconds. */
const GUESS_FOR = 1500;
/** How long a picture of a camera lasts of which that is not known yet, in seconds. */
const COMMON_PICTURE = 0.04;
/** For so long a player that is asked for one more picture is given media, in milliseconds. */
const FEED_FOR = 250;

/** Times of recordings are told in full seconds: its last picture may be so far from the end of a span, in milliseconds. */
const END_WITHIN = 1500;

/** A moment that was shown. */
interface Told {
  place: number;
  /** Where that lies on the player's time line, in seconds; unknown before the first notice, and over some ways. */
  media: number | undefined;
  /** When it was told. */
  at: number;
  /** The server said so, not who sent the player there. */
  heard: boolean;
}

export class Stage {
  readonly video = document.createElement('video');
  /** What the player says; `undefined` while nothing is played. */
  readonly state = signal<H5sState | undefined>(undefined);
  speed = '1.0';
  way: Way = 'ws';
  private running: H5sPlayer | undefined;
  private span: Span = { from: 0, to: 0 };
  private isPaused = false;
  private isHeld = false;
  private told: Told | undefined;
  /** On the player's time line, in seconds: from here on it is of the place that it was last sent to. */
  private shows = 0;
  /** How long a picture is shown, in seconds. */
  private picture = COMMON_PICTURE;
  private shownAt = 0;

  constructor(readonly token: string) {
    this.video.playsInline = true;
    const look = (_: number, { mediaTime }: { mediaTime: number }) => {
      const gap = mediaTime - this.shownAt;
      if (gap > 0.005 && gap < 0.5 && !this.isPaused) this.picture = gap;
      this.shownAt = mediaTime;
      this.video.requestVideoFrameCallback(look);
    };
    if ('requestVideoFrameCallback' in this.video) this.video.requestVideoFrameCallback(look);
  }

  get active(): boolean {
    return this.running !== undefined;
  }

  get over(): boolean {
    return this.state.value?.state === 'ended';
  }

  get failed(): boolean {
    return this.state.value?.state === 'error';
  }

  /** All of its span has been shown. Beyond the last picture nothing may come, though the end was not told yet. */
  get done(): boolean {
    const { place, video } = this;
    if (this.over || place === undefined) return this.over;
    const left = this.span.to - place;
    return left <= 50 || (left < END_WITHIN * Math.max(1, Number(this.speed)) && this.ready && this.edge - video.currentTime < 0.1);
  }

  /** It has a picture of where it was last sent to. */
  get ready(): boolean {
    const { video, told } = this;
    return told?.heard === true && video.readyState >= video.HAVE_CURRENT_DATA && video.currentTime >= this.shows;
  }

  /** The moment that is shown; `undefined` before the first. */
  get place(): number | undefined {
    const { told, video } = this;
    if (!told) return undefined;
    if (told.media !== undefined) {
      return Math.min(this.span.to, told.place + (video.currentTime - told.media) * 1000 * Number(this.speed));
    }
    const guessed = this.running && !this.isPaused && !this.over ? Math.min(GUESS_FOR, performance.now() - told.at) : 0;
    return Math.min(this.span.to, told.place + guessed * Number(this.speed));
  }

  stats() {
    return this.running?.stats();
  }

  /**
   * Plays from `moment` on; `whole` is what may be played without asking again. A `fresh` connection tells at once
   * where it is; one that goes on keeps its last picture, and tells after a second or two.
   */
  play(moment: number, whole: Span, fresh: boolean): void {
    const fits = !fresh && this.running && !this.over && !this.failed && moment >= this.span.from && moment < this.span.to;
    this.told = { place: moment, media: undefined, at: performance.now(), heard: false };
    this.isHeld = false;
    if (fits) {
      this.shows = this.edge;
      this.running?.moveto(iso(moment));
      this.isPaused = false;
      this.running?.resume();
      return;
    }
    this.stop();
    this.span = this.way === 'hls' ? { from: Math.max(whole.from, moment - HLS_BEFORE), to: Math.min(whole.to, moment + HLS_AFTER) } : whole;
    this.told = { place: moment, media: undefined, at: performance.now(), heard: false };
    const kinds = { ws: player.H5sPlayerWS, rtc: player.H5sPlayerRTC, hls: player.H5sPlayerHls };
    this.shows = 0;
    this.running = new kinds[this.way](this.conf(moment));
    if (Number(this.speed) !== 1) this.running.speed(this.speed);
    this.running.connect();
  }

  /** The span of a recording that goes on grows. */
  covers(moment: number): boolean {
    return this.running !== undefined && moment >= this.span.from && moment < this.span.to;
  }

  pause(): void {
    this.settle();
    this.isPaused = true;
    this.running?.pause();
  }

  resume(): void {
    this.settle();
    this.isPaused = false;
    this.isHeld = false;
    this.running?.resume();
  }

  /** Stands for a moment so that others catch up; the server is not told. */
  hold(on: boolean): void {
    if (this.isHeld === on) return;
    this.isHeld = on;
    if (on) this.video.pause();
    else void this.video.play().catch(() => undefined);
  }

  setSpeed(speed: string): void {
    this.settle();
    this.speed = speed;
    this.running?.speed(speed);
  }

  /** One picture on or back, while it is paused. */
  step(direction: 1 | -1): void {
    const { video, running } = this;
    if (!running || this.way === 'rtc') return;
    const next = video.currentTime + direction * this.picture;
    const { buffered } = video;
    const [from, to] = [buffered.length > 0 ? buffered.start(0) : 0, this.edge];
    const { place } = this;
    if (next < from && place !== undefined) {
      // What lies before is not in hand any more: back to a key frame.
      this.told = { place: place - 1000, media: undefined, at: performance.now(), heard: false };
      this.shows = to;
      running.moveto(iso(place - 1000));
    } else video.currentTime = Math.min(next, to);
    if (next + 0.2 < to && next >= from) return;
    if (!(running instanceof player.H5sPlayerWS)) return;
    running.send({ cmd: 'H5_RESUME' });
    setTimeout(() => this.isPaused && running === this.running && running.send({ cmd: 'H5_PAUSE' }), FEED_FOR);
  }

  /** Nothing is shown. */
  stop(): void {
    this.running?.disconnect();
    this.running = undefined;
    this.isPaused = false;
    this.isHeld = false;
    this.told = undefined;
    this.state.value = undefined;
  }

  /** Where the media in hand ends. */
  private get edge(): number {
    const { buffered } = this.video;
    return buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
  }

  /** The guess of the place becomes what the next guess is made from. */
  private settle(): void {
    const { told, place } = this;
    if (told && told.media === undefined && place !== undefined) this.told = { ...told, place, at: performance.now() };
  }

  private conf(moment: number): H5sConf {
    return {
      videodom: this.video,
      protocol: location.protocol,
      host: location.host,
      rootpath: location.pathname,
      token: this.token,
      session: readSession(),
      onstate: (state) => (this.state.value = state),
      pbconf: {
        begintime: iso(this.span.from),
        // Its last second is part of it.
        endtime: iso(this.span.to + 999),
        moveto: iso(moment),
        serverpb: 'true',
        autoplay: 'true',
        showposter: 'false',
        callback: (text) => this.hear(text),
      },
    };
  }

  private hear(text: string): void {
    const { type, pbTime } = JSON.parse(text) as { type?: string; pbTime?: { strTime?: string; nTime?: number; nMediaTime?: number } };
    const place = pbTime?.nTime ?? Date.parse(pbTime?.strTime ?? '');
    if (type !== 'H5S_EVENT_PB_TIME' || Number.isNaN(place)) return;
    // Over WebRTC the element's time is not the server's.
    const media = pbTime?.nMediaTime === undefined || this.way !== 'ws' ? undefined : pbTime.nMediaTime / 1000;
    // It is still of the place before.
    if (media !== undefined && media < this.shows) return;
    this.told = { place, media, at: performance.now(), heard: true };
  }
}
