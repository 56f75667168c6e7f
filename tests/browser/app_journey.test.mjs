// From a device that nobody has set up to a downloaded clip of an ONVIF camera, on the pages alone, as somebody does it who
// has read nothing. A daemon and a camera of its own; nothing is pretended.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { watchErrors } from './app.mjs';
import { fresh } from './daemon.mjs';
import { network, onvifCamera, PASSWORD, USER } from './onvifcam.mjs';
import { browser, call, login, pause, shot, untilMoves, untilPlaying } from './support.mjs';

const OWN = 'correct horse 7';
/** Seconds that are exported, out of the middle of the recording. */
const SPAN = 6;

test('a new user gets to a clip of an ONVIF camera', { timeout: 90_000 }, async (t) => {
  const { src } = await call('GetSrc', { session: await login() });
  const camera = await onvifCamera(t, src.find(({ strToken }) => strToken === 'token1').strUrl);
  const address = await fresh(t);
  const page = (await browser(t, { locale: 'en-GB', acceptDownloads: true })).pages()[0];
  page.setDefaultTimeout(15_000);
  const errors = watchErrors(page, address);
  const button = (name, within = page) => within.getByRole('button', { name, exact: true });
  const goTo = (name) => page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  const dialog = page.locator('dialog[open]');

  await page.goto(address);
  await page.locator('.setup [name=password]').fill(OWN);
  await page.locator('.setup [name=again]').fill(OWN);
  await page.keyboard.press('Enter');
  await button('Continue').click();
  await page.locator('.first-steps a').first().click();

  await button('Add sources').first().click();
  if (network()) {
    await dialog.locator('.devices li', { hasText: `:${camera.port}` }).first().getByRole('checkbox').check();
  } else {
    await dialog.getByText('A camera is not in the list').click();
    await dialog.locator('[name=ip]').fill('127.0.0.1');
    await dialog.locator('[name=port]').fill(camera.port);
  }
  await dialog.locator('[name=user]').fill(USER);
  await dialog.locator('[name=password]').fill(PASSWORD);
  await button('Next', dialog).click();
  await dialog.locator('.tested img').waitFor();
  await dialog.locator('[name=name0]').fill('Front door');
  await shot(page, 'journey-add');
  await button('Add 1 camera', dialog).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('.list tbody tr', { hasText: 'Front door' }).getByText('Online').waitFor();

  await goTo('Live');
  const tile = page.locator('.tile', { hasText: 'Front door' });
  await tile.waitFor();
  await untilPlaying(page);
  await untilMoves(page);
  await tile.hover();
  await button('Record', tile).click();
  await tile.locator('.plate .rec', { hasText: /0:1[2-9]/ }).waitFor({ timeout: 25_000 });
  await tile.hover();
  await button('Stop recording', tile).click();
  await page.locator('.toast', { hasText: 'is complete' }).waitFor();
  await shot(page, 'journey-live');

  await goTo('Playback');
  const row = page.locator('.records tbody tr').first();
  await row.waitFor();
  await page.locator('.bars i.manual').first().waitFor();
  await row.getByRole('button', { name: /^Play from/ }).click();
  await untilPlaying(page);
  await untilMoves(page);

  const [hours, minutes, seconds] = (await row.locator('td').first().textContent()).split(':').map(Number);
  const clock = (moment) => new Date(moment * 1000).toISOString().slice(11, 19);
  const from = hours * 3600 + minutes * 60 + seconds + 3;
  const form = page.locator('.export form');
  await form.locator('[name=from]').fill(clock(from));
  await form.locator('[name=to]').fill(clock(from + SPAN));
  await form.locator('.length', { hasText: `${SPAN} s` }).waitFor();
  await button('Export', form).click();
  const line = page.locator('.export li');
  await line.locator('.state', { hasText: /^Ready/ }).waitFor({ timeout: 30_000 });
  await shot(page, 'journey-export');
  const [download] = await Promise.all([page.waitForEvent('download'), line.getByRole('link', { name: /^Download/ }).click()]);
  assert.match(download.suggestedFilename(), /\.mp4$/);
  const told = execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration,format_name:stream=codec_name,nb_read_frames', '-count_frames', '-of', 'json', await download.path()], { encoding: 'utf8' });
  const { format, streams } = JSON.parse(told);
  assert.match(format.format_name, /mp4/);
  // It begins with the key frame at or before the span's start.
  assert.ok(format.duration >= SPAN - 1 && format.duration <= SPAN + 5, `${format.duration} s of ${SPAN}`);
  assert.equal(streams[0].codec_name, 'h264');
  assert.ok(streams[0].nb_read_frames > SPAN * 10, `${streams[0].nb_read_frames} pictures`);
  await pause(500);
  assert.deepEqual(errors, []);
});
