// Playback: the recorded files as they are, the page with its time line, and the player's own way through a span.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { accessible, app } from './app.mjs';
import { base, browser, call, currentTime, login, md5, password, pause, shot, until, untilPlaying, user } from './support.mjs';

const TOKEN = 'sound';
// A zone of half an hour's offset where the day neither begins nor ends while the tests run.
const ZONE = new Date().getUTCHours() < 12 ? { name: 'Asia/Kolkata', hours: 5.5 } : { name: 'Pacific/Marquesas', hours: -9.5 };
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
function playback(t, options, query = {}) {
  return app(t, `#/playback?${new URLSearchParams({ token: TOKEN, ...query })}`, { timezoneId: ZONE.name, session, ...options });
}

const rows = (page) => page.locator('.records tbody tr');

/** Seconds since midnight, as the page tells the time. */
async function shown(page) {
  const [hours, minutes, seconds] = (await page.locator('.now').textContent()).split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

/** Seconds since midnight in that zone. */
const clock = (moment) => Math.floor(moment / 1000 + ZONE.hours * 3600) % 86_400;

/** A moment's place on the time line, in pixels from its left end. */
async function placeOf(page, moment) {
  const [x] = await page.evaluate((at) => {
    const marks = [...document.querySelectorAll('.marks span')].map((mark) => {
      const [hours, minutes] = mark.textContent.split(':').map(Number);
      return [hours * 3600 + minutes * 60, mark.getBoundingClientRect().left];
    });
    const [[t0, x0], [t1, x1]] = [marks[0], marks.at(-1)];
    const left = document.querySelector('.track').getBoundingClientRect().left;
    return [x0 + ((at - t0) / (t1 - t0)) * (x1 - x0) - left];
  }, clock(moment));
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
  const first = clock(Date.parse(records[0].strStartTime));
  const listed = (await rows(page).first().locator('td').first().textContent()).split(':').map(Number);
  assert.equal(listed[0] * 3600 + listed[1] * 60 + listed[2], first);
  assert.ok((await page.locator('.bars i.manual').count()) >= 2, 'the gap is to be seen');
  assert.match(await page.locator('.summary').textContent(), /recordings, /);
  await page.locator('.calendar [aria-current].recorded').waitFor({ timeout: 10_000 });
  await page.locator('.events i.picture').first().waitFor();
  await page.getByRole('link', { name: /snapshot/ }).waitFor();
  assert.deepEqual(errors, []);
});

