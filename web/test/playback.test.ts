import { expect, test } from 'vitest';
import { moment, Playback } from '../src/player/playback';
import { mediaAt, wallAt } from '../src/player/vod';

const span = { begintime: '2020-05-01T00:00:00+08:00', endtime: '2020-05-01T01:00:00+08:00' };

test('a first connection begins at the begin time, and starts by itself only if told to', () => {
  expect(new Playback(span).moveto).toBe(span.begintime);
  expect(new Playback(span).greeting()).toEqual([]);
  expect(new Playback({ ...span, autoplay: 'true' }).greeting()).toEqual([{ cmd: 'H5_START' }]);
  expect(new Playback({ ...span, moveto: '2020-05-01T00:30:00+08:00' }).moveto).toBe('2020-05-01T00:30:00+08:00');
  expect(new Playback({ filename: 'gate.mp4' }).moveto).toBe('0');
});

test('a later connection goes on at the last place, as fast as before', () => {
  const playback = new Playback(span);
  playback.asked({ cmd: 'H5_START' }, 0);
  playback.asked({ cmd: 'H5_SPEED', nSpeed: '4.0' }, 0);
  playback.reached('2020-05-01T00:20:00+08:00', 0);
  expect(playback.moveto).toBe('2020-05-01T00:20:00+08:00');
  expect(playback.greeting()).toEqual([{ cmd: 'H5_START' }, { cmd: 'H5_SPEED', nSpeed: '4.0' }]);
  playback.reached('', 0);
  expect(playback.moveto).toBe('2020-05-01T00:20:00+08:00');
});

test('a paused playback stays paused', () => {
  const playback = new Playback({ ...span, autoplay: 'true' });
  playback.asked({ cmd: 'H5_PAUSE' }, 0);
  expect(playback.greeting()).toEqual([{ cmd: 'H5_START' }, { cmd: 'H5_PAUSE' }]);
  expect(playback.runs).toBe(false);
  playback.asked({ cmd: 'H5_RESUME' }, 0);
  expect(playback.runs).toBe(true);
});

test('the place asked for counts before the server has told one', () => {
  const playback = new Playback(span);
  playback.asked({ cmd: 'H5_SEEK', nSeekTime: 90 }, 0);
  expect(moment(playback.moveto)).toBe(Date.parse('2020-05-01T00:01:30+08:00'));
  playback.asked({ cmd: 'H5_MOVETO', strMovetoTime: '2020-05-01T00:10:00+08:00' }, 0);
  expect(playback.moveto).toBe('2020-05-01T00:10:00+08:00');
});

test('notices of the place before a seek are told from those of the new one', () => {
  const playback = new Playback(span);
  playback.asked({ cmd: 'H5_MOVETO', strMovetoTime: '2020-05-01T00:10:00+08:00' }, 1000);
  expect(playback.reached('2020-05-01T00:09:50+08:00', 1500)).toBe(false);
  expect(playback.reached('2020-05-01T00:10:12+08:00', 1500)).toBe(false);
  expect(playback.moveto).toBe('2020-05-01T00:10:00+08:00');
  expect(playback.reached('2020-05-01T00:09:58+08:00', 2500)).toBe(true);
  expect(playback.reached('2020-05-01T00:30:00+08:00', 2600)).toBe(true);
});

test('while it is paused the place stays', () => {
  const playback = new Playback(span);
  playback.reached('2020-05-01T00:10:00+08:00', 0);
  playback.asked({ cmd: 'H5_PAUSE' }, 0);
  expect(playback.reached('2020-05-01T00:10:01+08:00', 500)).toBe(false);
  expect(playback.moveto).toBe('2020-05-01T00:10:00+08:00');
});

test('a place far from the one asked for, where nothing was recorded, is believed in the end', () => {
  const playback = new Playback(span);
  playback.asked({ cmd: 'H5_SEEK', nSeekTime: 60 }, 1000);
  expect(playback.reached('2020-05-01T00:20:00+08:00', 4000)).toBe(false);
  expect(playback.reached('2020-05-01T00:20:03+08:00', 6000)).toBe(true);
});

test.each([
  ['2020-05-01T00:59:58+08:00', '1.0', true],
  ['2020-05-01T00:59:50+08:00', '1.0', false],
  ['2020-05-01T00:59:50+08:00', '16.0', true],
])('at %s with speed %s the end is reached: %s', (place, nSpeed, expected) => {
  const playback = new Playback(span);
  playback.asked({ cmd: 'H5_SPEED', nSpeed }, 0);
  playback.reached(place, 0);
  expect(playback.atEnd).toBe(expected);
});

test('without a span there is no end to know of, and no second to seek', () => {
  const playback = new Playback({ begintime: '0', endtime: '0', filename: 'gate.mp4' });
  playback.reached('2020-05-01T00:59:58+08:00', 0);
  expect(playback.atEnd).toBe(false);
  playback.asked({ cmd: 'H5_SEEK', nSeekTime: 90 }, 0);
  expect(playback.moveto).toBe('0');
});

// Ten seconds from 1000 s on, a gap, ten seconds from 2000 s on.
const segments = [
  { start: 0, duration: 4, programDateTime: 1_000_000 },
  { start: 4, duration: 6, programDateTime: 1_004_000 },
  { start: 10, duration: 10, programDateTime: 2_000_000 },
];

test.each([
  [0, 1_000_000],
  [5.5, 1_005_500],
  [9.9, 1_009_900],
  [10, 2_000_000],
  [14, 2_004_000],
  [99, 2_010_000],
])('media second %d was recorded at %d', (media, wall) => {
  expect(wallAt(segments, media)).toBeCloseTo(wall, 3);
});

test.each([
  [1_005_500, 5.5],
  [1_500_000, 10],
  [2_004_000, 14],
  [900_000, 0],
  [9_000_000, 20],
])('what was recorded at %d lies at media second %d', (wall, media) => {
  expect(mediaAt(segments, wall)).toBeCloseTo(media, 6);
});

test('a playlist without moments says nothing', () => {
  expect(wallAt([{ start: 0, duration: 4, programDateTime: null }], 1)).toBeNaN();
});
