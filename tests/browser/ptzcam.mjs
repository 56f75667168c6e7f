// Cameras with a head that others wrote, for the browser tests; `make onvif-peers` installs them. They end with the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './daemon.mjs';
import { until } from './support.mjs';

const PEERS = process.env.ONVIF_PEERS ?? fileURLToPath(new URL('../../target/onvif-peers', import.meta.url));
const USER = 'admin';
const PASSWORD = 'pass123';

export const installed = existsSync(join(PEERS, 'stamps', 'python-ipycam')) && existsSync(join(PEERS, 'bin', 'onvif_server'));

function run(t, program, args, options, prefix = []) {
  const [first, ...rest] = [...prefix, join(PEERS, program), ...args];
  const child = spawn(first, rest, options);
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

/**
 * `ipycam`: a picture by RTSP that turns as it is told. `login` is for AddSrcONVIF; `head()` gives its `pan`, `tilt` and
 * `zoom`, from -1 to 1, and whether it is `moving`.
 */
export async function turningCamera(t) {
  const dir = mkdtempSync(join(tmpdir(), 'h5edge-head-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [onvif_port, rtsp_port, web_port, rtmp_port, go2rtc_api_port] = await Promise.all(Array.from({ length: 5 }, freePort));
  const picture = { main_width: 640, main_height: 360, main_fps: 15, sub_width: 320, sub_height: 180, sub_fps: 15 };
  const config = { name: 'Turning camera', local_ip: '127.0.0.1', username: USER, password: PASSWORD, onvif_port, rtsp_port, web_port, rtmp_port, go2rtc_api_port, ...picture };
  writeFileSync(join(dir, 'camera.json'), JSON.stringify(config));
  const args = ['-m', 'ipycam', '--hw', 'cpu', '--width', '640', '--height', '360', '--fps', '15', '-c', join(dir, 'camera.json'), '--source', join(PEERS, 'testclip.mp4')];
  run(t, 'python/ipycam/bin/python', args, { cwd: dir, stdio: 'ignore' });
  const headers = { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` };
  const head = async () => (await fetch(`http://127.0.0.1:${onvif_port}/api/ptz`, { headers })).json();
  await until('the camera answers', 40, () => head().catch(() => undefined));
  return { login: { ip: '127.0.0.1', port: String(onvif_port), user: USER, password: PASSWORD }, head };
}

/**
 * A camera on the crate `onvif-server`: it keeps presets and forgets them when told, and has no stream. `told` fills with the
 * moves, as `move PAN TILT ZOOM`, and `stop` that it gets. It is started by the words of `prefix`.
 */
export async function presetCamera(t, prefix) {
  const port = String(await freePort());
  const camera = run(t, 'bin/onvif_server', ['127.0.0.1', port], { stdio: ['ignore', 'pipe', 'pipe'] }, prefix);
  const told = [];
  createInterface(camera.stderr).on('line', (line) => told.push(line));
  await once(camera.stdout, 'data');
  return { login: { ip: '127.0.0.1', port, user: 'admin', password: 'admin' }, told };
}
