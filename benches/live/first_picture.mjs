// How long a page of the daemon takes to its first picture: `node first_picture.mjs URL LOADS`.
//
// Prints, in milliseconds and per page load, the time from the player's connect() (it opens its socket there) and from
// the start of the navigation to the first decoded frame handed to the compositor (requestVideoFrameCallback). The
// browser is warm: a first load is not counted.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');
const [url, loads] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.H5EDGE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--autoplay-policy=no-user-gesture-required'],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
await context.addInitScript(() => {
  const marks = (globalThis.benchMarks = {});
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      marks.connect ??= performance.now();
      super(...args);
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    document.querySelector('video').requestVideoFrameCallback(() => (marks.picture = performance.now()));
  });
});

const result = { connect: [], navigation: [] };
for (let load = 0; load <= Number(loads); load++) {
  const page = await context.newPage();
  await page.goto(url);
  const seen = await page.waitForFunction(() => globalThis.benchMarks.picture && globalThis.benchMarks, null, {
    timeout: 15_000,
    polling: 100,
  });
  const { connect, picture } = await seen.jsonValue();
  await page.close();
  if (load === 0) continue;
  result.connect.push(picture - connect);
  result.navigation.push(picture);
}
await browser.close();
console.log(JSON.stringify(result));
