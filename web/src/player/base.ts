// What the three players share: the video element, its poster, starting it, reporting, figures.

import { H5sConf, H5sState, Urls } from './conf';
import { Meter } from './meter';

/** Figures of the running stream. What is not known yet is 0 or ''. */
export interface H5sStats {
  codec: string;
  width: number;
  height: number;
  fps: number;
  kbps: number;
  /** How far the shown picture is behind the newest media that has arrived or is listed, in milliseconds. */
  delayMs: number;
  transport: 'ws' | 'rtc' | 'hls';
  /** Seconds of media in hand. */
  buffered: number;
}

const FIGURES_EVERY = 1000;
/** A stream that is up shows its first picture sooner, and the server need not make one, in milliseconds. */
const POSTER_AFTER = 400;
/** Shorter waits for media are not worth a word, in milliseconds. */
const WAITING_WORD_AFTER = 700;

export abstract class PlayerBase {
  protected readonly video: HTMLVideoElement;
  protected readonly urls: Urls;
  protected wanted = false;
  protected readonly meter = new Meter();
  private figuresTimer: ReturnType<typeof setInterval> | undefined;
  private waitingTimer: ReturnType<typeof setTimeout> | undefined;
  private told = '';
  private readonly listeners: [string, () => void][] = [];

  constructor(protected readonly conf: H5sConf) {
    this.video = findVideo(conf);
    this.urls = new Urls(conf);
    if (conf.pbconf?.showposter !== 'false') setTimeout(() => this.showPoster(), POSTER_AFTER);
    // Without it, phones show the picture full screen only.
    this.video.playsInline = true;
  }

  private showPoster(): void {
    if (this.video.readyState < this.video.HAVE_CURRENT_DATA) this.video.poster = this.urls.poster();
  }

  /** Starts, and keeps playing through failures until `disconnect`. */
  connect(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.figuresTimer = setInterval(() => this.figures(), FIGURES_EVERY);
    this.report('connecting', 'Connecting …');
    this.begin();
  }

  /** Stops and lets go of the video element. */
  disconnect(): void {
    if (!this.wanted) return;
    this.wanted = false;
    clearInterval(this.figuresTimer);
    clearTimeout(this.waitingTimer);
    this.end();
    for (const [event, handler] of this.listeners) this.video.removeEventListener(event, handler);
    this.listeners.length = 0;
    this.report('stopped', 'Stopped.');
  }

  abstract stats(): H5sStats;
  protected abstract begin(): void;
  protected abstract end(): void;

  /** Called each second while connected. */
  protected figures(): void {
    this.meter.frames(this.video.getVideoPlaybackQuality?.().totalVideoFrames ?? 0);
    this.meter.tick(performance.now());
  }

  /** Tells the page, once per change. */
  protected report(state: H5sState['state'], text: string): void {
    if (this.told === state + text) return;
    this.told = state + text;
    this.log(state, text);
    this.conf.onstate?.({ state, text });
  }

  /** The element has run out of media: says so, unless it goes on at once. */
  protected tellWaiting(): void {
    clearTimeout(this.waitingTimer);
    this.waitingTimer = setTimeout(() => {
      const { readyState, HAVE_FUTURE_DATA } = this.video;
      if (/^(playing|muted)/.test(this.told) && readyState < HAVE_FUTURE_DATA) {
        this.report('waiting', 'Waiting for the stream …');
      }
    }, WAITING_WORD_AFTER);
  }

  protected log(...what: unknown[]): void {
    if (this.conf.consolelog === 'true') console.log(`h5splayer ${this.conf.token}`, ...what);
  }

  /** A listener on the video element that goes with `disconnect`. */
  protected listen(event: string, handler: () => void): void {
    this.video.addEventListener(event, handler);
    this.listeners.push([event, handler]);
  }

  /** Starts the element; where the browser refuses sound without a click, it starts without sound. */
  protected async play(): Promise<void> {
    if (await this.tryPlay()) return;
    if (!this.video.muted) {
      this.video.muted = true;
      if (await this.tryPlay()) {
        this.report('muted', 'The browser plays without sound until you click.');
        return;
      }
    }
    this.report('blocked', 'The browser does not start video by itself. Click to play.');
  }

  /** False only where the browser's autoplay policy says no. */
  private async tryPlay(): Promise<boolean> {
    try {
      await this.video.play();
      return true;
    } catch (error) {
      return !(error instanceof DOMException && error.name === 'NotAllowedError');
    }
  }

  protected common(): Pick<H5sStats, 'width' | 'height' | 'fps' | 'kbps'> {
    const { videoWidth: width, videoHeight: height } = this.video;
    return { width, height, fps: this.meter.fps, kbps: this.meter.kbps };
  }

  /** End of the newest media in the element, in seconds. */
  protected edge(): number {
    const { buffered } = this.video;
    return buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
  }
}

function findVideo(conf: H5sConf): HTMLVideoElement {
  const found = conf.videoid ? document.getElementById(conf.videoid) : conf.videodom;
  if (found instanceof HTMLVideoElement) return found;
  throw new Error(`h5splayer: no video element for videoid "${conf.videoid ?? ''}" or videodom`);
}
