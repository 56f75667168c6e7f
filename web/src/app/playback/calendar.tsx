// The calendar: one month as a grid of buttons, days on which any of the cameras was recorded marked.

import { useEffect, useState } from 'preact/hooks';
import { Button } from '../kit';
import { locale, t } from '../text';
import type { Desk } from './desk';
import { recordedDays } from './footage';
import { bounds, type Day, dayOf, dayText, dayWords, daysOn, sameDay } from './time';

interface CalendarProps {
  desk: Desk;
}

export function Calendar({ desk }: CalendarProps) {
  const day = desk.day.value;
  const tokens = desk.tokens.value;
  const [month, setMonth] = useState<Day>({ ...day, day: 1 });
  const [recorded, setRecorded] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => setMonth({ ...day, day: 1 }), [day.year, day.month]);
  useEffect(() => {
    let isOld = false;
    // Without an answer the days are unmarked, and the search itself says what is wrong.
    const asked = tokens.map((token) => recordedDays(token, month.year, month.month).catch(() => new Set<number>()));
    void Promise.all(asked).then((sets) => {
      if (!isOld) setRecorded(new Set(sets.flatMap((set) => [...set])));
    });
    return () => {
      isOld = true;
    };
  }, [String(tokens), dayText(month), desk.changes.value, desk.looking.value]);

  const today = dayOf(Date.now());
  const turn = (months: number) => setMonth(dayOf(new Date(month.year, month.month - 1 + months, 1, 12).getTime()));
  const { from } = bounds(month);
  const before = (new Date(from).getDay() + 6) % 7;
  const length = new Date(month.year, month.month, 0).getDate();
  return (
    <section class="calendar card" aria-label={t('playback.calendar')}>
      <header>
        <Button kind="quiet" icon="back" label={t('playback.month_before')} onPress={() => turn(-1)} />
        <h2 aria-live="polite">{new Date(from).toLocaleDateString(locale.value, { month: 'long', year: 'numeric' })}</h2>
        <Button kind="quiet" icon="next" label={t('playback.month_after')} disabled={month.year === today.year && month.month === today.month} onPress={() => turn(1)} />
      </header>
      <div class="weekdays" aria-hidden="true">
        {/* 2024 began on a Monday. */}
        {Array.from({ length: 7 }, (_, index) => (
          <span key={index}>{new Date(2024, 0, index + 1).toLocaleDateString(locale.value, { weekday: 'narrow' })}</span>
        ))}
      </div>
      <div class="days">
        {Array.from({ length: before }, (_, index) => (
          <span key={`before ${index}`} />
        ))}
        {Array.from({ length }, (_, index) => {
          const shown = daysOn(month, index);
          const has = recorded.has(shown.day);
          const name = dayWords(shown, locale.value);
          return (
            <button
              key={shown.day}
              type="button"
              class={`${has ? 'recorded' : ''} ${sameDay(shown, today) ? 'today' : ''}`.trim()}
              aria-label={has ? t('playback.day_recorded', { day: name }) : name}
              aria-current={sameDay(shown, day) ? 'date' : undefined}
              disabled={dayText(shown) > dayText(today)}
              onClick={() => desk.show(tokens, shown)}
            >
              {shown.day}
            </button>
          );
        })}
      </div>
    </section>
  );
}
