// Media that waits to be appended. Bounded: at most `limit` bytes, beyond which it takes no more.

export const QUEUE_LIMIT = 16 * 1024 * 1024;

/** First in, first out; small neighbours leave together, since each append costs a task. */
export class MediaQueue {
  private parts: Uint8Array[] = [];
  private size = 0;
  /** So many parts were there at the last `divide`. */
  private divided = 0;

  constructor(private readonly limit = QUEUE_LIMIT) {}

  get bytes(): number {
    return this.size;
  }

  /** False when there is no room: the caller must start afresh, for a dropped part is a hole in the picture. */
  push(part: Uint8Array): boolean {
    if (this.size + part.byteLength > this.limit) return false;
    this.parts.push(part);
    this.size += part.byteLength;
    return true;
  }

  /** What waits now and what comes later never leave together. */
  divide(): void {
    this.divided = this.parts.length;
  }

  /** Something from before the division still waits. */
  get isDivided(): boolean {
    return this.divided > 0;
  }

  /** Everything that waits, up to the division, as one piece. */
  takeAll(): Uint8Array | undefined {
    const parts = this.parts.splice(0, this.divided || this.parts.length);
    this.divided = 0;
    const whole = parts.length === 1 ? parts[0] : joined(parts);
    this.size -= whole?.byteLength ?? 0;
    return whole;
  }

  clear(): void {
    this.parts = [];
    this.size = 0;
    this.divided = 0;
  }
}

function joined(parts: Uint8Array[]): Uint8Array | undefined {
  if (parts.length === 0) return undefined;
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
