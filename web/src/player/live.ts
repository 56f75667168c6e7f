// How a player stays near the live edge without the viewer noticing. Times are seconds; nothing here touches a browser.

/** Farther behind than this beyond the target, only a jump helps. */
export const JUMP_BEHIND = 1.5;
/** The playback rate never leaves 1 ± this. */
const RATE_RANGE = 0.05;
/** Differences below this are left alone, so that the rate rests at 1. */
const DEAD_BAND = 0.08;
const TARGET_START = 0.25;
/** Change of rate per second behind. */
const GAIN = 0.2;
const TARGET_MOST = 1.0;
/** A stall raises the target by this; a minute without one takes it back. */
const STALL_STEP = 0.1;
const FORGET_PER_STEP = STALL_STEP / 240;
/** Media kept behind the playhead, and the length at which it is cut back to that. */
export const KEEP_BEHIND = 10;
export const TRIM_AT = 20;

export type Step = { rate: number } | { seekTo: number };

/** Follows the live edge of one connection. */
export class LiveEdge {
  private target = TARGET_START;
  private smooth: number | undefined;

  /** The picture stopped for want of data: keep a little more in hand from now on. */
  stalled(): void {
    this.target = Math.min(TARGET_MOST, this.target + STALL_STEP);
    this.smooth = undefined;
  }

  /** Where to go after a pause or a hidden tab; `undefined` where that is near enough. */
  resume(now: number, edge: number): number | undefined {
    this.smooth = undefined;
    return edge - now > this.target + 0.5 ? edge - this.target : undefined;
  }

  /** Called every 250 ms while playing. */
  step(now: number, edge: number): Step {
    const behind = edge - now;
    this.target = Math.max(TARGET_START, this.target - FORGET_PER_STEP);
    if (behind > this.target + JUMP_BEHIND) {
      this.smooth = undefined;
      return { seekTo: edge - this.target };
    }
    this.smooth = this.smooth === undefined ? behind : this.smooth * 0.7 + behind * 0.3;
    const excess = this.smooth - this.target;
    if (Math.abs(excess) < DEAD_BAND) return { rate: 1 };
    const change = Math.max(-RATE_RANGE, Math.min(RATE_RANGE, excess * GAIN));
    return { rate: Math.round((1 + change) * 100) / 100 };
  }
}

/** Up to where old media can go, or `undefined` while there is not enough to be worth the cut. */
export function trimPoint(start: number, now: number, edge: number): number | undefined {
  // A paused picture does not move, so the edge counts too: the buffer stays bounded either way.
  const cut = Math.max(now - KEEP_BEHIND, edge - TRIM_AT - KEEP_BEHIND);
  return now - start > TRIM_AT || edge - start > TRIM_AT + KEEP_BEHIND ? cut : undefined;
}

interface Ranges {
  readonly length: number;
  start(index: number): number;
  end(index: number): number;
}

/** The place to jump to when the playhead stands before the media or in a hole of it. */
export function holeJump(ranges: Ranges, now: number): number | undefined {
  for (let index = 0; index < ranges.length; index++) {
    if (ranges.end(index) <= now) continue;
    return ranges.start(index) > now ? ranges.start(index) + 0.001 : undefined;
  }
  return undefined;
}
