// Cloud registration through the page: a box is connected to a central by the code that it shows, its camera plays there over
// WebRTC and WebSocket, and its site is renamed, disabled and removed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, fits, watchErrors } from './app.mjs';
import { freePort, serve } from './daemon.mjs';
import { at } from './frame.mjs';
import { browser, call, login, logIn, shot, until } from './support.mjs';
import { plays } from './tile.mjs';

const CAMERA = 'site1-gate';

/** A daemon with this beside its ports, and the admin page of it on System, Cloud. */
async function daemon(t, more) {
  const port = await serve(
    t,
    `[http]\nbind = "127.0.0.1"\nhttps_port = 0\n[webrtc]\nport = ${await freePort()}\n[rtsp]\nport = ${await freePort()}\n[auth]\ninitial_password = "12345"\n${more}`,
  );
  const root = `http://127.0.0.1:${port}`;
  const context = await browser(t, { locale: 'en-GB' });
  const page = context.pages()[0];
  page.setDefaultTimeout(20_000);
  const errors = watchErrors(page, root);
  await logIn(page, root);
  await page.locator('#content').waitFor();
  await at(page, '#/system/cloud', root);
  return { root, port, page, errors };
}

const section = (page, name) => page.locator('.section', { has: page.getByRole('heading', { name, exact: true, level: 2 }) });
const says = (place, text) => until(`it says ${text}`, 20, async () => ((await place.textContent()) ?? '').includes(text));

test('a box is connected by its code, watched, renamed, disabled and removed', { timeout: 240_000 }, async (t) => {
  const { src } = await call('GetSrc', { session: await login() });
  const { strUrl } = src.find(({ strToken }) => strToken === 'token1');
  const central = await daemon(t, '[cloud.server]\nenabled = true\n');
  const edge = await daemon(t, `[[source]]\ntoken = "gate"\nname = "Gate"\nurl = "${strUrl}"\n`);

  const box = section(edge.page, 'Connection to a central server');
  await box.getByRole('button', { name: 'Connect this box' }).click();
  await box.locator('[name=cloudip]').fill('127.0.0.1');
  await box.locator('[name=cloudport]').fill(String(central.port));
  await box.getByLabel('Encrypted (TLS)').uncheck();
  await box.locator('[name=servername]').fill('Shop');
  await box.locator('[name=servertoken]').fill('site1');
  await accessible(edge.page, 'connecting');
  await shot(edge.page, 'cloud-connect');
  await box.getByRole('button', { name: 'Connect', exact: true }).click();
  const code = await until('the code', 20, async () => (await box.locator('.code').count()) && (await box.locator('.code').textContent()));
  assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  await accessible(edge.page, 'the code');
  await shot(edge.page, 'cloud-code');

  const { page } = central;
  const sites = section(page, 'Central server');
  await sites.getByRole('button', { name: 'Add a site' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a site' });
  await says(dialog, 'Shop');
  await dialog.locator('[name=code]').fill('0000-0000');
  await dialog.getByRole('button', { name: 'Add a site' }).click();
  await says(dialog.locator('.note.bad'), 'no box that is connected now shows this code');
  await accessible(page, 'adding a site');
  await dialog.locator('[name=code]').fill(code.toLowerCase());
  await dialog.getByRole('button', { name: 'Add a site' }).click();
  await dialog.waitFor({ state: 'detached' });
  const row = sites.locator('tr', { hasText: 'site1' });
  await says(row, 'Online');
  await says(box, 'Online');
  await accessible(page, 'sites');
  await shot(page, 'cloud-sites');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot(page, 'cloud-sites-dark');
  await page.emulateMedia({ colorScheme: 'light' });

  await at(page, '#/live?grid=1x1&tiles=*', central.root);
  await says(page.locator('.tree .site'), 'Shop');
  await plays(page, CAMERA, 'rtc', 'h5srtcapi');
  await plays(page, CAMERA, 'ws', 'h5swsapi');
  await shot(page, 'cloud-live');

  await at(page, '#/system/cloud', central.root);
  await row.getByRole('button', { name: 'Rename Shop' }).click();
  await page.locator('dialog [name=name]').fill('Shop in the north');
  await page.locator('dialog').getByRole('button', { name: 'Rename', exact: true }).click();
  await says(row, 'Shop in the north');
  await row.getByRole('button', { name: 'Disable Shop in the north' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Disable', exact: true }).click();
  await says(row, 'Disabled');
  await says(box, 'disabled at the central');
  await accessible(edge.page, 'disabled');
  await page.setViewportSize({ width: 390, height: 844 });
  await edge.page.setViewportSize({ width: 390, height: 844 });
  await fits(page, 'sites');
  await fits(edge.page, 'a box without its central');
  await shot(page, 'cloud-sites-phone');
  await shot(edge.page, 'cloud-away-phone');
  await row.getByRole('button', { name: 'Remove Shop in the north' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await says(sites, 'No site is registered yet.');
  // The browser itself reports the refused code to nobody: a call that fails is no error of the page.
  assert.deepEqual([...central.errors, ...edge.errors], []);
});
