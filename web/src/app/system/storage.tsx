// The volumes: whether they work, what lies on them, what is written each day, and how worn the disks are.

import { call } from '../call';
import { Badge, Empty, Facts, Head, Load, Note, Section, useLoaded } from '../kit';
import { news } from '../state';
import { t } from '../text';
import { bytes, moment, number } from '../words';
import { DayBars, SpaceBar } from './space';
import { byDay, storageInfo, trouble, type StorageInfo, type Volume } from './volumes';

/** GetStorageHealth. */
interface Health {
  devices: { strName: string; strModel: string; nBytes: number; nBytesWritten: number; nLifeUsedPercent: number | null; strPreEol: '' | 'normal' | 'warning' | 'urgent' }[];
  data: { nBytes: number; nFree: number; bReadOnly: boolean };
}

const KINDS = { online: 'good', checking: 'plain', full: 'bad', readonly: 'bad', gone: 'bad' } as const;
const WORN = 80;

export default function Storage() {
  const told = news.value.filter((item) => item.strType === 'storage').length;
  const storage = useLoaded(storageInfo, [told]);
  const health = useLoaded((signal) => call<Health>('GetStorageHealth', {}, signal));
  return (
    <>
      <Head title={t('system.storage')} />
      <Load of={storage}>
        {(info) => (
          <>
            {info.volume.length === 0 && <Empty>{t('system.no_volume')}</Empty>}
            {info.volume.map((volume) => (
              <VolumeSection key={volume.strName} volume={volume} />
            ))}
            <Written info={info} />
          </>
        )}
      </Load>
      <Section title={t('system.health')}>
        <Load of={health}>{(value) => <HealthList health={value} />}</Load>
      </Section>
    </>
  );
}

function VolumeSection({ volume }: { volume: Volume }) {
  const { nTotalByte, nFreeByte, nRecordByte, nSnapshotByte, strState } = volume;
  const why = trouble(volume);
  const other = Math.max(0, nTotalByte - nFreeByte - nRecordByte - nSnapshotByte);
  return (
    <Section title={volume.strName} actions={<Badge kind={KINDS[strState]}>{t(`system.state_${strState}`)}</Badge>}>
      {why && (
        <Note kind="bad">
          {t(`system.volume_${why}`, { name: volume.strName })} {volume.strText}
        </Note>
      )}
      {strState === 'checking' && <Note>{t('system.checking', { done: volume.nChecked, of: volume.nToCheck })}</Note>}
      <SpaceBar
        title={t('system.space')}
        total={nTotalByte}
        free={nFreeByte}
        shares={[
          { kind: 'record', name: t('system.recordings'), bytes: nRecordByte },
          { kind: 'snapshot', name: t('shell.snapshots'), bytes: nSnapshotByte },
          { kind: 'other', name: t('system.other'), bytes: other },
        ]}
      />
      <Facts
        facts={[
          [t('system.folder'), volume.strPath],
          [t('system.recordings'), t('system.n_files', { n: volume.nRecordCount })],
          [t('shell.snapshots'), t('system.n_files', { n: volume.nSnapshotCount })],
          [t('system.reserve'), bytes(volume.nKeepFreeByte)],
          volume.nSetAside > 0 && ([t('system.set_aside'), t('system.n_files', { n: volume.nSetAside })] as const),
        ]}
      />
    </Section>
  );
}

function Written({ info }: { info: StorageInfo }) {
  const today = new Date();
  // The day as the browser has it; the server's may be another for some hours.
  const local = `${today.getFullYear()}-${String(today.getMonth() + 1).padStart(2, '0')}-${String(today.getDate()).padStart(2, '0')}`;
  const newest = info.written.reduce((latest, { strDay }) => (strDay > latest ? strDay : latest), local);
  const days = byDay(info.written, newest);
  const sum = days.reduce((all, { bytes: amount }) => all + amount, 0);
  return (
    <Section title={t('system.written')}>
      <DayBars title={t('system.last_30_days')} days={days} />
      <Facts
        facts={[
          [t('system.written_today'), bytes(info.nWrittenTodayByte)],
          [t('system.written_30'), bytes(sum)],
          info.strOldestTime !== '' && ([t('system.oldest'), moment(info.strOldestTime)] as const),
        ]}
      />
    </Section>
  );
}

function HealthList({ health }: { health: Health }) {
  return (
    <>
      {health.data.bReadOnly && <Note kind="bad">{t('system.data_readonly')}</Note>}
      {health.devices.length === 0 && <p class="soft">{t('system.no_devices')}</p>}
      {health.devices.map((disk) => (
        <div key={disk.strName} class="disk">
          <h3>
            {disk.strModel || disk.strName} {worn(disk) ? <Badge kind={disk.strPreEol === 'urgent' ? 'bad' : 'warn'}>{t('system.worn')}</Badge> : <Badge kind={known(disk) ? 'good' : 'off'}>{known(disk) ? t('system.healthy') : t('system.health_unknown')}</Badge>}
          </h3>
          {worn(disk) && <Note kind={disk.strPreEol === 'urgent' ? 'bad' : 'warn'}>{disk.strPreEol === 'urgent' ? t('system.worn_urgent') : t('system.worn_soon')}</Note>}
          <Facts
            facts={[
              [t('system.device'), disk.strName],
              [t('system.size'), bytes(disk.nBytes)],
              [t('system.life_used'), disk.nLifeUsedPercent === null ? t('system.life_not_told') : t('system.life_percent', { percent: number(disk.nLifeUsedPercent, 0) })],
              [t('system.written_since_start'), bytes(disk.nBytesWritten)],
            ]}
          />
        </div>
      ))}
    </>
  );
}

type Disk = Health['devices'][number];

function worn(disk: Disk): boolean {
  return disk.strPreEol === 'warning' || disk.strPreEol === 'urgent' || (disk.nLifeUsedPercent ?? 0) >= WORN;
}

function known(disk: Disk): boolean {
  return disk.strPreEol === 'normal' || disk.nLifeUsedPercent !== null;
}
