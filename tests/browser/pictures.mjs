// The handbook's pictures of the admin page: `H5EDGE_URL=… node pictures.mjs FOLDER [NAME…]`, against a daemon with the
// sources gate, yard, hall and car-park and the password of delivery; H5EDGE_NEW is one that is not set up yet. `make
// pictures` starts both. Each page in light, some also as `-dark` and `-phone`; with names, only these
// files. H5EDGE_BIN plays an ONVIF camera.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, serve } from './daemon.mjs';
import { onvifCamera, PASSWORD as LENS_PASSWORD, USER as LENS_USER } from './onvifcam.mjs';
import { base, browser, call, md5, login, pause, until, user } from './support.mjs';

const [folder, ...only] = process.argv.slice(2);
const PASSWORD = 'correct horse 7';
const CAMERAS = ['gate', 'yard', 'hall', 'car-park'];
const LIGHT = { colorScheme: 'light', viewport: { width: 1280, height: 800 } };
const LOOKS = {
  '': LIGHT,
  '-dark': { ...LIGHT, colorScheme: 'dark' },
  '-phone': { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true },
};
/** Pictures have come, charts are drawn. */
const SETTLE = 6000;

/** Plays the day's recordings, and shows few minutes of its line. */
async function play(page) {
  await page.waitForTimeout(2000);
  await page.getByRole('button', { name: /^Play \(/ }).click();
  const closer = page.getByRole('button', { name: 'Show less time' });
  for (let step = 0; step < 8 && (await closer.isEnabled()); step++) await closer.click();
  await page.keyboard.press('i');
  await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(2000);
  await page.keyboard.press('o');
}

/** Asks an ONVIF camera what it offers, as far as its picture. */
async function offer(page) {
  await page.getByRole('button', { name: 'Add sources' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.locator('summary').click();
  await dialog.locator('[name=ip]').fill('127.0.0.1');
  await dialog.locator('[name=port]').fill(camera.port);
  await dialog.locator('[name=user]').fill(LENS_USER);
  await dialog.locator('[name=password]').fill(LENS_PASSWORD);
  await dialog.getByRole('button', { name: 'Next', exact: true }).click();
  await dialog.locator('.camera img').waitFor();
}

/** The pages: address, looks beside light, what is done before the picture, and whether it shows video (JPEG then). */
const PAGES = {
  live: { looks: ['-dark', '-phone'], video: true },
  playback: { route: 'playback?token=gate,yard', looks: ['-dark', '-phone'], video: true, ready: play },
  snapshots: { video: true },
  sources: { looks: ['-phone'] },
  'sources-add': { route: 'sources', ready: offer },
  'system-dashboard': { route: 'system/dashboard', looks: ['-dark'] },
  'system-users': { route: 'system/users' },
  'system-recording': { route: 'system/recording' },
  'system-storage': { route: 'system/storage' },
  'system-certificate': { route: 'system/certificate' },
  'system-cloud': { route: 'system/cloud' },
  'system-audit': { route: 'system/audit' },
  'system-api': { route: 'system/api?call=Search' },
};

/** Something to be seen: a password of one's own, a user who sees two cameras, recordings, snapshots. */
async function furnish() {
  const first = await login();
  await must('UpdateUser', { user, oldpassword: md5('12345'), newpassword: md5(PASSWORD), session: first });
  const session = (await must('Login', { user, password: md5(PASSWORD) })).strSession;
  await must('CreateRole', { role: 'Gatekeepers', roletoken: 'gatekeepers', level: 'Viewer', session });
  for (const camtoken of ['gate', 'car-park']) await must('AddCamToRole', { roletoken: 'gatekeepers', camtoken, session });
  await must('CreateUser', { user: 'anna', password: md5('green lantern 4'), roletoken: 'gatekeepers', session });
  await must('CreateUser', { user: 'guard', password: md5('quiet morning 9'), roletoken: 'operator', session });
  for (const [token, name] of [['shop-7', 'Shop 7'], ['depot', 'Depot']]) await site(token, name, session);
  await must('UpdateServer', { servertoken: 'depot', enable: false, session });
  await must('AddServer', { servertoken: 'shop-8', name: 'Shop 8', key: '5e'.repeat(32), session });
  for (const token of CAMERAS) await must('SetRecordSchedule', { token, week: 'always', session });
  for (let round = 0; round < 3; round++) {
    await pause(14_000);
    for (const token of CAMERAS) await must('Snapshot', { token, session });
  }
  return session;
}

/** A box that registers. */
async function site(token, name, session) {
  const own = `[http]\nbind = "127.0.0.1"\nhttps_port = 0\n[webrtc]\nport = ${await freePort()}\n`;
  const central = `host = "127.0.0.1"\nport = ${new URL(base).port}\ntls = false\nuser = "${user}"\npassword = "${PASSWORD}"\n`;
  await serve(closing, `${own}[cloud.client]\nenabled = true\ntoken = "${token}"\nname = "${name}"\n${central}`);
  await until(`${name} is registered`, 20, async () => {
    const { server } = await call('GetServerList', { session });
    return server.some(({ strServerToken, bOnline }) => strServerToken === token && bOnline);
  });
}

async function must(name, params) {
  const answer = await call(name, params);
  if (!answer.bStatus) throw new Error(`${name}: ${answer.strCode}`);
  return answer;
}

/** A browser for the time of `work`. */
async function within(options, work) {
  const closing = [];
  const context = await browser({ after: (close) => closing.push(close) }, { locale: 'en-GB', ...options });
  try {
    await work(context);
  } finally {
    for (const close of closing) await close();
  }
}

async function take(page, name, video) {
  const options = video ? { path: join(folder, `${name}.jpg`), type: 'jpeg', quality: 80 } : { path: join(folder, `${name}.png`) };
  await page.screenshot(options);
}

/** What has to end with this. */
const ends = [];
const closing = { after: (end) => ends.push(end) };
const wanted = (name) => only.length === 0 || only.includes(name);

mkdirSync(folder, { recursive: true });
const session = await furnish();
const { src } = await call('GetSrc', { session });
const camera = await onvifCamera(closing, src.find(({ strToken }) => strToken === 'gate').strUrl);
for (const [suffix, options] of Object.entries(LOOKS)) {
  const pages = Object.entries(PAGES).filter(([name, { looks = [] }]) => ['', ...looks].includes(suffix) && wanted(name + suffix));
  if (pages.length === 0) continue;
  await within(options, async (context) => {
    await context.addInitScript((kept) => sessionStorage.setItem('h5edge-session', kept), JSON.stringify({ session, user, role: 'Administrator' }));
    for (const [name, { route = name, video, ready }] of pages) {
      const page = await context.newPage();
      await page.goto(`${base}/#/${route}`);
      await page.locator('#content h1, #content h2, #content video').first().waitFor({ state: 'attached' }).catch(() => undefined);
      await ready?.(page);
      await page.evaluate(() => scrollTo(0, 0));
      await page.waitForTimeout(SETTLE);
      await take(page, name + suffix, video);
      await page.close();
    }
  });
}
if (process.env.H5EDGE_NEW && wanted('set-up')) {
  await within(LIGHT, async (context) => {
    const page = await context.newPage();
    await page.goto(process.env.H5EDGE_NEW);
    await page.locator('.setup form').waitFor();
    await page.locator('[name=password]').fill('correct horse');
    await take(page, 'set-up', false);
  });
}
if (process.env.H5EDGE_NEW && wanted('set-up-network')) {
  // The second step, as a box has it.
  await within(LIGHT, async (context) => {
    const page = await context.newPage();
    const port = { strName: 'eth0', strMac: '02:00:00:00:00:01', strType: 'ethernet', bUp: true, strMethod: 'dhcp', addresses: ['192.168.1.57/24'], strGateway: '192.168.1.1', dns: ['192.168.1.1'], strSsid: '' };
    await page.route('**/api/v1/GetNetwork', (route) => route.fulfill({ json: { bStatus: true, strCode: '', bAppliance: true, interfaces: [port], bTrial: false, nConfirmSeconds: 0 } }));
    await page.goto(process.env.H5EDGE_NEW);
    await page.fill('.setup [name=password]', PASSWORD);
    await page.fill('.setup [name=again]', PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByText('Fixed', { exact: true }).click({ force: true });
    await take(page, 'set-up-network', false);
  });
}
for (const end of ends) await end();
