// Live video and playback over WebRTC (docs/protocol.md 2): the server offers, the browser answers. Where that
// gives no picture (a stream with B-frames, H.265 without a decoder, blocked UDP), the WebSocket player takes over.

import { H5sStats } from './base';
import { H5sConf } from './conf';
import { parseMessage } from './message';
import { Command } from './playback';
import { SocketPlayer } from './socket';
import { rtcFigures, RtcFigures } from './rtcstats';
import { H5sPlayerWS } from './ws';

const PICTURE_WITHIN = 5000;

export class H5sPlayerRTC extends SocketPlayer {
  private peer: RTCPeerConnection | undefined;
  private config: RTCConfiguration = {};
  private pictureTimer: ReturnType<typeof setTimeout> | undefined;
  private instead: H5sPlayerWS | undefined;
  private last: RtcFigures | undefined;

  constructor(conf: H5sConf) {
    super(conf, 'h5srtcapi', { type: 'keepalive' });
  }

  stats(): H5sStats {
    if (this.instead) return this.instead.stats();
    const delayMs = this.last?.delayMs ?? 0;
    return {
      codec: this.last?.codec ?? '',
      ...this.common(),
      delayMs,
      transport: 'rtc',
      buffered: delayMs / 1000,
    };
  }

  protected override begin(): void {
    if (typeof RTCPeerConnection === 'undefined') return this.fallBack('This browser has no WebRTC.');
    this.listen('playing', () => this.picture());
    super.begin();
  }

  protected override end(): void {
    super.end();
    this.instead?.disconnect();
    this.instead = undefined;
    this.video.srcObject = null;
  }

  override pause(): void {
    if (this.instead) this.instead.pause();
    else super.pause();
  }

  override resume(): void {
    if (this.instead) this.instead.resume();
    else super.resume();
  }

  override goTo(command: Command): void {
    if (this.instead) this.instead.goTo(command);
    else super.goTo(command);
  }

  override send(message: Command): void {
    if (this.instead) this.instead.send(message);
    else super.send(message);
  }

  protected override opened(): void {
    this.config = {};
    this.link.send({ type: 'open' });
    super.opened();
  }

  protected override figures(): void {
    if (this.instead) return;
    super.figures();
    void this.readFigures();
  }

  protected received(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') return;
    const message = parseMessage(data);
    switch (message.kind) {
      case 'error':
        return message.fallback ? this.fallBack(message.text) : this.serverSays(message.text);
      case 'iceserver':
        this.config = message.config;
        return;
      case 'offer':
        void this.answer(message.sdp);
        return;
      case 'candidate':
        // A candidate that cannot be used is no reason to stop: others may do.
        this.peer?.addIceCandidate(message.candidate).catch((error: unknown) => this.log('candidate', error));
        return;
      default:
        this.pass(message, data);
    }
  }

  protected teardown(): void {
    clearTimeout(this.pictureTimer);
    this.last = undefined;
    const peer = this.peer;
    this.peer = undefined;
    if (!peer) return;
    peer.ontrack = peer.onicecandidate = peer.onconnectionstatechange = null;
    peer.close();
  }

  private async answer(sdp: string): Promise<void> {
    this.teardown();
    const peer = new RTCPeerConnection(this.config);
    this.peer = peer;
    peer.ontrack = (event) => this.attach(event);
    peer.onicecandidate = ({ candidate }) => {
      if (candidate) this.link.send({ ...candidate.toJSON(), type: 'remoteice' });
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === 'failed') this.restart('The WebRTC connection broke. Reconnecting …');
    };
    if (!this.playback?.paused) {
      this.pictureTimer = setTimeout(() => this.fallBack('No picture came over WebRTC within 5 s.'), PICTURE_WITHIN);
    }
    try {
      await peer.setRemoteDescription({ type: 'offer', sdp });
      await peer.setLocalDescription();
    } catch (error) {
      if (this.peer === peer) this.fallBack(`The browser refuses the WebRTC offer: ${String(error)}`);
      return;
    }
    if (this.peer !== peer) return;
    const answer = peer.localDescription?.sdp ?? '';
    if (/^m=video 0 /m.test(answer)) return this.fallBack('The browser takes no codec of this stream over WebRTC.');
    this.link.send({ type: 'answer', sdp: answer });
  }

  private attach(event: RTCTrackEvent): void {
    const stream = event.streams[0] ?? new MediaStream([event.track]);
    if (this.video.srcObject === stream) return;
    this.video.removeAttribute('src');
    this.video.srcObject = stream;
    void this.play();
  }

  private picture(): void {
    if (this.instead || !this.peer) return;
    clearTimeout(this.pictureTimer);
    this.link.healthy();
    this.report('playing', '');
  }

  private async readFigures(): Promise<void> {
    const { peer } = this;
    if (!peer) return;
    const fresh = await rtcFigures(peer, this.last);
    if (!fresh || this.peer !== peer) return;
    if (fresh.bytes > (this.last?.bytes ?? 0)) this.mediaArrived();
    this.meter.add(fresh.bytes - (this.last?.bytes ?? 0));
    this.last = fresh;
  }

  private fallBack(reason: string): void {
    super.end();
    this.video.srcObject = null;
    this.report('fallback', `${reason} Playing over WebSocket instead.`);
    this.instead = new H5sPlayerWS({ ...this.conf, videoid: undefined, videodom: this.video }, this.playback);
    this.instead.connect();
  }
}
