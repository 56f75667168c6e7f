// What the players do when WebRTC gives no picture, and when the browser refuses to start with sound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, login, players, until, untilPlaying, untilMoves, watch } from './support.mjs';

const rtc = players[1];

test('WebRTC falls back to WebSocket when the server says so', async (t) => {
  const context = await browser(t);
  const said = 'This stream cannot go over WebRTC';
  await context.routeWebSocket(/h5srtcapi/, (socket) => {
    socket.onMessage((text) => {
      if (JSON.parse(text).type === 'open') socket.send(JSON.stringify({ type: 'error', strCode: said, bFallback: true }));
    });
  });
  const { page } = await watch(context, rtc, await login());
  await untilPlaying(page);
  await untilMoves(page);
  assert.equal(await page.evaluate(() => window.h5splayer.stats().transport), 'ws');
});

test('WebRTC falls back to WebSocket when no picture comes', async (t) => {
  const context = await browser(t);
  await context.routeWebSocket(/h5srtcapi/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => JSON.parse(text).type === 'answer' || server.send(text));
  });
  const { page } = await watch(context, rtc, await login());
  await untilPlaying(page, 20);
  assert.equal(await page.evaluate(() => window.h5splayer.stats().transport), 'ws');
});

for (const player of players) {
  test(`${player.name} starts where the browser refuses sound, and says so when it had to mute`, async (t) => {
    const context = await browser(t, { autoplay: false });
    // Only a stream with sound is refused for certain: one that the browser knows to be silent may start
    // unmuted, and WebRTC carries no sound.
    const sounds = player.name !== 'rtc';
    const { page } = await watch(context, player, await login(), sounds ? 'sound' : 'token1');
    await untilPlaying(page);
    const muted = await page.evaluate(() => document.querySelector('video').muted);
    if (sounds) assert.ok(muted);
    await until('the note agrees', 15, async () => muted === /without sound/.test(await page.locator('#sound').textContent()));
  });
}

test('disconnect ends the stream and its socket for good', async (t) => {
  const { page, sockets } = await watch(await browser(t), players[0], await login());
  await untilPlaying(page);
  await page.evaluate(() => window.h5splayer.disconnect());
  // Longer than the longest waiting time before a redial.
  const redial = await page.waitForEvent('websocket', { timeout: 3500 }).catch(() => undefined);
  assert.equal(redial, undefined);
  assert.deepEqual(sockets, ['h5swsapi']);
  assert.equal(await page.evaluate(() => document.querySelector('video').readyState), 0);
});
