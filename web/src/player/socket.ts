// What the WebSocket and the WebRTC player share: a kept-up socket, the playback commands, and words for failures.

import { PlayerBase } from './base';
import { H5sConf } from './conf';
import { Link } from './link';
import { INTERRUPTED, whyNot } from './why';

/** No media for this long means that the connection is dead though nobody closed it. */
const SILENCE_LIMIT = 10_000;

export abstract class SocketPlayer extends PlayerBase {
  protected readonly link: Link;
  private reason = '';
  /** When media last arrived, or the socket opened; 0 while it is down. */
  private lastMedia = 0;
  private flowing = false;

  constructor(conf: H5sConf, api: string, keepalive: object) {
    super(conf);
    this.link = new Link(() => this.urls.media(api), keepalive, {
      open: () => this.opened(),
      message: (data) => this.received(data),
      down: (reached) => this.down(reached),
    });
  }

  /** Playback: start sending. */
  start(): void {
    this.send({ cmd: 'H5_START' });
  }

  pause(): void {
    this.send({ cmd: 'H5_PAUSE' });
  }

  resume(): void {
    this.send({ cmd: 'H5_RESUME' });
  }

  /** Seconds from the begin time. */
  seek(seconds: number): void {
    this.send({ cmd: 'H5_SEEK', nSeekTime: seconds });
  }

  /** A factor as text, for example '2.0'. */
  speed(factor: string): void {
    this.send({ cmd: 'H5_SPEED', nSpeed: factor });
  }

  /** Sends a command on this player's socket. */
  send(message: object): void {
    this.link.send(message);
  }

  protected begin(): void {
    this.link.open();
  }

  protected end(): void {
    this.link.close();
    this.teardown();
  }

  protected opened(): void {
    this.reason = '';
    this.lastMedia = performance.now();
    if (this.conf.pbconf?.autoplay === 'true') this.start();
  }

  protected override figures(): void {
    super.figures();
    if (!this.conf.pbconf && this.stale()) this.restart();
  }

  private stale(): boolean {
    return this.lastMedia > 0 && performance.now() - this.lastMedia > SILENCE_LIMIT;
  }

  protected mediaArrived(): void {
    this.flowing = true;
    this.lastMedia = performance.now();
  }

  /** Remembers why the server is about to close. */
  protected serverSays(text: string): void {
    this.reason = text;
    this.report('reconnecting', text);
  }

  protected toPage(text: string): void {
    const playback = this.conf.pbconf;
    playback?.callback?.(text, playback.userdata);
  }

  /** Gives the connection up and dials again; without a reason the server is asked for one. */
  protected restart(reason = ''): void {
    this.reason = reason;
    this.link.restart();
  }

  /** Stops for good: trying again cannot help. */
  protected fail(text: string): void {
    this.end();
    this.lastMedia = 0;
    this.report('error', text);
  }

  protected abstract received(data: string | ArrayBuffer): void;
  /** Drops what belongs to one connection. */
  protected abstract teardown(): void;

  private down(reached: boolean): void {
    this.lastMedia = 0;
    this.flowing = false;
    this.teardown();
    if (this.reason || reached) this.report('reconnecting', this.reason || INTERRUPTED);
    if (!this.reason) void this.explain();
  }

  /** The socket's failure says nothing; the server's list of sources does. */
  private async explain(): Promise<void> {
    const text = await whyNot(this.urls.source());
    if (this.wanted && !this.reason && !this.flowing) this.report('reconnecting', text);
  }
}
