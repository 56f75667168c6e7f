// Playback: what was recorded of one camera or several on a day, found on a time line and played in step.

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Button, Empty, Note } from '../kit';
import { href } from '../route';
import { isAdministrator } from '../state';
import { locale, t } from '../text';
import { Calendar } from './calendar';
import { Cameras } from './cameras';
import { Controls } from './controls';
import { Desk } from './desk';
import { Exports } from './exports';
import { Line } from './line';
import './line.css';
import './lists.css';
import './playback.css';
import { Records } from './records';
import { Screens } from './screens';
import { recordedTime } from './spans';
import { dayOf, dayText, dayWords, daysOn, lengthWords } from './time';

export default function Playback() {
  const desk = useMemo(() => new Desk(), []);
  useEffect(() => () => desk.dispose(), []);
  const scrubbed = useSignal<number | undefined>(undefined);
  const watch = useRef<HTMLElement>(null);
  const pointed = useRef(false);
  // After a press or a choice by pointer the keys are the playback's again.
  const handBack = (kinds: string) => (event: Event) => {
    if (pointed.current && event.target instanceof Element) event.target.closest<HTMLElement>(kinds)?.blur();
  };
  const tokens = desk.tokens.value;
  if (tokens.length === 0) {
    return (
      <Empty>
        <p>{t('playback.no_camera')}</p>
        {isAdministrator.value && <a href={href('sources')}>{t('playback.add_camera')}</a>}
      </Empty>
    );
  }
  return (
    <>
      <h1 class="sr">{t('shell.playback')}</h1>
      <Problem desk={desk} />
      <div
        class="playback-grid"
        onPointerDown={() => (pointed.current = true)}
        onKeyDown={() => (pointed.current = false)}
        onClick={handBack('button')}
        onChange={handBack('select, [type=radio]')}
      >
        <section ref={watch} class="watch card" aria-label={t('playback.picture')}>
          <Screens desk={desk} scrubbed={scrubbed} />
          <Controls desk={desk} full={() => watch.current} />
        </section>
        <section class="line card" aria-label={t('playback.line')}>
          <DayHead desk={desk} />
          <Line desk={desk} scrubbed={scrubbed} />
        </section>
        <aside class="side">
          <Calendar desk={desk} />
          <Exports desk={desk} />
        </aside>
        <Records desk={desk} />
      </div>
    </>
  );
}

/** What failed, and which recordings cannot be played. */
function Problem({ desk }: { desk: Desk }) {
  const gone = desk.records.value.filter(({ available }) => !available).length;
  return (
    <>
      {desk.fault.value && <Note kind="bad">{desk.fault.value}</Note>}
      {gone > 0 && <Note kind="warn">{t('playback.volume_gone', { n: gone })}</Note>}
    </>
  );
}

function DayHead({ desk }: { desk: Desk }) {
  const day = desk.day.value;
  const tokens = desk.tokens.value;
  const isToday = dayText(day) >= dayText(dayOf(Date.now()));
  return (
    <div class="line-head">
      <Cameras desk={desk} />
      <div class="group">
        <Button kind="quiet" icon="back" label={t('playback.day_before')} onPress={() => desk.show(tokens, daysOn(day, -1))} />
        <h2>{dayWords(day, locale.value)}</h2>
        <Button kind="quiet" icon="next" label={t('playback.day_after')} disabled={isToday} onPress={() => desk.show(tokens, daysOn(day, 1))} />
      </div>
      <p class="summary" role="status">
        {summary(desk)}
      </p>
      <Snapshots desk={desk} />
    </div>
  );
}

function summary(desk: Desk): string {
  const records = desk.records.value;
  if (records.length > 0) return t('playback.summary', { n: records.length, length: lengthWords(recordedTime(records)) });
  if (desk.looking.value) return t('playback.looking');
  return desk.fault.value ? '' : t('playback.nothing_day');
}

function Snapshots({ desk }: { desk: Desk }) {
  const count = [...desk.found.value.values()].reduce((sum, { snapshots }) => sum + snapshots.length, 0);
  const [token = '', ...others] = desk.tokens.value;
  if (count === 0) return null;
  const query = { day: dayText(desk.day.value), ...(others.length === 0 ? { token } : {}) };
  return (
    <a class="quiet" href={href('snapshots', query)}>
      {t('playback.snapshots', { n: count })}
    </a>
  );
}
