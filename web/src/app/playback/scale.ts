// The part of a day that the time line shows: from moments to places and back, zooming, and where its marks stand.

/** No closer than this, in milliseconds. */
const CLOSEST = 60_000;
const MINUTE = 60_000;
/** Less than this is magnified at once, but not to less than the other. */
const FIT_BELOW = 90 * MINUTE;
const LEAST_FIT = 10 * MINUTE;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360].map((minutes) => minutes * MINUTE);
/** Least distance of two written marks, in pixels. */
const MARK_ROOM = 62;

export class Scale {
  private start: number;
  private length: number;

  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {
    this.start = from;
    this.length = to - from;
  }

  get shown(): { from: number; to: number } {
    return { from: this.start, to: this.start + this.length };
  }

  /** The whole day is shown. */
  get whole(): boolean {
    return this.length >= this.to - this.from;
  }

  get closest(): boolean {
    return this.length <= CLOSEST;
  }

  /** 0 at the left end, 1 at the right. */
  placeOf(moment: number): number {
    return (moment - this.start) / this.length;
  }

  momentAt(place: number): number {
    return this.start + place * this.length;
  }

  /** Shows `factor` times as much; the moment at `place` stays where it is. */
  zoom(factor: number, place = 0.5): void {
    const fixed = this.momentAt(place);
    this.length = Math.min(this.to - this.from, Math.max(CLOSEST, this.length * factor));
    this.moveTo(fixed - place * this.length);
  }

  /** By a share of what is shown. */
  pan(share: number): void {
    this.moveTo(this.start + share * this.length);
  }

  /** Moves on until the moment is shown; true if it had to. */
  follow(moment: number): boolean {
    const place = this.placeOf(moment);
    if (place >= 0 && place <= 1) return false;
    this.moveTo(moment - this.length * 0.1);
    return true;
  }

  /** Shows a part of the day in which little is recorded, with some room at its sides. */
  fit(start: number, end: number): void {
    if (end - start > FIT_BELOW) return;
    this.length = Math.max(LEAST_FIT, (end - start) * 1.4);
    this.moveTo((start + end - this.length) / 2);
  }

  showAll(): void {
    this.length = this.to - this.from;
    this.start = this.from;
  }

  /** Full steps of the local clock, as far apart as `width` pixels allow. */
  marks(width: number): number[] {
    const room = (this.length / Math.max(1, width)) * MARK_ROOM;
    const step = STEPS.find((step) => step >= room) ?? STEPS.at(-1) ?? MINUTE;
    const marks: number[] = [];
    // Counted from midnight of the local clock, hour by hour, so that a day of 23 or 25 hours has full hours as well.
    const offset = (moment: number) => new Date(moment).getTimezoneOffset() * MINUTE;
    for (let mark = Math.ceil((this.start - offset(this.start)) / step) * step + offset(this.start); mark <= this.start + this.length; mark += step) {
      const straight = Math.round((mark - offset(mark)) / step) * step + offset(mark);
      if (straight !== marks.at(-1) && straight >= this.start) marks.push(straight);
    }
    return marks;
  }

  private moveTo(start: number): void {
    this.start = Math.min(this.to - this.length, Math.max(this.from, start));
  }
}
