// Changing the password. The last file in the order of names, in which they run: h5edge does not take the password it
// is delivered with back, so a run that began with it ends with the new one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, md5, overview, password, until, user } from './support.mjs';

const NEW_PASSWORD = 'a-new-password-7';

test('the password is changed, and the warning about the default one follows the log-in answer', async (t) => {
  const { page } = await overview(t);
  const answer = await call('Login', { user, password: md5(password) });
  assert.equal(await page.locator('#default-password').isVisible(), answer.bDefaultPassword === true);
  await page.click('#password');
  const form = page.locator('#password-dialog');
  await form.locator('[name=password]').fill(password);
  await form.locator('[name=password-new]').fill(NEW_PASSWORD);
  await form.locator('[name=password-again]').fill('something else');
  await page.keyboard.press('Enter');
  await until('the difference is told', 15, async () => /differ/.test(await form.locator('.note').textContent()));
  await form.locator('[name=password-again]').fill(NEW_PASSWORD);
  await page.keyboard.press('Enter');
  await form.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#default-password').isVisible(), false);
  const fresh = await call('Login', { user, password: md5(NEW_PASSWORD) });
  assert.equal(fresh.bStatus, true);
});