test('a click on the time line plays from there; pause, speed and seeking do what they say', async (t) => {
  const { page, errors } = await playback(t);
  await rows(page).first().waitFor();
  const start = Date.parse(records[0].strStartTime);
  const target = start + 8000;
  await page.locator('.track').click({ position: { x: await placeOf(page, target), y: 40 } });
  await untilPlaying(page);
  const begun = await shown(page);
  assert.ok(Math.abs(begun - clock(target)) <= 6, `plays ${begun}, clicked ${clock(target)}`);
  const left = () => page.locator('.track .head').evaluate((marker) => parseFloat(marker.style.left));
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

  await page.getByRole('button', { name: 'Previous recording' }).click();
  await until('the start of the recording', 15, async () => Math.abs((await shown(page)) - clock(start)) <= 3);
  const pressed = await currentTime(page);
  await page.keyboard.press('ArrowRight');
  await until('ten seconds on', 15, async () => (await shown(page)) >= clock(start) + 8);
  assert.ok((await currentTime(page)) - pressed < 5, 'by a jump, not by playing on');
  await page.getByRole('button', { name: 'Previous recording' }).click();
  await until('the start again', 15, async () => (await shown(page)) - clock(start) <= 4);
  await page.getByLabel('Speed').selectOption('4.0');
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
    const choose = (value) => page.locator('.tools label', { hasText: value.toUpperCase() }).locator('input').check({ force: true });
    await choose(way);
    const gap = gapIn(records);
    await page.getByRole('button', { name: 'Show less time' }).click();
    await page.getByRole('button', { name: 'Show more time' }).click();
    await page.locator('.track').click({ position: { x: await placeOf(page, gap.from - 6000), y: 40 } });
    await untilPlaying(page);
    const transport = async () => (await page.locator('.figures').textContent()).split(' ')[0].toLowerCase();
    await until('figures', 10, transport);
    if ((await transport()) !== way) {
      // WebRTC may fall back on a busy machine; once, and it says why.
      const why = `fell back: ${/.*WebSocket instead.*/.exec(await page.locator('body').innerText()) ?? 'no word'}`;
      t.diagnostic(why);
      await choose('ws');
      await choose(way);
      await until(`the way that was chosen (${why})`, 15, async () => (await transport()) === way);
      await untilPlaying(page);
    }
    assert.equal(await transport(), way);
    let [last, moved] = [0, Date.now()];
    await until('the other side of the gap', 30, async () => {
      const now = await currentTime(page);
      if (now !== last) moved = Date.now();
      last = now;
      assert.ok(Date.now() - moved < 4000, `it stood still at ${now}`);
      return (await shown(page)) >= clock(gap.to) + 2;
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
  const [download] = await Promise.all([page.waitForEvent('download'), rows(page).first().getByRole('link').click()]);
  const bytes = await readFile(await download.path());
  assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
  assert.equal(bytes.length, records[0].nBytes);
  assert.match(download.suggestedFilename(), /\.mp4$/);
});

test('a marked span is exported with progress, downloaded and deleted', async (t) => {
  const { page, errors } = await playback(t, { acceptDownloads: true });
  await rows(page).first().waitFor();
  const track = await page.locator('.track').boundingBox();
  const start = Date.parse(records[0].strStartTime);
  const [from, to] = [await placeOf(page, start + 4000), await placeOf(page, start + 14_000)];
  await page.keyboard.down('Shift');
  await page.mouse.move(track.x + from, track.y + 40);
  await page.mouse.down();
  await page.mouse.move(track.x + to, track.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await page.locator('.band').waitFor();
  assert.match(await page.locator('.export .length').textContent(), /^(9|10|11) s$/);
  const count = await page.locator('.export li').count();
  await page.locator('.export button.main').click();
  const line = page.locator('.export li').first();
  await until('it is listed', 10, async () => (await page.locator('.export li').count()) === count + 1);
  await until('it is ready', 30, async () => /^Ready/.test((await line.locator('.state').allTextContents())[0] ?? ''));
  await shot(page, 'playback-export');
  const [download] = await Promise.all([page.waitForEvent('download'), line.getByRole('link').click()]);
  const file = await download.path();
  const told = execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file], { encoding: 'utf8' });
  assert.ok(Number(told) >= 9 && Number(told) <= 17, `${told} s exported of 10 s and a key frame before them`);
  await line.getByRole('button', { name: 'Delete' }).click();
  await page.locator('dialog .danger').click();
  await until('it is gone', 10, async () => (await page.locator('.export li').count()) === count);
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
  await page.locator('dialog .danger').click();
  await until('it is gone', 10, async () => (await rows(page).count()) === count - 1);
});

for (const [name, options] of [['phone', { viewport: { width: 390, height: 844 } }], ['dark', { colorScheme: 'dark' }]]) {
  test(`the page fits (${name})`, async (t) => {
    const { page } = await playback(t, options);
    await rows(page).first().waitFor();
    await page.locator('.controls .play').click();
    await untilPlaying(page);
    await shot(page, `playback-${name}`);
    const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= seen, `the page is ${wide} px wide on ${seen} px`);
  });
}

test('what cannot be shown is told in words', async (t) => {
  const { page } = await playback(t, {}, { day: '2020-02-29' });
  await until('an empty day', 10, async () => /Nothing is recorded/.test(await page.locator('.summary').textContent()));
  assert.match(await page.locator('.line-head h2').textContent(), /2020/);
  await page.goto(`${base}/#/playback?token=nosuchtoken`);
  await until('an unknown camera', 10, async () => /nosuchtoken/.test((await page.locator('.page > .note.bad').allTextContents()).join()));
  await page.goto(`${base}/#/playback?token=h265`);
  await rows(page).first().waitFor();
  await page.locator('.controls .play').click();
  await until('a picture of H.265, or why not', 15, async () => {
    if ((await currentTime(page)) > 0.5) return true;
    return /cannot play H\.265/.test((await page.locator('.screens .message').allTextContents()).join());
  });
});

