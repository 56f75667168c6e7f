// Which cameras are played: a list to tick, one to four.

import { Check, Icon } from '../kit';
import { nameOf, sources } from '../state';
import { t } from '../text';
import { MOST } from './deck';
import type { Desk } from './desk';

export function Cameras({ desk }: { desk: Desk }) {
  const tokens = desk.tokens.value;
  // A camera that was deleted may have left recordings.
  const gone = tokens.filter((token) => !sources.value.some(({ strToken }) => strToken === token));
  const all = [...sources.value.map((source) => [source.strToken, nameOf(source)] as const), ...gone.map((token) => [token, t('playback.gone', { name: token })] as const)];
  const title = tokens.length === 1 ? desk.name(tokens[0] ?? '') : t('playback.cameras', { n: tokens.length });
  return (
    <details class="cameras">
      <summary>
        <Icon name="camera" />
        <span>{title}</span>
      </summary>
      <div class="card panel" role="group" aria-label={t('playback.choose')}>
        <p>{t('playback.choose_hint', { n: MOST })}</p>
        {all.map(([token, name]) => (
          <div key={token} class="one">
            <Check label={name} checked={tokens.includes(token)} onSwitch={() => desk.toggleCamera(token)} />
            <button
              type="button"
              class="quiet"
              aria-label={t('playback.only_of', { name })}
              onClick={(event) => {
                event.currentTarget.closest('details')?.removeAttribute('open');
                desk.show([token], desk.day.value);
              }}
            >
              {t('playback.only')}
            </button>
          </div>
        ))}
      </div>
    </details>
  );
}
