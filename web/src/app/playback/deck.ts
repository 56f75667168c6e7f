// What plays the chosen cameras: one alone, led by its player, which leaves gaps out by itself; or several in step,
// each playing the stretch of its footage in which the play head is, and resting where nothing is recorded of it.
//
// One timer while it is there. Bound: one player for each camera.

import { batch, computed, signal } from '@preact/signals';
import { playableFrom, type Span } from './spans';
import { Stage, type Way } from './stage';
import { type Runner, stride } from './step';

export const SPEEDS = ['0.5', '1.0', '2.0', '4.0', '8.0', '16.0'];
/** How many cameras are played together. */
export const MOST = 4;

const LOOK_EVERY = 100;
/** A stretch that begins so soon is made ready, in milliseconds on the wall. */
const READY_BEFORE = 2000;
/** At the start nobody is waited for longer. */
const GATHER_FOR = 6000;
/** At high speeds, who was sent somewhere stands at the key frame before it, at most so far away. */
const KEY_WITHIN = 6000;

/** Off: nothing was played yet. Gathering: all are made ready at one place. */
type Motion = 'off' | 'gathering' | 'running' | 'paused' | 'over';

/** What is recorded of a camera on the day. */
export interface Footing {
  /** Where there is something to play. */
  spans: readonly Span[];
}

interface Seat {
  stage: Stage;
  held: boolean;
  place: number | undefined;
  /** Where it was last sent to. */
  goal: number;
  /** When it last came on. */
  movedAt: number;
}

export class Deck {
  readonly stages = signal<readonly Stage[]>([]);
  /** The play head. */
  readonly place = signal<number | undefined>(undefined);
  readonly motion = signal<Motion>('off');
  readonly speed = signal('1.0');
  readonly way = signal<Way>('ws');
  readonly muted = signal(false);
  /** Gaps are passed over. */
  readonly skipping = signal(true);
  /** By token: nothing is recorded of it at the play head. */
  readonly resting = signal<ReadonlySet<string>>(new Set());
  readonly playing = computed(() => this.motion.value === 'running' || this.motion.value === 'gathering');

  private seats: Seat[] = [];
  private footing = new Map<string, Footing>();
  private whole: Span = { from: 0, to: 0 };
  private since = 0;
  private lookedAt = 0;
  private sought: number | undefined;
  private readonly timer = setInterval(() => this.look(), LOOK_EVERY);

  dispose(): void {
    clearInterval(this.timer);
    this.clear();
  }

  /** Other cameras, or another day: nothing is played any more. */
  seat(tokens: readonly string[], whole: Span): void {
    this.clear();
    this.whole = whole;
    this.footing.clear();
    this.seats = tokens.map((token) => ({ stage: new Stage(token), held: false, place: undefined, goal: 0, movedAt: 0 }));
    for (const [index, { stage }] of this.seats.entries()) {
      stage.video.muted = index > 0 || this.muted.value;
      // The player, too, turns it off where the browser starts no sound by itself.
      if (index === 0) stage.video.addEventListener('volumechange', () => (this.muted.value = stage.video.muted));
    }
    this.stages.value = this.seats.map(({ stage }) => stage);
  }

  /** What there is to play, which grows on a day that goes on. */
  know(token: string, footing: Footing): void {
    this.footing.set(token, footing);
  }

  /** Plays from the moment on, or from the next one of which there is a picture; false where there is none. */
  play(moment: number): boolean {
    const target = this.isAlone || this.skipping.value ? this.next(moment) : moment;
    if (target === undefined || this.next(target) === undefined) return false;
    this.sought = target;
    if (this.isAlone) this.lead(target);
    else this.gather(target);
    return true;
  }

  toggle(): void {
    if (this.playing.value) return this.hush();
    if (this.motion.value !== 'paused') return;
    for (const { stage, held } of this.seats) if (stage.active && !held) stage.resume();
    this.lookedAt = performance.now();
    this.motion.value = 'running';
  }

