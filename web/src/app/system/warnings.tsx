// What needs somebody. The default password is told above every page.

import type { ComponentChildren } from 'preact';
import { call } from '../call';
import { Icon, Note, useLoaded } from '../kit';
import { href } from '../route';
import { about, connected, isAdministrator, nameOf, news, sources, standing, update, type Update } from '../state';
import { t } from '../text';
import { storageInfo, trouble } from './volumes';

export function Warnings() {
  // The state of a volume comes as news.
  const storageNews = news.value.filter((item) => item.strType === 'storage').length;
  const storage = useLoaded(storageInfo, [storageNews]);
  const box = useLoaded(boxState, [about.value.appliance, isAdministrator.value, connected.value]);
  const lost = sources.value.filter((source) => standing(source) === 'offline');
  const waiting = update.value ?? box.value?.update;
  const warnings: ComponentChildren[] = [];
  for (const volume of storage.value?.volume ?? []) {
    const why = trouble(volume);
    if (why) warnings.push(<Warning key={volume.strName} text={t(`system.volume_${why}`, { name: volume.strName })} more={volume.strText} to={isAdministrator.value ? 'system/storage' : undefined} />);
  }
  if (box.value?.unsynchronised) warnings.push(<Warning key="clock" text={t('system.clock_wrong')} to="system/time" />);
  if (waiting?.bRebootNeeded) warnings.push(<Warning key="update" text={t('system.update_waits')} to="system/update" />);
  if (lost.length > 0) warnings.push(<Warning key="lost" text={t('system.cameras_offline', { n: lost.length, names: names(lost.map(nameOf)) })} to={isAdministrator.value ? 'sources' : 'live'} />);
  if (warnings.length > 0) return <div class="warnings">{warnings}</div>;
  return storage.value ? <Note kind="good">{t('system.all_well')}</Note> : null;
}

/** What only a box has, and only Administrators may ask. */
async function boxState(signal: AbortSignal): Promise<{ unsynchronised: boolean; update: Update } | undefined> {
  if (!about.value.appliance || !isAdministrator.value) return undefined;
  const [time, now] = await Promise.all([call<{ bSynchronised: boolean }>('GetTime', {}, signal), call<Update>('GetUpdate', {}, signal)]);
  return { unsynchronised: !time.bSynchronised, update: now };
}

const NAMED = 5;

function names(all: readonly string[]): string {
  return all.length > NAMED ? `${all.slice(0, NAMED).join(', ')} …` : all.join(', ');
}

function Warning({ text, more, to }: { text: string; more?: string; to: string | undefined }) {
  return (
    <div class="note warn caution">
      <Icon name="alert" />
      <span>
        {text} {more && <small>{more}</small>}
      </span>
      {to && <a href={href(to)}>{t('system.see')}</a>}
    </div>
  );
}
