// Opens every recording below a folder in Chromium, from the disk: `node open_files.mjs FOLDER`. Each has to say how
// long it is, seek to its middle and show a picture there. Run by tests/power_cut.rs.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');

const folder = resolve(process.argv[2]);
const files = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.mp4') && !name.startsWith('set-aside'))
  .map((name) => join(folder, name))
  .sort();

/** In the page: why the file does not play, or nothing. */
async function look(url) {
  const video = document.createElement('video');
  const done = (event) =>
    new Promise((yes, no) => {
      video.addEventListener(event, yes, { once: true });
      video.addEventListener('error', () => no(new Error(video.error?.message)), { once: true });
      setTimeout(() => no(new Error(`no ${event} in 20 s`)), 20_000);
    });
  try {
    const opened = done('loadeddata');
    video.src = url;
    await opened;
    if (!(video.duration > 0 && video.duration < 3600)) return `lasts ${video.duration} s`;
    const there = done('seeked');
    video.currentTime = video.duration / 2;
    await there;
    return video.videoWidth > 0 && video.readyState >= video.HAVE_CURRENT_DATA ? '' : 'shows no picture in its middle';
  } catch (error) {
    return error.message;
  } finally {
    video.removeAttribute('src');
    video.load();
  }
}

const browser = await chromium.launch({
  executablePath: process.env.H5EDGE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--allow-file-access-from-files'],
});
const page = await browser.newPage();
await page.goto(pathToFileURL(folder).href);
const faults = [];
for (const file of files) {
  const fault = await page.evaluate(look, pathToFileURL(file).href);
  if (fault) faults.push(`${file}: ${fault}`);
}
await browser.close();
console.log(`${files.length} files opened in Chromium, ${faults.length} at fault`);
faults.forEach((fault) => console.log(fault));
process.exitCode = faults.length > 0 || files.length === 0 ? 1 : 0;
