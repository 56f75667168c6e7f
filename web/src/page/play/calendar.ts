// The calendar: one month as a grid of buttons, days with recordings marked.

import { find } from '../dom';
import { bounds, type Day, dayOf, dayText, dayWords, daysOn, sameDay } from './time';

/** Answers of the server are kept for so many months. */
const MOST_MONTHS = 24;

export class Calendar {
  private readonly root = find('#calendar', HTMLElement);
  private readonly title = find('.month', HTMLElement, this.root);
  private readonly days = find('.days', HTMLElement, this.root);
  private readonly later = find('.later', HTMLButtonElement, this.root);
  private readonly known = new Map<string, Set<number>>();
  private chosen = dayOf(Date.now());
  private shown = this.chosen;

  /** `recorded` asks for the recorded days of a month. */
  constructor(
    private readonly recorded: (year: number, month: number) => Promise<Set<number>>,
    private readonly choose: (day: Day) => void,
  ) {
    find('.earlier', HTMLButtonElement, this.root).addEventListener('click', () => this.turn(-1));
    this.later.addEventListener('click', () => this.turn(1));
    const weekdays = find('.weekdays', HTMLElement, this.root);
    // 2024 began on a Monday.
    for (let day = 1; day <= 7; day++) {
      const name = document.createElement('span');
      name.textContent = new Date(2024, 0, day).toLocaleDateString(undefined, { weekday: 'narrow' });
      weekdays.append(name);
    }
  }

  show(day: Day): void {
    this.chosen = day;
    this.shown = day;
    this.draw();
  }

  /** Forgets what is known, since the camera is another one or something was deleted. */
  refresh(): void {
    this.known.clear();
    this.draw();
  }

  private turn(months: number): void {
    const { year, month } = this.shown;
    this.shown = dayOf(new Date(year, month - 1 + months, 1, 12).getTime());
    this.draw();
  }

  private draw(): void {
    const { year, month } = this.shown;
    const first = { year, month, day: 1 };
    const today = dayOf(Date.now());
    this.title.textContent = new Date(bounds(first).from).toLocaleDateString(undefined, { month: 'long', year: 'numeric' });
    this.later.disabled = year === today.year && month === today.month;
    const recorded = this.known.get(`${year}-${month}`);
    const before = (new Date(bounds(first).from).getDay() + 6) % 7;
    const length = new Date(year, month, 0).getDate();
    this.days.replaceChildren(
      ...Array.from({ length: before }, () => document.createElement('span')),
      ...Array.from({ length }, (_, index) => this.button(daysOn(first, index), today, recorded)),
    );
    if (!recorded) void this.ask(year, month);
  }

  private button(day: Day, today: Day, recorded: Set<number> | undefined): HTMLElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = String(day.day);
    const has = recorded?.has(day.day) === true;
    button.classList.toggle('recorded', has);
    button.setAttribute('aria-label', `${dayWords(day)}${has ? ', recorded' : ''}`);
    if (sameDay(day, this.chosen)) button.setAttribute('aria-current', 'date');
    button.classList.toggle('today', sameDay(day, today));
    button.disabled = dayText(day) > dayText(today);
    button.addEventListener('click', () => this.choose(day));
    return button;
  }

  private async ask(year: number, month: number): Promise<void> {
    const key = `${year}-${month}`;
    // Without an answer the days are unmarked, and the search itself says what is wrong.
    const days = await this.recorded(year, month).catch(() => undefined);
    if (!days) return;
    if (this.known.size >= MOST_MONTHS) this.known.clear();
    this.known.set(key, days);
    if (this.shown.year === year && this.shown.month === month) this.draw();
  }
}
