// A stand-in for the daemon, for work on the pages: `npm run build && npm run mock`, then http://127.0.0.1:8800 with
// admin / 12345. Serves dist/, the calls the page makes, WebSocket video, HLS by ffmpeg, and WebRTC from a headless
// Chromium (dev/camera.html). `GET /restart?cam=0&down=2` takes the cameras away for 2 s, as the simulator's control does.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';
import { MockApi } from './mockapi.mjs';
import { Feed } from './fmp4.mjs';
import { RtcRelay } from './rtcrelay.mjs';

const port = Number(process.env.PORT ?? 8800);
const dist = new URL('../dist/', import.meta.url).pathname;
const dev = new URL('./', import.meta.url).pathname;
const hlsDir = mkdtempSync(join(tmpdir(), 'h5edge-mock-'));
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.svg': 'image/svg+xml', '.m3u8': 'application/vnd.apple.mpegurl', '.ts': 'video/mp2t', '.m4s': 'video/mp4', '.mp4': 'video/mp4',
};
const CSP = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; frame-ancestors 'self'";

const feeds = {
  token1: new Feed(),
  token2: new Feed({ pattern: 'testsrc', size: '640x360', fps: 15, gop: 30 }),
  h265: new Feed({ codec: 'h265', size: '640x360' }),
};
const api = new MockApi(feeds);
const rtc = new RtcRelay(`http://127.0.0.1:${port}/dev/camera.html`);
let hlsProcesses = startHls();

function startHls() {
  const run = (version, extra) => {
    const playlist = join(hlsDir, version, 'hls.m3u8');
    const input = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-c:v', 'libx264', '-preset', 'ultrafast'];
    const output = ['-pix_fmt', 'yuv420p', '-g', '25', '-f', 'hls', '-hls_time', '1', '-hls_list_size', '6', '-hls_flags', 'delete_segments'];
    return spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...input, ...output, ...extra, playlist], {
      cwd: join(hlsDir, version), stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
  for (const version of ['v1', 'v2']) mkdirSync(join(hlsDir, version), { recursive: true });
  return [run('v1', []), run('v2', ['-hls_segment_type', 'fmp4'])];
}

function sendFile(response, root, path) {
  const file = normalize(join(root, path));
  if (!file.startsWith(root) || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'cache-control': 'no-store' });
  createReadStream(file).pipe(response);
}

function restart(query, response) {
  const down = Number(query.get('down') ?? 2);
  for (const feed of Object.values(feeds)) feed.stop();
  rtc.hangUp();
  for (const child of hlsProcesses) child.kill();
  setTimeout(() => {
    for (const feed of Object.values(feeds)) feed.start();
    hlsProcesses = startHls();
  }, down * 1000);
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  const { pathname } = url;
  const hls = /^\/hls\/(v[12])\/[^/]+\/([^/]+)$/.exec(pathname);
  if (pathname.startsWith('/mediastore/snapshot/')) return api.picture(response);
  if (pathname.startsWith('/api/v1/')) return api.handle(request, response, url);
  if (pathname === '/restart') return restart(url.searchParams, response);
  if (hls) return sendFile(response, hlsDir, `${hls[1]}/${hls[2]}`);
  if (pathname.startsWith('/dev/')) return sendFile(response, dev, pathname.slice(5));
  return sendFile(response, dist, pathname === '/' ? 'index.html' : pathname.slice(1));
});

const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url, 'http://mock');
  const way = { '/api/v1/h5swsapi': viewWs, '/api/v1/h5srtcapi': viewRtc, '/api/v1/h5swscmnapi': () => undefined, '/dev/camera': (s) => rtc.camera(s) };
  const handler = way[url.pathname];
  if (!handler) return socket.destroy();
  sockets.handleUpgrade(request, socket, head, (client) => handler(client, url.searchParams));
});

function viewWs(client, query) {
  const feed = feeds[query.get('token')];
  if (!feed?.online || !feed.init) {
    client.send(JSON.stringify({ type: 'error', strCode: feed ? 'Camera does not answer: connection refused' : 'There is no source with this token' }));
    return setTimeout(() => client.close(), 2000);
  }
  const leave = feed.view((bytes) => client.send(bytes));
  const end = () => client.close();
  feed.once('end', end);
  client.on('close', () => {
    leave();
    feed.off('end', end);
  });
}

function viewRtc(client, query) {
  if (query.get('token') !== 'token2') return rtc.viewer(client);
  client.on('message', (text) => {
    if (JSON.parse(text).type !== 'open') return;
    client.send(JSON.stringify({ type: 'error', strCode: 'This stream has B-frames, which WebRTC cannot carry.', bFallback: true }));
  });
}

server.listen(port, '127.0.0.1', () => {
  console.log(`mock on http://127.0.0.1:${port}`);
  void rtc.start();
});
process.on('SIGTERM', async () => {
  for (const feed of Object.values(feeds)) feed.stop();
  for (const child of hlsProcesses) child.kill();
  await rtc.stop();
  process.exit(0);
});
