// What pointers and the wheel do on the time line: a press plays from there, dragging moves a magnified line, dragging
// with Shift or by a handle marks a span, dragging on the ruler scrubs, two fingers and the wheel magnify.

import type { Scale } from './scale';
import type { Span } from './spans';

/** A pointer that moved less, in pixels, has clicked. */
const CLICK_WITHIN = 6;
const WHEEL_ZOOM = 0.0015;

export interface Hover {
  /** From the left end, 0 to 1. */
  share: number;
  moment: number;
  /** The camera whose row it is. */
  token: string;
}

export interface Acts {
  scale(): Scale;
  /** The scale has changed. */
  redraw(): void;
  pick(moment: number): void;
  /** The play head is dragged; `undefined` when that is over. */
  scrub(moment: number | undefined): void;
  mark(span: Span): void;
  span(): Span | undefined;
  hover(hover: Hover | undefined): void;
}

type Doing = 'press' | 'pan' | 'mark' | 'scrub' | 'from' | 'to' | 'pinch';

export class Gestures {
  private readonly pointers = new Map<number, number>();
  private doing: Doing | undefined;
  private x = 0;
  private began = 0;

  constructor(
    private readonly track: HTMLElement,
    private readonly acts: Acts,
  ) {
    track.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    track.addEventListener('pointerdown', (event) => this.down(event));
    track.addEventListener('pointermove', (event) => this.move(event));
    track.addEventListener('pointerup', (event) => this.up(event, true));
    track.addEventListener('pointercancel', (event) => this.up(event, false));
    track.addEventListener('pointerleave', () => this.doing ?? acts.hover(undefined));
  }

  get busy(): boolean {
    return this.doing !== undefined;
  }

  private share(x: number): number {
    const { left, width } = this.track.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - left) / Math.max(1, width)));
  }

  private momentAt(x: number): number {
    return this.acts.scale().momentAt(this.share(x));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const scale = this.acts.scale();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) scale.pan(event.deltaX / this.track.clientWidth);
    else scale.zoom(Math.exp(event.deltaY * WHEEL_ZOOM), this.share(event.clientX));
    this.acts.redraw();
    this.tellHover(event);
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.track.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event.clientX);
    if (this.pointers.size > 1) {
      if (this.doing === 'scrub') this.acts.scrub(undefined);
      this.doing = 'pinch';
      return;
    }
    const part = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-drag]')?.dataset['drag'] : undefined;
    this.doing = part === 'from' || part === 'to' || part === 'scrub' ? part : event.shiftKey ? 'mark' : 'press';
    this.x = event.clientX;
    this.began = this.momentAt(event.clientX);
    if (this.doing === 'scrub') this.acts.scrub(this.began);
  }

  private move(event: PointerEvent): void {
    const before = this.pointers.get(event.pointerId);
    if (this.doing === 'pinch') return this.pinch(event, before);
    this.tellHover(event);
    const moment = this.momentAt(event.clientX);
    switch (this.doing) {
      case 'scrub':
        return this.acts.scrub(moment);
      case 'mark':
        if (Math.abs(event.clientX - this.x) >= CLICK_WITHIN) this.acts.mark(ordered(this.began, moment));
        return;
      case 'from':
      case 'to':
        return this.handle(this.doing, moment);
      case 'press':
        if (Math.abs(event.clientX - this.x) < CLICK_WITHIN) return;
        this.doing = 'pan';
        break;
      case 'pan':
        break;
      default:
        return;
    }
    this.acts.scale().pan((this.x - event.clientX) / this.track.clientWidth);
    this.x = event.clientX;
    this.acts.redraw();
  }

  private handle(end: 'from' | 'to', moment: number): void {
    const span = this.acts.span();
    if (span) this.acts.mark(end === 'from' ? { from: Math.min(moment, span.to), to: span.to } : { from: span.from, to: Math.max(moment, span.from) });
  }

  private pinch(event: PointerEvent, before: number | undefined): void {
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
    this.pointers.set(event.pointerId, event.clientX);
    if (before === undefined || other === undefined) return;
    const [old, fresh] = [Math.abs(before - other), Math.abs(event.clientX - other)];
    if (old < 10 || fresh < 10) return;
    this.acts.scale().zoom(old / fresh, this.share((event.clientX + other) / 2));
    this.acts.redraw();
  }

  private up(event: PointerEvent, ends: boolean): void {
    this.pointers.delete(event.pointerId);
    const { doing } = this;
    // The last finger of a pinch does nothing more.
    if (doing === 'pinch' && this.pointers.size > 0) return;
    this.doing = undefined;
    if (doing === 'scrub') this.acts.scrub(undefined);
    if (ends && (doing === 'press' || doing === 'scrub')) this.acts.pick(this.momentAt(event.clientX));
    if (event.pointerType !== 'mouse') this.acts.hover(undefined);
  }

  private tellHover(event: MouseEvent): void {
    const row = document.elementsFromPoint(event.clientX, event.clientY).find((element) => element instanceof HTMLElement && element.dataset['token']);
    const share = this.share(event.clientX);
    this.acts.hover({ share, moment: this.acts.scale().momentAt(share), token: (row as HTMLElement | undefined)?.dataset['token'] ?? '' });
  }
}

const ordered = (one: number, other: number): Span => ({ from: Math.min(one, other), to: Math.max(one, other) });
