// What the viewer sees when the camera goes away, cannot be decoded, or does not exist.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, call, cameraControl, currentTime, login, notice, players, restartCamera, until, untilMoves, untilPlaying, watch } from './support.mjs';

const DOWN_SECONDS = 2;

for (const player of players) {
  test(`${player.name} comes back after a camera restart`, { skip: !cameraControl && 'no FAKECAM_CTRL' }, async (t) => {
    const session = await login();
    const { page, errors } = await watch(await browser(t), player, session);
    await untilPlaying(page);
    await restartCamera(DOWN_SECONDS);
    await until('the camera is seen to be gone', 10, async () => !(await online(session)));
    await until('the camera is back', 30, () => online(session));
    // HLS may have played through from its buffer, so a pause of the picture cannot be waited for.
    await until('the clock runs on for three seconds', 40, async () => {
      const before = await currentTime(page);
      await page.waitForTimeout(3000);
      return (await currentTime(page)) > before + 2.5;
    });
    await untilMoves(page);
    assert.deepEqual(errors, []);
  });
}

test('H.265 plays, or says why it cannot', async (t) => {
  const session = await login();
  const { src } = await call('GetSrc', { session });
  if (!src.some((source) => source.strToken === 'h265')) return t.skip('no source h265');
  const { page, sockets } = await watch(await browser(t), players[0], session, 'h265');
  await until('a picture or words', 15, async () => {
    if ((await currentTime(page)) > 0.5) return true;
    return /cannot play H\.265/.test(await notice(page));
  });
  assert.deepEqual(sockets, ['h5swsapi'], 'it does not try again and again');
});

test('an unknown token is named as the reason', async (t) => {
  const { page } = await watch(await browser(t), players[0], await login(), 'nosuchtoken');
  await until('the reason is shown', 15, async () => /token|source/i.test(await notice(page)));
});

test('a tab that was hidden is back at the live edge', async (t) => {
  const context = await browser(t);
  const { page, sockets } = await watch(context, players[0], await login());
  await untilPlaying(page);
  const other = await context.newPage();
  await other.bringToFront();
  await other.waitForTimeout(4000);
  await page.bringToFront();
  await until('less than 1.5 s behind', 15, () =>
    page.evaluate(() => {
      const video = document.querySelector('video');
      return video.buffered.length > 0 && video.buffered.end(video.buffered.length - 1) - video.currentTime < 1.5;
    }),
  );
  assert.deepEqual(sockets, ['h5swsapi']);
});

async function online(session) {
  const { src } = await call('GetSrc', { token: 'token1', session });
  return src[0].bOnline;
}
