// The live page: watch, choose the way, arrange, keep views, tour, enlarge, record, take a picture, and be told why nothing
// is shown; with the mouse, with the keyboard alone, and on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, app, fits } from './app.mjs';
import { base, call, login, shot, until } from './support.mjs';

const OFFLINE = 'unplugged';
let session;

const api = (name, params = {}) => call(name, { ...params, session });

async function clean() {
  await api('DelSrc', { token: OFFLINE });
  for (const { strName } of (await api('GetViewList')).view ?? []) await api('DelView', { name: strName });
}

before(async () => {
  session = await login();
  await clean();
  const added = await api('AddSrcRTSP', { token: OFFLINE, name: 'Unplugged camera', url: 'rtsp://127.0.0.1:1/none', user: '', password: '' });
  assert.equal(added.bStatus, true, added.strCode);
});

after(clean);

const tile = (page, token) => page.locator(`.tile[data-token="${token}"]`);
const onWall = (page) => page.locator('.tile').evaluateAll((tiles) => tiles.map((one) => one.dataset.token ?? ''));
const press = (page, token, name) => tile(page, token).hover().then(() => tile(page, token).getByRole('button', { name, exact: true }).click());

/** Two looks at a tile's picture that differ. */
async function moves(page, token, seconds = 20) {
  const look = () =>
    tile(page, token).evaluate((one) => {
      const video = one.querySelector('video');
      if (!video || video.videoWidth === 0 || one.querySelector('.why')) return '';
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [64, 36];
      const pen = canvas.getContext('2d');
      pen.drawImage(video, 0, 0, 64, 36);
      return String(pen.getImageData(0, 0, 64, 36).data);
    });
  const first = await until(`${token} shows a picture`, seconds, look);
  await until(`the picture of ${token} moves`, 10, async () => {
    const now = await look();
    return now !== '' && now !== first;
  });
}

async function show(page, query) {
  await page.evaluate((hash) => (location.hash = hash), `#/live?${query}`);
}

/** The value of one of the stream facts that are shown over a tile. */
async function fact(page, token, name, value) {
  await until(`${token}: ${name} is ${value}`, 25, () => tile(page, token).locator('.figures div', { hasText: name }).locator('dd', { hasText: value }).count());
}

