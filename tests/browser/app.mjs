// What the tests of the admin page share: a browser that is logged in and writes down what went wrong, and axe.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { base, browser, password, user } from './support.mjs';

const AXE = readFileSync(new URL('../../web/node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** What goes wrong in a page of the daemon at `root`: errors of the page and of the console, and requests to other hosts. */
export function watchErrors(page, root = base) {
  const errors = [];
  const home = new URL(root).host;
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^(http|ws)/.test(url.protocol) && url.host !== home) errors.push(`a request to ${url.host}`);
  });
  return errors;
}

/**
 * The admin page at `route`, such as `#/sources`, in English, logged in by hand or with `session`. `errors` lists what went
 * wrong in it.
 */
export async function app(t, route, { session, ...options } = {}) {
  const context = await browser(t, { locale: 'en-GB', ...options });
  const page = context.pages()[0];
  const errors = watchErrors(page);
  page.setDefaultTimeout(15_000);
  if (session) await context.addInitScript((kept) => sessionStorage.setItem('h5edge-session', kept), JSON.stringify({ session, user }));
  await page.goto(`${base}/${route}`);
  if (!session) {
    await page.fill('[name=user]', user);
    await page.fill('[name=password]', password);
    await page.keyboard.press('Enter');
  }
  await page.locator('#content').waitFor();
  return { page, errors };
}

/** No serious findings of axe, in both themes. */
export async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const bad = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, any }) => `${target} ${any.map((check) => check.message).join(' ')}`).join(' | ')}`);
    assert.deepEqual(bad, [], `${what}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Nothing is wider than the window. */
export async function fits(page, what) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${what} is ${wide} px too wide`);
  const dialogs = await page.$$eval('dialog[open]', (open) => open.map((dialog) => dialog.scrollWidth - dialog.clientWidth));
  for (const more of dialogs) assert.ok(more <= 0, `${what}: the dialog is ${more} px too wide`);
}
