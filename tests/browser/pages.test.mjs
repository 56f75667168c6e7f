// The overview page: log-in, tiles, forms, and both colour schemes; and the pages under a reverse proxy's sub-path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyUnder } from './proxy.mjs';
import { base, browser, call, logIn, login, overview, players, shot, until, untilPlaying, user, watch } from './support.mjs';

const tile = (page, name) => page.locator('.tile', { has: page.getByRole('heading', { name, exact: true }) });

test('a wrong password is refused in words, and no session is kept', async (t) => {
  const page = (await browser(t)).pages()[0];
  await page.goto(`${base}/`);
  await shot(page, 'login');
  await page.fill('#login [name=user]', user);
  await page.fill('#login [name=password]', 'certainly-wrong');
  await page.keyboard.press('Enter');
  await until('the reason is shown', 15, async () => (await page.locator('#login .note').textContent()) !== '');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

for (const colorScheme of ['light', 'dark']) {
  test(`the overview plays its tiles and shows figures (${colorScheme})`, async (t) => {
    const { page, errors } = await overview(t, { colorScheme });
    await until('a tile plays', 20, () => page.evaluate(() => [...document.querySelectorAll('video')].some((video) => video.currentTime > 1)));
    await until('figures', 10, async () => /H\.26\d.* · \d+×\d+ · \d+ fps/.test(await page.locator('.tile .figures').first().textContent()));
    await until('run information', 10, async () => /CPU .*%/.test(await page.locator('#run-info').textContent()));
    await shot(page, `index-${colorScheme}`);
    assert.deepEqual(errors, []);
  });
}

test('the overview fits a phone', async (t) => {
  const { page } = await overview(t, { viewport: { width: 390, height: 844 } });
  await until('a tile plays', 20, () => page.evaluate(() => [...document.querySelectorAll('video')].some((video) => video.currentTime > 1)));
  await shot(page, 'index-phone');
  const [wide, shown] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= shown, `the page is ${wide} px wide on ${shown} px`);
});

test('a tile changes its way to watch by keyboard', async (t) => {
  const { page } = await overview(t);
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(new URL(socket.url()).pathname.split('/').pop()));
  await page.locator('.tile .ways input[value=ws]').first().focus();
  await page.keyboard.press('ArrowRight');
  await until('the WebRTC socket', 15, () => sockets.includes('h5srtcapi'));
  await page.keyboard.press('ArrowRight');
  await until('the HLS socket', 15, () => sockets.includes('h5swscmnapi'));
});

test('a source is added, a used token refused by name, and the source deleted', async (t) => {
  const { page } = await overview(t);
  const name = 'Browser test camera';
  t.after(async () => call('DelSrc', { token: 'browsertest', session: await login() }));
  await page.click('#add');
  const form = page.locator('#add-dialog');
  await form.locator('[name=name]').fill(name);
  await form.locator('[name=token]').fill('token1');
  await form.locator('[name=url]').fill('rtsp://127.0.0.1:1/none');
  await shot(page, 'add');
  await page.keyboard.press('Enter');
  await until('the token is named', 15, async () => (await form.locator('.note').textContent()).includes('token'));
  await form.locator('[name=token]').fill('browsertest');
  await page.keyboard.press('Enter');
  await tile(page, name).waitFor({ timeout: 10_000 });
  await tile(page, name).getByRole('button', { name: `Delete ${name}` }).click();
  await page.locator('#delete-dialog .danger').click();
  await tile(page, name).waitFor({ state: 'detached', timeout: 25_000 });
});

test('where the server insists, nothing but the new password can be done', async (t) => {
  const page = (await browser(t)).pages()[0];
  await page.route('**/api/v1/Login', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), bMustChangePassword: true } });
  });
  await logIn(page);
  await page.locator('#password-dialog').waitFor();
  await shot(page, 'must-change');
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  // Chromium may close it for a moment, before it is opened again.
  await page.locator('#password-dialog').waitFor();
  assert.equal(await page.locator('#password-dialog [data-close]').isVisible(), false);
  await page.reload();
  await page.locator('#password-dialog').waitFor();
  assert.equal(await page.locator('#app').isVisible(), false);
});

test('a session that has ended leads back to the log-in, and so does logging out', async (t) => {
  const { page } = await overview(t);
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem('h5edge-session'));
    sessionStorage.setItem('h5edge-session', JSON.stringify({ ...kept, session: '00000000-0000-4000-8000-000000000000' }));
  });
  await page.locator('#login').waitFor({ timeout: 10_000 });
  assert.match(await page.locator('#login .note').textContent(), /session/i);
  await logIn(page);
  await page.click('#logout');
  await page.locator('#login').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('the pages work under a sub-path', async (t) => {
  const root = await proxyUnder(t, '/site', base);
  const context = await browser(t);
  const page = context.pages()[0];
  await logIn(page, root);
  await until('a tile plays', 20, () => page.evaluate(() => [...document.querySelectorAll('video')].some((video) => video.currentTime > 1)));
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