  setSpeed(speed: string): void {
    this.speed.value = speed;
    for (const { stage } of this.seats) stage.setSpeed(speed);
    // What the players have in hand is of the old speed; together they begin anew.
    if (!this.isAlone && this.playing.value && this.place.value !== undefined) this.play(this.place.value);
  }

  setWay(way: Way): void {
    this.way.value = way;
    this.again();
  }

  setSkipping(skipping: boolean): void {
    this.skipping.value = skipping;
    this.again();
  }

  setMuted(muted: boolean): void {
    this.muted.value = muted;
    const [first] = this.seats;
    if (first) first.stage.video.muted = muted;
  }

  step(direction: 1 | -1): void {
    if (this.playing.value) this.hush();
    for (const { stage } of this.seats) stage.step(direction);
  }

  /** Where who jumps stands: at the place that was last jumped to, until the play head is beyond. */
  get standing(): number | undefined {
    const { sought } = this;
    const place = this.place.value;
    return place !== undefined && sought !== undefined && place < sought && place > sought - KEY_WITHIN ? sought : place;
  }

  private get isAlone(): boolean {
    return this.seats.length === 1 && this.skipping.value;
  }

  /** Begins anew where it is, after a choice that a running player cannot take. */
  private again(): void {
    const place = this.place.value;
    const goesOn = this.playing.value;
    for (const { stage } of this.seats) {
      stage.stop();
      stage.way = this.seats.length === 1 ? this.way.value : 'ws';
    }
    if (this.motion.value === 'off' || place === undefined) return;
    this.motion.value = 'off';
    if (goesOn) this.play(place);
  }

  private clear(): void {
    for (const { stage } of this.seats) stage.stop();
    batch(() => {
      this.place.value = undefined;
      this.motion.value = 'off';
      this.resting.value = new Set();
      this.sought = undefined;
    });
  }

  private hush(): void {
    for (const { stage } of this.seats) if (stage.active) stage.pause();
    this.motion.value = 'paused';
  }

  private spans(seat: Seat): readonly Span[] {
    return this.footing.get(seat.stage.token)?.spans ?? [];
  }

  /** Where any camera has a picture at or after the moment. */
  private next(moment: number): number | undefined {
    const all = this.seats.flatMap((seat) => this.spans(seat).map(({ from, to }) => ({ start: from, end: to, available: true })));
    return playableFrom(all, moment);
  }

  private lead(target: number): void {
    const [seat] = this.seats;
    if (!seat) return;
    seat.stage.way = this.way.value;
    seat.stage.speed = this.speed.value;
    const ends = this.spans(seat).at(-1)?.to ?? this.whole.to;
    seat.stage.play(target, { from: this.whole.from, to: ends }, false);
    batch(() => {
      this.place.value = target;
      this.motion.value = 'running';
      this.resting.value = new Set();
    });
  }

  private gather(target: number): void {
    this.since = performance.now();
    for (const seat of this.seats) {
      seat.stage.way = this.seats.length === 1 ? this.way.value : 'ws';
      seat.stage.speed = this.speed.value;
      seat.place = undefined;
      this.send(seat, target);
    }
    batch(() => {
      this.place.value = target;
      this.motion.value = 'gathering';
    });
    this.tellResting();
  }

  /** To the moment, if something is recorded of it. */
  private send(seat: Seat, moment: number): void {
    seat.held = false;
    seat.goal = moment;
    seat.movedAt = performance.now();
    const span = this.spans(seat).find(({ from, to }) => moment >= from && moment < to);
    if (span) seat.stage.play(moment, span, true);
    else seat.stage.stop();
  }

  private look(): void {
    const now = performance.now();
    const passed = now - this.lookedAt;
    this.lookedAt = now;
    if (this.seats.length === 0 || this.motion.value === 'off' || this.motion.value === 'over') return;
    if (this.isAlone) return this.follow();
    if (this.motion.value === 'paused') return this.stand();
    this.measure(now);
    if (this.motion.value === 'gathering' && !this.gathered(now)) return;
    this.run(passed);
  }

