import { expect, test } from 'vitest';
import { holeJump, KEEP_BEHIND, LiveEdge, TRIM_AT, trimPoint } from '../src/player/live';

const ranges = (...pairs: [number, number][]) => ({
  length: pairs.length,
  start: (index: number) => pairs[index]![0],
  end: (index: number) => pairs[index]![1],
});

/** Plays `seconds` of a steady stream that starts `behind` the edge; gives the rates used and where it ends up. */
function play(live: LiveEdge, behind: number, seconds: number) {
  let now = 0;
  let edge = behind;
  let jumps = 0;
  const rates: number[] = [];
  for (let at = 0; at < seconds; at += 0.25) {
    const step = live.step(now, edge);
    let rate = 1;
    if ('seekTo' in step) {
      now = step.seekTo;
      jumps++;
    } else {
      rate = step.rate;
    }
    rates.push(rate);
    now += 0.25 * rate;
    edge += 0.25;
  }
  return { behind: edge - now, jumps, rates };
}

test('a small lag is made up by rate alone, within 5 %', () => {
  const { behind, jumps, rates } = play(new LiveEdge(), 1.2, 60);
  expect(jumps).toBe(0);
  expect(behind).toBeLessThan(0.4);
  expect(Math.max(...rates)).toBeLessThanOrEqual(1.05);
  expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.95);
  expect(rates[rates.length - 1]).toBe(1);
});

test('near the target the rate rests at 1', () => {
  const { rates } = play(new LiveEdge(), 0.28, 10);
  expect(new Set(rates)).toEqual(new Set([1]));
});

test('too little in hand slows the picture down', () => {
  expect(new LiveEdge().step(10, 10.05)).toEqual({ rate: 0.96 });
});

test('a large lag is jumped over, once', () => {
  const { jumps, behind } = play(new LiveEdge(), 4, 5);
  expect(jumps).toBe(1);
  expect(behind).toBeLessThan(0.4);
});

test('each stall keeps more in hand, up to a limit, and a quiet time takes it back', () => {
  const live = new LiveEdge();
  for (let i = 0; i < 30; i++) live.stalled();
  expect(play(live, 1, 5).behind).toBeCloseTo(1, 1);
  expect(play(live, 1, 600).behind).toBeLessThan(0.4);
});

test('after a hidden tab only a real lag is jumped over', () => {
  const live = new LiveEdge();
  expect(live.resume(10, 10.5)).toBeUndefined();
  expect(live.resume(10, 40)).toBeCloseTo(39.75);
});

test('played media is cut to ten seconds, and not for every frame', () => {
  expect(trimPoint(0, TRIM_AT, TRIM_AT + 0.3)).toBeUndefined();
  expect(trimPoint(0, TRIM_AT + 0.1, TRIM_AT + 0.4)).toBeCloseTo(TRIM_AT + 0.1 - KEEP_BEHIND);
});

test('a paused picture does not let the buffer grow without end', () => {
  let start = 0;
  let longest = 0;
  for (let edge = 0; edge < 600; edge += 0.5) {
    start = trimPoint(start, 2, edge) ?? start;
    longest = Math.max(longest, edge - start);
  }
  expect(longest).toBeLessThan(45);
});

test('the playhead leaves holes and the time before the first frame, and nothing else', () => {
  expect(holeJump(ranges([0.5, 4]), 0)).toBeCloseTo(0.501);
  expect(holeJump(ranges([0, 4], [6, 9]), 5)).toBeCloseTo(6.001);
  expect(holeJump(ranges([0, 4], [6, 9]), 4)).toBeCloseTo(6.001);
  expect(holeJump(ranges([0, 4]), 3)).toBeUndefined();
  expect(holeJump(ranges([0, 4]), 4)).toBeUndefined();
  expect(holeJump(ranges(), 0)).toBeUndefined();
});
