// A device without a password: the page asks for one, logs in with it, and asks for it from then on. Starts a daemon of
// its own, since the other tests' one has a password of delivery.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, fits, watchErrors } from './app.mjs';
import { fresh } from './daemon.mjs';
import { logOut } from './frame.mjs';
import { browser, shot, until } from './support.mjs';

const PASSWORD = 'correct horse 7';

test('a new device is set up on its page, once', async (t) => {
  const address = await fresh(t);
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address);
  const form = page.locator('.setup form');
  await form.waitFor();
  assert.equal(await page.locator('.login [name=user]:visible:not([readonly])').count(), 0, 'there is no log-in yet');
  assert.equal(await form.locator('[name=zone]').count(), 0, 'this is no appliance');

  const language = (name) => page.locator('.setup .ways').getByText(name).click({ force: true });
  await language('简体中文');
  assert.match(await form.textContent(), /请为用户/);
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  await shot(page, 'setup-chinese');
  await language('English');

  const send = async (password, again = password) => {
    await form.locator('[name=password]').fill(password);
    await form.locator('[name=again]').fill(again);
    await page.keyboard.press('Enter');
  };
  const note = (pattern) => until(`the note says ${pattern}`, 15, async () => pattern.test((await form.locator('.note.bad').allTextContents()).join()));
  await send(PASSWORD, 'something else');
  await note(/differ/);
  await send('password123');
  await note(/tries/);
  await shot(page, 'setup-refused');
  await send('short');
  assert.equal(await form.isVisible(), true, 'the browser itself refuses what is too short');
  assert.match(await form.locator('.strength').textContent(), /8/);
  await send(PASSWORD);
  // A computer's own system decides: the addresses are told, and nothing can be set.
  const step = page.locator('.setup', { has: page.getByRole('heading', { name: 'Network', exact: true }) });
  await step.getByText('own system').waitFor();
  assert.equal(await step.locator('.note.bad, input').count(), 0);
  assert.deepEqual(await step.getByRole('button').allTextContents(), ['Continue']);
  await page.locator('.toast').waitFor({ state: 'detached' });
  await accessible(page, 'the network of a computer');
  await shot(page, 'setup-network-computer');
  await step.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.app').waitFor();
  assert.equal(await form.isVisible(), false);
  assert.equal(await page.locator('.warning').isVisible(), false, 'no default password');
  await page.locator('.first-steps').waitFor();

  await page.reload();
  await page.locator('.app').waitFor();
  await logOut(page);
  await page.locator('.login [name=user]').waitFor();
  await page.reload();
  await page.locator('.login [name=user]').waitFor();
  assert.equal(await form.isVisible(), false, 'it is set up');
  await page.fill('.login [name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.app').waitFor();
  assert.deepEqual(errors, []);
});

test('the page speaks Chinese to a browser that does', async (t) => {
  const address = await fresh(t);
  const page = (await browser(t, { locale: 'zh-CN' })).pages()[0];
  await page.goto(address);
  await until('the text is Chinese', 10, async () => /新设备/.test(await page.locator('.setup').textContent()));
});

test('a box asks for its name and zone, and tells what was not set', async (t) => {
  const address = await fresh(t);
  const page = (await browser(t, { locale: 'en-GB', timezoneId: 'Europe/Berlin' })).pages()[0];
  await page.route('**/api/v1/GetSetup', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), bAppliance: true, strHostname: 'h5edge-1a2b' } });
  });
  let sent;
  await page.route('**/api/v1/Setup', async (route) => {
    sent = new URLSearchParams(route.request().postData());
    const response = await route.fetch({ postData: new URLSearchParams({ password: sent.get('password') }).toString() });
    await route.fulfill({ response, json: { ...(await response.json()), strCode: 'Set up successfully; zone was not set: busy' } });
  });
  await page.goto(address);
  const form = page.locator('.setup form');
  await form.waitFor();
  assert.equal(await form.locator('[name=zone]').inputValue(), 'Europe/Berlin');
  await form.locator('[name=password]').fill(PASSWORD);
  await form.locator('[name=again]').fill(PASSWORD);
  await shot(page, 'setup-box');
  await accessible(page, 'the set-up');
  await form.locator('[name=name]').fill('north-gate');
  await page.keyboard.press('Enter');
  await page.locator('.toast.bad', { hasText: 'zone was not set' }).waitFor();
  assert.deepEqual([sent.get('name'), sent.get('zone')], ['north-gate', 'Europe/Berlin']);
});

