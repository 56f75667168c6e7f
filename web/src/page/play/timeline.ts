// The time line of a day: what is recorded, where the playback is, the span marked for an export. A click plays from
// there, dragging moves a magnified line, dragging with Shift marks a span, the wheel magnifies.

import { find } from '../dom';
import { Scale } from './scale';
import type { Stretch } from './spans';
import { clock, shortClock } from './time';

/** A pointer that moved less, in pixels, has clicked. */
const CLICK_WITHIN = 6;
/** No bar is drawn narrower, in percent. */
const THINNEST = 0.15;
const WHEEL_ZOOM = 0.0015;

export interface Span {
  from: number;
  to: number;
}

interface Drag {
  x: number;
  from: number;
  marks: boolean;
  moved: boolean;
}

export class Timeline {
  private readonly track = find('#track', HTMLElement);
  private readonly bars = find('.bars', HTMLElement, this.track);
  private readonly marks = find('.marks', HTMLElement, this.track);
  private readonly pictures = find('.pictures', HTMLElement, this.track);
  private readonly band = find('.band', HTMLElement, this.track);
  private readonly marker = find('.marker', HTMLElement, this.track);
  private readonly hover = find('.hover', HTMLElement, this.track);
  private readonly out = find('#zoom-out', HTMLButtonElement);
  private readonly in = find('#zoom-in', HTMLButtonElement);
  private readonly all = find('#zoom-all', HTMLButtonElement);
  private scale = new Scale(0, 1);
  private stretches: readonly Stretch[] = [];
  private moments: readonly number[] = [];
  private place: number | undefined;
  private span: Span | undefined;
  private drag: Drag | undefined;

  constructor(
    private readonly pick: (moment: number) => void,
    private readonly mark: (span: Span) => void,
  ) {
    this.out.addEventListener('click', () => this.zoom(2));
    this.in.addEventListener('click', () => this.zoom(0.5));
    this.all.addEventListener('click', () => {
      this.scale.showAll();
      this.draw();
    });
    this.track.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.track.addEventListener('pointerdown', (event) => this.down(event));
    this.track.addEventListener('pointermove', (event) => this.move(event));
    this.track.addEventListener('pointerup', (event) => this.up(event));
    this.track.addEventListener('pointercancel', () => (this.drag = undefined));
    this.track.addEventListener('pointerleave', () => (this.hover.hidden = true));
    new ResizeObserver(() => this.draw()).observe(this.track);
  }

  /** Another day, shown whole and empty. */
  showDay(from: number, to: number): void {
    this.scale = new Scale(from, to);
    this.span = undefined;
    this.showFootage([], []);
    this.showPlace(undefined);
  }

  showFootage(stretches: readonly Stretch[], pictures: readonly number[]): void {
    this.stretches = stretches;
    this.moments = pictures;
    this.draw();
  }

  /** Magnifies what lies between, where that is little of a day. */
  fit(from: number, to: number): void {
    this.scale.fit(from, to);
    this.draw();
  }

  showPlace(moment: number | undefined): void {
    this.place = moment;
    if (moment !== undefined && !this.drag && this.scale.follow(moment)) this.draw();
    else this.drawPlace();
  }

  showSpan(span: Span | undefined): void {
    this.span = span;
    this.drawBand();
  }

  private zoom(factor: number): void {
    const at = this.place === undefined ? 0.5 : this.scale.placeOf(this.place);
    this.scale.zoom(factor, at >= 0 && at <= 1 ? at : 0.5);
    this.draw();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.scale.pan(event.deltaX / this.track.clientWidth);
    else this.scale.zoom(Math.exp(event.deltaY * WHEEL_ZOOM), this.share(event.clientX));
    this.draw();
    this.showHover(event.clientX);
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.track.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, from: this.momentAt(event.clientX), marks: event.shiftKey, moved: false };
  }

  private move(event: PointerEvent): void {
    this.showHover(event.clientX);
    const { drag } = this;
    if (!drag) return;
    if (!drag.moved && Math.abs(event.clientX - drag.x) < CLICK_WITHIN) return;
    drag.moved = true;
    if (drag.marks) return this.mark(ordered(drag.from, this.momentAt(event.clientX)));
    this.scale.pan((drag.x - event.clientX) / this.track.clientWidth);
    drag.x = event.clientX;
    this.draw();
  }

  private up(event: PointerEvent): void {
    const clicked = this.drag && !this.drag.moved;
    this.drag = undefined;
    if (clicked) this.pick(this.momentAt(event.clientX));
  }

  private share(x: number): number {
    const { left, width } = this.track.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - left) / Math.max(1, width)));
  }

  private momentAt(x: number): number {
    return this.scale.momentAt(this.share(x));
  }

  private showHover(x: number): void {
    const place = this.share(x);
    this.hover.hidden = false;
    this.hover.style.left = percent(place);
    this.hover.dataset['side'] = place > 0.9 ? 'left' : place < 0.1 ? 'right' : 'middle';
    find('span', HTMLElement, this.hover).textContent = clock(this.scale.momentAt(place));
  }

  private draw(): void {
    this.bars.replaceChildren(
      ...this.stretches.flatMap(({ start, end, cause }) => {
        const from = this.scale.placeOf(start);
        const to = this.scale.placeOf(end);
        if (to < 0 || from > 1) return [];
        const bar = placed('i', Math.max(0, from));
        bar.className = cause;
        bar.style.width = `${Math.max(THINNEST, (Math.min(1, to) - Math.max(0, from)) * 100)}%`;
        return [bar];
      }),
    );
    this.pictures.replaceChildren(...this.inside(this.moments).map((moment) => placed('i', this.scale.placeOf(moment))));
    this.marks.replaceChildren(
      ...this.scale.marks(this.track.clientWidth).map((moment) => {
        const mark = placed('span', this.scale.placeOf(moment));
        mark.textContent = shortClock(moment);
        return mark;
      }),
    );
    this.out.disabled = this.all.disabled = this.scale.whole;
    this.in.disabled = this.scale.closest;
    this.drawBand();
    this.drawPlace();
  }

  private inside(moments: readonly number[]): number[] {
    const { from, to } = this.scale.shown;
    return moments.filter((moment) => moment >= from && moment <= to);
  }

  private drawBand(): void {
    this.band.hidden = !this.span;
    if (!this.span) return;
    const from = Math.max(0, this.scale.placeOf(this.span.from));
    const to = Math.min(1, this.scale.placeOf(this.span.to));
    this.band.hidden = to <= from;
    this.band.style.left = percent(from);
    this.band.style.width = percent(to - from);
  }

  private drawPlace(): void {
    const place = this.place === undefined ? -1 : this.scale.placeOf(this.place);
    this.marker.hidden = place < 0 || place > 1;
    this.marker.style.left = percent(place);
    if (this.place === undefined) return;
    this.track.setAttribute('aria-valuenow', String(Math.round(this.place / 1000)));
    this.track.setAttribute('aria-valuetext', clock(this.place));
  }
}

const percent = (share: number) => `${share * 100}%`;

const ordered = (one: number, other: number): Span => ({ from: Math.min(one, other), to: Math.max(one, other) });

function placed(kind: 'i' | 'span', place: number): HTMLElement {
  const element = document.createElement(kind);
  element.style.left = percent(place);
  return element;
}
