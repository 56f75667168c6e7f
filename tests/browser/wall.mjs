// A live wall in Chromium, measured: how much the first visit loads and how long that takes, when each tile has its
// picture, what keeps the main thread busy, and what memory does. For the benchmark and for the soak test;
// `node wall.mjs URL SESSION TILES SECONDS` prints the figures as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--autoplay-policy=no-user-gesture-required', '--js-flags=--expose-gc'];
const PICTURES_WITHIN = 60_000;

/** Runs in the page: marks the first picture of each video, its stalls, and long tasks. */
function marks() {
  const wall = (globalThis.wallMarks = { pictures: [], long: [], still: 0 });
  new PerformanceObserver((list) => wall.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask', buffered: true });
  new MutationObserver(() => {
    for (const video of document.querySelectorAll('video')) {
      if (video.wallMarked) continue;
      video.wallMarked = true;
      video.requestVideoFrameCallback(() => wall.pictures.push(performance.now()));
    }
  }).observe(document, { childList: true, subtree: true });
  const places = new WeakMap();
  setInterval(() => {
    for (const video of document.querySelectorAll('video')) {
      const before = places.get(video) ?? { time: -1, still: 0 };
      const still = video.currentTime === before.time ? before.still + 1 : 0;
      places.set(video, { time: video.currentTime, still });
      wall.still = Math.max(wall.still, still);
    }
  }, 1000);
}

/** Resident kilobytes of the page's process, the largest of the renderers. */
async function resident(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const of = ({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0);
  return Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(of));
}

/**
 * Shows the first `tiles` cameras for `seconds` after their pictures came. Bytes as they went over the wire; times in
 * milliseconds from the navigation; memory in kilobytes, `heap` after a collection.
 */
export async function measure(url, session, tiles, seconds) {
  const browser = await chromium.launch({ executablePath: process.env.H5EDGE_CHROMIUM ?? '/usr/bin/chromium', args: ARGS });
  try {
    const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    const protocol = await context.newCDPSession(page);
    await protocol.send('Network.enable');
    let bytes = 0;
    protocol.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await page.addInitScript(marks);
    await page.addInitScript((kept) => sessionStorage.setItem('h5edge-session', kept), JSON.stringify({ session, user: 'admin', role: 'Administrator' }));
    await page.goto(`${url}/#/live`);
    await page.locator('.page.live video').first().waitFor({ state: 'attached' });
    const shown = await page.evaluate(() => performance.now());
    const firstLoad = bytes;
    await page.waitForFunction((count) => globalThis.wallMarks.pictures.length >= count, tiles, { timeout: PICTURES_WITHIN, polling: 100 });
    const heap = async () => {
      await page.evaluate(() => globalThis.gc());
      return page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1024));
    };
    const settled = Math.min(60, seconds / 3);
    await page.waitForTimeout(settled * 1000);
    const before = { heap: await heap(), resident: await resident(browser) };
    const counted = await page.evaluate(() => ((globalThis.wallMarks.still = 0), globalThis.wallMarks.long.length));
    await page.waitForTimeout((seconds - settled) * 1000);
    const { pictures, long, still } = await page.evaluate(() => globalThis.wallMarks);
    const after = { heap: await heap(), resident: await resident(browser) };
    return { firstLoad, shown, pictures, long: long.slice(counted), still, before, after, errors };
  } finally {
    await browser.close();
  }
}

if (import.meta.filename === process.argv[1]) {
  const [url, session, tiles, seconds] = process.argv.slice(2);
  console.log(JSON.stringify(await measure(url, session, Number(tiles), Number(seconds))));
}
