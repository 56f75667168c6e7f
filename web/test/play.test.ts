import { expect, test, vi } from 'vitest';
import { type Entry, type Footage, footageOf } from '../src/app/playback/footage';
import { Scale } from '../src/app/playback/scale';
import { coarse, lastMoment, neighbour, playable, playableFrom, recordedTime, stretches } from '../src/app/playback/spans';
import { happeningsOf } from '../src/app/playback/happenings';
import { stride } from '../src/app/playback/step';
import { bounds, dayOf, dayText, daysOn, iso, lengthWords, onDay, parseDay } from '../src/app/playback/time';

// Calls need a browser.
vi.mock('../src/app/call', () => ({ call: undefined }));

const HOUR = 3_600_000;
const footage = (start: number, end: number, more: Partial<Footage> = {}): Footage => ({
  token: 'token1', start, end, path: `/mediastore/${start}`, url: `/mediastore/${start}`, cause: 'manual',
  bytes: 0, locked: false, available: true, open: false, ...more,
});

test('moments carry the zone of the browser and mean the same', () => {
  const moment = Date.parse('2020-05-01T00:00:09Z');
  expect(iso(moment)).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:09[+-]\d\d:\d\d$/);
  expect(Date.parse(iso(moment))).toBe(moment);
});

test('a day goes from midnight to midnight, and its times lie within it', () => {
  const day = { year: 2020, month: 2, day: 29 };
  const { from, to } = bounds(day);
  expect(dayOf(from)).toEqual(day);
  expect(dayOf(to)).toEqual({ year: 2020, month: 3, day: 1 });
  expect(onDay(day, '08:03') - from).toBe(8 * HOUR + 180_000);
  expect(onDay(day, '08:03:09') - from).toBe(8 * HOUR + 189_000);
  for (const text of ['', '8:03', '24:00', '08:60', '08:03:60', '08:03:0', '08:03:09 PM']) expect(onDay(day, text), text).toBeNaN();
  expect(dayText(daysOn(day, 1))).toBe('2020-03-01');
  expect(dayText(daysOn(day, -29))).toBe('2020-01-31');
});

test.each([
  ['2020-02-29', { year: 2020, month: 2, day: 29 }],
  ['2021-02-29', undefined],
  ['2020-13-01', undefined],
  ['yesterday', undefined],
])('the day of %j', (text, day) => {
  expect(parseDay(text)).toEqual(day);
});

test.each([
  [42_400, '42 s'],
  [598_000, '9 min 58 s'],
  [600_000, '10 min'],
  [2 * HOUR, '2 h'],
  [2 * HOUR + 300_000, '2 h 5 min'],
])('%d ms in words', (length, text) => {
  expect(lengthWords(length)).toBe(text);
});

const entry: Entry = {
  strToken: 'token1', strStartTime: '2018-04-25T19:32:05+08:00', strDuration: '301', strPath: '/mediastore/a.mp4',
  nType: 'H5_REC_SCHEDULE', nBytes: 7, bLocked: true, bAvailable: false,
};

test('an entry of a search becomes footage', () => {
  const start = Date.parse('2018-04-25T11:32:05Z');
  const expected = { token: 'token1', start, end: start + 301_000, path: '/mediastore/a.mp4', url: '/mediastore/a.mp4', cause: 'schedule', bytes: 7, locked: true, available: false, open: false };
  expect(footageOf(entry)).toEqual(expected);
  expect(footageOf({ ...entry, strEndTime: '2018-04-25T19:37:07+08:00' }).end).toBe(start + 302_000);
});

test('a running recording ends where it has come to', () => {
  const { start, end, open } = footageOf({ ...entry, strDuration: '0', nDurationNow: 12 });
  expect([end - start, open]).toEqual([12_000, true]);
});

test('files that follow one another are one stretch, and the day cuts them', () => {
  const records = [footage(0, 10_000), footage(10_500, 20_000), footage(60_000, 90_000), footage(5000, 6000, { cause: 'alarm' })];
  expect(stretches(records, 2000, 80_000)).toEqual([
    { start: 2000, end: 20_000, cause: 'manual' },
    { start: 60_000, end: 80_000, cause: 'manual' },
    { start: 5000, end: 6000, cause: 'alarm' },
  ]);
});

test('time that two files hold counts once', () => {
  expect(recordedTime([footage(0, 10_000), footage(5000, 12_000), footage(20_000, 21_000)])).toBe(13_000);
});

test('playing begins where something is recorded and its volume is there', () => {
  const records = [footage(10, 20), footage(30, 40, { available: false }), footage(50, 60)];
  expect(playableFrom(records, 0)).toBe(10);
  expect(playableFrom(records, 15)).toBe(15);
  expect(playableFrom(records, 20)).toBe(50);
  expect(playableFrom(records, 60)).toBeUndefined();
  expect(lastMoment(records)).toBe(60);
  expect(lastMoment([])).toBeUndefined();
});

test('"previous" first leads back to the start of the recording itself', () => {
  const records = [footage(0, 10_000), footage(20_000, 40_000), footage(50_000, 60_000)];
  expect(neighbour(records, 30_000, -1)).toBe(20_000);
  expect(neighbour(records, 21_000, -1)).toBe(0);
  expect(neighbour(records, 30_000, 1)).toBe(50_000);
  expect(neighbour(records, 55_000, 1)).toBeUndefined();
});

