// Live: the cameras at the left, the wall of moving pictures beside them.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button, Dialog, Empty } from '../kit';
import { href } from '../route';
import { isAdministrator } from '../state';
import { t } from '../text';
import { Choices } from './choices';
import { isFull, toggleFull } from './full';
import { Help } from './help';
import { withKeys } from './keys';
import './live.css';
import './pad.css';
import './tile.css';
import { Pad } from './pad';
import { EmptyTile, WallTile } from './tile';
import { Toolbar } from './toolbar';
import { Tree } from './tree';
import * as wall from './wall';

const LIST = 'h5edge-live-list';
const NARROW = matchMedia('(max-width: 48rem)');

/** A drawer does not open by itself. */
const listAtFirst = () => !NARROW.matches && localStorage.getItem(LIST) !== 'closed';

export default function Live() {
  const list = useSignal(listAtFirst());
  const help = useSignal(false);
  const showList = (open: boolean) => {
    list.value = open;
    if (!NARROW.matches) localStorage.setItem(LIST, open ? 'open' : 'closed');
  };
  const search = () => {
    showList(true);
    requestAnimationFrame(() => document.querySelector<HTMLElement>('.tree input')?.focus());
  };
  useEffect(() => {
    wall.narrow.value = NARROW.matches;
    const narrow = () => {
      wall.narrow.value = NARROW.matches;
      list.value = listAtFirst();
    };
    NARROW.addEventListener('change', narrow);
    const stops = [wall.open(), withKeys({ help: () => (help.value = true), search }), () => NARROW.removeEventListener('change', narrow)];
    return () => stops.forEach((stop) => stop());
  }, []);
  return (
    <>
      <h1 class="sr">{t('shell.live')}</h1>
      {list.value && !wall.narrow.value && (
        <aside class="list" aria-label={t('live.cameras')}>
          <Tree />
        </aside>
      )}
      {list.value && wall.narrow.value && (
        <Dialog title={t('live.cameras')} onClose={() => showList(false)}>
          <Tree onPick={() => showList(false)} />
        </Dialog>
      )}
      <section class="watch" aria-label={t('live.wall')}>
        <Toolbar list={list.value} onList={() => showList(!list.value)} onHelp={() => (help.value = true)} />
        <Wall onChoose={search} />
        {isFull.value && (
          <Button icon="close" label={t('live.full_leave')} class="leave" onPress={() => toggleFull()} />
        )}
        <p class="sr" role="status">
          {wall.said}
        </p>
      </section>
      <Pad list={list.value} />
      <Choices />
      {help.value && <Help onClose={() => (help.value = false)} />}
    </>
  );
}

function Wall({ onChoose }: { onChoose: () => void }) {
  const { tiles } = wall.layout.value;
  const { cols, rows } = wall.shownGrid.value;
  if (wall.bare.value) return <NoCameras />;
  const choose = (place: number) => {
    wall.selected.value = place;
    onChoose();
  };
  return (
    <div class={wall.whole.value ? 'wall has-whole' : 'wall'} style={{ '--cols': cols, '--rows': rows }}>
      {Array.from({ length: wall.places.value }, (_, place) => {
        const tile = tiles[place];
        return tile ? <WallTile key={tile.token} place={place} tile={tile} /> : <EmptyTile key={place} place={place} onChoose={() => choose(place)} />;
      })}
    </div>
  );
}

function NoCameras() {
  return (
    <Empty>
      <p>{t('live.no_cameras')}</p>
      {isAdministrator.value ? (
        <a class="add" href={href('sources')}>
          {t('live.add_cameras')}
        </a>
      ) : (
        <p>{t('live.ask_administrator')}</p>
      )}
    </Empty>
  );
}
