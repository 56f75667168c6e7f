// The controls of one tile: sound, recording, snapshot, steering, figures, choices, size. Their keys are in `keys.ts`,
// which presses these buttons.

import type { Signal } from '@preact/signals';
import { player } from '../../page/player';
import { call } from '../call';
import { Button, tell } from '../kit';
import { fileAddress } from '../session';
import { isOperator, nameOf, type Source } from '../state';
import { t } from '../text';
import type { Feed } from './feed';
import { canBeFull, toggleFull } from './full';
import { toggleRecord, type RecordState } from './recording';
import * as wall from './wall';

interface ToolsProps {
  source: Source;
  feed: Feed;
  record: RecordState;
  /** Asks for the state of the recordings anew. */
  reload: () => Promise<void>;
  /** Counts up with each picture taken. */
  flash: Signal<number>;
}

export function Tools({ source, feed, record, reload, flash }: ToolsProps) {
  const token = source.strToken;
  const name = nameOf(source);
  const heard = wall.sounding.value === token;
  const large = wall.whole.value === token;
  const measured = wall.measured.value.has(token);
  const toggle = async () => {
    await toggleRecord(source, name, record.manual);
    await reload();
  };
  return (
    <div class="tools" role="group" aria-label={t('live.controls', { name })}>
      {source.bEnableAudio && (
        <Button icon={heard ? 'sound' : 'mute'} label={heard ? t('live.sound_off') : t('live.sound_on')} class="key-m" pressed={heard} onPress={() => (wall.sounding.value = heard ? '' : token)} />
      )}
      {isOperator.value && (
        <Button icon={record.manual ? 'stop' : 'record'} label={record.manual ? t('live.record_stop') : t('live.record_start')} class={record.manual ? 'key-r running' : 'key-r'} onPress={toggle} />
      )}
      <Button icon="photo" label={t('live.snapshot')} class="key-s" onPress={() => snapshot(source, name, feed, flash)} />
      {canSteer(source) && (
        <Button icon="steer" label={t('live.steer')} class="key-p" pressed={wall.steered.value === token} onPress={() => (wall.steered.value = wall.steered.value === token ? '' : token)} />
      )}
      <Button icon="info" label={t('live.figures')} class="key-i" pressed={measured} onPress={() => wall.toggleFigures(token)} />
      <Button icon="more" label={t('live.choices')} class="key-o" onPress={() => (wall.choosing.value = token)} />
      {canBeFull && <Button icon="full" label={t('live.full')} onPress={() => toggleFull(token)} />}
      <Button icon={large ? 'shrink' : 'enlarge'} label={large ? t('live.shrink') : t('live.enlarge')} onPress={() => wall.enlarge(token)} />
    </div>
  );
}

export function canSteer(source: Source | undefined): boolean {
  return isOperator.value && (source?.nOriginalType ?? source?.nType) === 'H5_ONVIF';
}

/** Kept on the server by those who may; a Viewer saves the picture that is seen. */
async function snapshot({ strToken: token }: Source, name: string, feed: Feed, flash: Signal<number>): Promise<void> {
  if (!isOperator.value) {
    const { video } = feed;
    if (!video || player.H5sSnapshot(video, `${token}.jpg`) === '') throw new Error(t('live.no_picture'));
    flash.value++;
    return;
  }
  const { strUrl } = await call<{ strUrl: string }>('Snapshot', { token });
  flash.value++;
  tell(
    <>
      {t('live.snapshot_kept', { name })}{' '}
      <a href={fileAddress(strUrl)} target="_blank" rel="noopener">
        {t('live.snapshot_open')}
      </a>
    </>,
  );
}
