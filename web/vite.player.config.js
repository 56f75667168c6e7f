// The player as the two files that pages load: `--mode classic` for h5splayer.js, `--mode module` for h5splayer.mjs.
import { defineConfig } from 'vite';

const kinds = {
  classic: { format: 'iife', fileName: 'h5splayer.js' },
  module: { format: 'es', fileName: 'h5splayer.mjs' },
};

export default defineConfig(({ mode }) => ({
  publicDir: false,
  build: {
    target: 'es2020',
    outDir: 'dist/js',
    emptyOutDir: false,
    lib: {
      entry: `src/player/${mode}.ts`,
      name: 'h5splayer',
      formats: [kinds[mode].format],
      fileName: () => kinds[mode].fileName,
    },
  },
}));
