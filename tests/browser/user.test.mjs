// Changing the password. The last file in the order of names, in which they run: h5edge does not take the password it
// is delivered with back, so a run that began with it ends with the new one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app } from './app.mjs';
import { menu } from './frame.mjs';
import { call, md5, password, until, user } from './support.mjs';

const NEW_PASSWORD = 'a-new-password-7';

test('the password is changed, and the warning about the default one follows the log-in answer', async (t) => {
  const { page } = await app(t, '#/system');
  const answer = await call('Login', { user, password: md5(password) });
  assert.equal(await page.locator('.warning').isVisible(), answer.bDefaultPassword === true);
  await menu(page, 'Change password');
  const form = page.getByRole('dialog', { name: 'Change password' });
  await form.locator('[name=password]').fill(password);
  await form.locator('[name=fresh]').fill(NEW_PASSWORD);
  await form.locator('[name=again]').fill('something else');
  await page.keyboard.press('Enter');
  await until('the difference is told', 15, async () => /differ/.test((await form.locator('.note').allTextContents()).join()));
  await form.locator('[name=again]').fill(NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await form.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('.warning').isVisible(), false);
  const fresh = await call('Login', { user, password: md5(NEW_PASSWORD) });
  assert.equal(fresh.bStatus, true);
});
