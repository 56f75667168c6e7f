// Playback: the recorded files as they are, the page with its time line, and the player's own way through a span.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { base, browser, call, currentTime, login, logIn, pause, shot, until, untilPlaying } from './support.mjs';

const TOKEN = 'sound';
let session;
/** All completed recordings of the camera; footage.mjs makes two spans of them. */
let records;

before(async () => {
  session = await login();
  records = await until('two spans are recorded', 150, async () => {
    const found = await search();
    return gapIn(found) && found.every(({ nDurationNow }) => nDurationNow === undefined) && found;
  });
});

async function search(token = TOKEN, type = 'record') {
  const [start, end] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 60_000)];
  const { record } = await call('Search', { token, type, start: start.toISOString(), end: end.toISOString(), session });
  return record;
}

/** Where nothing is recorded between two files, in milliseconds since 1970. */
function gapIn(found) {
  const times = found.map(({ strStartTime, strEndTime }) => [Date.parse(strStartTime), Date.parse(strEndTime)]);
  const index = times.findIndex(([start], at) => at > 0 && start - times[at - 1][1] > 4000);
  return index < 0 ? undefined : { from: times[index - 1][1], to: times[index][0] };
}

/** The playback page with today's recordings; `errors` lists what went wrong in it. */
async function playback(t, options, query = {}) {
  const page = (await browser(t, { timezoneId: 'Asia/Kolkata', ...options })).pages()[0];
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.text().includes('Content Security Policy') && errors.push(message.text()));
  await page.goto(`${base}/playback.html?${new URLSearchParams({ token: TOKEN, session, ...query })}`);
  return { page, errors };
}

const rows = (page) => page.locator('#records tbody tr');

