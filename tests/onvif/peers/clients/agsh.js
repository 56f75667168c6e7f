// agsh's `onvif`: measures the clock, asks with GetServices and Media2, answers HTTP Digest.
'use strict';
const { promisify } = require('node:util');
const { Cam, Discovery } = require('onvif');
const { host, port, user, password, step, report } = require('./steps.js');

Discovery.on('error', () => {});

function connect() {
  return new Promise((resolve, reject) => {
    const cam = new Cam({ hostname: host, port, username: user, password, timeout: 20_000 }, (error) =>
      error ? reject(error) : resolve(cam),
    );
  });
}

async function main() {
  await step('discover', async () => {
    const matches = await promisify(Discovery.probe)({ timeout: 4000, resolve: false });
    return matches
      .map((match) => match.probeMatches.probeMatch)
      .map(({ endpointReference, XAddrs }) => [endpointReference.address, ...XAddrs.split(' ')])
      .sort();
  });
  let cam;
  await step('connect', async () => {
    cam = await connect();
    return 'ok';
  });
  if (!cam) return;
  const ask = (name, options) => promisify(cam[name].bind(cam))(...(options ? [options] : []));
  const each = async (work) => {
    const all = [];
    for (const profile of cam.profiles) all.push(await work(profile.$.token));
    return all;
  };
  await step('info', async () => {
    const told = await ask('getDeviceInformation');
    return [told.manufacturer, told.model, String(told.serialNumber)];
  });
  await step('profiles', () => each((token) => token));
  await step('streams', () =>
    each(async (profileToken) => (await ask('getStreamUri', { protocol: 'RTSP', profileToken })).uri),
  );
  await step('snapshots', () =>
    each(async (profileToken) => (await ask('getSnapshotUri', { profileToken })).uri),
  );
  const profileToken = cam.profiles[0].$.token;
  await step('ptz', async () => {
    await ask('continuousMove', { profileToken, x: 0.5, onlySendPanTilt: true });
    await ask('stop', { profileToken, panTilt: true, zoom: true });
    return 'ok';
  });
  await step('presets', async () => {
    await ask('setPreset', { profileToken, presetName: 'agsh' });
    const presets = await ask('getPresets', { profileToken });
    await ask('gotoPreset', { profileToken, preset: presets.agsh.$.token });
    return Object.keys(presets);
  });
  await step('events', async () => {
    await ask('createPullPointSubscription');
    // Its pullMessages always waits a minute.
    await ask('renew', {});
    await ask('unsubscribe');
    return 'ok';
  });
  await step('recordings', async () => [await ask('getRecordings')].flat().map((item) => item.recordingToken));
  await step('replays', async () => [await ask('getReplayUri', { recordingToken: 'rec_yard' })]);
}

main().finally(report);
