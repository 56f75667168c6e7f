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

/**
 * Real browsers refuse sound by rules of their own (what they know of the stream at that moment, how a site has been used
 * before), which no test can rely on: this one refuses it always.
 */
function refuseSound() {
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    return this.muted ? play.call(this) : Promise.reject(new DOMException('play() needs a click', 'NotAllowedError'));
  };
}

for (const player of players) {
  test(`${player.name} starts without sound where the browser refuses it, and says so`, async (t) => {
    const context = await browser(t, { autoplay: false });
    await context.addInitScript(refuseSound);
    const { page } = await watch(context, player, await login(), 'sound');
    await untilPlaying(page);
    assert.equal(await page.evaluate(() => document.querySelector('video').muted), true);
    await until('the note says so', 15, async () => /without sound/.test(await page.locator('#sound').textContent()));
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
