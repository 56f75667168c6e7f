// One place of the wall: the picture with its name, what is to be said without one, and the controls on hover or focus.
// A tile is drawn again only when its own source, its place or what is chosen changes; never by a frame or a second.

import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Button, Icon, useLoaded } from '../kit';
import { connected, nameOf, news, sourceMap, standing, type Source } from '../state';
import { t } from '../text';
import { drag, drop, over } from './drag';
import { Feed } from './feed';
import { Figures } from './figures';
import type { Profile, Tile } from './layout';
import { reasonOf } from './reason';
import { NOTHING, recordState, runningTime } from './recording';
import { eachSecond, now } from './ticker';
import { Tools } from './tools';
import { tabSeen, watchSight } from './visible';
import { able, waysFor } from './ways';
import * as wall from './wall';

interface TileProps {
  place: number;
  tile: Tile;
}

export function WallTile({ place, tile }: TileProps) {
  const { token } = tile;
  const box = useRef<HTMLDivElement>(null);
  const source = useComputed(() => sourceMap.value.get(token));
  const selected = useComputed(() => wall.tokenAt(wall.selected.value) === token);
  const whole = useComputed(() => wall.whole.value === token);
  const hovered = useSignal(false);
  const held = useSignal(false);
  const flash = useSignal(0);
  const feed = useFeed(tile, box);
  const { strRecState } = source.value ?? {};
  const recording = useLoaded(async (signal) => (source.value && strRecState !== 'idle' ? recordState(source.value, signal) : NOTHING), [strRecState]);
  const name = source.value ? nameOf(source.value) : token;
  const record = recording.value ?? NOTHING;
  return (
    <div
      class={['tile', selected.value && 'selected', whole.value && 'whole', held.value && 'over'].filter(Boolean).join(' ')}
      role="group"
      aria-label={labelOf(place, name, source.value)}
      tabIndex={selected.value ? 0 : -1}
      data-place={place}
      data-token={token}
      draggable
      onPointerDown={() => (wall.selected.value = place)}
      onFocusIn={() => (wall.selected.value = place)}
      onPointerEnter={() => (hovered.value = true)}
      onPointerLeave={() => (hovered.value = false)}
      onDblClick={(event) => !isControl(event.target) && wall.enlarge(token)}
      onDragStart={(event) => drag(event, token)}
      onDragOver={(event) => (held.value = over(event))}
      onDragLeave={() => (held.value = false)}
      onDrop={(event) => {
        held.value = false;
        drop(event, place);
      }}
    >
      <div class="box" ref={box} />
      <Why feed={feed} token={token} />
      <Plate source={source.value} name={name} since={record.since} small={whole.value && !tile.profile && instead(source.value)} />
      <Figures feed={feed} token={token} />
      {(hovered.value || selected.value) && source.value && <Tools source={source.value} feed={feed} record={record} reload={recording.reload} flash={flash} />}
      {flash.value > 0 && <div key={flash.value} class="flash" />}
    </div>
  );
}

const isControl = (target: EventTarget | null) => target instanceof Element && target.closest('button, a, .tools') !== null;

function labelOf(place: number, name: string, source: Source | undefined): string {
  const words = [t('live.tile', { n: place + 1, name })];
  if (source) words.push(t(`live.is_${standing(source)}`));
  if (source?.bRec) words.push(t('live.recording'));
  return words.join(', ');
}

/** The player behind a tile, from its first drawing to its last; moving the tile does not touch it. */
function useFeed(tile: Tile, box: { current: HTMLDivElement | null }): Feed {
  const { token } = tile;
  const host = useMemo(() => document.createElement('div'), []);
  const feed = useMemo(() => new Feed(token, host, () => (wall.sounding.value = '')), []);
  const inSight = useSignal(true);
  // The signal effects below must see the newest choice.
  const chosen = useSignal(tile);
  chosen.value = tile;
  useLayoutEffect(() => {
    host.className = 'pictures';
    box.current?.append(host);
  }, []);
  useEffect(() => {
    const ready = () => sourceMap.peek().get(token)?.bOnline === true;
    const stops = [box.current ? watchSight(box.current, (seen) => (inSight.value = seen)) : () => undefined, eachSecond(() => feed.second(ready())), () => feed.stop()];
    return () => stops.forEach((stop) => stop());
  }, []);
  useSignalEffect(() => {
    const { value: whole } = wall.whole;
    feed.see(inSight.value && tabSeen.value && (whole === '' || whole === token));
  });
  useSignalEffect(() => feed.mute(wall.sounding.value !== token));
  useSignalEffect(() => {
    const source = sourceMap.value.get(token);
    if (!source) return feed.rest();
    const hevc = source.strVideoType === 'H265';
    const large = (wall.whole.value === token || wall.places.value === 1) && !(hevc && noHevc);
    const profile = profileOf(source, chosen.value, large);
    feed.play({ profile, transport: chosen.value.transport, hevc: hevc && profile === 'main' });
  });
  return feed;
}