test('a box takes a fixed address during its set-up, or goes back to where it was', async (t) => {
  const address = await fresh(t);
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  const errors = watchErrors(page, address);
  const port = { strName: 'eth0', strMac: '02:00:00:00:00:01', strType: 'ethernet', bUp: true, strMethod: 'dhcp', addresses: ['192.0.2.5/24'], strGateway: '192.0.2.1', dns: [], strSsid: '' };
  const asked = [];
  const answers = {
    GetNetwork: () => ({ bAppliance: true, interfaces: [port], bTrial: false, nConfirmSeconds: 0 }),
    SetNetwork: () => ({ nConfirmSeconds: asked.filter((name) => name === 'SetNetwork').length === 1 ? 2 : 60 }),
    ConfirmNetwork: () => (Object.assign(port, { strMethod: 'static', addresses: ['192.0.2.77/24'] }), {}),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await page.route(`**/api/v1/${name}`, (route) => {
      asked.push(name);
      return route.fulfill({ json: { bStatus: true, strCode: '', ...answer() } });
    });
  }
  await page.goto(address);
  await page.fill('.setup [name=password]', PASSWORD);
  await page.fill('.setup [name=again]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('Automatic (DHCP), address now: 192.0.2.5/24.').waitFor();
  const looks = async (name) => {
    for (const [suffix, colorScheme, viewport] of [['', 'light', { width: 1280, height: 720 }], ['-dark', 'dark', { width: 1280, height: 720 }], ['-phone', 'light', { width: 390, height: 844 }]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await fits(page, name);
      await shot(page, `${name}${suffix}`);
    }
    await page.setViewportSize({ width: 1280, height: 720 });
    await accessible(page, name);
  };
  await looks('setup-network');
  const change = async () => {
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByText('Fixed', { exact: true }).click({ force: true });
    await page.locator('[name=address]').fill('192.0.2.77/24');
  };
  const go = page.getByRole('button', { name: 'Continue' });
  const attempt = page.getByRole('button', { name: 'Try this setting' });
  await change();
  await looks('setup-network-fixed');
  await attempt.click();
  await page.getByText('The time is over: the network is as it was.').waitFor();
  await page.getByText('Automatic (DHCP), address now: 192.0.2.5/24.').waitFor();
  await change();
  await attempt.click();
  await page.locator('.trial').waitFor();
  assert.match(await page.locator('.trial a').getAttribute('href'), /192\.0\.2\.77.*#\/system\/network$/, 'there it can be kept');
  assert.equal(await go.isDisabled(), true, 'the setting is kept or undone first');
  await looks('setup-network-trial');
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Fixed: 192.0.2.77/24.').waitFor();
  assert.deepEqual(asked.filter((name) => name !== 'GetNetwork'), ['SetNetwork', 'SetNetwork', 'ConfirmNetwork']);
  await go.click();
  await page.locator('.part.dashboard').waitFor();
  assert.deepEqual(errors, []);
});

test('a password that looks like a hash, and a telephone', async (t) => {
  const address = await fresh(t);
  const page = (await browser(t, { viewport: { width: 360, height: 640 } })).pages()[0];
  await page.goto(address);
  const password = '0123456789abcdef0123456789abcdeF';
  await page.fill('.setup [name=password]', password);
  await page.fill('.setup [name=again]', password);
  await shot(page, 'setup-narrow');
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `the page is ${wide} wide in a window of ${window}`);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.app').waitFor();
});

test('after its time the page says what to do', async (t) => {
  const address = await fresh(t, { auth: 'setup_window_seconds = 1' });
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  await until('the time is over', 10, async () => (await (await fetch(`${address}api/v1/GetSetup`)).json()).nSecondsLeft === 0);
  await page.goto(address);
  const card = page.locator('.setup .card');
  await card.waitFor();
  assert.match(await card.textContent(), /Switch it off and on/);
  assert.equal(await card.locator('form').count(), 0, 'there is nothing to send');
});
