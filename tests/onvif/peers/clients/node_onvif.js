// `node-onvif`: WS-UsernameToken, no `action=`, asks with GetCapabilities; as old video management does.
'use strict';
const onvif = require('node-onvif');
const { host, port, user, password, step, report } = require('./steps.js');

async function main() {
  await step('discover', async () =>
    (await onvif.startProbe()).map((device) => [device.urn, ...device.xaddrs]).sort(),
  );
  const device = new onvif.OnvifDevice({ xaddr: `http://${host}:${port}/onvif/device_service`, user, pass: password });
  await step('info', async () => {
    const told = await device.init();
    return [told.Manufacturer, told.Model, String(told.SerialNumber)];
  });
  const profiles = device.getProfileList();
  await step('profiles', async () => profiles.map((profile) => profile.token));
  await step('streams', async () => profiles.map((profile) => profile.stream.rtsp));
  await step('snapshots', async () => profiles.map((profile) => profile.snapshot));
  await step('picture', async () => {
    const { body } = await device.fetchSnapshot();
    return body.readUInt16BE() === 0xffd8 ? 'ok' : 'no JPEG';
  });
  await step('ptz', async () => {
    await device.ptzMove({ speed: { x: 0.5, y: 0, z: 0 }, timeout: 1 });
    await device.ptzStop();
    return 'ok';
  });
  await step('presets', async () => {
    const ProfileToken = profiles[0].token;
    const { ptz } = device.services;
    const set = await ptz.setPreset({ ProfileToken, PresetName: 'node-onvif' });
    const { PresetToken } = set.data.SetPresetResponse;
    await ptz.gotoPreset({ ProfileToken, PresetToken, Speed: { x: 1, y: 1, z: 1 } });
    const { Preset } = (await ptz.getPresets({ ProfileToken })).data.GetPresetsResponse;
    return [Preset].flat().map((preset) => preset.Name);
  });
}

main().finally(report);
