// What the WebSocket and the WebRTC player share: a kept-up socket, the playback commands, and words for failures.

import { PlayerBase } from './base';
import { H5sConf } from './conf';
import { Link } from './link';
import { ServerMessage } from './message';
import { Command, Playback } from './playback';
import { INTERRUPTED, whyNot } from './why';

/** No media for this long means that the connection is dead though nobody closed it. */
const SILENCE_LIMIT = 10_000;
/** Near the end of a playback, no media for this long means that it is reached. */
const END_AFTER = 2500;
const END = 'The end of the span is reached.';

export abstract class SocketPlayer extends PlayerBase {
  protected readonly link: Link;
  protected readonly playback: Playback | undefined;
  /** The span has been played, and its socket is closed. */
  private over = false;
  private reason = '';
  /** When media last arrived, or the socket opened; 0 while it is down. */
  private lastMedia = 0;
  private flowing = false;

  /** `playback` is that of the player whose place this one takes. */
  constructor(conf: H5sConf, api: string, keepalive: object, playback?: Playback) {
    super(conf);
    this.playback = playback ?? (conf.pbconf && new Playback(conf.pbconf));
    this.link = new Link(() => this.urls.media(api, this.playback?.moveto), keepalive, {
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
    this.goTo({ cmd: 'H5_SEEK', nSeekTime: seconds });
  }

  /** A moment: '2020-05-01T00:00:00+08:00'. */
  moveto(time: string): void {
    this.goTo({ cmd: 'H5_MOVETO', strMovetoTime: time });
  }

  /** A factor as text, for example '2.0'. */
  speed(factor: string): void {
    this.send({ cmd: 'H5_SPEED', nSpeed: factor });
  }

  /** Sends a command on this player's socket. */
  send(message: Command): void {
    this.playback?.asked(message, performance.now());
    this.link.send(message);
  }

  /** To another place, also from behind the end. */
  goTo(command: Command): void {
    this.send(command);
    if (!this.over || !this.wanted) return;
    this.over = false;
    this.teardown();
    this.link.open();
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
    for (const command of this.playback?.greeting() ?? []) this.link.send(command);
  }

  protected override figures(): void {
    super.figures();
    // A playback is silent while it is paused, and at its end, where the server waits for the next command.
    if (!this.playback && this.silentFor(SILENCE_LIMIT)) this.restart();
    if (this.playback?.atEnd && this.playback.runs && this.silentFor(END_AFTER)) this.report('ended', END);
  }

  private silentFor(milliseconds: number): boolean {
    return this.lastMedia > 0 && performance.now() - this.lastMedia > milliseconds;
  }

  protected mediaArrived(): void {
    this.flowing = true;
    this.lastMedia = performance.now();
  }

  /** Remembers why the server is about to close. */
  protected serverSays(text: string): void {
    // What a playback asks for is there or it is not; a camera may come back.
    if (this.playback && !this.playback.begun) return this.fail(text);
    this.reason = text;
    this.report('reconnecting', text);
  }

  /** What is not about the connection itself is for the page, unless a seek has made it untrue. */
  protected pass(message: ServerMessage, text: string): void {
    if (message.kind === 'place' && this.playback?.reached(message.time, performance.now()) === false) return;
    if (message.kind === 'fault') this.report('error', message.text);
    this.toPage(text);
  }

  private toPage(text: string): void {
    const { pbconf } = this.conf;
    pbconf?.callback?.(text, pbconf.userdata);
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
    if (this.playback?.atEnd && !this.reason) return this.finish();
    this.lastMedia = 0;
    this.flowing = false;
    this.teardown();
    if (this.reason || reached) this.report('reconnecting', this.reason || INTERRUPTED);
    if (!this.reason) void this.explain();
  }

  /** The span is over: the last picture stays, and dialling again would begin anew. */
  private finish(): void {
    this.over = true;
    this.link.close();
    this.report('ended', END);
  }

  /** The socket's failure says nothing; the server's list of sources does. */
  private async explain(): Promise<void> {
    const text = await whyNot(this.urls.source(), this.playback !== undefined);
    if (this.wanted && !this.reason && !this.flowing) this.report('reconnecting', text);
  }
}
