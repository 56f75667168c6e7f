// The picture and its player: one playback of the chosen camera, begun, moved and paced from here.

import type { H5sConf, H5sState } from '../../player/conf';
import type { H5sPlayer } from '../../player/helper';
import { find } from '../dom';
import { player } from '../player';
import { readSession } from '../session';
import { type Span } from './timeline';
import { iso } from './time';

export type Way = 'ws' | 'rtc' | 'hls';

/** A list of all segments is fetched for so long a span around the place, in milliseconds. */
const HLS_BEFORE = 10 * 60_000;
const HLS_AFTER = 50 * 60_000;
/** The marker runs on by itself between two notices, but not for longer, in milliseconds. */
const GUESS_FOR = 1500;

export interface StageEvents {
  /** Playing, paused, or another speed. */
  changed(): void;
  state(state: H5sState): void;
}

export class Stage {
  readonly video = find('#picture', HTMLVideoElement);
  speed = '1.0';
  private way: Way = 'ws';
  private token = '';
  private running: H5sPlayer | undefined;
  private span: Span = { from: 0, to: 0 };
  private isPaused = false;
  private isOver = false;
  /** The moment last told, and when that was. */
  private told: { place: number; at: number } | undefined;

  constructor(private readonly events: StageEvents) {}

  get playing(): boolean {
    return this.running !== undefined && !this.isPaused && !this.isOver;
  }

  /** It can go on from where it stands. */
  get isHeld(): boolean {
    return this.running !== undefined && this.isPaused && !this.isOver;
  }

  /** The moment that is shown; `undefined` before the first. */
  get place(): number | undefined {
    if (!this.told) return undefined;
    const since = this.playing ? Math.min(GUESS_FOR, performance.now() - this.told.at) : 0;
    return Math.min(this.span.to, this.told.place + since * Number(this.speed));
  }

  stats() {
    return this.running?.stats();
  }

  /** Plays `token` from `moment` on; `whole` is what may be played without asking again. */
  play(token: string, moment: number, whole: Span): void {
    const fits = this.running && this.token === token && !this.isOver && moment >= this.span.from && moment < this.span.to;
    this.told = { place: moment, at: performance.now() };
    if (fits) {
      this.running?.moveto(iso(moment));
      if (this.isPaused) this.resume();
      return;
    }
    this.stop();
    this.token = token;
    this.begin(moment, whole);
  }

  toggle(): void {
    if (this.isPaused) this.resume();
    else this.pause();
  }

  setSpeed(speed: string): void {
    this.settle();
    this.speed = speed;
    this.running?.speed(speed);
    this.events.changed();
  }

  /** Another transport, from the present place on. */
  setWay(way: Way, whole: Span): void {
    const { place, token } = this;
    this.way = way;
    if (!this.running || place === undefined) return;
    this.stop();
    this.token = token;
    this.begin(place, whole);
  }

  /** Nothing is shown. */
  stop(): void {
    this.running?.disconnect();
    this.running = undefined;
    this.isPaused = false;
    this.isOver = false;
    this.events.changed();
  }

  /** Forgets the place as well. */
  clear(): void {
    this.stop();
    this.told = undefined;
  }

  private begin(moment: number, whole: Span): void {
    this.span = this.way === 'hls' ? { from: Math.max(whole.from, moment - HLS_BEFORE), to: Math.min(whole.to, moment + HLS_AFTER) } : whole;
    this.told = { place: moment, at: performance.now() };
    const kinds = { ws: player.H5sPlayerWS, rtc: player.H5sPlayerRTC, hls: player.H5sPlayerHls };
    const running = new kinds[this.way](this.conf(moment));
    this.running = running;
    if (Number(this.speed) !== 1) running.speed(this.speed);
    running.connect();
    this.events.changed();
  }

  private pause(): void {
    this.settle();
    this.isPaused = true;
    this.running?.pause();
    this.events.changed();
  }

  private resume(): void {
    this.isPaused = false;
    this.settle();
    this.running?.resume();
    this.events.changed();
  }

  /** The guess of the place becomes what the next guess is made from. */
  private settle(): void {
    if (this.place !== undefined) this.told = { place: this.place, at: performance.now() };
  }

  private conf(moment: number): H5sConf {
    return {
      videodom: this.video,
      protocol: location.protocol,
      host: location.host,
      rootpath: location.pathname,
      token: this.token,
      session: readSession(),
      onstate: (state) => this.tell(state),
      pbconf: {
        begintime: iso(this.span.from),
        endtime: iso(this.span.to),
        moveto: iso(moment),
        serverpb: 'true',
        autoplay: 'true',
        showposter: 'false',
        callback: (text) => this.hear(text),
      },
    };
  }

  private hear(text: string): void {
    const message = JSON.parse(text) as { type?: string; pbTime?: { strTime?: string } };
    const place = Date.parse(message.pbTime?.strTime ?? '');
    if (message.type === 'H5S_EVENT_PB_TIME' && !Number.isNaN(place)) this.told = { place, at: performance.now() };
  }

  private tell(state: H5sState): void {
    if (state.state === 'ended') {
      this.isOver = true;
      this.events.changed();
    }
    this.events.state(state);
  }
}