test('the live page', { timeout: 240_000 }, async (t) => {
  const { page, errors } = await app(t, '#/live');
  page.setDefaultTimeout(10_000);

  await t.test('the first visit shows the cameras, and they move', async () => {
    await moves(page, 'token1');
    assert.ok((await onWall(page)).includes('sound'));
    await page.locator('.count', { hasText: 'cameras online' }).waitFor();
    await shot(page, 'app-live');
  });

  await t.test('an offline camera says why, and an H.265 one what the browser lacks', async () => {
    await tile(page, OFFLINE).locator('.why', { hasText: 'The camera refuses the connection.' }).waitFor();
    await page.locator(`.camera[data-token="${OFFLINE}"]`).locator('.state', { hasText: 'offline' }).waitFor();
    await tile(page, 'h265').locator('.why', { hasText: /cannot play H\.265|No picture came/ }).waitFor();
  });

  await t.test('each way can be fixed, and shows a moving picture', async () => {
    await show(page, 'grid=1x1&tiles=token1');
    await press(page, 'token1', 'Stream facts');
    for (const [way, label] of [['WebSocket', 'WebSocket'], ['HLS', 'HLS'], ['WebRTC', 'WebRTC']]) {
      await press(page, 'token1', 'More …');
      await page.getByRole('radio', { name: way }).check();
      await page.keyboard.press('Escape');
      await fact(page, 'token1', 'Transport', label);
      await moves(page, 'token1', 25);
    }
    await fact(page, 'token1', 'Codec', 'H.264');
    await fact(page, 'token1', 'Size', '640 × 360');
    assert.match(page.url(), /tiles=token1\*\*rtc/);
    await press(page, 'token1', 'Stream facts');
  });

  await t.test('a camera that has B-frames, which WebRTC cannot carry, comes another way by itself', async (t) => {
    const { src } = await api('GetSrc');
    const token = src.find(({ strToken }) => strToken === 'bframes') ? 'bframes' : 'token2';
    if (token !== 'bframes') return t.skip('there is no such camera');
    await show(page, `grid=1x1&tiles=${token}`);
    await press(page, token, 'Stream facts');
    await fact(page, token, 'Transport', 'WebSocket');
    await moves(page, token);
    await press(page, token, 'Stream facts');
  });

  await t.test('grids of 1, 4, 9, 16 and another', async () => {
    for (const count of [1, 4, 9, 16]) {
      await page.getByRole('radio', { name: String(count), exact: true }).check();
      await until(`${count} tiles`, 3, async () => (await page.locator('.tile').count()) === count);
    }
    await page.getByRole('radio', { name: 'Other' }).click();
    await page.getByLabel('Columns', { exact: true }).selectOption('5');
    await page.getByLabel('Rows', { exact: true }).selectOption('2');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await until('10 tiles', 3, async () => (await page.locator('.tile').count()) === 10);
    assert.match(page.url(), /grid=5x2/);
  });

  await t.test('cameras are dragged into tiles, and tiles change places', async () => {
    await show(page, 'grid=2x2&tiles=token1');
    await page.locator('.camera[data-token="sound"]').dragTo(page.locator('.tile').nth(2));
    await until('sound stands in the third tile', 3, async () => String(await onWall(page)) === 'token1,,sound,');
    await tile(page, 'token1').dragTo(page.locator('.tile').nth(2));
    await until('they changed places', 3, async () => String(await onWall(page)) === 'sound,,token1,');
    await moves(page, 'token1');
    await moves(page, 'sound');
  });

  await t.test('one tile is heard at a time', async () => {
    assert.equal(await tile(page, 'token1').getByRole('button', { name: 'Sound on' }).count(), 0);
    await press(page, 'sound', 'Sound on');
    await until('it is heard', 3, () => tile(page, 'sound').evaluate((one) => !one.querySelector('video').muted));
    assert.equal(await page.locator('video').evaluateAll((all) => all.filter(({ muted }) => !muted).length), 1);
    await press(page, 'sound', 'Sound off');
  });

  await t.test('a saved view survives a reload', async () => {
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('button', { name: 'Save this view …' }).click();
    await page.getByLabel('Name').fill('Night');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.locator('.toast', { hasText: 'View Night is saved.' }).waitFor();
    await show(page, 'grid=1x1&tiles=token2');
    await until('another wall', 3, async () => String(await onWall(page)) === 'token2');
    await page.reload();
    await until('the wall as it was', 10, async () => String(await onWall(page)) === 'token2');
    await page.getByRole('button', { name: 'Views' }).click();
    await page.locator('.views button', { hasText: 'Night' }).click();
    await until('the view', 3, async () => String(await onWall(page)) === 'sound,,token1,');
  });

  await t.test('a tour shows views in turn, and stands still while it is paused', async () => {
    const { bStatus, strCode } = await api('SetView', { name: 'Day', layout: JSON.stringify({ grid: { cols: 1, rows: 1 }, tiles: [{ token: 'token1' }] }) });
    assert.equal(bStatus, true, strCode);
    await page.reload();
    await page.locator('.tile').first().waitFor();
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('button', { name: 'New tour …' }).click();
    await page.getByLabel('Name').fill('Round');
    await page.getByLabel('Seconds per view').fill('5');
    await page.getByRole('button', { name: 'Day', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Night', exact: true }).click();
    await page.getByRole('button', { name: 'Save and start' }).click();
    await until('the first view', 3, async () => String(await onWall(page)) === 'token1');
    await until('the second view', 8, async () => String(await onWall(page)) === 'sound,,token1,');
    await page.getByRole('button', { name: 'Pause the tour' }).click();
    await page.locator('.tour', { hasText: 'paused' }).waitFor();
    await page.getByRole('button', { name: 'Next view' }).click();
    await until('the first view again', 3, async () => String(await onWall(page)) === 'token1');
    await page.reload();
    await page.locator('.tour', { hasText: 'Day' }).waitFor();
    await page.getByRole('button', { name: 'End the tour' }).click();
    await page.locator('.tour').waitFor({ state: 'detached' });
  });

  await t.test('a double press enlarges a tile, Escape goes back', async () => {
    await show(page, 'grid=2x2&tiles=token1+sound');
    await moves(page, 'token1');
    await tile(page, 'token1').dblclick();
    await until('it fills the wall', 3, () => tile(page, 'token1').evaluate((one) => one.offsetWidth === one.parentElement.offsetWidth && one.offsetHeight === one.parentElement.offsetHeight));
    await moves(page, 'token1');
    await page.keyboard.press('Escape');
    await until('all tiles are back', 3, async () => (await page.locator('.tile.whole').count()) === 0);
  });

  await t.test('full screen and out again', async () => {
    await press(page, 'token1', 'Full screen');
    await until('full screen', 5, () => page.evaluate(() => document.fullscreenElement !== null && document.querySelector('.bar').offsetHeight === 0));
    await page.evaluate(() => document.exitFullscreen());
    await until('the tile is small again', 3, async () => (await page.locator('.tile.whole').count()) === 0);
  });

  await t.test('record, and stop', async () => {
    await press(page, 'token1', 'Record');
    await tile(page, 'token1').locator('.plate .rec', { hasText: /0:0[2-9]/ }).waitFor({ timeout: 15_000 });
    await page.locator('.camera[data-token="token1"] .rec').waitFor();
    await press(page, 'token1', 'Stop recording');
    await page.locator('.toast', { hasText: 'is complete' }).waitFor();
    await until('it is over', 5, async () => (await tile(page, 'token1').locator('.plate .rec').count()) === 0);
  });

  await t.test('a snapshot can be opened', async () => {
    await press(page, 'token1', 'Snapshot');
    const link = page.locator('.toast a', { hasText: 'Open' });
    const picture = await page.request.get(new URL(await link.getAttribute('href'), `${base}/`).href);
    assert.equal(picture.headers()['content-type'], 'image/jpeg');
    assert.ok((await picture.body()).length > 1000);
  });

  await t.test('a camera without ONVIF has no pad', async () => {
    await tile(page, 'token1').hover();
    assert.equal(await tile(page, 'token1').getByRole('button', { name: 'Steer the camera' }).count(), 0);
  });

  await t.test('with the keyboard alone: find a camera, move, enlarge, record, take off, ask for help', async () => {
    await show(page, 'grid=2x2&tiles=token1');
    await tile(page, 'token1').focus();
    await page.keyboard.press('ArrowRight');
    await until('the second tile has the focus', 3, () => page.evaluate(() => document.activeElement.dataset.place === '1'));
    await page.keyboard.press('/');
    await page.keyboard.type('with sound');
    await page.keyboard.press('Enter');
    await until('the camera is there', 3, async () => String(await onWall(page)) === 'token1,sound,,');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('looped');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await until('the next one too', 3, async () => String(await onWall(page)) === 'token1,sound,token2,');
    await page.locator('.tile').nth(1).focus();
    await page.keyboard.press('Shift+ArrowDown');
    await until('it moved', 3, async () => String(await onWall(page)) === 'token1,,token2,sound');
    await until('the focus went along', 3, () => page.evaluate(() => document.activeElement.dataset.token === 'sound'));
    await page.keyboard.press('Enter');
    await page.locator('.tile.whole[data-token="sound"]').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('1');
    await page.locator('.tile.whole[data-token="token1"]').waitFor();
    await page.keyboard.press('1');
    await page.locator('.tile.whole').waitFor({ state: 'detached' });
    await page.keyboard.press('i');
    await tile(page, 'token1').locator('.figures').waitFor();
    await page.keyboard.press('i');
    await page.keyboard.press('Delete');
    await until('it is off the wall', 3, async () => String(await onWall(page)) === ',,token2,sound');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  await t.test('on a phone the cameras are in a drawer, and nothing is wider than the screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await show(page, 'grid=2x2&tiles=token1');
    await page.getByRole('button', { name: 'Cameras', exact: true }).click();
    await page.getByRole('dialog').locator('.camera', { hasText: 'Looped file' }).click();
    await until('the camera is on the wall', 3, async () => (await onWall(page)).includes('token2'));
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await fits(page, 'the wall');
    await moves(page, 'token1');
    await shot(page, 'app-live-phone');
    await accessible(page, 'the wall on a phone');
  });

  await t.test('there are no barriers, in both themes', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await show(page, `grid=2x2&tiles=token1+sound+${OFFLINE}`);
    await moves(page, 'token1');
    await tile(page, 'token1').hover();
    await accessible(page, 'the wall');
    await page.getByRole('button', { name: 'Views' }).click();
    await accessible(page, 'the views');
    await page.keyboard.press('Escape');
  });

  assert.deepEqual(errors.filter((text) => !EXPECTED.test(text)), []);
});

test('where WebRTC gives no picture, WebSocket takes over within seconds', { timeout: 60_000 }, async (t) => {
  const { page } = await app(t, '#/live?grid=1x1&tiles=token1');
  await page.evaluate(() => (RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => undefined)));
  await show(page, 'grid=1x1&tiles=sound');
  const began = Date.now();
  await tile(page, 'sound').hover();
  await press(page, 'sound', 'Stream facts');
  await fact(page, 'sound', 'Transport', 'WebSocket');
  await moves(page, 'sound');
  assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
  assert.match(await page.evaluate(() => sessionStorage.getItem('h5edge-ways')), /"sound":"ws"/);
});

/** token1 as if it were an ONVIF camera with two pictures: the page gets to know only what the state socket says. */
async function pretendOnvif(page, orders) {
  const changed = (text) => {
    const message = JSON.parse(text);
    for (const source of message.src ?? []) if (source.strToken === 'token1') Object.assign(source, { nType: 'H5_ONVIF', strOnvifProfileSub: 'small' });
    return JSON.stringify(message);
  };
  await page.routeWebSocket(/h5stateapi/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => socket.send(changed(String(text))));
    socket.onMessage((text) => server.send(text));
  });
  const answer = (route) => {
    const asked = new URLSearchParams(route.request().postData());
    asked.delete('session');
    asked.delete('token');
    orders.push([...asked.values()].join(' '));
    return route.fulfill({ json: { bStatus: true, strCode: '', preset: [{ strName: 'Door', strToken: '1' }] } });
  };
  await page.route(/\/(Ptz|SetPreset|DelPreset|GetPresets)$/, answer);
}

