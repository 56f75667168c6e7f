// Live video and playback over HLS. hls.js is loaded where the browser has Media Source Extensions; Safari plays HLS
// itself. A playback is a list of all its segments, so its commands are the video element's own.

import type HlsClass from 'hls.js';
import { H5sStats, PlayerBase } from './base';
import { Backoff } from './backoff';
import { codecName } from './codec';
import { H5sConf } from './conf';
import { H5sSafariBrowser } from './browser';
import { Link } from './link';
import { loadHls } from './loadhls';
import { Command, moment, Playback } from './playback';
import { asSentence } from './text';
import { Dated, mediaAt, wallAt } from './vod';
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
  private readonly playback: Playback | undefined;

  constructor(conf: H5sConf) {
    super(conf);
    this.playback = conf.pbconf && new Playback(conf.pbconf);
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

  start(): void {
    this.obey({ cmd: 'H5_START' });
    void this.play();
  }

  pause(): void {
    this.obey({ cmd: 'H5_PAUSE' });
    this.video.pause();
  }

  resume(): void {
    this.obey({ cmd: 'H5_RESUME' });
    void this.play();
  }

  /** Seconds from the begin time. */
  seek(seconds: number): void {
    this.obey({ cmd: 'H5_SEEK', nSeekTime: seconds });
    this.goTo();
  }

  /** A moment: '2020-05-01T00:00:00+08:00'. */
  moveto(time: string): void {
    this.obey({ cmd: 'H5_MOVETO', strMovetoTime: time });
    this.goTo();
  }

  /** A factor as text, for example '2.0'. */
  speed(factor: string): void {
    this.obey({ cmd: 'H5_SPEED', nSpeed: factor });
    this.video.playbackRate = Number(factor) || 1;
  }

  private obey(command: Command): void {
    this.playback?.asked(command, performance.now());
  }

  /** To where the playback was told to be, as soon as the playlist is there. */
  private goTo(): void {
    const wall = moment(this.playback?.moveto);
    const segments = this.segments();
    if (!Number.isNaN(wall) && segments.length > 0) this.video.currentTime = mediaAt(segments, wall);
    // At its end the element has paused by itself.
    if (this.video.ended && this.playback?.runs) void this.play();
  }

  /** The segments with their moments; of the browser's own HLS only the first moment is known. */
  private segments(): Dated[] {
    if (this.hls) return this.hls.latestLevelDetails?.fragments ?? [];
    const { getStartDate } = this.video as { getStartDate?: () => Date };
    const start = getStartDate?.call(this.video).getTime() ?? NaN;
    if (Number.isNaN(start)) return [];
    return [{ start: 0, duration: this.video.duration, programDateTime: start }];
  }

  /** The notice that the sockets' players get from the server. */
  private tellPlace(): void {
    const { pbconf } = this.conf;
    const wall = wallAt(this.segments(), this.video.currentTime);
    if (!pbconf || Number.isNaN(wall) || this.video.readyState < this.video.HAVE_CURRENT_DATA) return;
    const strTime = new Date(wall).toISOString();
    this.playback?.reached(strTime, performance.now());
    pbconf.callback?.(JSON.stringify({ type: 'H5S_EVENT_PB_TIME', pbTime: { strTime } }), pbconf.userdata);
  }

  protected override figures(): void {
    super.figures();
    if (!this.video.paused && !this.video.seeking) this.tellPlace();
  }

  protected begin(): void {
    this.listen('playing', () => this.playing());
    this.listen('seeked', () => this.tellPlace());
    this.listen('waiting', () => this.tellWaiting());
    this.listen('error', () => this.hls ?? this.retry());
    this.listen('ended', () => this.ended());
    this.watchTimer = setInterval(() => this.watch(), WATCH_EVERY);
    if (!this.playback) this.keepUp.open();
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
    this.video.addEventListener('loadedmetadata', () => this.ready(), { once: true });
    if (!this.playback) void this.play();
  }

  /** A playback has its playlist: goes to its place, and starts if it is to run. */
  private ready(): void {
    if (!this.playback) return;
    this.goTo();
    // The rate is forgotten with each new source.
    this.video.playbackRate = Number(this.playback.factor) || 1;
    if (this.playback.runs) void this.play();
  }

  private loadHlsJs(Hls: typeof HlsClass): void {
    // The worker would need a blob: address, which a strict CSP forbids.
    const hls = new Hls({
      enableWorker: false,
      lowLatencyMode: this.conf.hlsver === 'v2' && !this.playback,
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
    if (this.playback) return void this.video.addEventListener('loadedmetadata', () => this.ready(), { once: true });
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
    const said = saidBy(request);
    // What a playback asks for is there or it is not; a camera may come back.
    if (this.playback && said) {
      this.unload();
      return this.report('error', said);
    }
    if (details === 'manifestIncompatibleCodecsError' || details === 'bufferAddCodecError') {
      this.unload();
      return this.report('error', 'This browser has no decoder for the stream. Set the camera to H.264.');
    }
    this.retry(said);
  }

  private retry(reason = ''): void {
    this.unload();
    this.retryTimer = setTimeout(() => void this.load(), this.backoff.delay());
    if (reason) return this.report('reconnecting', reason);
    void whyNot(this.urls.source()).then((text) => {
      if (this.wanted && this.hls === undefined) this.report('reconnecting', text);
    });
  }

  /** A live stream has no end: the server closed this one, and the next begins at the same address. */
  private ended(): void {
    if (this.playback) this.report('ended', 'The end of the span is reached.');
    else this.retry();
  }

  private playing(): void {
    this.backoff.reset();
    this.report('playing', '');
  }

  private watch(): void {
    const { currentTime, paused } = this.video;
    this.still = !paused && !this.video.ended && currentTime === this.lastTime ? this.still + 1 : 0;
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
