// What the browser tests share: the daemon's address from the environment, Chromium, and looks at a video element.
//
// H5EDGE_URL       where h5edge listens, for example http://127.0.0.1:8080 (required)
// H5EDGE_USER      default admin
// H5EDGE_PASSWORD  default 12345
// H5EDGE_PLAY_SECONDS  how long each player must play, default 30
// H5EDGE_SHOTS     directory for screenshots; none are taken without it
// H5EDGE_CHROMIUM  default /usr/bin/chromium
// ONVIF_PEERS      where `make onvif-peers` installed cameras; default target/onvif-peers, what needs them is skipped without
// FAKECAM_CTRL     control address of the camera simulator; tests that need it are skipped without it
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');

const env = process.env;
assert.ok(env.H5EDGE_URL, 'H5EDGE_URL names the daemon to test');
export const base = env.H5EDGE_URL.replace(/\/$/, '');
export const user = env.H5EDGE_USER ?? 'admin';
export const password = env.H5EDGE_PASSWORD ?? '12345';
export const playSeconds = Number(env.H5EDGE_PLAY_SECONDS ?? 30);
export const cameraControl = env.FAKECAM_CTRL;

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The four ways to watch, with the socket that each keeps open. */
export const players = [
  { name: 'ws', page: 'ws.html', socket: 'h5swsapi' },
  { name: 'rtc', page: 'rtc.html', socket: 'h5srtcapi' },
  { name: 'hls v1', page: 'hls.html', socket: 'h5swscmnapi', query: { ver: 'v1' } },
  { name: 'hls v2', page: 'hls.html', socket: 'h5swscmnapi', query: { ver: 'v2' } },
];

/**
 * A browser with a profile of its own, closed and removed after the test `t`. `autoplay: false` leaves it with the
 * policy people's browsers have.
 */
export async function browser(t, { autoplay = true, ...options } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'h5edge-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: env.H5EDGE_CHROMIUM ?? '/usr/bin/chromium',
    args: autoplay ? [...ARGS, '--autoplay-policy=no-user-gesture-required'] : ARGS,
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return context;
}

export async function call(name, params = {}) {
  const answer = await fetch(`${base}/api/v1/${name}`, { method: 'POST', body: new URLSearchParams(params) });
  return answer.json();
}

export const md5 = (text) => createHash('md5').update(text).digest('hex');

export async function login() {
  const answer = await call('Login', { user, password: md5(password) });
  assert.equal(answer.bStatus, true, `log-in failed: ${answer.strCode}`);
  return answer.strSession;
}

/** Logs in where the page at `address` asks for it. */
export async function logIn(page, root = base, address = `${root}/`, who = user, secret = password) {
  if (page.url() !== address) await page.goto(address);
  await page.fill('.login [name=user]', who);
  await page.fill('.login [name=password]', secret);
  await page.keyboard.press('Enter');
}

/** Opens a single-source page; `sockets` lists the sockets it opens, `errors` what went wrong in it. */
export async function watch(context, { page: file, query = {} }, session, token = 'token1') {
  const page = await context.newPage();
  const sockets = [];
  const errors = [];
  page.on('websocket', (socket) => sockets.push(new URL(socket.url()).pathname.split('/').pop()));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.text().includes('Content Security Policy') && errors.push(message.text()));
  await page.goto(`${base}/${file}?${new URLSearchParams({ token, session, ...query })}`);
  return { page, sockets, errors };
}

/** Waits until `look` gives a true value, and gives that back. */
export async function until(what, seconds, look) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (value) return value;
    assert.ok(Date.now() < deadline, `not within ${seconds} s: ${what}`);
    await pause(100);
  }
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const currentTime = (page) => page.evaluate(() => document.querySelector('video').currentTime);

export const notice = (page) => page.locator('#notice').textContent();

/** Waits for the first moving picture: a decoded frame and a clock that runs. HLS on a cold source needs two segments. */
export function untilPlaying(page, seconds = 25) {
  return until('the video plays', seconds, () =>
    page.evaluate(() => {
      const video = document.querySelector('video');
      return video?.currentTime > 0.2 && video.videoWidth > 0 && !video.paused && video.readyState >= 3;
    }),
  );
}

/** A small grey copy of the shown picture. */
const picture = (page) =>
  page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 36;
    const pen = canvas.getContext('2d');
    pen.drawImage(document.querySelector('video'), 0, 0, 64, 36);
    const { data } = pen.getImageData(0, 0, 64, 36);
    return Array.from({ length: 64 * 36 }, (_, i) => data[i * 4] + data[i * 4 + 1] + data[i * 4 + 2]);
  });

/** Waits until the picture differs visibly from what it was. */
export async function untilMoves(page) {
  const before = await picture(page);
  await until('the picture moves', 15, async () => {
    const now = await picture(page);
    const changed = now.filter((value, index) => Math.abs(value - before[index]) > 30).length;
    return changed > 10;
  });
}

/** Takes the first camera away for `down` seconds. */
export async function restartCamera(down) {
  const answer = await fetch(`${cameraControl.replace(/\/$/, '')}/restart?cam=0&down=${down}`);
  assert.ok(answer.ok, `the camera control answers ${answer.status}`);
}

export async function shot(page, name) {
  if (!env.H5EDGE_SHOTS) return;
  mkdirSync(env.H5EDGE_SHOTS, { recursive: true });
  await page.screenshot({ path: join(env.H5EDGE_SHOTS, `${name}.png`), timeout: 15_000 });
}
