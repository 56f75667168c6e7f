// The cameras beside the wall: by name, searched, with what each is doing. A press puts one into the chosen tile. A row is
// drawn again only when its own camera changes.

import { computed, useComputed, useSignal } from '@preact/signals';
import type { TargetedKeyboardEvent } from 'preact';
import { Icon } from '../kit';
import { nameOf, type Source, sourceMap, sources, standing } from '../state';
import { t } from '../text';
import { drag } from './drag';
import { placeOf } from './layout';
import * as wall from './wall';

/** The cameras of this box, or those of a site. */
interface Group {
  /** '' for this box. */
  site: string;
  name: string;
  away: boolean;
  tokens: string[];
}

/** As JSON, so that the list is drawn again only when something of this changes. */
const order = computed(() => JSON.stringify(groups(sources.value)));

/** This box first, then sites by name. */
export function groups(all: readonly Source[]): Group[] {
  const found = new Map<string, Group>();
  for (const { strServerToken: site = '', strServerName: name = '', strOfflineReason, strToken } of all) {
    const group = found.get(site) ?? { site, name: name || site, away: strOfflineReason === 'site_away', tokens: [] };
    group.tokens.push(strToken);
    found.set(site, group);
  }
  return [...found.values()].sort((a, b) => Number(a.site !== '') - Number(b.site !== '') || a.name.localeCompare(b.name, undefined, { numeric: true }));
}
const online = computed(() => sources.value.filter(({ bOnline }) => bOnline).length);

export function Tree({ onPick }: { onPick?: () => void }) {
  const asked = useSignal('');
  const all = JSON.parse(order.value) as Group[];
  const needle = asked.value.trim().toLocaleLowerCase();
  const says = (group: Group, token: string) => `${group.name} ${wall.nameOfToken(token)} ${token}`.toLocaleLowerCase().includes(needle);
  const parts = all.map((group) => ({ ...group, tokens: group.tokens.filter((token) => says(group, token)) })).filter(({ tokens }) => tokens.length > 0);
  const shown = parts.flatMap(({ tokens }) => tokens);
  const pick = (token: string | undefined) => {
    if (!token) return;
    wall.pick(token);
    onPick?.();
  };
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.camera')];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const inField = document.activeElement instanceof HTMLInputElement;
    if (to === undefined || (inField && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    event.stopPropagation();
    if (to < 0) event.currentTarget.querySelector('input')?.focus();
    else rows[to]?.focus();
  };
  return (
    <div class="tree" onKeyDown={keys}>
      <div class="find">
        <Icon name="search" />
        <input
          type="search"
          aria-label={t('live.search')}
          placeholder={t('live.search')}
          autocomplete="off"
          spellcheck={false}
          value={asked.value}
          onInput={(event) => (asked.value = event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && pick(shown[0])}
        />
      </div>
      <Count />
      <ul>
        {parts.map(({ site, name, away, tokens }) => [
          site !== '' && (
            <li key={`${site}-*`} class="site">
              <b>{name}</b>
              {away && <span class="state bad">{t('live.site_away')}</span>}
            </li>
          ),
          ...tokens.map((token) => <Camera key={token} token={token} first={token === shown[0]} onPick={pick} />),
        ])}
      </ul>
      {shown.length === 0 && <p class="nothing">{all.length === 0 ? t('live.no_cameras') : t('live.none_found')}</p>}
    </div>
  );
}

function Count() {
  const all = useComputed(() => sourceMap.value.size);
  return <p class="count">{t('live.count', { online: online.value, n: all.value })}</p>;
}

interface CameraProps {
  token: string;
  /** The row that Tab leads to; arrows go on from there. */
  first: boolean;
  onPick: (token: string) => void;
}

function Camera({ token, first, onPick }: CameraProps) {
  const source = useComputed(() => sourceMap.value.get(token)).value;
  const place = useComputed(() => {
    const at = placeOf(wall.layout.value, token);
    return at < wall.places.value ? at : -1;
  }).value;
  if (!source) return null;
  const state = standing(source);
  return (
    <li>
      <button type="button" class={`camera ${place >= 0 ? 'shown' : ''}`} tabIndex={first ? 0 : -1} draggable data-token={token} title={source.strOfflineText} onDragStart={(event) => drag(event, token)} onClick={() => onPick(token)}>
        <span class={`dot ${state}`} aria-hidden="true" />
        <span class="name">{nameOf(source)}</span>
        {source.bRec && (
          <span class="rec">
            <Icon name="record" />
            <span class="sr">{t('live.recording')}</span>
          </span>
        )}
        <span class={state === 'offline' ? 'state bad' : 'state'}>{t(`live.is_${state}`)}</span>
        {place >= 0 && <span class="place" title={t('live.in_tile', { n: place + 1 })}>{place + 1}</span>}
      </button>
    </li>
  );
}
