// A live picture of the admin page.
import { pause, until } from './support.mjs';

/** The camera's tile shows a picture that goes on, by this way and this socket. */
export async function plays(page, token, way, socket) {
  const opened = page.waitForEvent('websocket', { predicate: (made) => made.url().includes(`${socket}?`), timeout: 30_000 });
  await page.evaluate((hash) => (location.hash = hash), `#/live?grid=1x1&tiles=${token}**${way}`);
  await opened;
  const tile = page.locator(`.tile[data-token="${token}"]`);
  const time = () => tile.evaluate((one) => (one.querySelector('.why') ? 0 : (one.querySelector('video')?.currentTime ?? 0)));
  await until(`a picture over ${way} that goes on`, 40, async () => {
    const before = await time();
    await pause(1000);
    return before > 0 && (await time()) > before;
  });
}
