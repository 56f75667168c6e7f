// In words, why a tile shows nothing: the camera first, then the way to the browser.

import { type News, type Source, standing } from '../state';
import { t } from '../text';
import { clock, moment } from '../words';
import { asSentence } from '../../player/text';
import type { FeedState } from './feed';

export interface Reason {
  /** Bad: somebody has to do something. Busy: it comes by itself. */
  kind: 'bad' | 'busy';
  text: string;
  /** The server's or the player's own words, in English. */
  detail: string;
  /** Since when, where it is known. */
  since: string;
}

const OFFLINE = ['refused', 'unauthorised', 'no_route', 'stalled', 'lost', 'not_found', 'unsupported', 'site_away'] as const;

/** Why a camera is offline, translated. */
export function offlineText({ strOfflineReason }: Source): string {
  const known = OFFLINE.find((reason) => reason === strOfflineReason);
  return known ? t(`live.offline_${known}`) : t('live.offline');
}

/** `undefined` while the picture moves. `online`: the server answers. */
export function reasonOf(source: Source | undefined, feed: FeedState, online: boolean, news: readonly News[]): Reason | undefined {
  if (feed.at === 'playing') return undefined;
  const busy = (text: string, detail = ''): Reason => ({ kind: 'busy', text, detail, since: '' });
  const bad = (text: string, detail = '', since = ''): Reason => ({ kind: 'bad', text, detail, since });
  if (!online) return busy(t('live.no_server'));
  if (!source) return bad(t('live.no_source'));
  switch (standing(source)) {
    case 'offline':
      return bad(offlineText(source), asSentence(source.strOfflineText ?? ''), sinceOf(source.strToken, news));
    case 'connecting':
      return busy(t('live.camera_connecting'));
  }
  switch (feed.at) {
    case 'unable':
      return bad(t('live.unable', { codec: codecOf(source) }), t('live.unable_advice'));
    case 'failed':
      return bad(t('live.failed'), feed.text);
    case 'waiting':
      return busy(t('live.waiting'));
    case 'blocked':
      return busy(t('live.blocked'));
    case 'paused':
      return busy(t('live.paused'));
  }
  return busy(t('live.connecting'), feed.text);
}

/** `H.265` of `H265`. */
export function codecOf({ strVideoType = '' }: Source): string {
  return strVideoType.replace(/^H26/, 'H.26');
}

/** When the news last said that the camera went away; today's without the date. */
function sinceOf(token: string, news: readonly News[]): string {
  const item = news.find(({ strToken, strType }) => strToken === token && (strType === 'offline' || strType === 'online'));
  if (item?.strType !== 'offline') return '';
  const today = new Date(item.strTime).toDateString() === new Date().toDateString();
  return t('live.since', { time: today ? clock(item.strTime) : moment(item.strTime) });
}
