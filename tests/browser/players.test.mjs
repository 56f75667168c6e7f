// Each player plays the camera for a while without a reconnect, alone and in two tabs at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, currentTime, login, pause, playSeconds, players, shot, untilMoves, untilPlaying, watch } from './support.mjs';

for (const player of players) {
  test(`${player.name} plays token1 for ${playSeconds} s without a reconnect`, async (t) => {
    const session = await login();
    const { page, sockets, errors } = await watch(await browser(t), player, session);
    await untilPlaying(page);
    await playsSteadily(page, playSeconds);
    await untilMoves(page);
    await shot(page, player.name.replace(' ', '-'));
    assert.deepEqual(sockets, [player.socket], 'one socket, opened once, and no fall-back');
    assert.deepEqual(errors, []);
  });

  test(`${player.name} plays in two tabs at once`, async (t) => {
    const session = await login();
    const context = await browser(t);
    const tabs = [await watch(context, player, session), await watch(context, player, session)];
    for (const { page } of tabs) {
      await page.bringToFront();
      await untilPlaying(page);
      await untilMoves(page);
    }
    for (const { sockets } of tabs) assert.deepEqual(sockets, [player.socket]);
  });
}

/**
 * The clock never stands for more than three seconds, and runs about as fast as the wall clock: a machine that also
 * decodes in software, and runs other tests, may lose some of it.
 */
async function playsSteadily(page, seconds) {
  const start = await currentTime(page);
  const begun = Date.now();
  let last = start;
  let moved = begun;
  while (Date.now() - begun < seconds * 1000) {
    await pause(500);
    const now = await currentTime(page);
    if (now > last) moved = Date.now();
    last = now;
    assert.ok(Date.now() - moved < 3000, `the picture stood still after ${last - start} s`);
  }
  const elapsed = (Date.now() - begun) / 1000;
  assert.ok(last - start > elapsed * 0.7 - 1, `played ${last - start} s in ${elapsed} s`);
}