/** Seconds since midnight, as the page tells the time. */
async function shown(page) {
  const [hours, minutes, seconds] = (await page.locator('#now').textContent()).split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

const inKolkata = (moment) => Math.floor(moment / 1000 + 5.5 * 3600) % 86_400;

/** A moment's place on the time line, in pixels from its left end. */
async function placeOf(page, moment) {
  const [x] = await page.evaluate((at) => {
    const marks = [...document.querySelectorAll('.marks span')].map((mark) => {
      const [hours, minutes] = mark.textContent.split(':').map(Number);
      return [hours * 3600 + minutes * 60, mark.getBoundingClientRect().left];
    });
    const [[t0, x0], [t1, x1]] = [marks[0], marks.at(-1)];
    const left = document.querySelector('#track').getBoundingClientRect().left;
    return [x0 + ((at - t0) / (t1 - t0)) * (x1 - x0) - left];
  }, inKolkata(moment));
  return x;
}

async function plain(page, url) {
  await page.goto(`${base}/ws.html?autoplay=false`);
  await page.evaluate((address) => {
    document.querySelector('video').replaceWith(Object.assign(document.createElement('video'), { src: address, muted: true, controls: true }));
    void document.querySelector('video').play();
  }, `${url}?session=${session}`);
  await untilPlaying(page);
}

const seekTo = (page, seconds) =>
  page.evaluate(
    (to) =>
      new Promise((resolve) => {
        const video = document.querySelector('video');
        video.addEventListener('seeked', () => resolve(video.currentTime), { once: true });
        video.currentTime = to;
      }),
    seconds,
  );

test('a completed recording plays in a plain video element, and seeks', async (t) => {
  const page = (await browser(t)).pages()[0];
  const { strUrl, strDuration } = records[0];
  await plain(page, strUrl);
  const duration = await page.evaluate(() => document.querySelector('video').duration);
  assert.ok(Math.abs(duration - Number(strDuration)) < 1.5, `${duration} s in the file, ${strDuration} s in the answer`);
  for (const place of [duration * 0.7, duration * 0.2]) {
    assert.ok(Math.abs((await seekTo(page, place)) - place) < 0.3);
    await until('it goes on from there', 15, async () => (await currentTime(page)) > place + 0.5);
  }
});

test('a recording that still runs plays in a plain video element, and seeks', async (t) => {
  const page = (await browser(t)).pages()[0];
  const { strUrl } = await call('Record', { token: 'bframes', duration: 20, session });
  await until('some of it is on the disk', 20, async () => (await search('bframes')).some(({ nDurationNow }) => nDurationNow >= 6));
  await plain(page, strUrl);
  await seekTo(page, 3);
  await until('it goes on from there', 15, async () => (await currentTime(page)) > 3.5);
});

test('the page shows the day in the browser\'s zone', async (t) => {
  const { page, errors } = await playback(t);
  await until('all recordings are listed', 10, async () => (await rows(page).count()) >= records.length);
  const first = inKolkata(Date.parse(records[0].strStartTime));
  const listed = (await rows(page).first().locator('.when').textContent()).split(':').map(Number);
  assert.equal(listed[0] * 3600 + listed[1] * 60 + listed[2], first);
  assert.ok((await page.locator('.bars i.manual').count()) >= 2, 'the gap is to be seen');
  assert.match(await page.locator('#summary').textContent(), /recordings, /);
  await page.locator('#calendar [aria-current].recorded').waitFor({ timeout: 10_000 });
  await page.locator('#pictures img').first().waitFor();
  assert.deepEqual(errors, []);
});

test('a click on the time line plays from there; pause, speed and seeking do what they say', async (t) => {
  const { page, errors } = await playback(t);
  await rows(page).first().waitFor();
  const start = Date.parse(records[0].strStartTime);
  const target = start + 8000;
  await page.locator('#track').click({ position: { x: await placeOf(page, target), y: 40 } });
  await untilPlaying(page);
  const begun = await shown(page);
  assert.ok(Math.abs(begun - inKolkata(target)) <= 6, `plays ${begun}, clicked ${inKolkata(target)}`);
  const left = () => page.locator('.marker').evaluate((marker) => parseFloat(marker.style.left));
  const before = await left();
  await until('the marker moves', 15, async () => (await left()) > before && (await shown(page)) >= begun + 2);
  await shot(page, 'playback');

  await page.keyboard.press('Space');
  await until('it stands', 15, () => page.evaluate(() => document.querySelector('video').paused));
  const [held, time] = [await currentTime(page), await shown(page)];
  await pause(1500);
  assert.ok((await currentTime(page)) - held < 0.1);
  assert.ok((await shown(page)) - time <= 1);
  await page.keyboard.press('Space');
  await until('it goes on', 15, async () => (await currentTime(page)) > held + 0.5);

  await page.click('#previous');
  await until('the start of the recording', 15, async () => Math.abs((await shown(page)) - inKolkata(start)) <= 3);
  const pressed = await currentTime(page);
  await page.keyboard.press('ArrowRight');
  await until('ten seconds on', 15, async () => (await shown(page)) >= inKolkata(start) + 8);
  assert.ok((await currentTime(page)) - pressed < 5, 'by a jump, not by playing on');
  await page.click('#previous');
  await until('the start again', 15, async () => (await shown(page)) - inKolkata(start) <= 4);
  await page.selectOption('#speed', '4.0');
  await pause(1000);
  const from = await shown(page);
  const at = Date.now();
  await until('eight seconds of it', 15, async () => (await shown(page)) >= from + 8);
  assert.ok(Date.now() - at < 7000, `8 s took ${Date.now() - at} ms at 4×`);
  assert.deepEqual(errors, []);
});

for (const way of ['ws', 'rtc', 'hls']) {
  test(`${way} plays across the gap without standing still`, async (t) => {
    const { page, errors } = await playback(t);
    await rows(page).first().waitFor();
    await page.locator(`[name=way][value=${way}]`).check({ force: true });
    const gap = gapIn(records);
    await page.locator('#zoom-in').click();
    await page.locator('#zoom-out').click();
    await page.locator('#track').click({ position: { x: await placeOf(page, gap.from - 6000), y: 40 } });
    await untilPlaying(page);
    const transport = () => page.locator('body').getAttribute('data-transport');
    if ((await transport()) !== way) {
      // WebRTC may fall back on a busy machine; once, and it says why.
      t.diagnostic(`fell back: ${/.*WebSocket instead.*/.exec(await page.locator('body').innerText()) ?? 'no word'}`);
      await page.locator('[name=way][value=ws]').check({ force: true });
      await page.locator(`[name=way][value=${way}]`).check({ force: true });
      await until('the way that was chosen', 15, async () => (await transport()) === way);
      await untilPlaying(page);
    }
    assert.equal(await transport(), way);
    let [last, moved] = [0, Date.now()];
    await until('the other side of the gap', 30, async () => {
      const now = await currentTime(page);
      if (now !== last) moved = Date.now();
      last = now;
      assert.ok(Date.now() - moved < 4000, `it stood still at ${now}`);
      return (await shown(page)) >= inKolkata(gap.to) + 2;
    });
    assert.deepEqual(errors, []);
  });
}

test('a lost connection goes on at the last place', async (t) => {
  const context = await browser(t);
  const addresses = [];
  await context.routeWebSocket(/h5swsapi/, (socket) => {
    addresses.push(new URL(socket.url()));
    const server = socket.connectToServer();
    socket.onMessage((text) => server.send(text));
    server.onMessage((data) => socket.send(data));
    if (addresses.length === 1) setTimeout(() => socket.close({ code: 4000 }), 5000);
  });
  const page = context.pages()[0];
  await page.goto(`${base}/ws.html?autoplay=false`);
  const [begintime, endtime] = [records[0].strStartTime, records.at(-1).strEndTime];
  await page.evaluate(
    ([token, key, pbconf]) => {
      window.told = [];
      const callback = (text, userdata) => window.told.push([JSON.parse(text), userdata]);
      const conf = { videoid: 'h5sVideo1', token, session: key, pbconf: { ...pbconf, autoplay: 'true', callback, userdata: 'mine' } };
      window.h5splayer = new H5sPlayerWS(conf);
      window.h5splayer.connect();
    },
    [TOKEN, session, { begintime, endtime, serverpb: 'true' }],
  );
  await until('a second connection', 20, () => addresses.length === 2);
  const { searchParams } = addresses[1];
  assert.equal(searchParams.get('begintime'), begintime);
  const gained = Date.parse(searchParams.get('moveto')) - Date.parse(begintime);
  assert.ok(gained >= 2000 && gained <= 7000, `it goes on ${gained} ms after the beginning`);
  await until('it plays on', 10, () => page.evaluate((at) => window.told.some(([{ pbTime }]) => Date.parse(pbTime?.strTime) > at + 8000), Date.parse(begintime)));
  const [[message, userdata]] = await page.evaluate(() => window.told);
  assert.equal(message.type, 'H5S_EVENT_PB_TIME');
  assert.equal(userdata, 'mine');
});

test('a recording is downloaded as MP4', async (t) => {
  const { page } = await playback(t, { acceptDownloads: true });
  const [download] = await Promise.all([page.waitForEvent('download'), rows(page).first().locator('.download').click()]);
  const bytes = await readFile(await download.path());
  assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
  assert.equal(bytes.length, records[0].nBytes);
  assert.match(download.suggestedFilename(), /\.mp4$/);
});

test('a marked span is exported and downloaded', async (t) => {
  const { page, errors } = await playback(t, { acceptDownloads: true });
  await rows(page).first().waitFor();
  const track = await page.locator('#track').boundingBox();
  const start = Date.parse(records[0].strStartTime);
  const [from, to] = [await placeOf(page, start + 4000), await placeOf(page, start + 14_000)];
  await page.keyboard.down('Shift');
  await page.mouse.move(track.x + from, track.y + 40);
  await page.mouse.down();
  await page.mouse.move(track.x + to, track.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await page.locator('.band').waitFor();
  assert.match(await page.locator('#export .length').textContent(), /^(9|10|11) s$/);
  await page.click('#export button.main');
  const line = page.locator('#exports li').first();
  await until('it is ready', 30, async () => (await line.locator('.state').textContent()) === 'Ready');
  await shot(page, 'playback-export');
  const [download] = await Promise.all([page.waitForEvent('download'), line.locator('.download').click()]);
  const bytes = await readFile(await download.path());
  assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
  await line.getByRole('button', { name: 'Remove' }).click();
  await line.waitFor({ state: 'detached' });
  assert.deepEqual(errors, []);
});

test('a recording is locked, unlocked and, after a question, deleted', async (t) => {
  const { strPath } = await call('Record', { token: 'token2', duration: 2, session });
  await until('it is complete', 20, async () => (await search('token2')).some((found) => found.strPath === strPath && found.nDurationNow === undefined));
  const { page } = await playback(t, {}, { token: 'token2' });
  const row = rows(page).last();
  await row.waitFor();
  const count = await rows(page).count();
  await row.getByRole('button', { name: 'Lock' }).click();
  await row.getByText('Locked').waitFor();
  assert.equal(await row.getByRole('button', { name: 'Delete' }).isDisabled(), true);
  await row.getByRole('button', { name: 'Unlock' }).click();
  await row.getByText('Locked').waitFor({ state: 'hidden' });
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.locator('#remove-dialog .danger').click();
  await until('it is gone', 10, async () => (await rows(page).count()) === count - 1);
});

for (const [name, options] of [['phone', { viewport: { width: 390, height: 844 } }], ['dark', { colorScheme: 'dark' }]]) {
  test(`the page fits (${name})`, async (t) => {
    const { page } = await playback(t, options);
    await rows(page).first().waitFor();
    await page.click('#play');
    await untilPlaying(page);
    await shot(page, `playback-${name}`);
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= seen, `the page is ${wide} px wide on ${seen} px`);
  });
}

test('what cannot be shown is told in words', async (t) => {
  const { page } = await playback(t, {}, { day: '2020-02-29' });
  await until('an empty day', 10, async () => /Nothing is recorded on .*2020/.test(await page.locator('#message').textContent()));
  await page.goto(`${base}/playback.html?${new URLSearchParams({ token: 'nosuchtoken', session })}`);
  await until('an unknown camera', 10, async () => /nosuchtoken/.test(await page.locator('#problem').textContent()));
  await page.goto(`${base}/playback.html?${new URLSearchParams({ token: 'h265', session })}`);
  await rows(page).first().waitFor();
  await page.click('#play');
  await until('a picture of H.265, or why not', 15, async () => {
    if ((await currentTime(page)) > 0.5) return true;
    return /cannot play H\.265/.test(await page.locator('#message').textContent());
  });
});

test('without a session the log-in leads back', async (t) => {
  const page = (await browser(t)).pages()[0];
  await page.goto(`${base}/playback.html?token=${TOKEN}&session=00000000-0000-4000-8000-000000000000`);
  await page.locator('#login').waitFor();
  assert.match(await page.locator('#login .note').textContent(), /run out/);
  await logIn(page, undefined, page.url());
  await rows(page).first().waitFor({ timeout: 10_000 });
  assert.equal(new URL(page.url()).searchParams.get('token'), TOKEN);
});

test('a tile records, says so, and keeps a snapshot', async (t) => {
  const page = (await browser(t)).pages()[0];
  await logIn(page);
  const tile = page.locator('.tile', { has: page.getByRole('heading', { name: 'Camera', exact: true }) });
  await tile.getByRole('button', { name: 'Record Camera' }).click();
  await tile.getByText('REC', { exact: true }).waitFor({ timeout: 15_000 });
  assert.equal((await call('GetSrc', { token: 'token1', session })).src[0].bRec, true);
  await tile.getByRole('button', { name: 'Snapshot' }).click();
  const link = tile.getByRole('link', { name: 'Open it' });
  await link.waitFor({ timeout: 15_000 });
  const picture = await fetch(new URL(await link.getAttribute('href'), `${base}/`));
  assert.equal(picture.headers.get('content-type'), 'image/jpeg');
  await tile.getByRole('button', { name: 'Stop recording Camera' }).click();
  await tile.getByText('REC', { exact: true }).waitFor({ state: 'hidden', timeout: 15_000 });
  const [link2] = [tile.getByRole('link', { name: 'Playback of Camera' })];
  await link2.click();
  await rows(page).first().waitFor({ timeout: 10_000 });
});
