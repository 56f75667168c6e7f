// How a source is, in words.

import { Badge } from '../kit';
import { standing, type Source, type Standing } from '../state';
import { t, type Key } from '../text';

const REASONS = ['refused', 'unauthorised', 'no_route', 'stalled', 'lost', 'not_found', 'unsupported', 'site_away'];
const KINDS: Record<Standing, 'good' | 'off' | 'warn' | 'bad'> = { online: 'good', connecting: 'warn', offline: 'bad' };

export function Status({ source }: { source: Source }) {
  const now = standing(source);
  const why = now === 'offline' ? reason(source) : '';
  return (
    <div class="status">
      <Badge kind={KINDS[now]}>{t(`sources.is_${now}`)}</Badge>
      {why && <small title={source.strOfflineText}>{why}</small>}
    </div>
  );
}

/** Why it is offline, in the page's language; the server's words where it has a reason of its own. */
export function reason({ strOfflineReason = '', strOfflineText = '' }: Pick<Source, 'strOfflineReason' | 'strOfflineText'>): string {
  return REASONS.includes(strOfflineReason) ? t(`sources.why_${strOfflineReason}` as Key) : strOfflineText;
}

/** A sentence, and the server's words as far as they say more. */
export function explained(sentence: string, detail: string): string {
  return detail === '' || detail === sentence ? sentence : `${sentence} (${detail.replace(/\.$/, '')})`;
}

export function Recording({ source }: { source: Source }) {
  const kind = { idle: 'off', recording: 'bad', waiting: 'warn', trouble: 'warn' } as const;
  return (
    <div class="status">
      {source.strRecState === 'idle' ? <span class="soft">{t('sources.rec_idle')}</span> : <Badge kind={kind[source.strRecState]}>{t(`sources.rec_${source.strRecState}`)}</Badge>}
      {source.strRecText && <small>{source.strRecText}</small>}
    </div>
  );
}

/** `H.264`, as people write it. */
export function codecText(name: string): string {
  return name.replace(/^H(26\d)$/i, 'H.$1');
}

export function size(width = 0, height = 0): string {
  return width > 0 ? `${width} × ${height}` : '';
}