test('without a session the log-in leads back', async (t) => {
  const context = await browser(t);
  const dead = { session: '00000000-0000-4000-8000-000000000000', user, role: '', defaultPassword: false, mustChange: false };
  const page = context.pages()[0];
  await page.goto(`${base}/favicon.svg`);
  await page.evaluate((value) => sessionStorage.setItem('h5edge-session', value), JSON.stringify(dead));
  await page.goto(`${base}/#/playback?token=${TOKEN}`);
  await page.locator('.login .note', { hasText: 'run out' }).waitFor();
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await rows(page).first().waitFor({ timeout: 10_000 });
  assert.match(new URL(page.url()).hash, /token=sound/);
});

/** Which moment each of the cameras shows, in milliseconds, from what the server tells its player and where its picture is. */
function places(page, tokens) {
  const told = new Map();
  page.on('websocket', (socket) => {
    const { searchParams, pathname } = new URL(socket.url());
    if (!pathname.endsWith('h5swsapi')) return;
    const token = searchParams.get('token');
    socket.on('framereceived', ({ payload }) => {
      const { pbTime } = typeof payload === 'string' && payload.startsWith('{') ? JSON.parse(payload) : {};
      if (pbTime) told.set(token, pbTime);
    });
  });
  return async () => {
    const times = await page.evaluate(() => [...document.querySelectorAll('video')].map(({ currentTime }) => currentTime * 1000));
    return tokens.map((token, index) => {
      const { nTime, nMediaTime } = told.get(token);
      return nTime + times[index] - nMediaTime;
    });
  };
}

/** Where the last recording began, which may lie in several files. */
function lastBegin(list) {
  const times = list.map(({ strStartTime, strEndTime }) => [Date.parse(strStartTime), Date.parse(strEndTime)]);
  const first = times.findLastIndex(([start], at) => at === 0 || start - times[at - 1][1] > 1500);
  return times[first][0];
}

test('several cameras play in step, and one that has nothing rests', async (t) => {
  const starting = [call('Record', { token: 'token1', duration: 14, session }), call('Record', { token: 'token2', duration: 22, session })];
  await Promise.all(starting);
  const ours = await until('both are recorded', 50, async () => {
    const lists = await Promise.all(['token1', 'token2'].map((token) => search(token)));
    return lists.every((list) => list.length > 0 && list.every(({ nDurationNow }) => nDurationNow === undefined)) && lists;
  });
  const { page, errors } = await playback(t, {}, { token: 'token1,token2' });
  const look = places(page, ['token1', 'token2']);
  await page.reload();
  await until('both are listed', 10, async () => (await rows(page).count()) >= ours[0].length + ours[1].length);
  assert.equal(await page.locator('.track .row').count(), 2);
  const common = Math.max(...ours.map(lastBegin)) + 2000;
  await page.locator('.track').click({ position: { x: await placeOf(page, common), y: 40 } });
  await until('both move', 20, () => page.evaluate(() => [...document.querySelectorAll('video')].every(({ currentTime, paused }) => currentTime > 0.3 && !paused)));
  await pause(1500);
  const apart = [];
  for (let count = 0; count < 12; count++) {
    const [one, other] = await look();
    apart.push(Math.round(Math.abs(one - other)));
    await pause(250);
  }
  t.diagnostic(`apart: ${apart.join(' ')} ms`);
  assert.ok(apart.sort((a, b) => a - b)[9] <= 300, `they are ${apart} ms apart`);
  await shot(page, 'playback-step');
  const end = Date.parse(ours[0].at(-1).strEndTime);
  await until('the first camera rests', 30, async () => (await shown(page)) > clock(end) && (await page.locator('.screen[data-resting=true]').count()) === 1);
  const before = await shown(page);
  await until('the other goes on', 10, async () => (await shown(page)) >= before + 2);
  await page.keyboard.press('Space');
  await until('both stand', 5, () => page.evaluate(() => [...document.querySelectorAll('video')].every(({ paused }) => paused)));
  const still = await page.evaluate(() => document.querySelectorAll('video')[1].currentTime);
  await page.keyboard.press('.');
  await until('one picture on', 5, () => page.evaluate((at) => document.querySelectorAll('video')[1].currentTime > at, still));
  assert.deepEqual(errors, []);
});

