// Live video over HLS. hls.js is loaded where the browser has Media Source Extensions; Safari plays HLS itself.

import type HlsClass from 'hls.js';
import { H5sStats, PlayerBase } from './base';
import { Backoff } from './backoff';
import { codecName } from './codec';
import { H5sConf } from './conf';
import { H5sSafariBrowser } from './browser';
import { Link } from './link';
import { loadHls } from './loadhls';
import { asSentence } from './text';
import { whyNot } from './why';

const WATCH_EVERY = 3000;
/** So many looks in a row at a picture that stands still mean that it will not move again. */
const STILL_LIMIT = 4;
/** Segments, in target durations, to have in hand before v1 starts. */
const STOCK = 1.25;

export class H5sPlayerHls extends PlayerBase {
  private readonly keepUp: Link;
  private readonly backoff = new Backoff();
  private hls: HlsClass | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private lastTime = -1;
  private still = 0;
  private codec = '';

  constructor(conf: H5sConf) {
    super(conf);
    const nothing = () => undefined;
    // Keeps an on-demand source up between two requests of the playlist.
    this.keepUp = new Link(() => this.urls.keepUp(), { type: 'keepalive' }, {
      open: nothing,
      message: nothing,
      down: nothing,
    });
  }

  stats(): H5sStats {
    const behind = this.hls ? this.hls.latency : this.edge() - this.video.currentTime;
    return {
      codec: this.codec,
      ...this.common(),
      delayMs: Math.round(Math.max(0, behind) * 1000),
      transport: 'hls',
      buffered: Math.round(Math.max(0, this.edge() - this.video.currentTime) * 100) / 100,
    };
  }

  protected begin(): void {
    this.listen('playing', () => this.playing());
    this.listen('waiting', () => this.tellWaiting());
    this.listen('error', () => this.hls ?? this.retry());
    // A live stream has no end: the server closed this one, and the next begins at the same address.
    this.listen('ended', () => this.retry());
    this.watchTimer = setInterval(() => this.watch(), WATCH_EVERY);
    this.keepUp.open();
    void this.load();
  }

  protected end(): void {
    clearInterval(this.watchTimer);
    this.keepUp.close();
    this.unload();
  }

  private unload(): void {
    clearTimeout(this.retryTimer);
    this.hls?.destroy();
    this.hls = undefined;
    this.still = 0;
    this.video.removeAttribute('src');
    this.video.load();
  }

  private async load(): Promise<void> {
    const native = this.video.canPlayType('application/vnd.apple.mpegurl') !== '';
    if (native && H5sSafariBrowser()) return this.loadNative();
    const Hls = await loadHls().catch((error: unknown) => this.log('hls.js', error));
    if (!this.wanted) return;
    if (Hls?.isSupported()) this.loadHlsJs(Hls);
    else if (native) this.loadNative();
    else this.report('error', 'This browser can play HLS neither by itself nor with hls.js.');
  }

  private loadNative(): void {
    this.video.src = this.urls.hls();
    void this.play();
  }

  private loadHlsJs(Hls: typeof HlsClass): void {
    // The worker would need a blob: address, which a strict CSP forbids.
    const hls = new Hls({
      enableWorker: false,
      lowLatencyMode: this.conf.hlsver === 'v2',
      maxLiveSyncPlaybackRate: 1.05,
      backBufferLength: 20,
    });
    this.hls = hls;
    hls.on(Hls.Events.BUFFER_CODECS, (_event, tracks) => {
      const codecs = Object.values(tracks).map((track) => (track as { codec?: string }).codec ?? '');
      this.codec = codecName(codecs.filter((codec) => codec !== '').join(','));
    });
    hls.on(Hls.Events.FRAG_LOADED, (_event, { payload }) => this.meter.add(payload.byteLength));
    hls.on(Hls.Events.ERROR, (_event, { fatal, details, networkDetails }) => {
      this.log(details);
      if (fatal) this.failed(details, networkDetails);
    });
    hls.loadSource(this.urls.hls());
    hls.attachMedia(this.video);
    const start = () => {
      if (!this.enough(hls)) return;
      hls.off(Hls.Events.FRAG_BUFFERED, start);
      void this.play();
    };
    hls.on(Hls.Events.FRAG_BUFFERED, start);
  }

  /** A source that has just been started lists one segment: playing it at once would starve before the next. */
  private enough(hls: HlsClass): boolean {
    const target = hls.latestLevelDetails?.targetduration ?? 0;
    return this.conf.hlsver === 'v2' || this.edge() - this.video.currentTime > target * STOCK;
  }

  private failed(details: string, request: unknown): void {
    if (details === 'manifestIncompatibleCodecsError' || details === 'bufferAddCodecError') {
      this.unload();
      return this.report('error', 'This browser has no decoder for the stream. Set the camera to H.264.');
    }
    this.retry(saidBy(request));
  }

  private retry(reason = ''): void {
    this.unload();
    this.retryTimer = setTimeout(() => void this.load(), this.backoff.delay());
    if (reason) return this.report('reconnecting', reason);
    void whyNot(this.urls.source()).then((text) => {
      if (this.wanted && this.hls === undefined) this.report('reconnecting', text);
    });
  }

  private playing(): void {
    this.backoff.reset();
    this.report('playing', '');
  }

  private watch(): void {
    const { currentTime, paused } = this.video;
    this.still = !paused && currentTime === this.lastTime ? this.still + 1 : 0;
    this.lastTime = currentTime;
    if (this.still >= STILL_LIMIT) this.retry();
  }
}

/** The server's own words in the answer to a failed request. */
function saidBy(request: unknown): string {
  if (!(request instanceof XMLHttpRequest) || request.status < 400) return '';
  try {
    const { strCode } = JSON.parse(request.responseText) as { strCode?: string };
    return strCode ? asSentence(strCode) : '';
  } catch {
    return '';
  }
}
