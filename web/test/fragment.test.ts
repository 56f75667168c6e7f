import { expect, test } from 'vitest';
import { beginsWithKey } from '../src/player/fragment';

const word = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
const box = (name: string, ...contents: number[][]) => {
  const body = contents.flat();
  return [...word(8 + body.length), ...[...name].map((letter) => letter.charCodeAt(0)), ...body];
};

/** As h5edge writes them: data offset, then duration, size, flags and composition offset of each sample. */
function fragment(flags: number, track = 1): Uint8Array {
  const trun = box('trun', word(0x1000f01), word(1), word(112), word(3600), word(7), word(flags), word(0));
  const traf = box('traf', box('tfhd', word(0x20000), word(track)), box('tfdt', word(0x1000000), word(0), word(0)), trun);
  return new Uint8Array([...box('moof', box('mfhd', word(0), word(1)), traf), ...box('mdat', word(0))]);
}

test('a key frame is told from the others', () => {
  expect(beginsWithKey(fragment(0x0200_0000))).toBe(true);
  expect(beginsWithKey(fragment(0x0101_0000))).toBe(false);
});

test('sound has no key frames', () => {
  expect(beginsWithKey(fragment(0x0200_0000, 2))).toBe(false);
});

test('flags of the first sample alone are read as well', () => {
  const trun = box('trun', word(0x205), word(1), word(100), word(0x0200_0000), word(9));
  const moof = box('moof', box('traf', box('tfhd', word(0x20000), word(1)), trun));
  expect(beginsWithKey(new Uint8Array(moof))).toBe(true);
});

test('what is no fragment, or only a part of one, is no key frame', () => {
  expect(beginsWithKey(new Uint8Array())).toBe(false);
  expect(beginsWithKey(new TextEncoder().encode('video/mp4; codecs="avc1.42C00D"'))).toBe(false);
  for (const end of [20, 60, 90]) expect(beginsWithKey(fragment(0x0200_0000).subarray(0, end))).toBe(false);
});
