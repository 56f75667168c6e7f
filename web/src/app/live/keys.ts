// The keyboard on the wall. Keys that are letters work while the focus is on the wall only, so that no word that is spoken
// or typed elsewhere does anything; they press the buttons of the chosen tile.

import { beside, type Direction } from './layout';
import { toggleFull } from './full';
import { pause, tour, turn } from './tour';
import * as wall from './wall';

const ARROWS: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };
const BUTTONS = 'mrspio';

export interface Asked {
  help: () => void;
  search: () => void;
}

/** Handles keys until the returned function is called. */
export function withKeys(asked: Asked): () => void {
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest('input:not([type=radio]), select, textarea, .panel')) return;
    if (event.key === 'Escape') return escape();
    if (event.key === '?') return asked.help();
    const tile = target.classList.contains('tile');
    const inside = target.closest('.wall') !== null;
    if (!inside && target !== document.body && target.id !== 'content') return;
    if (obey(event, tile, inside, asked)) event.preventDefault();
  };
  document.addEventListener('keydown', down);
  return () => document.removeEventListener('keydown', down);
}

function obey({ key, shiftKey }: KeyboardEvent, tile: boolean, inside: boolean, asked: Asked): boolean {
  const place = wall.selected.value;
  const token = wall.tokenAt(place);
  const arrow = ARROWS[key];
  if (arrow) {
    const next = Math.min(wall.places.value - 1, beside(wall.shownGrid.value, place, arrow));
    return shiftKey ? move(place, next) : choose(next);
  }
  if (/^[1-9]$/.test(key)) return digit(Number(key) - 1);
  if (key === 'Home' || key === 'End') return choose(key === 'Home' ? 0 : wall.places.value - 1);
  if (key === ' ' && !inside && tour.value) return did(pause);
  if (!inside) return false;
  if (key === 'Enter' && tile) return did(() => (token ? wall.enlarge(token) : document.querySelector<HTMLElement>('.tile.selected button')?.click()));
  if (key === ' ' && tile && tour.value) return did(pause);
  if (key === 'Delete' && token) return did(() => wall.clear(place));
  if (key === '/') return did(asked.search);
  if (key === 'f') return did(() => void toggleFull());
  if (key === '[' || key === ']') return did(() => turn(key === '[' ? -1 : 1));
  if (BUTTONS.includes(key)) return did(() => document.querySelector<HTMLElement>(`.tile.selected .key-${key}`)?.click());
  return false;
}

function did(act: () => unknown): true {
  act();
  return true;
}

function escape(): void {
  if (wall.steered.value) wall.steered.value = '';
  else wall.whole.value = '';
}

/** Another tile is chosen; an enlarged one gives way to it. */
function choose(place: number): true {
  wall.selected.value = place;
  if (wall.whole.value && wall.tokenAt(place)) wall.whole.value = wall.tokenAt(place);
  focusTile(place);
  return true;
}

function move(from: number, to: number): true {
  wall.swap(from, to);
  focusTile(to);
  return true;
}

function digit(place: number): boolean {
  const token = wall.tokenAt(place);
  if (place >= wall.places.value || !token) return false;
  wall.selected.value = place;
  wall.enlarge(token);
  focusTile(place);
  return true;
}

/** After what has changed is drawn: a tile that moves in the page loses the focus. */
export function focusTile(place: number): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`.tile[data-place="${place}"]`)?.focus());
}
