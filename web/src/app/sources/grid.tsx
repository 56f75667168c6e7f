// The week as a field of hours, painted by dragging; with the keyboard, arrows move, blank turns an hour, and Shift with an
// arrow paints on. A press on a day or an hour turns all of it. On a phone the days stand side by side.

import { useEffect, useRef, useState } from 'preact/hooks';
import { locale, t } from '../text';
import { DAYS, HOURS, isOn, paint, step, turn, type Hour } from './week';
import './week.css';

interface GridProps {
  week: string;
  onPaint: (week: string) => void;
}

const DAY_NUMBERS = Array.from({ length: DAYS }, (_, day) => day);
const HOUR_NUMBERS = Array.from({ length: HOURS }, (_, hour) => hour);
const MOVES: Record<string, readonly [across: number, down: number]> = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export function WeekGrid({ week, onPaint }: GridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<Hour>({ day: 0, hour: 0 });
  const drag = useRef<{ from: Hour; week: string; on: boolean }>(undefined);
  const days = dayNames('long');
  const short = dayNames('short');

  useEffect(() => {
    const end = () => (drag.current = undefined);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', end);
    return () => {
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', end);
    };
  }, []);

  const begin = (event: PointerEvent) => {
    const from = hourAt(event);
    if (!from || event.button !== 0) return;
    // A touch is bound to the first hour otherwise, and no move over others is heard.
    if (event.target instanceof Element) event.target.releasePointerCapture(event.pointerId);
    drag.current = { from, week, on: !isOn(week, from) };
    setAt(from);
    onPaint(paint(week, from, from, !isOn(week, from)));
  };
  const move = (event: PointerEvent) => {
    const to = drag.current && hourAt(event);
    if (drag.current && to) onPaint(paint(drag.current.week, drag.current.from, to, drag.current.on));
  };
  const key = (event: KeyboardEvent) => {
    const [across, down] = MOVES[event.key] ?? [0, 0];
    if (event.key === ' ' || event.key === 'Enter') onPaint(turn(week, at, at));
    else if (across === 0 && down === 0) return;
    else {
      const upright = getComputedStyle(event.currentTarget as Element).getPropertyValue('--upright').trim() === '1';
      const next = upright ? step(at, across, down) : step(at, down, across);
      if (event.shiftKey) onPaint(paint(week, at, next, isOn(week, at)));
      setAt(next);
      grid.current?.querySelector<HTMLElement>(`[data-day="${next.day}"][data-hour="${next.hour}"]`)?.focus();
    }
    event.preventDefault();
  };

  return (
    <div ref={grid} class="week" role="grid" aria-label={t('sources.week')} onPointerDown={begin} onPointerMove={move}>
      <div role="row">
        <span role="columnheader" class="corner">
          <span class="sr">{t('sources.day')}</span>
        </span>
        {HOUR_NUMBERS.map((hour) => (
          <span key={hour} role="columnheader" style={{ '--at': hour }}>
            <button type="button" tabIndex={-1} class="hour" aria-label={t('sources.hour', { n: hour })} onClick={() => onPaint(turn(week, { day: 0, hour }, { day: DAYS - 1, hour }))}>
              {hour}
            </button>
          </span>
        ))}
      </div>
      {DAY_NUMBERS.map((day) => (
        <div key={day} role="row" style={{ '--day': day }}>
          <span role="rowheader">
            <button type="button" class="day" onClick={() => onPaint(turn(week, { day, hour: 0 }, { day, hour: HOURS - 1 }))}>
              {short[day]}
              <span class="sr"> {t('sources.whole_day')}</span>
            </button>
          </span>
          {HOUR_NUMBERS.map((hour) => (
            <span
              key={hour}
              role="gridcell"
              class="cell"
              style={{ '--at': hour }}
              data-day={day}
              data-hour={hour}
              tabIndex={at.day === day && at.hour === hour ? 0 : -1}
              aria-selected={isOn(week, { day, hour })}
              aria-label={t('sources.cell', { day: days[day] ?? '', from: hour, to: hour + 1 })}
              onKeyDown={key}
              onFocus={() => setAt({ day, hour })}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

/** The hour under the pointer. */
function hourAt({ clientX, clientY }: PointerEvent): Hour | undefined {
  const cell = document.elementFromPoint(clientX, clientY);
  if (!(cell instanceof HTMLElement) || cell.dataset['day'] === undefined) return undefined;
  return { day: Number(cell.dataset['day']), hour: Number(cell.dataset['hour']) };
}

/** From Monday on. */
function dayNames(width: 'long' | 'short'): string[] {
  const format = new Intl.DateTimeFormat(locale.value, { weekday: width, timeZone: 'UTC' });
  // 1 January 2024 was a Monday.
  return DAY_NUMBERS.map((day) => format.format(Date.UTC(2024, 0, 1 + day)));
}
