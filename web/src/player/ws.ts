// Live video and playback over WebSocket: fragmented MP4 into Media Source Extensions (docs/protocol.md 1).

import { H5sStats } from './base';
import { cannotDecode, codecName } from './codec';
import { H5sConf } from './conf';
import { holeJump, LiveEdge, trimPoint } from './live';
import { parseMessage } from './message';
import { beginsWithKey } from './fragment';
import { Command, Playback } from './playback';
import { MediaQueue } from './queue';
import { SocketPlayer } from './socket';

const FOLLOW_EVERY = 250;
/** Time in which a decoder may still be starting up, in milliseconds. */
const START_UP = 3000;
/** A connection that has played this long is a good one, in milliseconds. */
const HEALTHY_AFTER = 5000;
/** Media of a new place to have in hand before it is shown, in seconds. */
const NEW_PLACE_STOCK = 0.25;
/** More than this in hand of a playback means that the picture is behind the time told: pauses add to it, in seconds. */
const AMPLE = 1.6;
const CATCH_UP_RATE = 1.05;

declare global {
  interface Window {
    MediaSource?: typeof MediaSource;
    /** The only kind of MediaSource on an iPhone. */
    ManagedMediaSource?: typeof MediaSource;
  }
}

export function mediaSourceClass(): typeof MediaSource | undefined {
  return window.MediaSource ?? window.ManagedMediaSource;
}

export class H5sPlayerWS extends SocketPlayer {
  private readonly queue = new MediaQueue();
  private mime = '';
  private source: MediaSource | undefined;
  private buffer: SourceBuffer | undefined;
  private live = new LiveEdge();
  private followTimer: ReturnType<typeof setInterval> | undefined;
  private openedAt = 0;
  /** After a seek: waits for the first media of the new place, then is the end of the media before it. */
  private newPlace: 'asked' | 'next' | number | undefined;
  private readonly shown = () => this.toLiveEdge();

  constructor(conf: H5sConf, playback?: Playback) {
    super(conf, 'h5swsapi', { cmd: 'H5_KEEPALIVE' }, playback);
  }

  override pause(): void {
    super.pause();
    this.video.pause();
  }

  override resume(): void {
    super.resume();
    void this.play();
  }

  override goTo(command: Command): void {
    this.newPlace = 'asked';
    super.goTo(command);
  }

  stats(): H5sStats {
    const behind = Math.max(0, this.edge() - this.video.currentTime);
    return {
      codec: codecName(this.mime),
      ...this.common(),
      delayMs: Math.round(behind * 1000),
      transport: 'ws',
      buffered: Math.round(behind * 100) / 100,
    };
  }

  protected override begin(): void {
    if (!mediaSourceClass()) return this.fail('This browser has no Media Source Extensions. Use WebRTC or HLS.');
    this.listen('playing', () => this.report('playing', ''));
    this.listen('waiting', () => this.waiting());
    this.listen('play', () => this.toLiveEdge());
    this.listen('error', () => this.decodeFailed());
    document.addEventListener('visibilitychange', this.shown);
    this.followTimer = setInterval(() => this.follow(), FOLLOW_EVERY);
    super.begin();
  }

  protected override end(): void {
    clearInterval(this.followTimer);
    document.removeEventListener('visibilitychange', this.shown);
    super.end();
    this.video.removeAttribute('src');
    this.video.load();
  }

  protected override opened(): void {
    this.openedAt = performance.now();
    super.opened();
  }

  protected received(data: string | ArrayBuffer): void {
    if (typeof data === 'string') return this.text(data);
    this.mediaArrived();
    this.meter.add(data.byteLength);
    if (this.mime === '') return this.setUp(new TextDecoder().decode(data));
    const part = new Uint8Array(data);
    this.lookForNewPlace(part);
    if (!this.queue.push(part)) return this.restart('The browser takes the stream too slowly.');
    this.pump();
  }

  /** The last picture stays on the element until the next connection brings media. */
  protected teardown(): void {
    this.mime = '';
    this.buffer = undefined;
    this.source = undefined;
    this.queue.clear();
    this.newPlace = undefined;
  }

