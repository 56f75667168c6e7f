// The day's recordings as a list, with what can be done to each.

import { useState } from 'preact/hooks';
import { ask, Badge, Button, Section, Table, tell, type Column } from '../kit';
import { fileAddress } from '../session';
import { isAdministrator, isOperator } from '../state';
import { t } from '../text';
import { bytes } from '../words';
import type { Desk } from './desk';
import { type Footage, remove, setLock } from './footage';
import { clock, lengthWords } from './time';

/** Rows that are drawn at first, and more with each press. */
const ROWS = 100;

export function Records({ desk }: { desk: Desk }) {
  const [most, setMost] = useState(ROWS);
  const records = desk.records.value;
  if (records.length === 0) return null;
  const several = desk.tokens.value.length > 1;
  const camera: Column<Footage> = { title: t('playback.camera'), cell: ({ token }) => desk.name(token), by: ({ token }) => desk.name(token) };
  const columns: Column<Footage>[] = [
    {
      title: t('playback.start'),
      by: ({ start }) => start,
      cell: (record) => (
        <Button kind="quiet" disabled={!record.available} label={t('playback.play_from', { time: clock(record.start) })} onPress={() => desk.playFrom(record.start)}>
          {clock(record.start)}
        </Button>
      ),
    },
    ...(several ? [camera] : []),
    {
      title: t('playback.length'),
      by: ({ start, end }) => end - start,
      cell: ({ start, end, open }) => (open ? t('playback.still_recording', { length: lengthWords(end - start) }) : lengthWords(end - start)),
    },
    { title: t('playback.size'), by: (record) => record.bytes, cell: (record) => (record.bytes > 0 ? bytes(record.bytes) : '–') },
    {
      title: t('playback.type'),
      by: ({ cause }) => cause,
      cell: (record) => (
        <span class="what">
          <span class={`cause ${record.cause}`}>{t(`playback.kind_${record.cause}`)}</span>
          {record.locked && <Badge kind="good">{t('playback.locked')}</Badge>}
          {!record.available && <Badge kind="bad">{t('playback.not_there')}</Badge>}
        </span>
      ),
    },
    { title: t('playback.do'), cell: (record) => <Acts desk={desk} record={record} /> },
  ];
  return (
    <Section title={t('playback.records')} class="records">
      <Table label={t('playback.records')} rows={records} most={most} id={({ path }) => path} columns={columns} empty="" />
      {records.length > most && (
        <Button kind="quiet" onPress={() => setMost(most + ROWS)}>
          {t('playback.more', { n: records.length - most })}
        </Button>
      )}
    </Section>
  );
}

function Acts({ desk, record }: { desk: Desk; record: Footage }) {
  const time = clock(record.start);
  const lock = async () => {
    await setLock(record, !record.locked);
    await desk.refresh();
  };
  const drop = () =>
    ask({
      title: t('playback.delete_title'),
      text: t('playback.delete_text', { name: desk.name(record.token), from: time, to: clock(record.end) }),
      yes: t('playback.delete'),
      act: async () => {
        await remove('record', record);
        desk.changes.value++;
        await desk.refresh();
        tell(t('playback.deleted'));
      },
    });
  return (
    <span class="do">
      {record.available && (
        <a class="quiet" href={fileAddress(record.url, { download: '1' })} aria-label={t('playback.download_of', { time })} download="">
          {t('playback.download')}
        </a>
      )}
      {isOperator.value && (
        <Button kind="quiet" onPress={lock}>
          {t(record.locked ? 'playback.unlock' : 'playback.lock')}
        </Button>
      )}
      {isAdministrator.value && (
        <Button kind="quiet" class="danger" disabled={record.open || record.locked} onPress={drop}>
          {t('playback.delete')}
        </Button>
      )}
    </span>
  );
}
