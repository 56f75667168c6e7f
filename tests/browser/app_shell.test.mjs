// The frame of the admin page: in and out, the user's menu, languages and colours, a phone, a keyboard, a sub-path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, app, fits } from './app.mjs';
import { at, logOut } from './frame.mjs';
import { proxyUnder } from './proxy.mjs';
import { base, browser, logIn, shot, until, user } from './support.mjs';

test('a wrong password is refused in words, and no session is kept', async (t) => {
  const page = (await browser(t)).pages()[0];
  await page.goto(`${base}/`);
  await shot(page, 'login');
  await page.fill('.login [name=user]', user);
  await page.fill('.login [name=password]', 'certainly-wrong');
  await page.keyboard.press('Enter');
  await until('the reason is shown', 15, async () => (await page.locator('.login .note').allTextContents()).join() !== '');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await accessible(page, 'the log-in');
});

test('every page is shown, and nothing goes wrong in it', async (t) => {
  const { page, errors } = await app(t, '');
  for (const link of await page.locator('.bar nav a').all()) {
    await link.click();
    const name = (await link.textContent()).trim();
    await until(`${name} is shown`, 10, async () => (await link.getAttribute('aria-current')) === 'page' && (await page.title()).startsWith(name));
  }
  await page.locator('.system-page').waitFor();
  await accessible(page, 'the frame');
  await shot(page, 'shell');
  assert.deepEqual(errors, []);
});

test('the colours and the language are chosen by hand, and kept', async (t) => {
  const { page } = await app(t, '#/system/dashboard', { colorScheme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.locator('.menu > button').click();
  await page.locator('.menu .ways').getByText('Dark').click({ force: true });
  assert.notEqual(await ground(), light);
  await page.locator('.menu select').selectOption('zh');
  await until('the pages have Chinese names', 5, async () => /实时/.test(await page.locator('.bar nav').textContent()));
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  await page.keyboard.press('Escape');
  await page.locator('.menu .panel').waitFor({ state: 'detached' });
  await page.reload();
  await until('both are kept', 10, async () => /实时/.test(await page.locator('.bar nav').textContent()) && (await ground()) !== light);
});

test('the frame fits a phone', async (t) => {
  const { page } = await app(t, '#/system/dashboard', { viewport: { width: 390, height: 844 } });
  await fits(page, 'the dashboard');
  const { bottom } = await page.locator('.bar nav').evaluate((nav) => nav.getBoundingClientRect());
  assert.equal(bottom, 844, 'the pages stand at the foot');
  await page.locator('.menu > button').click();
  await fits(page, 'the menu');
  await shot(page, 'shell-phone');
});

test('the keyboard reaches the content first', async (t) => {
  const { page } = await app(t, '#/system/dashboard');
  await page.reload();
  await page.locator('.system-page').waitFor();
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.className), /skip/);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  assert.match(page.url(), /#\/system\/dashboard$/);
});

test('where the server insists, nothing but the new password can be done', async (t) => {
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  await page.route('**/api/v1/Login', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), bMustChangePassword: true } });
  });
  await logIn(page);
  const dialog = page.getByRole('dialog', { name: 'Change password' });
  await dialog.waitFor();
  await shot(page, 'must-change');
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
  // Chromium may close it for a moment, before it is opened again.
  await dialog.waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Close' }).count(), 0);
  await page.reload();
  await dialog.waitFor();
  assert.equal(await page.locator('.app').count(), 0);
});

test('a session that has ended leads back to the log-in, and so does logging out', async (t) => {
  const { page } = await app(t, '#/system/dashboard');
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem('h5edge-session'));
    sessionStorage.setItem('h5edge-session', JSON.stringify({ ...kept, session: '00000000-0000-4000-8000-000000000000' }));
  });
  await at(page, '#/system/audit').catch(() => undefined);
  await page.locator('.login').waitFor({ timeout: 10_000 });
  assert.match(await page.locator('.login .note').textContent(), /session/i);
  assert.match(page.url(), /#\/system\/audit$/, 'and then on where one was');
  await logIn(page, base, page.url());
  await page.locator('.app').waitFor();
  await logOut(page);
  await page.locator('.login').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('the page says that the server does not answer, and goes on by itself', async (t) => {
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  const sockets = [];
  await page.routeWebSocket(/h5stateapi/, (socket) => {
    sockets.push(socket);
    socket.connectToServer();
  });
  await logIn(page);
  await page.locator('.app main').waitFor();
  await sockets[0].close();
  await page.locator('.app > .note', { hasText: 'does not answer' }).waitFor();
  await page.locator('.app > .note').waitFor({ state: 'detached', timeout: 15_000 });
  assert.ok(sockets.length > 1);
});

test('a server that falls silent, as when its cable is pulled, is told too', { timeout: 90_000 }, async (t) => {
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  let silent = false;
  let sockets = 0;
  await page.routeWebSocket(/h5stateapi/, (socket) => {
    sockets += 1;
    const server = socket.connectToServer();
    server.onMessage((text) => silent || socket.send(text));
  });
  await logIn(page);
  await page.locator('.app main').waitFor();
  silent = true;
  await page.locator('.app > .note', { hasText: 'does not answer' }).waitFor();
  silent = false;
  await page.locator('.app > .note').waitFor({ state: 'detached' });
  assert.ok(sockets > 1);
});

test('the frame works under a sub-path', async (t) => {
  const root = await proxyUnder(t, '/site', base);
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  await logIn(page, root, `${root}/#/system/dashboard`);
  await page.locator('.chart path').first().waitFor({ state: 'attached' });
  await logOut(page);
  await page.locator('.login').waitFor();
});
