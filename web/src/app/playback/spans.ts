// The day's recordings as stretches of time: what the time line draws, what lies before and after a moment.

import type { Cause, Footage } from './footage';

export interface Span {
  from: number;
  to: number;
}

export interface Stretch {
  start: number;
  end: number;
  cause: Cause;
}

/** Files that follow one another so closely, in milliseconds, are one stretch. */
const TOGETHER = 1500;

/** Files of one kind joined into stretches, cut to the day; the rarer kinds come last, to be drawn on top. */
export function stretches(records: readonly Footage[], from: number, to: number): Stretch[] {
  const order: Cause[] = ['schedule', 'manual', 'alarm'];
  return order.flatMap((cause) => joined(records.filter((record) => record.cause === cause), from, to));
}

function joined(records: readonly Footage[], from: number, to: number): Stretch[] {
  const found: Stretch[] = [];
  for (const { start, end, cause } of records) {
    const last = found.at(-1);
    if (last && start <= last.end + TOGETHER) last.end = Math.min(to, Math.max(last.end, end));
    else if (end > from && start < to) found.push({ start: Math.max(from, start), end: Math.min(to, end), cause });
  }
  return found;
}

/** What is drawn closer than `least` joined, so that a day of thousands is drawn as what can be told apart. By start. */
export function coarse<T extends { start: number; end: number }>(list: readonly T[], least: number): T[] {
  const drawn: T[] = [];
  for (const one of list) {
    const last = drawn.at(-1);
    if (last && one.start - last.end < least) drawn[drawn.length - 1] = { ...last, end: Math.max(last.end, one.end) };
    else drawn.push(one);
  }
  return drawn;
}

/** Where there is something to play, whatever it was recorded for; what is still recorded goes on to `to`. */
export function playable(records: readonly Footage[], from: number, to: number): Span[] {
  const found: Span[] = [];
  for (const { start, end, open, available } of records) {
    if (!available) continue;
    const last = found.at(-1);
    const until = Math.min(to, open ? to : end);
    if (last && start <= last.to + TOGETHER) last.to = Math.max(last.to, until);
    else if (until > from && start < to) found.push({ from: Math.max(from, start), to: until });
  }
  return found;
}

/** Recorded time in milliseconds, what several files hold counted once. */
export function recordedTime(records: readonly Footage[]): number {
  let total = 0;
  let reached = -Infinity;
  for (const { start, end } of records) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total;
}

/** Where there is a picture at or after the moment; `undefined` behind the last one. */
export function playableFrom(records: readonly Pick<Footage, 'start' | 'end' | 'available'>[], moment: number): number | undefined {
  let next: number | undefined;
  for (const { start, end, available } of records) {
    if (!available || end <= moment) continue;
    if (start <= moment) return moment;
    next = Math.min(next ?? start, start);
  }
  return next;
}

/** The start of the recording before or after a moment. */
export function neighbour(records: readonly Footage[], moment: number, direction: 1 | -1): number | undefined {
  return nearest(records.filter(({ available }) => available).map(({ start }) => start), moment, direction);
}

/** So long after the start of a recording, in milliseconds, "previous" leads to that start. */
const BACK_TO_OWN_START = 3000;

/** The beginning of the nearest of `starts` before or after a moment. */
export function nearest(starts: readonly number[], moment: number, direction: 1 | -1): number | undefined {
  return direction > 0 ? starts.find((start) => start > moment) : starts.filter((start) => start < moment - BACK_TO_OWN_START).at(-1);
}

/** Of the last picture there is. */
export function lastMoment(records: readonly Footage[]): number | undefined {
  return records.reduce<number | undefined>((last, { end }) => Math.max(last ?? end, end), undefined);
}
