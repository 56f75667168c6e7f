// The page of the sources: adding by address and by ONVIF with a look before, editing, what is recorded, CSV there and
// back, deleting; with the keyboard, on a phone, and for screen readers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { accessible, app, fits } from './app.mjs';
import { network, onvifCamera, PASSWORD, USER } from './onvifcam.mjs';
import { call, login, pause, shot, until } from './support.mjs';

const TOKENS = ['north-gate', 'south-house', 'csv-one', 'csv-two', 'slow-1', 'slow-2', 'slow-3'];

test('the page of the sources', async (t) => {
  const session = await login();
  const ask = (name, params = {}) => call(name, { session, ...params });
  const { src } = await ask('GetSrc', {});
  const camera = await onvifCamera(t, src.find((source) => source.strUrl.startsWith('rtsp://') && source.bOnline).strUrl);
  const drop = () => Promise.all(TOKENS.map((token) => ask('DelSrc', { token })));
  await drop();
  t.after(drop);

  const { page, errors } = await app(t, '#/sources');
  const dialog = page.locator('dialog[open]');
  const row = (name) => page.locator('.list tbody tr', { hasText: name });
  const button = (name, within = page) => within.getByRole('button', { name, exact: true });
  const closed = () => dialog.waitFor({ state: 'detached' });
  const fill = (name, value) => dialog.locator(`[name=${name}]`).fill(value);
  const said = (text) => dialog.getByRole('alert').filter({ hasText: text }).waitFor();
  const pass = encodeURIComponent(PASSWORD);
  const step = async (what, work) => {
    try {
      await work();
    } catch (error) {
      error.message = `${what}: ${error.message}`;
      throw error;
    }
  };
  await page.locator('.list tbody tr').first().waitFor();

  await step('a camera is added by its address, after a test', async () => {
    await button('Add sources').click();
    await dialog.getByRole('radio', { name: 'By address' }).check();
    await fill('name', 'North gate');
    await fill('url', camera.rtsp.replace('//', `//${USER}:wrong@`));
    await dialog.locator('[name=password]').focus();
    assert.equal(await dialog.locator('[name=url]').inputValue(), camera.rtsp);
    assert.deepEqual([await dialog.locator('[name=user]').inputValue(), await dialog.locator('[name=password]').inputValue()], [USER, 'wrong']);
    await button('Test', dialog).click();
    await said('User or password is missing or wrong.');
    await fill('url', camera.rtsp.replace('//', `//${USER}:${pass}@`));
    await button('Test', dialog).click();
    await dialog.getByRole('img', { name: 'Picture of the source' }).waitFor();
    assert.match(await dialog.locator('.tested figcaption').textContent(), /H\.264 · 640 × 360 .* took \d/);
    await shot(page, 'sources-address');
    await button('Add', dialog).click();
    await closed();
    await row('North gate').getByText('north-gate').waitFor();
    await row('North gate').getByText('Online').waitFor();
  });

  await step('a token in use is refused by its name', async () => {
    await button('Add sources').click();
    await dialog.getByRole('radio', { name: 'By address' }).check();
    await fill('name', 'Another');
    await fill('token', 'north-gate');
    await fill('url', 'rtsp://127.0.0.1:1/x');
    await button('Add', dialog).click();
    await said('north-gate is used already');
    await page.keyboard.press('Escape');
    await closed();
  });

  await step('name and password are changed, and nothing else is sent', async () => {
    await button('Edit North gate').click();
    await fill('name', 'South gate');
    await button('Test', dialog).click();
    await dialog.getByRole('img', { name: 'Picture of the source' }).waitFor();
    await fill('password', 'wrong');
    await button('Test', dialog).click();
    await said('User or password is missing or wrong.');
    const sent = page.waitForRequest((request) => request.url().endsWith('UpdateSrc'));
    await button('Save', dialog).click();
    const names = [...new URLSearchParams((await sent).postData()).keys()];
    assert.deepEqual(names.sort(), ['name', 'password', 'session', 'token']);
    await closed();
    await row('South gate').getByText('User or password is missing or wrong.').waitFor();
    await button('Edit South gate').click();
    await fill('password', PASSWORD);
    await button('Save', dialog).click();
    await closed();
    await row('South gate').getByText('Online').waitFor();
  });

  await step('an ONVIF camera is found, asked, looked at and added', async () => {
    const address = network();
    await button('Add sources').click();
    const found = dialog.locator('.devices li', { hasText: `:${camera.port}` });
    if (address) {
      await found.first().waitFor();
      await found.first().getByRole('checkbox').check();
    } else {
      await dialog.getByText('A camera is not in the list').click();
      await fill('ip', '127.0.0.1');
      await fill('port', camera.port);
      await button('Put it on the list', dialog).click();
    }
    await fill('user', USER);
    await fill('password', 'wrong');
    await accessible(page, 'the search');
    await button('Next', dialog).click();
    await said('User or password is missing or wrong.');
    await fill('password0', PASSWORD);
    await button('Try again', dialog).click();
    await dialog.locator('.tested img').waitFor();
    assert.match(await dialog.locator('[name=main0] option').nth(1).textContent(), /H\.264 · 640 × 360/);
    await accessible(page, 'the choice');
    await shot(page, 'sources-onvif');
    await fill('name0', 'South house');
    await button('Add 1 camera', dialog).click();
    await closed();
    await row('South house').getByText('south-house').waitFor();
    await row('South house').getByText('Online').waitFor();
  });

  const cell = (day, hour) => dialog.locator(`[data-day="${day}"][data-hour="${hour}"]`);
  const drag = async (from, to) => {
    const [a, b] = [await from.boundingBox(), await to.boundingBox()];
    await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
    await page.mouse.down();
    await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 5 });
    await page.mouse.up();
  };

  await step('hours are painted by mouse and keyboard, and kept', async () => {
    await button('Recording of South house').click();
    await button('Never', dialog).click();
    await drag(cell(0, 3), cell(1, 5));
    await cell(6, 22).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowRight');
    await dialog.getByText('8 hours of 168 are recorded').waitFor();
    await dialog.getByText('Record motion').click();
    await fill('post', '20');
    await accessible(page, 'the recording');
    await shot(page, 'sources-recording');
    await button('Save', dialog).click();
    await closed();
    const { strWeek } = await ask('GetRecordSchedule', { token: 'south-house' });
    const day = (from, to) => '0'.repeat(from) + '1'.repeat(to - from) + '0'.repeat(24 - to);
    assert.equal(strWeek, day(3, 6) + day(3, 6) + '0'.repeat(96) + day(22, 24));
    const { bMotion, bInput, nPostSeconds } = await ask('GetAlarmRecord', { token: 'south-house' });
    assert.deepEqual([bMotion, bInput, nPostSeconds], [true, false, 20]);
    await button('Recording of South house').click();
    await cell(1, 5).waitFor();
    assert.deepEqual([await cell(1, 5).getAttribute('aria-selected'), await cell(1, 6).getAttribute('aria-selected')], ['true', 'false']);
    await page.keyboard.press('Escape');
    await closed();
  });

  await step('several sources get the same rules', async () => {
    await page.getByLabel('Select South gate').check();
    await page.getByLabel('Select South house').check();
    await button('Recording', page.locator('.chosen')).click();
    await dialog.getByText('different settings').waitFor();
    await button('Never', dialog).click();
    await button('Save for 2', dialog).click();
    await closed();
    for (const token of ['north-gate', 'south-house']) assert.equal((await ask('GetRecordSchedule', { token })).strWeek, '0'.repeat(168));
  });

  await step('the list is searched and filtered, and the address says so', async () => {
    await page.getByRole('searchbox').fill('south');
    await page.getByRole('radio', { name: /^Online/ }).check();
    await until('the others are gone', 5, async () => (await page.locator('.list tbody tr').count()) === 2);
    assert.match(page.url(), /#\/sources\?q=south&status=online$/);
    await page.getByRole('button', { name: 'Name', exact: true }).click();
    assert.match(await page.locator('.list tbody tr').first().textContent(), /South gate/);
    assert.equal(await row('South house').getByLabel('Watch South house').getAttribute('href'), '#/live?grid=1x1&tiles=south-house');
    assert.equal(await row('South house').getByLabel('Recordings of South house').getAttribute('href'), '#/playback?token=south-house');
  });

  await step('exported, deleted and imported again', async () => {
    await button('Import and export').click();
    const downloads = page.waitForEvent('download');
    await dialog.getByRole('button', { name: /^Download \d+ sources$/ }).click();
    const text = readFileSync(await (await downloads).path(), 'utf8');
    await page.keyboard.press('Escape');
    await closed();
    const lines = text.split('\r\n');
    const line = lines.find((one) => one.includes('north-gate'));
    assert.equal(line, `rtsp,South gate,north-gate,${camera.rtsp},${USER},,,,no,auto,auto,,,,`);
    assert.ok(!text.includes(PASSWORD));

    await page.getByLabel('Select all shown').check();
    await button('Delete', page.locator('.chosen')).click();
    await dialog.getByText('Their recordings and snapshots stay').waitFor();
    await accessible(page, 'the question');
    await button('Delete', dialog).click();
    await closed();
    await page.getByText('No source fits.').waitFor();
    await page.getByRole('searchbox').fill('');
    await page.getByRole('radio', { name: /^All/ }).check();

    const file = [lines[0].replaceAll(',', ';'), line.replace(`${USER},`, `${USER},"${PASSWORD}"`).replaceAll(',', ';')].join('\r\n');
    await button('Import and export').click();
    await dialog.locator('[type=file]').setInputFiles({ name: 'sources.csv', mimeType: 'text/csv', buffer: Buffer.from(file) });
    await button('Show what it would add', dialog).click();
    await dialog.getByText('To add: 1.').waitFor();
    assert.equal((await ask('GetSrc', { token: 'north-gate' })).bStatus, false, 'nothing is added before');
    await button('Add 1 source', dialog).click();
    await dialog.getByText('Added: 1. Refused: 0.').waitFor();
    await button('Close', dialog.locator('.buttons')).click();
    await closed();
    await row('South gate').getByText('Online').waitFor();
  });

  await step('faults of a list are named, and its good lines are added', async () => {
    await button('Import and export').click();
    await fill('text', 'name,token,url,audio\nA,north-gate,rtsp://h/1\nB,a/b,http://h,maybe\n"C, one",csv-one,/no/such/file.mp4\nD,csv-two,rtsp://127.0.0.1:1/x,no\n');
    await button('Show what it would add', dialog).click();
    await dialog.getByText('Line 3, column token:').waitFor();
    await dialog.getByText('Line 3, column url:').waitFor();
    await dialog.getByText('Line 3, column audio: This must be one of yes, no.').waitFor();
    await dialog.getByText('Skipped: token in use').waitFor();
    await accessible(page, 'the preview');
    await button('Add 2 sources', dialog).click();
    await dialog.getByText('Added: 1. Refused: 1.').waitFor();
    await dialog.locator('tr', { hasText: 'C, one' }).getByText('Refused').waitFor();
    await button('Close', dialog.locator('.buttons')).click();
    await closed();
    await button('Delete D').click();
    await dialog.getByText('added with the token csv-two').waitFor();
    await button('Delete', dialog).click();
    await closed();
    await row('csv-two').waitFor({ state: 'detached' });
  });

  await step('an import is cancelled', async () => {
    let asked = 0;
    await page.route('**/AddSrcRTSP', async (route) => {
      asked += 1;
      await pause(1000);
      await route.continue();
    });
    await button('Import and export').click();
    await fill('text', ['name,token,url', ...[1, 2, 3].map((n) => `Slow ${n},slow-${n},rtsp://127.0.0.1:1/${n}`)].join('\n'));
    await button('Show what it would add', dialog).click();
    await button('Add 3 sources', dialog).click();
    await button('Cancel', dialog).click();
    await dialog.getByText('Added: 1. Refused: 0. Not tried: 2.').waitFor();
    assert.equal(asked, 1);
    await page.unroute('**/AddSrcRTSP');
    await button('Close', dialog.locator('.buttons')).click();
    await closed();
    await ask('DelSrc', { token: 'slow-1' });
  });

  await step('with the keyboard', async () => {
    await button('Add sources').focus();
    await page.keyboard.press('Enter');
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await closed();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Add sources');
  });

  await step('for everybody, and on a phone', async () => {
    await accessible(page, 'the list');
    await shot(page, 'sources');
    await page.setViewportSize({ width: 390, height: 844 });
    await fits(page, 'the list');
    await shot(page, 'sources-phone');
    await button('Edit South gate').click();
    await accessible(page, 'the edit');
    await fits(page, 'the edit');
    await page.keyboard.press('Escape');
    await closed();
    await button('Recording of South gate').click();
    await cell(0, 0).focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.day), '1', 'days stand side by side');
    await fits(page, 'the recording');
    await page.keyboard.press('Escape');
    await closed();
    await button('Import and export').click();
    await accessible(page, 'import and export');
    await fits(page, 'import and export');
    await page.keyboard.press('Escape');
    await closed();
  });

  assert.deepEqual(errors, []);
});
