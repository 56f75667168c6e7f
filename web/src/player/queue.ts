// Media that waits to be appended. Bounded: at most `limit` bytes, beyond which it takes no more.

export const QUEUE_LIMIT = 16 * 1024 * 1024;

/** First in, first out; small neighbours leave together, since each append costs a task. */
export class MediaQueue {
  private parts: Uint8Array[] = [];
  private size = 0;

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

  /** Everything that waits, as one piece. */
  takeAll(): Uint8Array | undefined {
    const only = this.parts.length === 1 ? this.parts[0] : undefined;
    const whole = only ?? this.join();
    this.clear();
    return whole;
  }

  clear(): void {
    this.parts = [];
    this.size = 0;
  }

  private join(): Uint8Array | undefined {
    if (this.parts.length === 0) return undefined;
    const whole = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  }
}
