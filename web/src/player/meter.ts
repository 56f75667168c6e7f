// Frames and bytes per second from running totals.

/** Weight of the newest second, so that the figures do not flicker. */
const NEWEST = 0.4;

export class Meter {
  fps = 0;
  kbps = 0;
  private totalFrames = 0;
  private totalBytes = 0;
  private seen: { at: number; frames: number; bytes: number } | undefined;

  /** Sets the total of frames shown so far. */
  frames(total: number): void {
    this.totalFrames = total;
  }

  /** Adds received bytes. */
  add(bytes: number): void {
    this.totalBytes += bytes;
  }

  /** Takes a reading; `now` in milliseconds. */
  tick(now: number): void {
    const before = this.seen;
    this.seen = { at: now, frames: this.totalFrames, bytes: this.totalBytes };
    if (!before || now <= before.at) return;
    const seconds = (now - before.at) / 1000;
    this.fps = blend(this.fps, Math.max(0, this.totalFrames - before.frames) / seconds, 1);
    this.kbps = blend(this.kbps, ((this.totalBytes - before.bytes) * 8) / 1000 / seconds, 0);
  }
}

function blend(old: number, fresh: number, digits: number): number {
  const value = old === 0 ? fresh : old * (1 - NEWEST) + fresh * NEWEST;
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
