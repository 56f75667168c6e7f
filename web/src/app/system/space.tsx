// Bars: how full a disk is, and amounts by day.

import { t } from '../text';
import { bytes } from '../words';

export interface Share {
  name: string;
  bytes: number;
  /** Which colour, of `system.css`. */
  kind: 'record' | 'snapshot' | 'other';
}

/** `shares` is what lies there; default all that is not free, without saying what. */
export function SpaceBar({ title, total, free, shares }: { title: string; total: number; free: number; shares?: readonly Share[] }) {
  const parts: readonly Share[] = shares ?? [{ name: t('system.used'), bytes: total - free, kind: 'record' }];
  return (
    <figure class="space">
      <figcaption>
        <span>{title}</span>
        <b>{t('system.free_of', { free: bytes(free), total: bytes(total) })}</b>
      </figcaption>
      <div class="space-bar" aria-hidden="true">
        {parts.map((share) => (
          <span key={share.kind} class={share.kind} style={{ width: `${percent(share.bytes, total)}%` }} />
        ))}
      </div>
      {shares && (
        <ul class="legend">
          {shares.map((share) => (
            <li key={share.kind} class={share.kind}>
              {share.name} {bytes(share.bytes)}
            </li>
          ))}
          <li>{t('system.free', { free: bytes(free) })}</li>
        </ul>
      )}
    </figure>
  );
}

function percent(part: number, total: number): number {
  return total > 0 ? Math.min(100, Math.max(0, (part / total) * 100)) : 0;
}

export interface Day {
  day: string;
  bytes: number;
}

/** One bar each day, oldest first. */
export function DayBars({ title, days }: { title: string; days: readonly Day[] }) {
  const most = Math.max(0, ...days.map((day) => day.bytes));
  const height = (amount: number) => (most > 0 ? (amount / most) * 38 : 0);
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <b>{t('system.most_a_day', { bytes: bytes(most) })}</b>
      </figcaption>
      <svg class="bars" viewBox={`0 0 ${days.length * 4} 40`} preserveAspectRatio="none" role="img" aria-label={title}>
        {days.map(({ day, bytes: amount }, index) => (
          <rect key={day} x={index * 4 + 0.5} width={3} y={40 - height(amount)} height={height(amount)}>
            <title>{`${day}: ${bytes(amount)}`}</title>
          </rect>
        ))}
      </svg>
    </figure>
  );
}
