import { expect, test } from 'vitest';
import { figuresLine } from '../src/page/figures';
import { md5 } from '../src/app/md5';
import { strength } from '../src/app/setup/strength';
import { Backoff } from '../src/player/backoff';
import { cannotDecode, codecName } from '../src/player/codec';
import { parseMessage } from '../src/player/message';
import { Meter } from '../src/player/meter';
import { MediaQueue } from '../src/player/queue';
import { asSentence } from '../src/player/text';
import { sentence } from '../src/player/why';

test('the queue gives everything back in order, as one piece', () => {
  const queue = new MediaQueue();
  queue.push(new Uint8Array([1, 2]));
  queue.push(new Uint8Array([3]));
  expect(queue.takeAll()).toEqual(new Uint8Array([1, 2, 3]));
  expect(queue.takeAll()).toBeUndefined();
  expect(queue.bytes).toBe(0);
});

test('what a division keeps apart leaves apart', () => {
  const queue = new MediaQueue();
  queue.push(new Uint8Array([1]));
  queue.push(new Uint8Array([2]));
  queue.divide();
  queue.push(new Uint8Array([3]));
  expect(queue.isDivided).toBe(true);
  expect(queue.takeAll()).toEqual(new Uint8Array([1, 2]));
  expect([queue.isDivided, queue.bytes]).toEqual([false, 1]);
  expect(queue.takeAll()).toEqual(new Uint8Array([3]));
  queue.divide();
  expect(queue.isDivided).toBe(false);
});

test('a full queue takes nothing more and keeps what it has', () => {
  const queue = new MediaQueue(4);
  expect(queue.push(new Uint8Array(3))).toBe(true);
  expect(queue.push(new Uint8Array(2))).toBe(false);
  expect(queue.bytes).toBe(3);
});

test('waiting times grow from 0.8 s to 3 s and start again after success', () => {
  const backoff = new Backoff(() => 0.5);
  const delays = Array.from({ length: 6 }, () => backoff.delay());
  expect(delays).toEqual([800, 1280, 2048, 3000, 3000, 3000]);
  backoff.reset();
  expect(backoff.delay()).toBe(800);
});

test.each([[0], [1]])('the spread (%d) stays within the bounds', (random) => {
  const backoff = new Backoff(() => random);
  const delays = Array.from({ length: 6 }, () => backoff.delay());
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(800);
  expect(Math.max(...delays)).toBeLessThanOrEqual(3000);
});

test.each([
  ['{"type":"error","strCode":"Camera offline"}', { kind: 'error', text: 'Camera offline.', fallback: false }],
  ['{"type":"H5S_ERROR","strCode":"B-frames","bFallback":true}', { kind: 'error', text: 'B-frames.', fallback: true }],
  ['{"type":"error"}', { kind: 'error', text: 'The server reports an error.', fallback: false }],
  ['{"type":"offer","sdp":"v=0"}', { kind: 'offer', sdp: 'v=0' }],
  ['{"type":"offer"}', { kind: 'other' }],
  ['{"type":"iceserver"}', { kind: 'iceserver', config: { iceServers: [], iceTransportPolicy: 'all' } }],
  [
    '{"type":"remoteice","candidate":"candidate:1","sdpMLineIndex":0,"sdpMid":"0"}',
    { kind: 'candidate', candidate: { candidate: 'candidate:1', sdpMLineIndex: 0 } },
  ],
  ['{"type":"H5S_EVENT_PB_TIME","pbTime":{"strTime":"2020-05-01T00:00:03+08:00"}}', { kind: 'place', time: '2020-05-01T00:00:03+08:00' }],
  ['{"type":"H5S_EVENT_PB_TIME","pbTime":{}}', { kind: 'place', time: '' }],
  ['{"type":"H5S_EVENT_PB_TIME"}', { kind: 'place', time: '' }],
  ['keepalive', { kind: 'other' }],
  ['null', { kind: 'other' }],
])('message %s', (text, expected) => {
  expect(parseMessage(text)).toEqual(expected);
});

test.each([
  ['video/mp4; codecs="avc1.42C00D"', 'H.264'],
  ['video/mp4; codecs="avc1.640029, mp4a.40.2"', 'H.264 + AAC'],
  ['video/mp4; codecs="hvc1.1.6.L93.B0"', 'H.265'],
  ['', ''],
])('the name of %j', (mime, name) => {
  expect(codecName(mime)).toBe(name);
});

test('H.265 without a decoder comes with advice', () => {
  expect(cannotDecode('video/mp4; codecs="hev1.1.6.L93.B0"')).toMatch(/cannot play H\.265 .*Set the camera to H\.264/);
});

test.each([
  [undefined, 'no right to watch', 'No right to watch.'],
  [[], undefined, 'There is no source with this token.'],
  [[{ bOnline: false, strOfflineReason: 'unauthorised', strOfflineText: 'wrong password' }], undefined, 'Wrong password.'],
  [[{ bOnline: true }], undefined, 'The stream was interrupted. Reconnecting …'],
])('why a stream cannot be had: %j', (src, code, text) => {
  expect(sentence(src, code)).toBe(text);
});

test.each([
  ['token: "a" is in use', 'token: "a" is in use.'],
  ['camera refuses: 401', 'Camera refuses: 401.'],
  ['Reconnecting …', 'Reconnecting …'],
  ['', ''],
])('%j as a sentence', (text, expected) => {
  expect(asSentence(text)).toBe(expected);
});

test('frames and bytes become rates', () => {
  const meter = new Meter();
  meter.tick(1000);
  meter.frames(25);
  meter.add(125_000);
  meter.tick(2000);
  expect([meter.fps, meter.kbps]).toEqual([25, 1000]);
});

test('the figures leave out what is not known', () => {
  const none = { codec: '', width: 0, height: 0, fps: 0, kbps: 0, delayMs: 0, transport: 'ws', buffered: 0 } as const;
  expect(figuresLine(none)).toBe('');
  expect(figuresLine({ ...none, codec: 'H.264', width: 1920, height: 1080, fps: 24.9, kbps: 4120, delayMs: 310 })).toBe(
    'H.264 · 1920×1080 · 25 fps · 4.1 Mbit/s · 0.31 s behind',
  );
});

// RFC 1321 appendix A.5, the manual's default password, and text outside ASCII.
test.each([
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
  ['12345678901234567890123456789012345678901234567890123456789012345678901234567890', '57edf4a22be3c955ac49da2e2107b67a'],
  ['12345', '827ccb0eea8a706c4c34a16891f84e7b'],
  ['pässwörd✓', '51295a72ecefeabd31c8ca67b864084f'],
])('md5 of %j', (text, digest) => {
  expect(md5(text)).toBe(digest);
});

test.each([
  ['', 0],
  ['Ab3!xyz', 0],
  ['aaaaaaaaaaaa', 1],
  ['abcdefgh', 1],
  ['abcdefg1', 2],
  ['Abcdefg1', 3],
  ['correct horse', 3],
  ['correct horse battery', 4],
] as const)('the strength of %j', (password, expected) => {
  expect(strength(password)).toBe(expected);
});
