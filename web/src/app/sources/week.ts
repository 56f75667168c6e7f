// The hours of a week in which a source is recorded: 168 times `0` or `1`, from Monday 0:00 on, as the API has them.

export const DAYS = 7;
export const HOURS = 24;
const ALL = DAYS * HOURS;

export const NEVER = '0'.repeat(ALL);
export const ALWAYS = '1'.repeat(ALL);
/** Monday to Friday, 8 to 18 h. */
export const WORKING = paint(NEVER, { day: 0, hour: 8 }, { day: 4, hour: 17 }, true);

export interface Hour {
  /** 0 is Monday. */
  day: number;
  hour: number;
}

export function isOn(week: string, { day, hour }: Hour): boolean {
  return week[day * HOURS + hour] === '1';
}

/** The week with all hours of the rectangle between two corners on or off. */
export function paint(week: string, from: Hour, to: Hour, on: boolean): string {
  const within = (value: number, a: number, b: number) => value >= Math.min(a, b) && value <= Math.max(a, b);
  return Array.from(week, (old, index) => {
    const inside = within(Math.floor(index / HOURS), from.day, to.day) && within(index % HOURS, from.hour, to.hour);
    return inside ? (on ? '1' : '0') : old;
  }).join('');
}

/** The whole rectangle on, or off where all of it is on. */
export function turn(week: string, from: Hour, to: Hour): string {
  const on = paint(week, from, to, true);
  return on === week ? paint(week, from, to, false) : on;
}

export function hoursOf(week: string): number {
  return week.split('1').length - 1;
}

/** An hour further, which stays within the week. */
export function step({ day, hour }: Hour, days: number, hours: number): Hour {
  const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
  return { day: within(day + days, DAYS), hour: within(hour + hours, HOURS) };
}
