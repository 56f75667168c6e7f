// The pictures: one for each camera, with its name, and in words why it shows nothing.

import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { H5sState } from '../../player/conf';
import { Icon } from '../kit';
import { sourceMap } from '../state';
import { t } from '../text';
import type { Desk } from './desk';
import { Preview } from './preview';
import type { Stage } from './stage';

const PREVIEW_WIDTH = 640;

interface ScreensProps {
  desk: Desk;
  scrubbed: ReadonlySignal<number | undefined>;
}

export function Screens({ desk, scrubbed }: ScreensProps) {
  const stages = desk.deck.stages.value;
  const { motion, playing } = desk.deck;
  const startable = !playing.value && desk.records.value.length > 0;
  return (
    <div class={`screens of-${stages.length}`}>
      {stages.map((stage) => (
        <Screen key={stage.token} desk={desk} stage={stage} scrubbed={scrubbed} />
      ))}
      {startable && motion.value !== 'paused' && scrubbed.value === undefined && (
        <button type="button" class="start" tabIndex={-1} aria-hidden="true" onClick={() => desk.toggle()}>
          <Icon name="play" />
        </button>
      )}
      {desk.message.value && (
        <p class="message" role="status">
          {desk.message.value}
        </p>
      )}
    </div>
  );
}

interface ScreenProps extends ScreensProps {
  stage: Stage;
}

function Screen({ desk, stage, scrubbed }: ScreenProps) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => host.current?.prepend(stage.video), [stage]);
  const { token } = stage;
  const alone = desk.deck.stages.value.length === 1;
  const source = sourceMap.value.get(token);
  const resting = desk.deck.motion.value !== 'off' && desk.deck.resting.value.has(token);
  const moment = scrubbed.value;
  const text = resting ? t('playback.resting') : sayState(stage.state.value);
  return (
    <figure class="screen" data-state={stage.state.value?.state} data-resting={resting}>
      <div ref={host} class="picture-host" onClick={() => desk.toggle()} />
      {moment !== undefined && <Preview token={token} moment={moment} width={PREVIEW_WIDTH} class="over" />}
      {!alone && <figcaption>{desk.name(token)}</figcaption>}
      {!source && <p class="message top">{t('playback.camera_gone', { name: token })}</p>}
      {text && moment === undefined && (
        <p class="message" role="status">
          {text}
        </p>
      )}
    </figure>
  );
}

/** The player speaks English; what can be said in the page's language is. */
function sayState(state: H5sState | undefined): string {
  switch (state?.state) {
    case 'connecting':
      return t('playback.connecting');
    case 'waiting':
      return t('playback.waiting');
    case 'ended':
      return t('playback.ended');
    case 'blocked':
      return t('playback.blocked');
    case 'reconnecting':
    case 'fallback':
    case 'error':
      return state.text;
    default:
      return '';
  }
}
