// The pad against cameras with a head that others wrote: what is held moves the head, what is let go stops it, and presets
// are kept, gone to and deleted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app } from './app.mjs';
import { installed, presetCamera, turningCamera } from './ptzcam.mjs';
import { call, login, shot, until, untilMoves, untilPlaying } from './support.mjs';

const TOKEN = 'head';
const skip = !installed && 'the cameras are missing: run `make onvif-peers`';

/** The pad of a camera that is added now and deleted after the test. */
async function pad(t, camera) {
  const session = await login();
  const drop = () => call('DelSrc', { token: TOKEN, session });
  await drop();
  t.after(drop);
  const added = await call('AddSrcONVIF', { token: TOKEN, name: 'Yard', ...camera, session });
  assert.equal(added.bStatus, true, added.strCode);
  const { page, errors } = await app(t, `#/live?grid=1x1&tiles=${TOKEN}`, { session });
  const open = async () => {
    const tile = page.locator(`.tile[data-token="${TOKEN}"]`);
    await tile.hover();
    await tile.getByRole('button', { name: 'Steer the camera' }).click();
    return page.getByRole('complementary', { name: 'Steer Yard' });
  };
  return { page, errors, open };
}

async function keep(opened, name) {
  await opened.getByLabel('Keep this position as').fill(name);
  await opened.getByRole('button', { name: 'Save' }).click();
  return opened.getByRole('button', { name, exact: true });
}

test('a head turns as long as the pad is held, and goes to a preset', { skip, timeout: 90_000 }, async (t) => {
  const { login: where, head } = await turningCamera(t);
  const { page, errors, open } = await pad(t, where);
  await untilPlaying(page);
  await untilMoves(page);
  const opened = await open();
  const moving = (wanted) => until(wanted ? 'the head moves' : 'the head stands', 5, async () => (await head()).moving === wanted && head());

  await moving(false);
  const start = await head();
  await opened.getByRole('button', { name: 'Zoom in' }).hover();
  await page.mouse.down();
  await moving(true);
  await until('it is nearer', 10, async () => (await head()).zoom > start.zoom + 0.1);
  await page.mouse.up();
  const near = await moving(false);

  await opened.getByRole('button', { name: 'Left', exact: true }).hover();
  await page.mouse.down();
  await moving(true);
  await until('it turns to the left', 10, async () => (await head()).pan < near.pan - 0.1);
  await page.mouse.up();
  const left = await moving(false);
  const preset = await keep(opened, 'Gate');
  await preset.waitFor();

  await opened.focus();
  await page.keyboard.down('ArrowRight');
  await moving(true);
  await until('it turns to the right', 10, async () => (await head()).pan > left.pan + 0.1);
  await page.keyboard.up('ArrowRight');
  const right = await moving(false);
  assert.ok(Math.abs(right.tilt - start.tilt) < 0.01, 'nothing else was moved');
  await shot(page, 'app-ptz');

  await preset.click();
  await until('it is where the preset is', 5, async () => Math.abs((await head()).pan - left.pan) < 0.01);
  // This camera cannot forget one: its refusal is told.
  await opened.getByRole('button', { name: 'Delete preset Gate' }).click();
  await page.locator('dialog[open]').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.locator('dialog[open] .note.bad', { hasText: 'not supported' }).waitFor();
  await shot(page, 'app-ptz-refused');
  assert.deepEqual(errors, []);
});

test('a hold is a move and a stop, and a preset is kept, gone to and deleted', { skip, timeout: 60_000 }, async (t) => {
  const { login: where, told } = await presetCamera(t);
  const { page, open } = await pad(t, where);
  const opened = await open();
  await opened.getByRole('button', { name: 'Up right' }).hover();
  await page.mouse.down();
  await until('a move', 5, () => told.length === 1);
  await page.mouse.up();
  await until('a stop', 5, () => told.length === 2);
  await page.keyboard.down('ArrowDown');
  await until('another move', 5, () => told.length === 3);
  await page.keyboard.up('ArrowDown');
  await until('another stop', 5, () => told.length === 4);
  assert.deepEqual(told, ['move 0.5 0.5 0', 'stop', 'move 0 -0.5 0', 'stop']);
  const name = 'Back door';
  const preset = await keep(opened, name);
  await preset.click();
  assert.equal(await opened.getByLabel('Keep this position as').inputValue(), '', 'the field is free for the next one');
  await opened.getByRole('button', { name: `Delete preset ${name}` }).click();
  await page.locator('dialog[open]').getByRole('button', { name: 'Delete', exact: true }).click();
  await preset.waitFor({ state: 'detached' });
  const { preset: left } = await call('GetPresets', { token: TOKEN, session: await login() });
  assert.ok(!left.some(({ strName }) => strName === name), JSON.stringify(left));
  assert.equal(await page.locator('.toast.bad').count(), 0);
});
