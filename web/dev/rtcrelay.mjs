// WebRTC for the mock: a headless Chromium page is the camera, this relay passes the signalling between it and viewers.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export class RtcRelay {
  constructor(page) {
    this.page = page;
    this.viewers = new Map();
    this.next = 1;
  }

  async start() {
    const dir = mkdtempSync(join(tmpdir(), 'h5edge-camera-'));
    this.browser = await chromium.launchPersistentContext(dir, { executablePath: '/usr/bin/chromium', args: ARGS });
    await this.browser.pages()[0].goto(this.page);
  }

  async stop() {
    await this.browser?.close();
  }

  camera(socket) {
    this.cameraSocket = socket;
    socket.on('message', (data) => {
      const { viewer, ...message } = JSON.parse(data);
      this.viewers.get(viewer)?.send(JSON.stringify(message));
    });
  }

  viewer(socket) {
    const viewer = this.next++;
    this.viewers.set(viewer, socket);
    const toCamera = (message) => this.cameraSocket?.send(JSON.stringify({ ...message, viewer }));
    socket.on('message', (data) => toCamera(JSON.parse(data)));
    socket.on('close', () => {
      this.viewers.delete(viewer);
      toCamera({ type: 'bye' });
    });
  }

  hangUp() {
    for (const socket of this.viewers.values()) socket.close();
  }
}
