// What the keys do.

import { Dialog } from '../kit';
import { t, type Key } from '../text';

const KEYS: readonly (readonly [keys: string, what: Key])[] = [
  ['← → ↑ ↓', 'live.key_arrows'],
  ['Shift + ← → ↑ ↓', 'live.key_move'],
  ['Enter', 'live.key_enter'],
  ['1 … 9', 'live.key_digits'],
  ['Esc', 'live.key_escape'],
  ['Delete', 'live.key_delete'],
  ['M', 'live.key_m'],
  ['R', 'live.key_r'],
  ['S', 'live.key_s'],
  ['P', 'live.key_p'],
  ['I', 'live.key_i'],
  ['O', 'live.key_o'],
  ['F', 'live.key_f'],
  ['/', 'live.key_search'],
  ['[ ]', 'live.key_turn'],
  ['Space', 'live.key_space'],
  ['?', 'live.key_help'],
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('live.help')} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">{t('live.help_letters')}</p>
    </Dialog>
  );
}
