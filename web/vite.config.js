// The pages. Everything is addressed relatively, so a reverse proxy may serve them under any path.
import { copyFileSync, mkdirSync } from 'node:fs';
import { defineConfig } from 'vite';

const page = (name) => new URL(name, import.meta.url).pathname;

/** hls.js stays a file of its own that the player loads only where a browser needs it. */
const hlsFiles = {
  name: 'hls-files',
  closeBundle() {
    mkdirSync('dist/js', { recursive: true });
    copyFileSync('node_modules/hls.js/dist/hls.light.min.js', 'dist/js/hls.min.js');
    copyFileSync('node_modules/hls.js/LICENSE', 'dist/js/hls.LICENSE.txt');
  },
};

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    // The CSP allows no inline script, and the pages' bundles are small.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: ['index.html', 'ws.html', 'rtc.html', 'hls.html'].map(page) },
  },
  plugins: [hlsFiles],
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
