// The system page: who may do what, how long footage is kept, the box's own settings, the audit list, the reference.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, app, fits } from './app.mjs';
import { fresh } from './daemon.mjs';
import { at } from './frame.mjs';
import { base, browser, call, logIn, login, shot, until } from './support.mjs';

const PARTS = ['dashboard', 'users', 'recording', 'storage', 'network', 'time', 'certificate', 'cloud', 'update', 'logs', 'audit', 'api'];

const section = (page, name) => page.locator('.section', { has: page.getByRole('heading', { name, exact: true, level: 2 }) });
async function loaded(page, part) {
  await page.locator(`.part.${part} h1`).waitFor();
  await until(`${part} is loaded`, 15, async () => (await page.locator('.part progress[aria-label^="Loading"]').count()) === 0);
}

const row = (page, name) => page.locator('tr', { has: page.getByRole('cell', { name: new RegExp(`^${name}`) }) }).first();

test('every part is shown, and nothing goes wrong in it', async (t) => {
  const { page, errors } = await app(t, '#/system');
  for (const part of PARTS) {
    await at(page, `#/system/${part}`);
    await loaded(page, part);
    await accessible(page, part);
    await shot(page, `system-${part}`);
  }
  assert.deepEqual(errors, []);
});

test('every part fits a phone, where a list leads to the others', async (t) => {
  const { page } = await app(t, '#/system/dashboard', { viewport: { width: 390, height: 844 } });
  for (const part of PARTS) {
    await page.locator('.parts-phone select').selectOption(part);
    await loaded(page, part);
    await fits(page, part);
    await shot(page, `system-${part}-phone`);
  }
});

test('the dashboard draws what the server tells', async (t) => {
  const { page } = await app(t, '#/system/dashboard');
  const line = page.locator('.chart path').first();
  // A line of one figure is there, but has no length.
  await line.waitFor({ state: 'attached' });
  const drawn = await line.getAttribute('d');
  await until('the line goes on', 30, async () => (await line.getAttribute('d')) !== drawn && /L/.test(await line.getAttribute('d')));
  const { src } = await call('GetSrc', { session: await login() });
  assert.match(await section(page, 'Now').textContent(), new RegExp(`of ${src.length} online`));
});

