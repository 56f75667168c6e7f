// How long footage is kept, and for how many days the volumes will do.

import { useState } from 'preact/hooks';
import { call, type Params } from '../call';
import { ask, Field, Form, Head, Load, Note, Section, Table, tell, useLoaded, type Values } from '../kit';
import { href } from '../route';
import { t } from '../text';
import { bytes, number } from '../words';
import { room, storageInfo, type Volume } from './volumes';

/** GetRetention; 0 is without end. */
interface Retention {
  nKeepDays: number;
  nKeepSnapshotDays: number;
  nMaxMbPerSource: number;
}

export default function Recording() {
  const storage = useLoaded(storageInfo);
  const retention = useLoaded((signal) => call<Retention>('GetRetention', {}, signal));
  const changed = async () => void (await Promise.all([retention.reload(), storage.reload()]));
  return (
    <>
      <Head title={t('system.recording')} />
      <Section title={t('system.retention')}>
        <Load of={retention}>{(now) => <RetentionForm now={now} onChanged={changed} />}</Load>
      </Section>
      <Section title={t('system.forecast')}>
        <Load of={storage}>{({ volume }) => <Forecast volumes={volume} keepDays={retention.value?.nKeepDays ?? 0} />}</Load>
      </Section>
      <Section title={t('system.schedules')}>
        <p>
          {t('system.schedules_where')} <a href={href('sources')}>{t('shell.sources')}</a>
        </p>
      </Section>
    </>
  );
}

const NAMES = { days: 'nKeepDays', snapshotdays: 'nKeepSnapshotDays', sourcemb: 'nMaxMbPerSource' } as const;

function RetentionForm({ now, onChanged }: { now: Retention; onChanged: () => Promise<void> }) {
  const [wanted, setWanted] = useState(now);
  const save = async (change: Params) => {
    await call('SetRetention', change);
    tell(t('system.saved'));
    await onChanged();
  };
  const send = async (values: Values) => {
    const next = read(values);
    const names = (Object.keys(NAMES) as (keyof typeof NAMES)[]).filter((name) => next[NAMES[name]] !== now[NAMES[name]]);
    if (names.length === 0) throw new Error(t('system.nothing_changed'));
    const change = Object.fromEntries(names.map((name) => [name, next[NAMES[name]]]));
    // What would be lost is told by what holds at this moment; somebody else may have changed it since it was shown.
    const held = await call<Retention>('GetRetention');
    if (!names.some((name) => isShorter(held[NAMES[name]], next[NAMES[name]]))) return save(change);
    ask({ title: t('system.keep_less'), text: t('system.keep_less_why'), yes: t('system.keep_less_yes'), act: () => save(change) });
  };
  return (
    <Form send={t('system.save')} onSend={send} onInput={(values) => setWanted(read(values))} class="narrow">
      <Field label={t('system.keep_days')} name="days" type="number" min={0} max={3650} required defaultValue={now.nKeepDays} hint={told(wanted.nKeepDays, 'days')} />
      <Field label={t('system.keep_snapshot_days')} name="snapshotdays" type="number" min={0} max={3650} required defaultValue={now.nKeepSnapshotDays} hint={told(wanted.nKeepSnapshotDays, 'days')} />
      <Field label={t('system.keep_mb')} name="sourcemb" type="number" min={0} max={1e9} required defaultValue={now.nMaxMbPerSource} hint={told(wanted.nMaxMbPerSource, 'mb')} />
    </Form>
  );
}

function read(values: Values): Retention {
  return { nKeepDays: Number(values['days']), nKeepSnapshotDays: Number(values['snapshotdays']), nMaxMbPerSource: Number(values['sourcemb']) };
}

/** 0 keeps without end. */
function isShorter(now: number, next: number): boolean {
  return next !== 0 && (now === 0 || next < now);
}

function told(value: number, kind: 'days' | 'mb'): string {
  if (kind === 'days') return value > 0 ? t('system.kept_days', { n: value }) : t('system.kept_without_end');
  // The server counts 2^20 bytes each.
  return value > 0 ? t('system.kept_mb', { size: bytes(value * 2 ** 20) }) : t('system.kept_mb_without_end');
}

function Forecast({ volumes, keepDays }: { volumes: Volume[]; keepDays: number }) {
  return (
    <>
      <p class="soft">{t('system.forecast_why')}</p>
      {volumes.length === 0 && <Note>{t('system.no_volume')}</Note>}
      <Table
        label={t('system.forecast')}
        rows={volumes}
        id={(volume) => volume.strName}
        empty=""
        columns={[
          { title: t('system.volume'), cell: (volume) => volume.strName },
          { title: t('system.forecast_days'), cell: (volume) => <b>{forecast(volume)}</b> },
          { title: t('system.arithmetic'), cell: (volume) => arithmetic(volume, keepDays) },
        ]}
      />
    </>
  );
}

function forecast({ nForecastDays, nBytePerDay }: Volume): string {
  if (nForecastDays == null || !nBytePerDay) return t('system.not_measured');
  return t('system.about_days', { n: nForecastDays < 10 ? Math.round(nForecastDays * 10) / 10 : Math.round(nForecastDays), rate: bytes(nBytePerDay) });
}

function arithmetic(volume: Volume, keepDays: number): string {
  if (volume.nForecastDays == null || !volume.nBytePerDay) return t('system.room', { room: bytes(room(volume)) });
  const full = room(volume) / volume.nBytePerDay;
  const sum = t('system.room_by_rate', { room: bytes(room(volume)), rate: bytes(volume.nBytePerDay), days: number(full, full < 10 ? 1 : 0) });
  return keepDays > 0 && full > keepDays ? `${sum} ${t('system.room_rule', { n: keepDays })}` : sum;
}
