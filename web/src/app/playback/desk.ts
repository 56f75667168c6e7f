// What the playback page shows: the cameras, the day, what was found of them, and the span that is marked.
//
// Bound: the searches of one day for at most four cameras.

import { batch, computed, effect, signal, untracked } from '@preact/signals';
import { words } from '../call';
import { note, route } from '../route';
import { nameOf, sourceMap, sources } from '../state';
import { t } from '../text';
import { Deck, MOST } from './deck';
import { type Footage, search } from './footage';
import { type Happening, happenings } from './happenings';
import { nearest, neighbour, playable, type Span } from './spans';
import { bounds, clock, type Day, dayOf, dayText, onDay, parseDay, sameDay } from './time';

/** While one of the cameras is recorded, the day is searched again so often, in milliseconds. */
const REFRESH_EVERY = 10_000;

/** What was found of a camera. */
export interface Found {
  records: readonly Footage[];
  snapshots: readonly Footage[];
  happenings: readonly Happening[];
}

export const NOTHING: Found = { records: [], snapshots: [], happenings: [] };

export class Desk {
  readonly deck = new Deck();
  readonly tokens = signal<readonly string[]>([]);
  readonly day = signal<Day>(dayOf(Date.now()));
  readonly found = signal<ReadonlyMap<string, Found>>(new Map());
  readonly looking = signal(true);
  readonly fault = signal('');
  /** Why nothing plays. */
  readonly message = signal('');
  /** Marked for an export. */
  readonly span = signal<Span | undefined>(undefined);
  /** Counts what was deleted: the calendar may have changed. */
  readonly changes = signal(0);
  readonly records = computed(() =>
    [...this.found.value.values()].flatMap(({ records }) => records).sort((a, b) => a.start - b.start),
  );
  private number = 0;
  private readonly stops: (() => void)[];
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.stops = [
      effect(() => {
        const { query } = route.value;
        untracked(() => this.take(query));
      }),
      effect(() => {
        const recording = this.tokens.value.some((token) => sourceMap.value.get(token)?.bRec);
        untracked(() => this.keepLooking(recording));
      }),
    ];
  }

  dispose(): void {
    this.stops.forEach((stop) => stop());
    clearInterval(this.timer);
    this.deck.dispose();
  }

  name(token: string): string {
    const source = sourceMap.value.get(token);
    return source ? nameOf(source) : token;
  }

  show(tokens: readonly string[], day: Day): void {
    note('playback', { token: tokens.join(','), day: dayText(day) });
  }

  toggleCamera(token: string): void {
    const tokens = this.tokens.value;
    const others = tokens.filter((other) => other !== token);
    if (others.length < tokens.length) this.show(others.length > 0 ? others : tokens, this.day.value);
    else this.show([...tokens, token].slice(-MOST), this.day.value);
  }

  playFrom(moment: number): void {
    const target = Math.max(moment, bounds(this.day.value).from);
    const plays = this.deck.play(target);
    this.message.value = plays ? '' : this.records.value.length > 0 ? t('playback.nothing_after', { time: clock(target) }) : t('playback.nothing_day');
  }

  toggle(): void {
    const { deck } = this;
    if (deck.playing.value || deck.motion.value === 'paused') return deck.toggle();
    const { from } = bounds(this.day.value);
    const place = deck.motion.value === 'over' ? from : (deck.place.value ?? from);
    this.playFrom(place);
  }

  seek(seconds: number): void {
    this.playFrom((this.deck.place.value ?? bounds(this.day.value).from) + seconds * 1000);
  }

  /** To the recording or the event before or after. */
  skip(what: 'record' | 'event', direction: 1 | -1): void {
    const from = this.deck.standing ?? bounds(this.day.value).from;
    const target = what === 'record' ? neighbour(this.records.value, from, direction) : nearest(this.eventStarts(), from, direction);
    if (target !== undefined) this.playFrom(target);
  }

  /** An end of the marked span: where the play head is. */
  mark(end: 'from' | 'to'): void {
    const place = this.deck.place.value;
    if (place === undefined) return;
    const { from, to } = this.span.value ?? { from: place, to: place };
    this.span.value = end === 'from' ? { from: place, to: Math.max(to, place) } : { from: Math.min(from, place), to: place };
  }

  eventStarts(): number[] {
    const starts = [...this.found.value.values()].flatMap(({ happenings }) => happenings.map(({ start }) => start));
    return starts.sort((a, b) => a - b);
  }

  /** Searches the day again. */
  async refresh(): Promise<void> {
    const number = ++this.number;
    const [tokens, day] = [this.tokens.value, this.day.value];
    const answers = await Promise.allSettled(tokens.map((token) => this.find(token, day)));
    if (number !== this.number) return;
    const found = new Map<string, Found>();
    const faults: string[] = [];
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') found.set(tokens[index] ?? '', answer.value);
      else faults.push(words(answer.reason));
    }
    const { from, to } = bounds(day);
    for (const [token, { records }] of found) this.deck.know(token, { spans: playable(records, from, to) });
    batch(() => {
      this.found.value = found;
      this.fault.value = faults.join(' ');
      this.looking.value = false;
    });
  }

  private async find(token: string, day: Day): Promise<Found> {
    const [records, snapshots, events] = await Promise.all([
      search('record', token, day),
      search('snapshot', token, day),
      // A camera without events is shown without.
      happenings(token, day).catch(() => []),
    ]);
    return { records, snapshots, happenings: events };
  }

  /** Shows what the address says. */
  private take(query: URLSearchParams): void {
    if (route.peek().page !== 'playback') return;
    const asked = (query.get('token') ?? '').split(',').filter((token) => token !== '');
    const [first] = sources.peek();
    const tokens = asked.length > 0 ? asked.slice(0, MOST) : first ? [first.strToken] : [];
    const day = parseDay(query.get('day') ?? '') ?? dayOf(Date.now());
    const time = onDay(day, query.get('time') ?? '');
    const isNew = String(tokens) !== String(this.tokens.peek()) || !sameDay(day, this.day.peek()) || this.number === 0;
    if (!isNew && Number.isNaN(time)) return;
    const place = this.deck.place.peek();
    const goesOn = sameDay(day, this.day.peek()) && this.deck.playing.peek() ? place : undefined;
    if (isNew) this.begin(tokens, day);
    const target = Number.isNaN(time) ? goesOn : time;
    void (isNew ? this.refresh() : Promise.resolve()).then(() => {
      if (target === undefined || String(this.tokens.value) !== String(tokens)) return;
      this.playFrom(target);
    });
  }

  private begin(tokens: readonly string[], day: Day): void {
    batch(() => {
      const kept = sameDay(day, this.day.peek()) ? this.found.peek() : new Map<string, Found>();
      this.found.value = new Map(tokens.flatMap((token) => (kept.has(token) ? [[token, kept.get(token) ?? NOTHING]] : [])));
      if (!sameDay(day, this.day.peek())) this.span.value = undefined;
      this.tokens.value = tokens;
      this.day.value = day;
      this.looking.value = true;
      this.message.value = '';
      this.fault.value = '';
    });
    this.deck.seat(tokens, bounds(day));
  }

  /** What is being recorded grows; where recording begins or ends, the list is looked at once more. */
  private keepLooking(recording: boolean): void {
    clearInterval(this.timer);
    const look = () => {
      if (!document.hidden && sameDay(this.day.peek(), dayOf(Date.now()))) void this.refresh();
    };
    if (recording) this.timer = setInterval(look, REFRESH_EVERY);
    // Its list has just changed, but at the start, when it is being looked at anyway.
    if (this.number > 0 && this.found.peek().size > 0) setTimeout(look, 1000);
  }
}
