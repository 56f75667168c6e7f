// A wall of four tiles for H5EDGE_SOAK_SECONDS (300): every picture goes on, nothing fails, and memory stays. Runs beside
// the other browser tests, on a daemon of its own (H5EDGE_URL); an hour of it is `H5EDGE_SOAK_SECONDS=3600 ./run.sh --soak`.
import assert from 'node:assert/strict';
import { base, login } from './support.mjs';
import { measure } from './wall.mjs';

/** A picture may stand still for so many seconds on a machine that does much else. */
const STILL = 10;
/** What a leak of one frame's data per second would exceed in five minutes, in kilobytes of heap. */
const GROWTH = 8 * 1024;

const seconds = Number(process.env.H5EDGE_SOAK_SECONDS ?? 300);
const figures = await measure(base, await login(), 4, seconds);
const { before, after, errors, still, pictures } = figures;
console.log(`soak: ${seconds} s, pictures after ${Math.round(Math.max(...pictures))} ms, stood still ${still} s at most, heap ${before.heap} → ${after.heap} kB, resident ${before.resident} → ${after.resident} kB`);
assert.deepEqual(errors, []);
assert.ok(still <= STILL, `a picture stood still for ${still} s`);
assert.ok(after.heap - before.heap < GROWTH, `the heap grew from ${before.heap} to ${after.heap} kB`);
