// The moving picture of one tile: which player runs on which way, when the next one takes over, and what is to be said
// while nothing is shown. Preact does not draw here: the video elements are made and dropped by hand, so that the old
// picture stays until the new one is there.
//
// Bound: two video elements, and two only while the picture changes over.

import { batch, signal } from '@preact/signals';
import type { H5sState } from '../../player/conf';
import type { H5sStats } from '../../player/base';
import type { H5sPlayer } from '../../player/helper';
import { player } from '../../page/player';
import { readSession } from '../session';
import type { Profile, Way } from './layout';
import { able, keepWay, keptWay, Turn, waysFor } from './ways';

/** A picture that nobody sees goes on for so many seconds. */
const UNSEEN_FOR = 30;

export interface FeedState {
  /** `unable`: the browser has no decoder. `failed`: all ways were tried. `paused`: nobody sees it. */
  at: 'paused' | 'connecting' | 'playing' | 'waiting' | 'blocked' | 'unable' | 'failed';
  /** The player's own words, where it has some. */
  text: string;
}

export interface Wanted {
  profile: Profile;
  transport: Way | undefined;
  /** The camera is known to send H.265. */
  hevc: boolean;
}

interface Run {
  way: Way;
  video: HTMLVideoElement;
  player: H5sPlayer;
  shown: boolean;
}

export class Feed {
  readonly state = signal<FeedState>({ at: 'connecting', text: '' });
  readonly way = signal<Way | undefined>(undefined);
  /** Read each second while `measured`. */
  readonly figures = signal<H5sStats | undefined>(undefined);
  measured = false;
  private run: Run | undefined;
  /** Still shows its picture, until the new run has one. */
  private old: Run | undefined;
  private turn = new Turn([]);
  private wanted: Wanted | undefined;
  private key = '';
  private fault = '';
  private muted = true;
  private seen = true;
  private unseenFor = 0;

  /** `silenced` is told when the browser refuses sound. */
  constructor(
    private readonly token: string,
    private readonly host: HTMLElement,
    private readonly silenced: () => void,
  ) {}

  /** Plays so, from now on; nothing happens when it does already. */
  play(wanted: Wanted): void {
    const key = JSON.stringify(wanted);
    if (key === this.key) return;
    this.key = key;
    this.wanted = wanted;
    this.fault = '';
    this.begin();
  }

  mute(muted: boolean): void {
    this.muted = muted;
    if (this.run) this.run.video.muted = muted;
    if (this.old) this.old.video.muted = true;
  }

  get profile(): Profile {
    return this.wanted?.profile ?? 'main';
  }

  /** The picture being shown, for a snapshot. */
  get video(): HTMLVideoElement | undefined {
    return this.old?.video ?? this.run?.video;
  }

  /** Whether anybody sees the tile. */
  see(seen: boolean): void {
    this.seen = seen;
    this.unseenFor = 0;
    if (seen && this.state.peek().at === 'paused') this.begin();
  }

  /** After the browser wanted a press first. */
  unblock(): void {
    void this.run?.video.play().catch(() => undefined);
  }

  /** Tries anew, from the first way. */
  again(): void {
    this.fault = '';
    this.begin();
  }

  /** A second has passed. `ready`: the server has the camera's picture. */
  second(ready: boolean): void {
    const { at } = this.state.peek();
    if (!this.seen) {
      if (at !== 'paused' && ++this.unseenFor >= UNSEEN_FOR) this.pause();
      return;
    }
    if (this.measured) this.figures.value = this.run?.shown ? this.run.player.stats() : undefined;
    if (at === 'playing') this.turn.shown();
    else if (at !== 'blocked' && at !== 'paused' && this.turn.second(ready)) this.start();
  }

  /** There is no such camera, for now. */
  rest(): void {
    this.stop();
    this.key = '';
    this.wanted = undefined;
    this.turn = new Turn([]);
    this.say('connecting');
  }

  stop(): void {
    this.drop(this.old);
    this.drop(this.run);
    this.old = this.run = undefined;
  }

  private pause(): void {
    this.stop();
    this.say('paused');
  }

  private begin(): void {
    if (!this.wanted) return;
    if (!this.seen) return this.pause();
    const ways = waysFor(able(), this.wanted.hevc, this.wanted.transport, keptWay(this.token));
    this.turn = new Turn(ways);
    if (ways.length > 0) return this.start();
    this.stop();
    this.say('unable');
  }

  private start(): void {
    const { way } = this.turn;
    if (this.run?.shown) {
      this.drop(this.old);
      this.old = this.run;
    } else this.drop(this.run);
    this.run = undefined;
    if (!way) {
      this.drop(this.old);
      this.old = undefined;
      return this.say('failed', this.fault);
    }
    const video = document.createElement('video');
    video.muted = this.muted;
    video.disablePictureInPicture = true;
    // Under the old picture, which goes when this one is there.
    this.host.prepend(video);
    const Kind = { rtc: player.H5sPlayerRTC, ws: player.H5sPlayerWS, hls: player.H5sPlayerHls }[way];
    const running = new Kind({
      videodom: video,
      token: this.token,
      streamprofile: this.wanted?.profile ?? 'main',
      hlsver: 'v2',
      session: readSession(),
      onstate: (state) => this.told(video, state),
    });
    this.run = { way, video, player: running, shown: false };
    batch(() => {
      this.way.value = way;
      if (!this.old) this.say('connecting');
    });
    running.connect();
  }

  private told(video: HTMLVideoElement, { state, text }: H5sState): void {
    const { run } = this;
    if (run?.video !== video) return;
    switch (state) {
      case 'muted':
        this.silenced();
        return this.shows(run);
      case 'playing':
        return this.shows(run);
      case 'waiting':
        return this.say('waiting');
      case 'blocked':
        return this.say('blocked');
      case 'reconnecting':
        run.shown = false;
        return this.say('connecting', text);
      case 'fallback':
        return this.fellBack(run, text);
      case 'error':
        // The player is still in the middle of it, and cannot be stopped from in here.
        return queueMicrotask(() => this.givenUp(run, text));
    }
  }

  private shows(run: Run): void {
    run.shown = true;
    this.drop(this.old);
    this.old = undefined;
    this.turn.shown();
    keepWay(this.token, run.way);
    this.say('playing');
  }

  /** A WebRTC player goes on over WebSocket by itself: right where that is the next way, too much where it is not. */
  private fellBack(run: Run, text: string): void {
    if (!this.turn.takes('ws')) return queueMicrotask(() => this.givenUp(run, text.replace(/ Playing over WebSocket instead\.$/, '')));
    run.way = 'ws';
    this.way.value = 'ws';
  }

  private givenUp(run: Run, text: string): void {
    if (this.run !== run) return;
    this.fault = text;
    this.turn.failed();
    this.start();
  }

  private drop(run: Run | undefined): void {
    run?.player.disconnect();
    run?.video.remove();
  }

  private say(at: FeedState['at'], text = ''): void {
    const told = this.state.peek();
    if (told.at !== at || told.text !== text) this.state.value = { at, text };
  }
}
