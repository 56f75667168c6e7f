// Waiting times between connection attempts.

const FIRST = 800;
const MOST = 3000;
const GROWTH = 1.6;

/** Milliseconds from 0.8 s to 3 s, with a spread so that many viewers do not come back at once. */
export class Backoff {
  private next = FIRST;

  constructor(private readonly random: () => number = Math.random) {}

  delay(): number {
    const now = this.next;
    this.next = Math.min(MOST, now * GROWTH);
    return Math.min(MOST, Math.max(FIRST, Math.round(now * (0.9 + 0.2 * this.random()))));
  }

  /** The connection has proved itself. */
  reset(): void {
    this.next = FIRST;
  }
}
