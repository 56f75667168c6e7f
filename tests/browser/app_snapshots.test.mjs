// Snapshots: the gallery by day and camera, the large view, one taken now, its recording, deleting.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { accessible, app } from './app.mjs';
import { call, login, md5, pause, shot, until, untilPlaying } from './support.mjs';

let session;

before(async () => {
  session = await login();
  for (const token of ['token1', 'sound', 'token1', 'token1']) {
    const answer = await call('Snapshot', { token, session });
    assert.equal(answer.bStatus, true, answer.strCode);
    // Their files are named after the second.
    await pause(1100);
  }
});

const thumbs = (page) => page.locator('.gallery .thumb');
const large = (page) => page.locator('dialog .large img');

test('the pictures of all cameras stand by time, the newest first, and are looked at by keys', async (t) => {
  const { page, errors } = await app(t, '#/snapshots', { session });
  await thumbs(page).first().waitFor();
  const titles = await thumbs(page).allTextContents();
  assert.ok(titles.length >= 4, titles.join());
  assert.deepEqual(titles.map((title) => title.slice(0, 8)), titles.map((title) => title.slice(0, 8)).sort().reverse());
  assert.ok(new Set(titles.map((title) => title.slice(9))).size >= 2, 'of more than one camera');
  await until('pictures', 10, () => page.evaluate(() => document.querySelector('.gallery img').naturalWidth > 0));
  await shot(page, 'snapshots');
  await thumbs(page).first().click();
  await until('the large picture', 10, () => large(page).evaluate((image) => image.naturalWidth > 0));
  const first = await large(page).getAttribute('src');
  await page.keyboard.press('ArrowRight');
  await until('another one', 5, async () => (await large(page).getAttribute('src')) !== first);
  await shot(page, 'snapshots-large');
  await page.keyboard.press('ArrowLeft');
  await until('the first again', 5, async () => (await large(page).getAttribute('src')) === first);
  await page.keyboard.press('Escape');
  await large(page).waitFor({ state: 'detached' });
  assert.deepEqual(errors, []);
});

test('one camera, another day, and an empty one', async (t) => {
  const { page, errors } = await app(t, '#/snapshots', { session });
  await thumbs(page).first().waitFor();
  await page.getByLabel('Camera', { exact: true }).selectOption('sound');
  await until('only that camera', 10, async () => {
    const titles = await thumbs(page).allTextContents();
    return titles.length > 0 && titles.every((title) => title.includes('Camera with sound'));
  });
  assert.match(new URL(page.url()).hash, /token=sound/);
  await page.getByLabel('Day', { exact: true }).fill('2020-02-29');
  await page.getByText('There are no snapshots of this day.').waitFor();
  await page.getByRole('button', { name: 'Day before' }).click();
  await page.getByText(/28, 2020|28 .* 2020/).waitFor();
  assert.deepEqual(errors, []);
});

test('one is taken, downloaded, and after a question deleted', async (t) => {
  const { page, errors } = await app(t, '#/snapshots?token=token1', { session, acceptDownloads: true });
  await thumbs(page).first().waitFor();
  const count = await thumbs(page).count();
  await page.getByRole('button', { name: 'Take a snapshot' }).click();
  await until('one more', 15, async () => (await thumbs(page).count()) === count + 1);
  await thumbs(page).first().click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('dialog').getByRole('link', { name: 'Download' }).click()]);
  const bytes = await readFile(await download.path());
  assert.deepEqual([bytes[0], bytes[1]], [0xff, 0xd8]);
  await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.locator('dialog .buttons .danger[type=submit]').click();
  await until('it is gone', 10, async () => (await thumbs(page).count()) === count);
  assert.deepEqual(errors, []);
});

test('a snapshot leads to its recording', async (t) => {
  const recording = await call('Record', { token: 'token1', duration: 8, session });
  assert.equal(recording.bStatus, true, recording.strCode);
  await pause(4000);
  await call('Snapshot', { token: 'token1', session });
  await pause(6000);
  const { page, errors } = await app(t, '#/snapshots?token=token1', { session });
  await thumbs(page).first().click();
  await page.getByRole('link', { name: 'Play from here' }).click();
  await page.locator('video').waitFor();
  await untilPlaying(page);
  assert.match(new URL(page.url()).hash, /playback\?.*token=token1/);
  assert.deepEqual(errors, []);
});

test('a Viewer neither takes nor deletes', async (t) => {
  const name = 'watcher-of-pictures';
  await call('CreateUser', { user: name, password: md5('seven-of-nine'), roletoken: 'viewer', session });
  t.after(() => call('DeleteUser', { user: name, session }));
  const { strSession, strCode } = await call('Login', { user: name, password: md5('seven-of-nine') });
  assert.ok(strSession, strCode);
  const { page } = await app(t, '#/snapshots', { session: strSession });
  await thumbs(page).first().click();
  await large(page).waitFor();
  assert.equal(await page.getByRole('button', { name: /Delete|Take/ }).count(), 0);
});

test('a phone shows it, and it has names and contrast', async (t) => {
  const { page } = await app(t, '#/snapshots', { session, viewport: { width: 390, height: 844 } });
  await thumbs(page).first().waitFor();
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= seen, `the page is ${wide} px wide on ${seen} px`);
  await accessible(page);
  await shot(page, 'snapshots-phone');
  await thumbs(page).first().click();
  await large(page).waitFor();
  await accessible(page);
  await shot(page, 'snapshots-phone-large');
});
