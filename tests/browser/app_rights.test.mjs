// A user of one camera, who writes another one's address by hand: told in words, and nothing of it is shown or asked from
// the server, not even its name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app } from './app.mjs';
import { call, login, md5, shot, until } from './support.mjs';

const USER = 'gatekeeper';
const SECRET = 'seven-of-nine';
const ROLE = 'only-gate';
/** The one that he may see, and the other. */
const [OWN, OTHER, OTHER_NAME] = ['token1', 'sound', 'Camera with sound'];

test('a user of one camera does not reach another one by its address', { timeout: 60_000 }, async (t) => {
  const session = await login();
  const ask = async (name, params) => {
    const answer = await call(name, { ...params, session });
    assert.equal(answer.bStatus, true, `${name}: ${answer.strCode}`);
  };
  t.after(async () => {
    await call('DeleteUser', { user: USER, session });
    await call('DeleteRole', { roletoken: ROLE, session });
  });
  await ask('CreateRole', { role: 'Only the gate', roletoken: ROLE });
  await ask('AddCamToRole', { roletoken: ROLE, camtoken: OWN });
  await ask('CreateUser', { user: USER, password: md5(SECRET), roletoken: ROLE });
  const { strSession } = await call('Login', { user: USER, password: md5(SECRET) });

  const { page } = await app(t, `#/live?grid=2x1&tiles=${OWN}+${OTHER}`, { session: strSession });
  const told = [];
  page.on('response', async (response) => told.push(`${response.url()} ${await response.text().catch(() => '')}`));
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => told.push(String(payload).slice(0, 100_000))));
  const shown = (selector) => page.evaluate((within) => [...document.querySelectorAll(`${within} video`)].some(({ videoWidth }) => videoWidth > 0), selector);
  await page.reload();

  await until('his own camera plays', 25, () => shown(`[data-token="${OWN}"]`));
  const tile = page.locator(`.tile[data-token="${OTHER}"]`);
  await tile.locator('.why').waitFor();
  assert.match(await tile.locator('.why').textContent(), /no camera|not there|may not/i);
  assert.equal(await shown(`[data-token="${OTHER}"]`), false);
  assert.equal(await page.locator('.camera').count(), 1, 'the list has his own camera only');
  await shot(page, 'rights-live');

  await page.goto(page.url().replace(/#.*/, `#/playback?token=${OTHER}`));
  await page.locator('.note.bad', { hasText: OTHER }).first().waitFor();
  assert.equal(await page.locator('.records tbody tr').count(), 0);
  assert.equal(await page.locator('.bars i').count(), 0);
  await shot(page, 'rights-playback');

  for (const way of ['live', 'playback']) {
    await page.goto(page.url().replace(/#.*/, `#/${way}?token=${OTHER}`));
    await page.locator('#content').waitFor();
    assert.ok(!(await page.locator('body').innerText()).includes(OTHER_NAME), way);
  }
  assert.ok(told.length > 0);
  assert.deepEqual(told.filter((text) => text.includes(OTHER_NAME)).map((text) => text.slice(0, 200)), []);
});
