// The live page's logic: layouts, the ways that pictures come, steering, running times.
import { expect, test } from 'vitest';
import * as plan from '../src/app/live/layout';
import { Steering, actionOf } from '../src/app/live/steer';
import { Turn, waysFor } from '../src/app/live/ways';

const can = { rtc: true, ws: true, hevcRtc: false, hevcWs: true };
const tokens = (layout: plan.Layout) => layout.tiles.map((tile) => tile?.token ?? '');
const wall = (cols: number, rows: number, ...on: string[]): plan.Layout => ({ grid: { cols, rows }, tiles: on.map((token) => (token ? { token } : undefined)) });

test('a wall that nobody has arranged is as small as its cameras allow', () => {
  expect([0, 1, 2, 4, 5, 9, 10, 16, 64].map((count) => plan.gridFor(count))).toEqual(
    [[1, 1], [1, 1], [2, 1], [2, 2], [3, 2], [3, 3], [4, 3], [4, 4], [4, 4]].map(([cols, rows]) => ({ cols, rows })),
  );
  expect(plan.gridFor(3, true)).toEqual({ cols: 1, rows: 3 });
  expect(plan.gridFor(64, true)).toEqual({ cols: 1, rows: 6 });
  const many = Array.from({ length: 64 }, (_, n) => `c${n}`);
  expect(plan.firstLayout(many, false).tiles).toHaveLength(16);
});

test('a camera stands on the wall once: putting it elsewhere changes places', () => {
  const before = wall(2, 2, 'a', 'b', '', 'd');
  expect(tokens(plan.put(before, 2, 'e'))).toEqual(['a', 'b', 'e', 'd']);
  expect(tokens(plan.put(before, 3, 'a'))).toEqual(['d', 'b', '', 'a']);
  expect(tokens(plan.put(before, 2, 'a'))).toEqual(['', 'b', 'a', 'd']);
  expect(tokens(before)).toEqual(['a', 'b', '', 'd']);
  expect(plan.emptyAfter(before, 3)).toBe(2);
  expect(plan.emptyAfter(wall(1, 1, 'a'), 0)).toBeUndefined();
});

test('a larger grid adds cameras at the new places only, and a smaller one loses none', () => {
  const four = wall(2, 2, 'a', '', 'c', 'd');
  const nine = plan.regrid(four, { cols: 3, rows: 3 }, ['a', 'b', 'c', 'd', 'e', 'f']);
  expect(tokens(nine)).toEqual(['a', '', 'c', 'd', 'b', 'e', 'f', '', '']);
  const one = plan.regrid(nine, { cols: 1, rows: 1 }, []);
  expect(tokens(plan.regrid(one, { cols: 3, rows: 3 }, []))).toEqual(tokens(nine));
});

test('the arrows stop at the edges', () => {
  const grid = { cols: 3, rows: 2 };
  expect([plan.beside(grid, 0, 'left'), plan.beside(grid, 0, 'right'), plan.beside(grid, 2, 'right'), plan.beside(grid, 2, 'down'), plan.beside(grid, 5, 'down'), plan.beside(grid, 4, 'up')]).toEqual([0, 1, 2, 5, 5, 1]);
});

test('the address says what is shown, and is read back', () => {
  const layout: plan.Layout = { grid: { cols: 2, rows: 2 }, tiles: [{ token: 'gate' }, { token: 'yard.2', profile: 'sub', transport: 'ws' }, undefined, { token: 'c-3', transport: 'hls' }] };
  const query = plan.toQuery(layout);
  expect(query).toEqual({ grid: '2x2', tiles: 'gate yard.2*sub*ws * c-3**hls' });
  expect(plan.fromQuery(new URLSearchParams(query))).toEqual(layout);
  expect(new URLSearchParams(query).toString()).toBe('grid=2x2&tiles=gate+yard.2*sub*ws+*+c-3**hls');
});

test('a layout from outside is checked in all parts', () => {
  for (const bad of [undefined, null, 7, {}, { grid: { cols: 7, rows: 1 }, tiles: [] }, { grid: { cols: 1.5, rows: 1 }, tiles: [] }, { grid: { cols: 2, rows: 2 }, tiles: 'x' }]) expect(plan.checked(bad)).toBeUndefined();
  expect(plan.fromQuery(new URLSearchParams('grid=9x1&tiles=a'))).toBeUndefined();
  expect(plan.fromQuery(new URLSearchParams(''))).toBeUndefined();
  const tiles = [{ token: '../x' }, { token: 'a', transport: 'carrier pigeon', profile: 'sub' }, { token: 'a' }, 5, null, { token: 'b', transport: 'rtc', more: 1 }];
  expect(plan.checked({ grid: { cols: 3, rows: 2 }, tiles })?.tiles).toEqual([undefined, { token: 'a', profile: 'sub' }, undefined, undefined, undefined, { token: 'b', transport: 'rtc' }]);
  expect(plan.checkedTour({ seconds: 1, views: ['a', 4, 'b'] })).toEqual({ seconds: 5, views: ['a', 'b'] });
  expect(plan.checkedTour({ seconds: 10, views: [] })).toBeUndefined();
});

