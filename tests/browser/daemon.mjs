// A daemon of a test's own (H5EDGE_BIN), for what the other tests' one cannot show: it ends with the test.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const BIN = process.env.H5EDGE_BIN ?? '../../target/debug/h5edge';

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Runs a program until the test ends, after the words of `prefix`; gives its first line, which is JSON. */
export async function runs(t, program, args, prefix = []) {
  const [first, ...rest] = [...prefix, program, ...args];
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(async () => {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
  });
  const ended = once(child, 'exit').then(([code]) => assert.fail(`${program} ended with ${code}`));
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  // That it ends later is what the test wants.
  ended.catch(() => {});
  return JSON.parse(line);
}

/** A daemon with that configuration, in a folder of its own, started by the words of `prefix`; gives its port. */
export async function serve(t, configuration, prefix) {
  const dir = mkdtempSync(join(tmpdir(), 'h5edge-fresh-'));
  const config = join(dir, 'config.toml');
  writeFileSync(config, configuration);
  const { http } = await runs(t, BIN, ['serve', '--data-dir', dir, '--config', config, '--http-port', '0'], prefix);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return http;
}

/** The address of a daemon with nothing in it; `auth` is text of that part of its configuration. */
export async function fresh(t, { auth = '', https = false } = {}) {
  const securePort = https ? await freePort() : 0;
  const port = await serve(t, `[http]\nbind = "127.0.0.1"\nhttps_port = ${securePort}\n[webrtc]\nport = ${await freePort()}\n[auth]\n${auth}`);
  return `http://127.0.0.1:${port}/`;
}
