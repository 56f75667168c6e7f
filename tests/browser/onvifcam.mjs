// An ONVIF camera for the browser tests: a second h5edge with its device side on, which shows what a camera of the first one
// shows. It listens on all addresses, so that a search finds it where the machine has a network.
import { networkInterfaces } from 'node:os';
import { freePort, serve } from './daemon.mjs';
import { md5 } from './support.mjs';

const ADMIN = 'correct horse 7';
export const USER = 'viewer';
export const PASSWORD = 'p@ss word/7';

/** An address by which a search can find it; undefined on a machine with nothing but itself. */
export function network() {
  return Object.values(networkInterfaces())
    .flat()
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}

/** Runs until the test `t` ends. `rtsp` is its stream, which asks for USER and PASSWORD. */
export async function onvifCamera(t, source) {
  const rtsp = await freePort();
  const port = await serve(
    t,
    `[http]\nbind = "0.0.0.0"\nhttps_port = 0\n[webrtc]\nport = ${await freePort()}\n[auth]\ninitial_password = "${ADMIN}"\n[onvif]\ndevice = true\ndiscovery = true\nname = "Gate house"\n[rtsp]\nport = ${rtsp}\n[[source]]\ntoken = "lens"\nname = "Lens"\nurl = "${source}"\n`,
  );
  const call = async (name, params) => (await fetch(`http://127.0.0.1:${port}/api/v1/${name}`, { method: 'POST', body: new URLSearchParams(params) })).json();
  const { strSession } = await call('Login', { user: 'admin', password: md5(ADMIN) });
  await call('CreateOnvifUser', { user: USER, password: PASSWORD, session: strSession });
  return { port: String(port), rtsp: `rtsp://127.0.0.1:${rtsp}/live/lens` };
}