test('an ONVIF camera: sub picture in a small tile, main when enlarged, pad with pointer and keys', { timeout: 60_000 }, async (t) => {
  const { page } = await app(t, '#/playback');
  const orders = [];
  const profiles = [];
  page.on('websocket', (socket) => /h5s(rtc|ws)api\?token=token1/.test(socket.url()) && profiles.push(new URL(socket.url()).searchParams.get('profile')));
  await pretendOnvif(page, orders);
  await page.reload();
  await show(page, 'grid=2x2&tiles=token1');
  await moves(page, 'token1');
  assert.deepEqual([...new Set(profiles)], ['sub']);
  await tile(page, 'token1').dblclick();
  await until('the main picture is asked for', 5, () => profiles.includes('main'));
  await moves(page, 'token1');
  await page.keyboard.press('Escape');
  await press(page, 'token1', 'Steer the camera');
  const pad = page.getByRole('complementary', { name: 'Steer Camera' });
  await pad.getByRole('button', { name: 'Door', exact: true }).click();
  orders.length = 0;
  await pad.getByRole('button', { name: 'Up left' }).hover();
  await page.mouse.down();
  await until('it moves', 3, () => orders.length === 1);
  await page.mouse.up();
  await until('it stops', 3, () => orders.length === 2);
  await page.keyboard.down('ArrowRight');
  await until('it moves', 3, () => orders.length === 3);
  await page.keyboard.up('ArrowRight');
  await until('it stops', 3, () => orders.length === 4);
  await page.keyboard.press('+', { delay: 200 });
  await until('zoom and stop', 3, () => orders.length === 6);
  await pad.getByLabel('Keep this position as').fill('Yard');
  await pad.getByRole('button', { name: 'Save' }).click();
  await until('the preset is kept', 3, () => orders.length === 8);
  assert.deepEqual(orders, ['upleft 0.5', 'stop 0.5', 'right 0.5', 'stop 0.5', 'zoomin 0.5', 'stop 0.5', 'Yard 2', '']);
  await accessible(page, 'the pad');
  await shot(page, 'app-live-pad');
  await page.keyboard.press('Escape');
  await pad.waitFor({ state: 'detached' });
});

