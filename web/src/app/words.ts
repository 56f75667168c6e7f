// Figures, times and sizes in the words of the chosen language.

import { locale } from './text';

/** `3.2 GB`, by thousands, as disks and cards are sold. */
export function bytes(count: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** step;
  const format = { style: 'unit', unit: units[step] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: value < 10 ? 1 : 0 } as const;
  return new Intl.NumberFormat(locale.value, format).format(value);
}

/** `4.1 Mbit/s` of kbit/s. */
export function bitRate(kbps: number): string {
  return kbps >= 1000 ? `${number(kbps / 1000, 1)} Mbit/s` : `${number(kbps, 0)} kbit/s`;
}

export function number(value: number, digits: number): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value);
}

/** Date and time of an ISO text or of milliseconds; '' where it is none. */
export function moment(time: string | number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' }).format(date);
}

/** Hours, minutes and seconds. */
export function clock(time: string | number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : new Intl.DateTimeFormat(locale.value, { timeStyle: 'medium', hourCycle: 'h23' }).format(date);
}