test('events stand on the line, and are jumped to', async (t) => {
  const { page, errors } = await playback(t, {}, { day: '2020-01-01' });
  const start = Date.parse(records[0].strStartTime);
  const at = (seconds) => new Date(start + seconds * 1000).toISOString();
  const event = [['motion', 5, true], ['motion', 7, false], ['digital_input', 12, true], ['digital_input', 13, false]];
  const answer = { event: event.map(([strType, seconds, bActive]) => ({ strToken: TOKEN, strTime: at(seconds), strType, strItem: '1', bActive })), bMore: false };
  await page.route('**/SearchEvents', (route) => route.fulfill({ json: answer }));
  await page.goto(`${base}/#/playback?token=${TOKEN}`);
  await page.locator('.events i.motion').waitFor();
  await page.locator('.events i.input').waitFor();
  await page.getByRole('button', { name: 'Next event' }).click();
  await untilPlaying(page);
  await until('the first event', 15, async () => Math.abs((await shown(page)) - clock(start) - 5) <= 4);
  await page.keyboard.press('Shift+PageDown');
  await until('the second event', 15, async () => Math.abs((await shown(page)) - clock(start) - 12) <= 4);
  assert.deepEqual(errors, []);
});

test('scrubbing shows pictures of the place, and plays from there when it is let go', async (t) => {
  const { page, errors } = await playback(t);
  await rows(page).first().waitFor();
  const asked = [];
  page.on('request', (request) => request.url().includes('GetRecordImage') && asked.push(new URL(request.url()).searchParams));
  const track = await page.locator('.track').boundingBox();
  const start = Date.parse(records[0].strStartTime);
  const [from, to] = [await placeOf(page, start + 2000), await placeOf(page, start + 11_000)];
  await page.mouse.move(track.x + from, track.y + 8);
  await page.mouse.down();
  await page.mouse.move(track.x + to, track.y + 8, { steps: 20 });
  await until('a picture', 15, () => page.evaluate(() => (document.querySelector('.screens .preview img')?.naturalWidth ?? 0) > 0));
  await shot(page, 'playback-scrub');
  assert.ok(asked.length <= 12, `${asked.length} requests for one drag`);
  assert.equal(asked.at(-1).get('token'), TOKEN);
  await page.mouse.up();
  await page.locator('.screens .preview').waitFor({ state: 'detached' });
  await untilPlaying(page);
  const begun = await shown(page);
  assert.ok(Math.abs(begun - clock(start + 11_000)) <= 6, `plays ${begun}`);
  assert.deepEqual(errors, []);
});

test('the page has names, contrast and order', async (t) => {
  const { page } = await playback(t, {}, { token: 'sound,token1' });
  await rows(page).first().waitFor();
  await accessible(page);
});

test('a Viewer neither locks nor deletes nor exports', async (t) => {
  const name = 'watcher-of-recordings';
  await call('CreateUser', { user: name, password: md5('seven-of-nine'), roletoken: 'viewer', session });
  t.after(() => call('DeleteUser', { user: name, session }));
  const { strSession, strCode } = await call('Login', { user: name, password: md5('seven-of-nine') });
  assert.ok(strSession, strCode);
  const { page, errors } = await playback(t, { session: strSession });
  await rows(page).first().waitFor();
  assert.equal(await page.getByRole('button', { name: /^(Lock|Delete|Export)$/ }).count(), 0);
  await page.locator('.controls .play').click();
  await untilPlaying(page);
  assert.deepEqual(errors, []);
});