test('a Viewer watches, and has no button for what he may not do', { timeout: 60_000 }, async (t) => {
  await api('DeleteUser', { user: 'onlooker' });
  const made = await api('CreateUser', { user: 'onlooker', password: 'looking around', roletoken: 'viewer' });
  assert.equal(made.bStatus, true, made.strCode);
  t.after(() => api('DeleteUser', { user: 'onlooker' }));
  const { page } = await app(t, '#/live?grid=1x1&tiles=token1');
  await page.getByRole('button', { name: /^.?\s*admin/i }).click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.fill('[name=user]', 'onlooker');
  assert.ok(!page.url().includes('tiles='), 'the wall of whoever was here before is not his');
  await page.fill('[name=password]', 'looking around');
  await page.keyboard.press('Enter');
  await page.locator('.app').waitFor();
  await page.goto(page.url().replace(/#.*/, '#/live?grid=1x1&tiles=token1'));
  await moves(page, 'token1');
  await tile(page, 'token1').hover();
  assert.equal(await tile(page, 'token1').getByRole('button', { name: 'Record', exact: true }).count(), 0);
  const saved = page.waitForEvent('download');
  await press(page, 'token1', 'Snapshot');
  assert.equal((await saved).suggestedFilename(), 'token1.jpg');
});

/** A browser notes a socket that the server refuses, as that of a camera that is offline. */
const EXPECTED = /WebSocket connection to .* failed/;
