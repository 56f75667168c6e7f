// Fetches hls.js, which lies beside the player's own file, when it is first needed.

import type HlsClass from 'hls.js';

declare global {
  interface Window {
    Hls?: typeof HlsClass;
  }
}

let playerAddress = '';
let loading: Promise<typeof HlsClass> | undefined;

/** Tells where the player's own file was loaded from. */
export function playerIsAt(address: string): void {
  playerAddress = address;
}

/** The class, from the page's own copy where it has one. */
export function loadHls(): Promise<typeof HlsClass> {
  if (window.Hls) return Promise.resolve(window.Hls);
  loading ??= fetchHls().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

function fetchHls(): Promise<typeof HlsClass> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = new URL('hls.min.js', playerAddress).href;
    script.onload = () => (window.Hls ? resolve(window.Hls) : reject(new Error('hls.min.js defines no Hls')));
    script.onerror = () => reject(new Error(`cannot load ${script.src}`));
    document.head.append(script);
  });
}
