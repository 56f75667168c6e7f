// Days and times as people read them, in the browser's zone. Moments are milliseconds since 1970.

/** A calendar day; the month counts from 1. */
export interface Day {
  year: number;
  month: number;
  day: number;
}

const two = (value: number) => String(value).padStart(2, '0');

export function dayOf(moment: number): Day {
  const at = new Date(moment);
  return { year: at.getFullYear(), month: at.getMonth() + 1, day: at.getDate() };
}

/** From midnight to midnight: 23 or 25 hours when the clocks change. */
export function bounds({ year, month, day }: Day): { from: number; to: number } {
  return { from: new Date(year, month - 1, day).getTime(), to: new Date(year, month - 1, day + 1).getTime() };
}

export function sameDay(one: Day, other: Day): boolean {
  return dayText(one) === dayText(other);
}

/** So many days later, or earlier. */
export function daysOn({ year, month, day }: Day, days: number): Day {
  return dayOf(new Date(year, month - 1, day + days, 12).getTime());
}

/** `2020-05-01`, as addresses and date fields have it. */
export function dayText({ year, month, day }: Day): string {
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/** The day of such a text; `undefined` where it names none. */
export function parseDay(text: string): Day | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (!year) return undefined;
  const wanted = { year: Number(year), month: Number(month), day: Number(day) };
  return sameDay(dayOf(bounds(wanted).from), wanted) ? wanted : undefined;
}

/** `Friday, 1 May 2020`, in the language of `locale`. */
export function dayWords(day: Day, locale: string): string {
  const form = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const;
  return new Date(bounds(day).from).toLocaleDateString(locale, form);
}

/** `2020-05-01T08:03:09+08:00`, with the browser's zone at that moment. */
export function iso(moment: number): string {
  const at = new Date(moment);
  const east = -at.getTimezoneOffset();
  const zone = `${east < 0 ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`;
  return `${dayText(dayOf(moment))}T${clock(moment)}${zone}`;
}

/** `08:03:09` */
export function clock(moment: number): string {
  const at = new Date(moment);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `08:03` */
export function shortClock(moment: number): string {
  return clock(moment).slice(0, 5);
}

/** The moment of a time of day, `08:03` or `08:03:09`; NaN where the text is none. */
export function onDay({ year, month, day }: Day, time: string): number {
  const [, hours, minutes, seconds] = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(time) ?? [];
  if (!hours) return NaN;
  return new Date(year, month - 1, day, Number(hours), Number(minutes), Number(seconds ?? 0)).getTime();
}

/** `42 s`, `9 min 58 s`, `2 h 5 min` */
export function lengthWords(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
