// One line of figures about a running stream.

import type { H5sStats } from '../player/base';

/** `H.264 · 1920×1080 · 25 fps · 4.1 Mbit/s · 0.31 s behind`; parts that are not known are left out. */
export function figuresLine(stats: H5sStats): string {
  const behind = stats.width > 0 ? `${(stats.delayMs / 1000).toFixed(2)} s behind` : '';
  return joined([...pictureFigures(stats), behind]);
}

function pictureFigures(stats: H5sStats): string[] {
  return [
    stats.codec,
    stats.width > 0 ? `${stats.width}×${stats.height}` : '',
    stats.fps > 0 ? `${Math.round(stats.fps)} fps` : '',
    stats.kbps > 0 ? rate(stats.kbps) : '',
  ];
}

const joined = (parts: string[]) => parts.filter((part) => part !== '').join(' · ');

function rate(kbps: number): string {
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${kbps} kbit/s`;
}
