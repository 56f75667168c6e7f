import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('an export goes on while the network is away, and has failed only when the server says so', async () => {
  const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  for (const name of ['sessionStorage', 'localStorage']) vi.stubGlobal(name, storage);
  for (const [name, value] of Object.entries({ location: { hash: '', search: '' }, addEventListener: () => undefined, navigator: { language: 'en' } })) vi.stubGlobal(name, value);
  const answers: (() => Promise<Response>)[] = [];
  const json = (value: object) => Promise.resolve(new Response(JSON.stringify(value)));
  vi.stubGlobal('fetch', () => (answers.shift() ?? (() => Promise.reject(new TypeError('no network'))))());
  vi.useFakeTimers({ now: 0, toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
  const { Exporting } = await import('../src/app/playback/exporting');
  const exporting = new Exporting();
  answers.push(() => json({ bStatus: true, strFileName: 'a.mp4', strUrl: '/a.mp4' }));
  await exporting.begin('gate', { from: 0, to: 60_000 });
  const state = async () => {
    await vi.advanceTimersByTimeAsync(3000);
    await new Promise((done) => setTimeout(done, 20));
    return exporting.list.value[0]?.strState;
  };
  expect(await state()).toBe('working');
  expect(await state()).toBe('working');
  answers.push(() => json({ bStatus: false, strCode: 'the disk is full' }));
  expect(await state()).toBe('failed');
  expect(exporting.list.value[0]?.strCode).toMatch(/disk is full/);
  exporting.dispose();
});