test('a tile of a site keeps its long token', () => {
  const token = `${'s'.repeat(64)}-${'c'.repeat(64)}`;
  const layout = { grid: { cols: 1, rows: 1 }, tiles: [{ token }] };
  expect(plan.checked(plan.toView(layout))?.tiles).toEqual([{ token }]);
  expect(plan.fromQuery(new URLSearchParams(plan.toQuery(layout)))?.tiles).toEqual([{ token }]);
  expect(plan.checked({ ...layout, tiles: [{ token: `${token}x` }] })?.tiles).toEqual([undefined]);
});

test('the ways follow from what the browser takes, what was fixed, and what worked before', () => {
  expect(waysFor(can, false)).toEqual(['rtc', 'ws', 'hls']);
  expect(waysFor(can, true)).toEqual(['ws', 'hls']);
  expect(waysFor(can, false, undefined, 'ws')).toEqual(['ws', 'rtc', 'hls']);
  expect(waysFor(can, true, undefined, 'rtc')).toEqual(['ws', 'hls']);
  expect(waysFor(can, false, 'hls', 'ws')).toEqual(['hls']);
  expect(waysFor({ ...can, hevcWs: false }, true)).toEqual([]);
});

test('a way that shows nothing for three seconds of an online camera gives way to the next', () => {
  const turn = new Turn(['rtc', 'ws', 'hls']);
  expect([turn.second(true), turn.second(true), turn.way]).toEqual([false, false, 'rtc']);
  // While the camera itself is not there, no way is to blame.
  expect([turn.second(false), turn.second(true), turn.second(true), turn.way]).toEqual([false, false, false, 'rtc']);
  expect([turn.second(true), turn.way]).toEqual([true, 'ws']);
  turn.failed();
  turn.failed();
  expect(turn.way).toBeUndefined();
  const again = Array.from({ length: 15 }, () => turn.second(true));
  expect([again.indexOf(true), turn.way]).toEqual([14, 'rtc']);
});

test('a WebRTC player that goes on over WebSocket is let go on where that is next', () => {
  const turn = new Turn(['rtc', 'ws', 'hls']);
  expect([turn.takes('ws'), turn.way]).toEqual([true, 'ws']);
  expect(new Turn(['ws', 'rtc', 'hls']).takes('ws')).toBe(false);
  expect(new Turn(['rtc']).takes('ws')).toBe(false);
});

test('a way that was chosen by hand is given time without end', () => {
  const turn = new Turn(['hls']);
  for (let second = 0; second < 60; second++) expect(turn.second(true)).toBe(false);
  expect(turn.way).toBe('hls');
});

test('keys that are held together steer together', () => {
  const held = (...keys: string[]) => actionOf(new Set(keys));
  expect([held(), held('ArrowUp'), held('ArrowUp', 'ArrowLeft'), held('ArrowDown', 'ArrowRight'), held('ArrowLeft', 'ArrowRight'), held('+'), held('-', 'ArrowUp')]).toEqual([undefined, 'up', 'upleft', 'downright', undefined, 'zoomin', 'zoomout']);
});

test('orders go out in turn, the newest wins, and a move ends with a stop', async () => {
  const sent: string[] = [];
  let answer: () => void = () => undefined;
  const steering = new Steering((order) => {
    sent.push(order);
    return new Promise<void>((resolve) => (answer = resolve));
  }, () => undefined);
  const answered = async () => {
    answer();
    await new Promise((resolve) => setTimeout(resolve));
  };
  steering.start('up');
  steering.start('left');
  steering.start('right');
  steering.stop();
  expect(sent).toEqual(['up']);
  await answered();
  expect(sent).toEqual(['up', 'stop']);
  await answered();
  expect(sent).toEqual(['up', 'stop']);
});

test('a move whose answer is lost is stopped, and told once', async () => {
  const sent: string[] = [];
  const faults: unknown[] = [];
  const steering = new Steering(async (order) => {
    sent.push(order);
    throw new Error('no answer');
  }, (error) => faults.push(error));
  steering.start('up');
  await new Promise((resolve) => setTimeout(resolve));
  steering.stop();
  await new Promise((resolve) => setTimeout(resolve));
  expect([sent, faults.length]).toEqual([['up', 'stop'], 1]);
});
