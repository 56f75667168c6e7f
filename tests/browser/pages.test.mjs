// The pages of one source: under a reverse proxy's sub-path, and the player as an ES module.
import { test } from 'node:test';
import { proxyUnder } from './proxy.mjs';
import { base, browser, login, logIn, players, untilPlaying, watch } from './support.mjs';

test('the pages work under a sub-path', async (t) => {
  const root = await proxyUnder(t, '/site', base);
  const context = await browser(t);
  const page = context.pages()[0];
  await logIn(page, root);
  await page.locator('.app').waitFor();
  for (const { page: file, query } of players) {
    await page.goto(`${root}/${file}?${new URLSearchParams({ token: 'token1', ...query })}`);
    await untilPlaying(page, 20);
  }
});

test('the ES module plays with a class, an element and no page of ours', async (t) => {
  const session = await login();
  const { page } = await watch(await browser(t), players[0], session, 'nosuchtoken');
  await page.evaluate(async (session) => {
    window.h5splayer.disconnect();
    const { H5sPlayerCreate } = await import('./js/h5splayer.mjs');
    const videodom = document.querySelector('video');
    videodom.muted = true;
    H5sPlayerCreate({ videodom, token: 'token1', session }).connect();
  }, session);
  await untilPlaying(page);
});
