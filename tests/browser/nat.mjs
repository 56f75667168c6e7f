// A network of a test's own: an office with a browser, a central, and a box behind a router that lets nothing in. Each is a
// network namespace; they end with the test. Needs root, `ip` (iproute2) and `nft` (nftables).
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HOSTS = ['office', 'central', 'router', 'box'];
/** The central's addresses, for the office and for the router. */
export const CENTRAL = { office: '10.9.1.1', router: '10.9.0.1' };

const named = (host) => `h5nat-${process.pid}-${host}`;
const run = (program, line) => execFileSync(program, line.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
const ip = (line) => run('ip', line);

/** What starts a program on that host. */
export const within = (host) => ['ip', 'netns', 'exec', named(host)];

export function network(t) {
  t.after(() => HOSTS.forEach((host) => ip(`netns del ${named(host)}`)));
  for (const host of HOSTS) {
    ip(`netns add ${named(host)}`);
    ip(`-n ${named(host)} link set lo up`);
  }
  wire('office', '10.9.1.2', 'central', CENTRAL.office);
  wire('router', '10.9.0.2', 'central', CENTRAL.router);
  wire('box', '10.9.2.2', 'router', '10.9.2.1');
  ip(`-n ${named('box')} route add default via 10.9.2.1`);
  const [program, ...args] = [...within('router'), 'sysctl', '-qw', 'net.ipv4.ip_forward=1'];
  execFileSync(program, args);
  nft('table ip nat { chain out { type nat hook postrouting priority 100; oifname central masquerade; }; }');
  nft('table ip filter { chain f { type filter hook forward priority 0; policy drop; iifname box accept; ct state established,related accept; }; }');
}

/** Chromium as a program that runs in the office; its debugger talks over a pipe. */
export function officeBrowser(t) {
  const dir = mkdtempSync(join(tmpdir(), 'h5edge-office-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const program = join(dir, 'chromium');
  writeFileSync(program, `#!/bin/sh\nexec ${within('office').join(' ')} ${process.env.H5EDGE_CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}

function nft(rules) {
  const [program, ...args] = [...within('router'), 'nft', rules];
  execFileSync(program, args);
}

/** A cable between two hosts; each end is named after the other host. */
function wire(one, here, other, there) {
  ip(`link add ${other} netns ${named(one)} type veth peer name ${one} netns ${named(other)}`);
  for (const [host, device, address] of [
    [one, other, here],
    [other, one, there],
  ]) {
    ip(`-n ${named(host)} addr add ${address}/24 dev ${device}`);
    ip(`-n ${named(host)} link set ${device} up`);
  }
}
