// Where a playback stands: what a player must know to go on after a lost socket. Nothing here touches a browser.

import { H5sPbConf } from './conf';

/** So near to the end of the span, in milliseconds, a playback has reached it: notices come once a second. */
const END_WITHIN = 2500;

/** For so long after a seek notices may still be of the place before; both in milliseconds. */
const STALE_FOR = 4000;
/** At high speeds a seek leads to the key frame before its target, at most so far away. */
const KEY_WITHIN = 5000;
/** Notices are so inaccurate. */
const BLUR = 2000;

export interface Command {
  cmd?: string;
  nSeekTime?: number;
  strMovetoTime?: string;
  nSpeed?: string;
}

export class Playback {
  paused = false;
  factor = '1.0';
  private started: boolean;
  /** The moment last told or asked for; '' before. */
  private place = '';
  private sought: { to: number; at: number } | undefined;

  constructor(private readonly conf: H5sPbConf) {
    this.started = conf.autoplay === 'true';
  }

  /**
   * The server's notice of the moment that is shown; false if it is of the place before the last seek, or of what a
   * player that stopped at once has in hand.
   */
  reached(time: string, now: number): boolean {
    if (this.paused || this.isStale(moment(time), now)) return false;
    if (time !== '') this.place = time;
    this.sought = undefined;
    return true;
  }

  private isStale(told: number, now: number): boolean {
    if (!this.sought || now - this.sought.at > STALE_FOR) return false;
    const { to, at } = this.sought;
    return told < to - KEY_WITHIN || told > to + (now - at) * Number(this.factor) + BLUR;
  }

  /** Takes note of a command on its way to the server. */
  asked(command: Command, now: number): void {
    switch (command.cmd) {
      case 'H5_START':
        this.started = true;
        return;
      case 'H5_PAUSE':
        this.paused = true;
        return;
      case 'H5_RESUME':
        this.paused = false;
        return;
      case 'H5_SPEED':
        this.factor = command.nSpeed ?? this.factor;
        return;
      case 'H5_SEEK':
        return this.seek(this.after(command.nSeekTime ?? 0), now);
      case 'H5_MOVETO':
        this.seek(command.strMovetoTime ?? this.place, now);
    }
  }

  private seek(place: string, now: number): void {
    this.place = place;
    const to = moment(place);
    this.sought = Number.isNaN(to) ? undefined : { to, at: now };
  }

  /** Where a new connection begins. */
  get moveto(): string {
    return this.place || (this.conf.moveto ?? this.conf.begintime ?? '0');
  }

  /** What a new connection is told so that it goes on as the one before. */
  greeting(): Command[] {
    if (!this.started) return [];
    const commands: Command[] = [{ cmd: 'H5_START' }];
    if (Number(this.factor) !== 1) commands.push({ cmd: 'H5_SPEED', nSpeed: this.factor });
    if (this.paused) commands.push({ cmd: 'H5_PAUSE' });
    return commands;
  }

  /** It is to run by itself. */
  get runs(): boolean {
    return this.started && !this.paused;
  }

  /** It has a place beside its begin time. */
  get begun(): boolean {
    return this.place !== '';
  }

  /** The span has been played, so that a closed socket is its end. */
  get atEnd(): boolean {
    const left = moment(this.conf.endtime) - moment(this.place);
    return left <= END_WITHIN * Math.max(1, Number(this.factor));
  }

  /** The moment so many seconds after the begin time; without a begin time that can be read, none. */
  private after(seconds: number): string {
    const begin = moment(this.conf.begintime);
    return Number.isNaN(begin) ? '' : new Date(begin + seconds * 1000).toISOString();
  }
}

/** Milliseconds since 1970; NaN for what is no full time, such as the `0` beside a file name. */
export function moment(time = ''): number {
  return /^\d{4}-/.test(time) ? Date.parse(time) : NaN;
}
