// A box behind NAT in a browser that reaches nothing but its central, over TLS: live by WebRTC and WebSocket, a recording, a
// picture, a camera's head, and a camera that is added to the box.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchErrors } from './app.mjs';
import { runs, serve } from './daemon.mjs';
import { at } from './frame.mjs';
import { CENTRAL, network, officeBrowser, within } from './nat.mjs';
import { installed, presetCamera } from './ptzcam.mjs';
import { browser, logIn, md5, shot, until, untilPlaying } from './support.mjs';
import { plays } from './tile.mjs';

const CAMERA = 'shop-gate';
const FAKECAM = process.env.FAKECAM_BIN;
const skip = (!FAKECAM && 'FAKECAM_BIN names no camera') || (!installed && 'the cameras are missing: run `make onvif-peers`');

test('a box behind NAT is used through its central', { skip, timeout: 240_000 }, async (t) => {
  network(t);
  const common = '[auth]\ninitial_password = "12345"\n[http]\nbind = "0.0.0.0"\n';
  await serve(t, `${common}https_port = 8443\n[cloud.server]\nenabled = true\n`, within('central'));
  const root = `https://${CENTRAL.office}:8443`;
  const context = await browser(t, { executablePath: officeBrowser(t), ignoreHTTPSErrors: true, locale: 'en-GB' });
  const page = context.pages()[0];
  page.setDefaultTimeout(20_000);
  const errors = watchErrors(page, root);
  await logIn(page, root);
  await page.locator('#content').waitFor();
  const ask = (name, params) =>
    page.evaluate(async ([name, params]) => (await fetch(`/api/v1/${name}`, { method: 'POST', body: new URLSearchParams(params) })).json(), [name, params]);
  const { strSession: session } = await ask('Login', { user: 'admin', password: md5('12345') });
  const call = async (name, params = {}) => {
    const answer = await ask(name, { ...params, session });
    assert.notEqual(answer.bStatus, false, `${name}: ${answer.strCode}`);
    return answer;
  };

  const { strFingerprint } = await call('GetCertificate');
  const { rtsp } = await runs(t, FAKECAM, ['--port', '0', '--size', '640x360', '--bitrate', '500'], within('box'));
  const head = await presetCamera(t, within('box'));
  const dial = `host = "${CENTRAL.router}"\nport = 8443\npin = "${strFingerprint}"\ntoken = "shop"\nname = "Shop"\nuser = "admin"\npassword = "12345"\ngrant = "administration"\n`;
  await serve(t, `${common}[cloud.client]\nenabled = true\n${dial}[[source]]\ntoken = "gate"\nname = "Gate"\nurl = "${rtsp}"\n`, within('box'));
  const listed = async (token) => (await call('GetSrc')).src.find(({ strToken }) => strToken === token);
  await until('the camera is listed', 20, () => listed(CAMERA));

  await at(page, '#/live?grid=1x1&tiles=*', root);
  await call('ManualRecordStart', { token: CAMERA });
  await plays(page, CAMERA, 'rtc', 'h5srtcapi');
  await plays(page, CAMERA, 'ws', 'h5swsapi');
  await shot(page, 'nat-live');
  await call('ManualRecordStop', { token: CAMERA });

  const kind = (path) => page.evaluate(async (path) => (await fetch(path)).headers.get('content-type'), path);
  assert.equal(await kind(`/api/v1/GetImage?token=${CAMERA}&session=${session}`), 'image/jpeg');
  const { strUrl } = await call('Snapshot', { token: CAMERA });
  assert.equal(await kind(`${strUrl}?session=${session}`), 'image/jpeg');

  await call('AddSrcONVIF', { token: 'head', name: 'Yard', servertoken: 'shop', ...head.login });
  await until('the added camera is listed', 20, () => listed('shop-head'));
  await call('Ptz', { token: 'shop-head', action: 'left', speed: '0.5' });
  await until('the head turns', 10, () => head.told.some((line) => line.startsWith('move')));
  await call('Ptz', { token: 'shop-head', action: 'stop' });

  await at(page, `#/playback?token=${CAMERA}`, root);
  await page.locator('.records tbody tr button').first().click();
  await untilPlaying(page);
  await shot(page, 'nat-playback');
  assert.deepEqual(errors, []);
});
