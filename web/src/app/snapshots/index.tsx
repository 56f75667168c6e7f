// Snapshots: a gallery by day and camera, with a large view, and one taken now.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { call, words } from '../call';
import { Button, Empty, Head, Note, Progress, Select, tell, tellFailure } from '../kit';
import type { Footage } from '../playback/footage';
import { clock, dayOf, dayText, dayWords, daysOn, parseDay } from '../playback/time';
import { fileAddress } from '../session';
import { isOperator, nameOf, type Source, sources, standing } from '../state';
import { locale, t } from '../text';
import { Gallery } from './gallery';
import './snapshots.css';
import { cameraName, View } from './view';

/** Pictures that are drawn at first, and more at the end of them. */
const PAGE = 60;

export default function Snapshots() {
  const gallery = useMemo(() => new Gallery(), []);
  useEffect(() => () => gallery.dispose(), []);
  const [open, setOpen] = useState<number>();
  const pictures = gallery.pictures.value;
  return (
    <>
      <Head title={t('shell.snapshots')}>
        <Take gallery={gallery} />
      </Head>
      <Filter gallery={gallery} />
      {gallery.fault.value && <Note kind="warn">{gallery.fault.value}</Note>}
      {gallery.looking.value && <Progress label={t('snapshots.looking')} />}
      {!gallery.looking.value && pictures.length === 0 && (
        <Empty>
          <p>{t('snapshots.none')}</p>
        </Empty>
      )}
      <Grid key={`${gallery.token.value} ${dayText(gallery.day.value)}`} pictures={pictures} onOpen={setOpen} />
      {open !== undefined && <View gallery={gallery} at={Math.min(open, Math.max(0, pictures.length - 1))} onMove={setOpen} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Filter({ gallery }: { gallery: Gallery }) {
  const day = gallery.day.value;
  const token = gallery.token.value;
  const today = dayOf(Date.now());
  const count = gallery.pictures.value.length;
  const known = sources.value.map((source) => [source.strToken, nameOf(source)] as const);
  const gone = token && !known.some(([one]) => one === token) ? [[token, token] as const] : [];
  const pick = (text: string) => {
    const picked = parseDay(text);
    if (picked) gallery.show(token, picked);
  };
  return (
    <div class="filter">
      <Select bare label={t('snapshots.camera')} value={token} options={[['', t('snapshots.all')], ...known, ...gone]} onPick={(picked) => gallery.show(picked, day)} />
      <div class="days">
        <Button kind="quiet" icon="back" label={t('snapshots.day_before')} onPress={() => gallery.show(token, daysOn(day, -1))} />
        <input type="date" aria-label={t('snapshots.day')} value={dayText(day)} max={dayText(today)} onChange={(event) => pick(event.currentTarget.value)} />
        <Button kind="quiet" icon="next" label={t('snapshots.day_after')} disabled={dayText(day) >= dayText(today)} onPress={() => gallery.show(token, daysOn(day, 1))} />
      </div>
      <p role="status">
        {dayWords(day, locale.value)}
        {count > 0 && ` · ${t('snapshots.count', { n: count })}`}
      </p>
    </div>
  );
}

function Grid({ pictures, onOpen }: { pictures: readonly Footage[]; onOpen: (at: number) => void }) {
  const [most, setMost] = useState(PAGE);
  const more = () => setMost((before) => before + PAGE);
  return (
    <>
      <ul class="gallery" aria-label={t('shell.snapshots')}>
        {pictures.slice(0, most).map((picture, index) => (
          <li key={picture.path}>
            <Thumb picture={picture} onOpen={() => onOpen(index)} />
          </li>
        ))}
      </ul>
      {pictures.length > most && <More left={pictures.length - most} onMore={more} />}
    </>
  );
}

function Thumb({ picture, onOpen }: { picture: Footage; onOpen: () => void }) {
  const name = cameraName(picture);
  const time = clock(picture.start);
  return (
    <button type="button" class="thumb card" disabled={!picture.available} onClick={onOpen}>
      {picture.available ? <img src={fileAddress(picture.url)} alt="" loading="lazy" decoding="async" /> : <em>{t('snapshots.not_there')}</em>}
      <span>
        <b>{time}</b> {name}
      </span>
    </button>
  );
}

/** Draws more when it is scrolled to, or pressed. */
function More({ left, onMore }: { left: number; onMore: () => void }) {
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  useEffect(() => {
    if (!element) return;
    const watcher = new IntersectionObserver(([entry]) => entry?.isIntersecting && onMore(), { rootMargin: '200px' });
    watcher.observe(element);
    return () => watcher.disconnect();
    // Observed anew after each page: what is still in sight asks for the next one.
  }, [element, left]);
  return (
    <div ref={setElement} class="more">
      <Button onPress={onMore}>{t('snapshots.more', { n: left })}</Button>
    </div>
  );
}

/** Takes one of the chosen camera, or of each that has a picture. */
function Take({ gallery }: { gallery: Gallery }) {
  const token = gallery.token.value;
  const wanted = sources.value.filter((source) => (token ? source.strToken === token : standing(source) !== 'offline'));
  if (!isOperator.value || wanted.length === 0) return null;
  const take = async () => {
    const taken = await Promise.allSettled(wanted.map(({ strToken }) => call('Snapshot', { token: strToken })));
    for (const [index, answer] of taken.entries()) if (answer.status === 'rejected') tellFailure(`${nameOf(wanted[index] as Source)}: ${words(answer.reason)}`);
    const good = taken.filter(({ status }) => status === 'fulfilled').length;
    if (good > 0) tell(t('snapshots.taken', { n: good }));
    const today = dayOf(Date.now());
    if (dayText(gallery.day.value) === dayText(today)) await gallery.refresh();
    else gallery.show(token, today);
  };
  return (
    <Button kind="main" icon="camera" onPress={take}>
      {token ? t('snapshots.take') : t('snapshots.take_all')}
    </Button>
  );
}