/** Many cameras send H.265 large and H.264 small: the small picture is better than none. */
const noHevc = waysFor(able(), true).length === 0;

export function hasSub({ strOnvifProfileSub, bEnableUrlSub }: Source): boolean {
  return strOnvifProfileSub !== '' || bEnableUrlSub === true;
}

function profileOf(source: Source, { profile }: Tile, large: boolean): Profile {
  if (!hasSub(source)) return 'main';
  return profile ?? (large ? 'main' : 'sub');
}

function Why({ feed, token }: { feed: Feed; token: string }) {
  const reason = useComputed(() => reasonOf(sourceMap.value.get(token), feed.state.value, connected.value, news.value));
  const why = reason.value;
  if (!why) return null;
  const { at } = feed.state.value;
  return (
    <div class={`why ${why.kind}`}>
      {why.kind === 'busy' && at !== 'blocked' ? <span class="spin" aria-hidden="true" /> : <Icon name="alert" />}
      <p>
        <strong>{why.text}</strong>
        {why.since && <span> {why.since}</span>}
        {why.detail && <small>{why.detail}</small>}
      </p>
      {at === 'blocked' && (
        <Button icon="play" onPress={() => feed.unblock()}>
          {t('live.start')}
        </Button>
      )}
      {at === 'failed' && (
        <Button icon="refresh" onPress={() => feed.again()}>
          {t('shell.again')}
        </Button>
      )}
    </div>
  );
}

/** Whether the small picture is shown because the browser cannot play the large one. */
function instead(source: Source | undefined): boolean {
  return noHevc && source?.strVideoType === 'H265' && hasSub(source);
}

interface PlateProps {
  source: Source | undefined;
  name: string;
  /** When the recording began; 0 while there is none. */
  since: number;
  small: boolean;
}

function Plate({ source, name, since, small }: PlateProps) {
  const trouble = source && (source.strRecState === 'trouble' || source.strRecState === 'waiting') ? source.strRecText : '';
  return (
    <div class="plate">
      <span class={`dot ${source ? standing(source) : 'offline'}`} aria-hidden="true" />
      <span class="name">{name}</span>
      {source?.bRec && (
        <span class="rec" title={t('live.recording')}>
          <Icon name="record" />
          {since > 0 && <RunningTime since={since} />}
        </span>
      )}
      {small && <span>{t('live.small_instead')}</span>}
      {trouble && (
        <span class="rec trouble" title={trouble}>
          <Icon name="alert" />
          <span class="sr">{trouble}</span>
        </span>
      )}
    </div>
  );
}

function RunningTime({ since }: { since: number }) {
  const text = useComputed(() => runningTime(now.value - since));
  return <>{text}</>;
}

/** A place without a camera. */
export function EmptyTile({ place, onChoose }: { place: number; onChoose: () => void }) {
  const selected = useComputed(() => wall.selected.value === place);
  const held = useSignal(false);
  return (
    <div
      class={['tile empty-tile', selected.value && 'selected', held.value && 'over'].filter(Boolean).join(' ')}
      role="group"
      aria-label={t('live.tile', { n: place + 1, name: t('live.empty') })}
      tabIndex={selected.value ? 0 : -1}
      data-place={place}
      onPointerDown={() => (wall.selected.value = place)}
      onFocusIn={() => (wall.selected.value = place)}
      onDragOver={(event) => (held.value = over(event))}
      onDragLeave={() => (held.value = false)}
      onDrop={(event) => {
        held.value = false;
        drop(event, place);
      }}
    >
      <Button kind="quiet" icon="add" onPress={onChoose}>
        {t('live.add')}
      </Button>
    </div>
  );
}