const { from: MIDNIGHT } = bounds({ year: 2020, month: 5, day: 1 });
const scale = () => new Scale(MIDNIGHT, MIDNIGHT + 24 * HOUR);

test('the place under the pointer stays when the line is magnified', () => {
  const line = scale();
  const fixed = line.momentAt(0.25);
  line.zoom(0.5, 0.25);
  expect(line.momentAt(0.25)).toBeCloseTo(fixed);
  expect(line.shown.to - line.shown.from).toBe(12 * HOUR);
});

test('nothing beyond the day is shown, and nothing closer than a minute', () => {
  const line = scale();
  line.zoom(0.5, 0);
  line.pan(-3);
  expect(line.shown.from).toBe(MIDNIGHT);
  line.pan(9);
  expect(line.shown.to).toBe(MIDNIGHT + 24 * HOUR);
  for (let i = 0; i < 20; i++) line.zoom(0.5);
  expect([line.closest, line.shown.to - line.shown.from]).toEqual([true, 60_000]);
  for (let i = 0; i < 20; i++) line.zoom(2);
  expect([line.whole, line.shown.from]).toEqual([true, MIDNIGHT]);
});

test('marks are full steps with room for their words', () => {
  const line = scale();
  expect(line.marks(1200).slice(0, 3)).toEqual([0, 2, 4].map((hours) => MIDNIGHT + hours * HOUR));
  expect(line.marks(300).length).toBeLessThanOrEqual(5);
  line.zoom(1 / 24, 0.5);
  expect(line.marks(1200).every((mark) => (mark - MIDNIGHT) % 300_000 === 0)).toBe(true);
});

test('little is magnified, much is not', () => {
  const line = scale();
  line.fit(MIDNIGHT, MIDNIGHT + 5 * HOUR);
  expect(line.whole).toBe(true);
  line.fit(MIDNIGHT + 3 * HOUR, MIDNIGHT + 3 * HOUR + 60_000);
  expect(line.placeOf(MIDNIGHT + 3 * HOUR + 30_000)).toBeCloseTo(0.5);
  expect(line.shown.to - line.shown.from).toBe(600_000);
});

test('the marker is followed where it leaves the part that is shown', () => {
  const line = scale();
  line.fit(MIDNIGHT, MIDNIGHT + 60_000);
  expect(line.follow(MIDNIGHT + 60_000)).toBe(false);
  expect(line.follow(MIDNIGHT + HOUR)).toBe(true);
  expect(line.placeOf(MIDNIGHT + HOUR)).toBeCloseTo(0.1);
});

test('what can be played is joined over its reasons, and goes on where it is still recorded', () => {
  const records = [footage(0, 10_000), footage(10_500, 20_000, { cause: 'alarm' }), footage(30_000, 31_000, { available: false }), footage(60_000, 90_000, { open: true })];
  expect(playable(records, 2000, 500_000)).toEqual([{ from: 2000, to: 20_000 }, { from: 60_000, to: 500_000 }]);
});

test('what lies too close to be told apart is drawn as one', () => {
  expect(coarse([{ start: 0, end: 1 }, { start: 3, end: 4 }, { start: 20, end: 21 }], 5)).toEqual([{ start: 0, end: 4 }, { start: 20, end: 21 }]);
});

const report = (second: number, strType: string, strItem: string, bActive: boolean) => ({ strTime: new Date(second * 1000).toISOString(), strType, strItem, bActive });

test('reports of begin and end become happenings', () => {
  const reports = [report(5, 'motion', 'a', false), report(10, 'motion', 'a', true), report(11, 'digital_input', 'b', true), report(12, 'motion', 'a', true), report(20, 'motion', 'a', false)];
  expect(happeningsOf(reports, 0, 60_000)).toEqual([
    { kind: 'motion', item: 'a', start: 0, end: 5000 },
    { kind: 'motion', item: 'a', start: 10_000, end: 20_000 },
    { kind: 'input', item: 'b', start: 11_000, end: 60_000 },
  ]);
});

const runner = (place: number | undefined, stuck = 0) => ({ place, stuck });

test('the head is where the slowest is, and who runs away stands until it comes', () => {
  expect(stride([runner(10_000), runner(10_100)], 9900, [false, false], 1)).toMatchObject({ head: 10_000, hold: [false, false] });
  expect(stride([runner(10_000), runner(10_200)], 9900, [false, false], 1)).toMatchObject({ hold: [false, true] });
  expect(stride([runner(10_000), runner(10_060)], 9900, [false, true], 1)).toMatchObject({ hold: [false, true] });
  expect(stride([runner(10_000), runner(10_030)], 9900, [false, true], 1)).toMatchObject({ hold: [false, false] });
  expect(stride([runner(10_000), runner(10_200)], 9900, [false, false], 4)).toMatchObject({ hold: [false, false] });
});

test('who is stuck or far behind is not waited for, and is sent on', () => {
  expect(stride([runner(10_000, 3000), runner(11_000), runner(undefined)], 10_900, [false, false, false], 1)).toMatchObject({ head: 11_000, hold: [false, false, false] });
  expect(stride([runner(3000), runner(11_000)], 10_900, [false, false], 1)).toMatchObject({ head: 11_000, send: [true, false] });
});

test('where nobody has a picture, the head stays and the next one is told', () => {
  expect(stride([runner(60_000)], 10_000, [true], 1)).toEqual({ head: 10_000, hold: [true], send: [false], ahead: 60_000 });
});