test('a user of a role with one camera sees that one, and nothing else', async (t) => {
  const { page, errors } = await app(t, '#/system/users');
  const session = await login();
  t.after(async () => {
    await call('DeleteUser', { user: 'guard', session });
    await call('DeleteRole', { roletoken: 'gatekeepers', session });
  });
  await page.getByRole('button', { name: 'Add role' }).click();
  const role = page.getByRole('dialog', { name: 'Add role' });
  await role.locator('[name=role]').fill('Gatekeepers');
  await role.locator('[name=search]').fill('looped');
  await role.getByLabel('Camera with sound').waitFor({ state: 'detached' });
  await role.getByLabel('Looped file').check();
  await role.getByRole('button', { name: 'Add role' }).click();
  await role.waitFor({ state: 'detached' });
  await until('the role is listed', 10, async () => /1 camera/.test(await row(page, 'Gatekeepers').textContent()));

  await page.getByRole('button', { name: 'Add user' }).click();
  const form = page.getByRole('dialog', { name: 'Add user' });
  const password = 'a guard at night 4';
  await form.locator('[name=user]').fill('guard');
  await form.locator('[name=password]').fill('password123');
  await form.locator('[name=again]').fill('password123');
  await form.locator('select').selectOption({ label: 'Gatekeepers' });
  await page.keyboard.press('Enter');
  await until('the bad password is refused', 10, async () => /tries/.test((await form.locator('.note.bad').allTextContents()).join()));
  await form.locator('[name=password]').fill(password);
  await form.locator('[name=again]').fill(password);
  await page.keyboard.press('Enter');
  await form.waitFor({ state: 'detached' });
  await row(page, 'guard').waitFor();

  const guard = (await browser(t, { locale: 'en-GB' })).pages()[0];
  await logIn(guard, base, `${base}/`, 'guard', password);
  await guard.locator('.app main').waitFor();
  assert.equal(await guard.locator('.bar nav').getByText('Sources').count(), 0);
  await at(guard, '#/system/users');
  await guard.locator('.part.dashboard').waitFor();
  assert.equal(await guard.locator('.parts a').count(), 2, 'dashboard and reference');
  await until('one camera in all', 10, async () => /of 1 online/.test(await section(guard, 'Now').textContent()));
  await at(guard, '#/live');
  await until('the one camera', 10, async () => /Looped file/.test(await guard.locator('#content').textContent()));
  for (const other of ['Camera with sound', 'H.265 camera', 'Camera with B-frames']) assert.equal(await guard.getByText(other).count(), 0, other);

  // Taken away while the user looks.
  await page.getByRole('button', { name: 'Cameras of Gatekeepers' }).click();
  const cameras = page.getByRole('dialog', { name: 'Cameras of Gatekeepers' });
  await cameras.getByLabel('Looped file').uncheck();
  await cameras.getByRole('button', { name: 'Save' }).click();
  await until('no camera is left', 15, async () => !/Looped file/.test(await guard.locator('#content').textContent()));

  await page.getByRole('button', { name: 'Change the role of guard' }).click();
  await page.getByRole('dialog').locator('select').selectOption('operator');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await until('the role is changed', 10, async () => /Operator/.test(await row(page, 'guard').textContent()));
  await page.getByRole('button', { name: 'Delete guard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await row(page, 'guard').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('button', { name: 'Delete admin' }).isDisabled(), true, 'nobody deletes oneself');
  assert.deepEqual(errors, []);
});

test('how long footage is kept is set, and to keep less is asked about', async (t) => {
  const { page } = await app(t, '#/system/recording');
  const session = await login();
  const old = await call('GetRetention', { session });
  t.after(() => call('SetRetention', { days: old.nKeepDays, session }));
  const days = page.locator('[name=days]');
  await days.fill('0');
  await page.getByText('0: kept until the disk is full').first().waitFor();
  await days.fill('3000');
  await page.getByRole('button', { name: 'Save' }).click();
  await until('more days', 10, async () => (await call('GetRetention', { session })).nKeepDays === 3000);
  await days.fill('400');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('dialog', { name: 'Keep less?' }).getByRole('button', { name: 'Save and delete' }).click();
  await until('fewer days', 10, async () => (await call('GetRetention', { session })).nKeepDays === 400);
  await page.reload();
  await until('they are kept', 10, async () => (await page.locator('[name=days]').inputValue()) === '400');
  assert.equal((await call('GetRetention', { session })).nKeepSnapshotDays, old.nKeepSnapshotDays);
  assert.match(await section(page, 'Forecast').textContent(), /room/);
});

test('the audit list shows what was done, by whom, and what was refused', async (t) => {
  const session = await login();
  await call('SetUserRole', { user: 'nobody-at-all', roletoken: 'viewer', session });
  const { page } = await app(t, '#/system/audit');
  const first = page.locator('.part.audit tbody tr').first();
  await first.waitFor();
  await page.locator('[name=text]').fill('nobody-at-all');
  await until('only that', 10, async () => /SetUserRole/.test(await first.textContent()));
  assert.match(await first.textContent(), /Refused/);
  assert.match(page.url(), /text=nobody-at-all/);
  await page.locator('[name=text]').fill('');
  await page.locator('[name=user]').fill('somebody-else');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing found.').waitFor();
});

test('the reference lists the calls, and tries one', async (t) => {
  const { page, errors } = await app(t, '#/system/api');
  await page.locator('[name=search]').fill('getsrc');
  await page.getByRole('link', { name: 'GetSrc', exact: true }).click();
  await page.getByRole('cell', { name: 'token', exact: true }).first().waitFor();
  await page.getByText('Try it', { exact: true }).click({ force: true });
  await page.locator('[name=token]').fill('token1');
  const line = await page.locator('.curl code').textContent();
  assert.match(line, /^curl -H "Authorization: token \$SESSION" 'http:\/\/.*\/api\/v1\/GetSrc\?token=token1'$/);
  await page.getByRole('button', { name: 'Send' }).click();
  await until('the answer', 10, async () => /"strToken": "token1"/.test((await page.locator('.answer pre').allTextContents()).join()));
  await at(page, '#/system/api?call=DelSrc');
  await page.getByText('Try it', { exact: true }).click({ force: true });
  assert.equal(await page.getByRole('button', { name: 'Send' }).count(), 0, 'what changes something is not tried');
  assert.deepEqual(errors, []);
});

test('who may show the pages in a frame is kept', async (t) => {
  const { page } = await app(t, '#/system/certificate');
  const session = await login();
  t.after(() => call('SetFrames', { origins: '', session }));
  const form = section(page, 'Pages in a frame');
  await form.locator('textarea').fill('not a site');
  await form.getByRole('button', { name: 'Save' }).click();
  await form.locator('.note.bad').waitFor();
  await form.locator('textarea').fill('https://portal.example\nhttps://other.example');
  await form.getByRole('button', { name: 'Save' }).click();
  await until('they are kept', 10, async () => (await call('GetFrames', { session })).origins.length === 2);
  await page.reload();
  await form.getByText('2 other sites').waitFor();
});

test('where HTTPS is off, the page says so, and that is no failure', async (t) => {
  const { page, errors } = await app(t, '#/system/certificate');
  await section(page, 'Certificate in use').getByText('HTTPS is off').waitFor();
  assert.equal(await page.locator('.part .note.bad').count(), 0);
  assert.equal(await section(page, 'Certificate of your own').count(), 0);
  assert.deepEqual(errors, []);
});

test('the certificate is shown, renewed and downloaded, and a bad one refused', async (t) => {
  const address = (await fresh(t, { auth: 'initial_password = "12345"', https: true })).replace(/\/$/, '');
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  await logIn(page, address, `${address}/`, 'admin', '12345');
  await page.locator('.app main').waitFor();
  await at(page, '#/system/certificate', address);
  const fingerprint = page.locator('.fingerprint');
  const before = await fingerprint.textContent();
  assert.match(before, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  await page.getByRole('button', { name: 'Renew' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Renew' }).click();
  await until('another fingerprint', 15, async () => (await fingerprint.textContent()) !== before);
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  assert.match((await saved).suggestedFilename(), /\.pem$/);
  const own = section(page, 'Certificate of your own');
  await own.locator('textarea').first().fill('no certificate');
  await own.locator('textarea').last().fill('no key');
  await own.getByRole('button', { name: 'Use this certificate' }).click();
  await until('why not', 10, async () => /cert/.test((await own.locator('.note.bad').allTextContents()).join()));
});

test('what belongs to a box is hidden outside one', async (t) => {
  const { page } = await app(t, '#/system');
  for (const part of ['network', 'time', 'update', 'logs']) {
    await at(page, `#/system/${part}`);
    await page.locator(`.part.${part}`).getByText('own system').waitFor();
    assert.equal(await page.locator('.part input, .part select, .part main button').count(), 0, part);
  }
});

/** A browser whose server says that it is a box; calls of `answers` are answered so, others by the daemon. */
async function box(t, answers) {
  const page = (await browser(t, { locale: 'en-GB' })).pages()[0];
  await page.routeWebSocket(/h5stateapi/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => {
      const message = JSON.parse(text);
      socket.send(JSON.stringify(message.type === 'H5S_STATE' ? { ...message, bAppliance: true } : message));
    });
  });
  for (const [name, answer] of Object.entries(answers)) {
    await page.route(`**/api/v1/${name}`, (route) => route.fulfill({ json: { bStatus: true, strCode: '', ...answer() } }));
  }
  await logIn(page);
  await page.locator('.app main').waitFor();
  return page;
}

const IDLE = {
  strVersion: '0.1.0',
  strBuild: '1',
  strBoard: 'test',
  strNext: 'A',
  slots: [{ strName: 'A', bBooted: true, strBootStatus: 'good', strVersion: '0.1.0', strInstalled: '' }],
  strState: 'idle',
  nPercent: 0,
  strText: '',
  strReady: '',
  bRebootNeeded: false,
};

test('an update is refused in the words of the server', async (t) => {
  const page = await box(t, { GetUpdate: () => IDLE });
  await at(page, '#/system/update');
  const file = page.locator('[name=bundle]');
  await file.setInputFiles({ name: 'empty.raucb', mimeType: 'application/octet-stream', buffer: Buffer.alloc(0) });
  await page.getByRole('button', { name: 'Upload and check' }).click();
  await page.getByText('The file is empty.').waitFor();
  await file.setInputFiles({ name: 'holiday.raucb', mimeType: 'application/octet-stream', buffer: Buffer.alloc(100_000, 'x') });
  await page.getByRole('button', { name: 'Upload and check' }).click();
  // The daemon itself: it is no box.
  await page.locator('.part .note.bad', { hasText: 'does not run as an appliance' }).waitFor();
  await page.route('**/api/v1/UploadUpdate', (route) => route.fulfill({ json: { bStatus: false, strCode: 'the bundle is not signed by a known key' } }));
  await page.getByRole('button', { name: 'Upload and check' }).click();
  await page.locator('.part .note.bad', { hasText: 'The bundle is not signed by a known key.' }).waitFor();
});

test('a network setting is on trial until it is kept', async (t) => {
  const port = { strName: 'eth0', strMac: '02:00:00:00:00:01', strType: 'ethernet', bUp: true, strMethod: 'dhcp', addresses: ['192.0.2.5/24'], strGateway: '192.0.2.1', dns: [], strSsid: '' };
  const kept = [];
  const page = await box(t, {
    GetNetwork: () => ({ bAppliance: true, interfaces: [port], bTrial: false, nConfirmSeconds: 0 }),
    SetNetwork: () => ({ nConfirmSeconds: kept.length === 0 ? 60 : 2 }),
    ConfirmNetwork: () => (kept.push('kept'), {}),
    GetHostname: () => ({ strHostname: 'box', strDefault: 'box' }),
    GetSsh: () => ({ bEnabled: false, keys: [], strHostFingerprint: '' }),
  });
  await at(page, '#/system/network');
  const change = async (address) => {
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.locator('.part').getByText('Fixed').click({ force: true });
    await page.locator('[name=address]').fill(address);
    await page.getByRole('button', { name: 'Try this setting' }).click();
  };
  await change('192.0.2.77/24');
  await page.locator('.trial').waitFor();
  assert.match(await page.locator('.trial').textContent(), /[56]\d seconds left/);
  assert.match(await page.locator('.trial a').getAttribute('href'), /192\.0\.2\.77.*#\/system\/network/);
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.locator('.trial').waitFor({ state: 'detached' });
  assert.deepEqual(kept, ['kept']);
  await change('192.0.2.5/24');
  await page.locator('.trial').waitFor();
  assert.equal(await page.locator('.trial a').count(), 0, 'the address stays');
  await page.locator('.trial').waitFor({ state: 'detached', timeout: 10_000 });
  await page.getByText('The time is over: the network is as it was.').waitFor();
});