  private text(text: string): void {
    const message = parseMessage(text);
    if (message.kind === 'error') return this.serverSays(message.text);
    this.pass(message, text);
  }

  /** A key frame is where the new place begins; what waits before it is still of the old one. */
  private lookForNewPlace(part: Uint8Array): void {
    if (this.newPlace !== 'asked' || !beginsWithKey(part)) return;
    this.newPlace = 'next';
    this.queue.divide();
  }

  /** Shows the new place as soon as some of it is there, without playing what was in hand of the old one. */
  private showNewPlace(): void {
    if (typeof this.newPlace !== 'number' || this.edge() < this.newPlace + NEW_PLACE_STOCK) return;
    // Where the element is nearly there by itself, a jump would only cost its stock.
    if (this.newPlace - this.video.currentTime > NEW_PLACE_STOCK) this.video.currentTime = this.newPlace + 0.001;
    this.newPlace = undefined;
  }

  private setUp(mime: string): void {
    const Source = mediaSourceClass();
    if (!Source?.isTypeSupported(mime)) return this.fail(cannotDecode(mime));
    this.mime = mime;
    this.live = new LiveEdge();
    const source = new Source();
    this.source = source;
    source.addEventListener('sourceopen', () => this.sourceOpen(source), { once: true });
    // ManagedMediaSource only opens on an element that does not offer AirPlay.
    this.video.disableRemotePlayback = true;
    this.video.src = URL.createObjectURL(source);
    if (!this.playback?.paused) void this.play();
  }

  private sourceOpen(source: MediaSource): void {
    URL.revokeObjectURL(this.video.src);
    if (this.source !== source) return;
    const buffer = source.addSourceBuffer(this.mime);
    this.buffer = buffer;
    buffer.addEventListener('updateend', () => this.pump());
    this.pump();
  }

  private pump(): void {
    const { buffer } = this;
    if (!buffer || buffer.updating || this.source?.readyState !== 'open') return;
    try {
      this.showNewPlace();
      if (this.trim(buffer)) return;
      if (this.newPlace === 'next' && !this.queue.isDivided) this.newPlace = this.edge();
      const part = this.queue.takeAll();
      if (part) buffer.appendBuffer(part as BufferSource);
    } catch (error) {
      this.restart(`The browser does not take the stream: ${String(error)}`);
    }
  }

  private trim(buffer: SourceBuffer): boolean {
    const { buffered } = buffer;
    if (buffered.length === 0) return false;
    const start = buffered.start(0);
    const cut = trimPoint(start, this.video.currentTime, buffered.end(buffered.length - 1));
    if (cut === undefined || cut <= start) return false;
    buffer.remove(start, cut);
    return true;
  }

  private follow(): void {
    const { video } = this;
    if (!this.buffer || video.buffered.length === 0) return;
    if (performance.now() - this.openedAt > HEALTHY_AFTER) this.link.healthy();
    const jump = holeJump(video.buffered, video.currentTime);
    if (jump !== undefined) video.currentTime = jump;
    if (video.paused || document.hidden || video.readyState < video.HAVE_CURRENT_DATA) return;
    // A recording keeps the server's pace. A hidden tab catches up when it is seen again.
    if (this.playback) {
      video.playbackRate = this.edge() - video.currentTime > AMPLE ? CATCH_UP_RATE : 1;
      return;
    }
    const step = this.live.step(video.currentTime, this.edge());
    if ('seekTo' in step) video.currentTime = step.seekTo;
    else if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
  }

  private toLiveEdge(): void {
    if (document.hidden || this.playback || !this.buffer) return;
    const target = this.live.resume(this.video.currentTime, this.edge());
    if (target !== undefined) this.video.currentTime = target;
  }

  private waiting(): void {
    if (!this.buffer || this.video.currentTime === 0) return;
    // Stops while the decoder starts up say nothing about the network.
    if (performance.now() - this.openedAt > START_UP) this.live.stalled();
    this.tellWaiting();
  }

  private decodeFailed(): void {
    if (!this.buffer) return;
    this.restart(`The browser cannot decode the stream: ${this.video.error?.message ?? 'unknown error'}`);
  }
}