  /** One alone is where its player is. */
  private follow(): void {
    const [seat] = this.seats;
    if (!seat) return;
    this.place.value = seat.stage.place ?? this.place.value;
    if (seat.stage.over || seat.stage.failed) this.motion.value = 'over';
  }

  /** Paused ones are stepped picture by picture. */
  private stand(): void {
    const places = this.seats.flatMap(({ stage }) => (stage.active && stage.ready ? [stage.place ?? Infinity] : []));
    if (places.length > 0) this.place.value = Math.min(...places);
  }

  private measure(now: number): void {
    for (const seat of this.seats) {
      const place = seat.stage.ready ? seat.stage.place : undefined;
      if (place !== seat.place || seat.held) seat.movedAt = now;
      seat.place = place;
    }
  }

  /** Whoever is ready first stands until all are. */
  private gathered(now: number): boolean {
    const waited = this.seats.filter(({ stage }) => stage.active && !stage.failed);
    const ready = waited.filter(({ place }) => place !== undefined);
    if (ready.length < waited.length && now - this.since < GATHER_FOR) {
      for (const seat of ready) this.hold(seat, true);
      return false;
    }
    if (ready.length > 0) this.place.value = Math.min(...ready.map(({ place }) => place ?? Infinity));
    for (const seat of ready) seat.movedAt = now;
    this.motion.value = 'running';
    return true;
  }

  private run(passed: number): void {
    const head = this.place.value ?? this.whole.from;
    const speed = Number(this.speed.value);
    const going = this.seats.filter(({ stage }) => stage.active && !stage.done && !stage.failed);
    const now = performance.now();
    const runners: Runner[] = going.map((seat) => ({ place: seat.place, stuck: now - seat.movedAt }));
    const step = stride(runners, head, going.map(({ held }) => held), speed);
    // Where nobody has a picture, the head runs by itself, or jumps.
    const free = step.ahead !== undefined || going.length === 0;
    const target = free ? this.passGap(head, head + passed * speed) : step.head;
    if (target === undefined) return this.finish();
    for (const [index, seat] of going.entries()) {
      if (step.send[index]) this.send(seat, target);
      else this.hold(seat, (seat.place ?? 0) - target > 0 && step.hold[index] === true && !(free && this.skipping.value));
    }
    this.place.value = target;
    this.change(target, speed);
    this.tellResting();
  }

  /** Over what nobody has recorded: on by itself, or to the next picture; `undefined` behind the last one. */
  private passGap(head: number, on: number): number | undefined {
    // Of a stretch that has been played out nothing more is to come.
    const out = this.seats.flatMap((seat) => (seat.stage.active ? this.spans(seat).filter(({ from, to }) => head >= from && head < to) : []));
    const next = this.next(Math.max(head, ...out.map(({ to }) => to)));
    if (next === undefined) return undefined;
    return this.skipping.value ? next : Math.min(on, Math.max(next, head));
  }

  /** Those whose stretch has ended rest, and those whose stretch begins are made ready. */
  private change(head: number, speed: number): void {
    for (const seat of this.seats) {
      const { stage } = seat;
      if (stage.failed || (stage.active && !stage.done && stage.covers(Math.max(head, seat.goal)))) continue;
      const begins = (from: number, to: number) => to > head && from <= head + READY_BEFORE * speed && !(stage.done && from <= head);
      const span = this.spans(seat).find(({ from, to }) => begins(from, to));
      if (span) {
        seat.place = undefined;
        this.send(seat, Math.max(span.from, head));
      } else if (stage.active && !stage.done) stage.stop();
    }
  }

  private hold(seat: Seat, on: boolean): void {
    seat.held = on;
    seat.stage.hold(on);
  }

  private finish(): void {
    // The last pictures stay.
    this.motion.value = 'over';
    this.tellResting();
  }

  private tellResting(): void {
    const head = this.place.value ?? 0;
    const resting = this.seats.filter((seat) => !this.spans(seat).some(({ from, to }) => head >= from - 1000 && head < to)).map(({ stage }) => stage.token);
    if (String(resting) !== String([...this.resting.value])) this.resting.value = new Set(resting);
  }
}
