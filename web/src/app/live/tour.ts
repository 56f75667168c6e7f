// The user's saved views, and tours: views shown in turn. A tour stands still while it is paused by hand, while a tile is
// enlarged, and while the wall has been changed by hand.

import { computed, effect, signal } from '@preact/signals';
import { call } from '../call';
import { checked, checkedTour, toView, type Layout, type Tour, type View } from './layout';
import * as wall from './wall';

interface Running extends Tour {
  name: string;
  /** Which of the views is shown. */
  at: number;
  /** Seconds that it stays. */
  left: number;
  paused: boolean;
}

export const views = signal<readonly View[]>([]);
export const tour = signal<Running | undefined>(undefined);
/** The view on the wall, as the tour put it there. */
let shown: Layout | undefined;

export const plainViews = computed(() => views.value.filter(({ layout }) => !layout.tour));

export async function loadViews(signal?: AbortSignal): Promise<void> {
  views.value = (await call<{ view: View[] }>('GetViewList', {}, signal)).view;
}

export async function saveView(name: string, more: { tour?: Tour } = {}): Promise<void> {
  const first = more.tour && viewNamed(more.tour.views[0])?.layout;
  const layout = { ...(first ?? toView(wall.layout.value)), ...more };
  await call('SetView', { name, layout: JSON.stringify(layout) });
  await loadViews();
}

export async function deleteView(name: string): Promise<void> {
  await call('DelView', { name });
  await loadViews();
}

export function viewNamed(name: string | undefined): View | undefined {
  return views.value.find(({ strName }) => strName === name);
}

/** Shows a view, or begins a tour. */
export function showView({ strName, layout }: View): void {
  const asked = checkedTour(layout.tour);
  endTour();
  if (!asked) return put(layout);
  tour.value = { ...asked, name: strName, at: -1, left: 0, paused: false };
  wall.touring.value = strName;
  turn(1);
}

/** Goes on with the tour that the address names. */
export function resume(): void {
  const asked = viewNamed(wall.touring.peek());
  if (asked && !tour.peek()) showView(asked);
  else if (!asked) endTour();
}

export function endTour(): void {
  tour.value = undefined;
  wall.touring.value = '';
}

/** The page is left; who comes next has views of their own. */
export function forget(): void {
  endTour();
  views.value = [];
}

export function pause(paused = !tour.value?.paused): void {
  if (!tour.value) return;
  // What was changed by hand meanwhile goes with the next view.
  shown = wall.layout.value;
  tour.value = { ...tour.value, paused };
}

/** To the next view or back, past those that are gone. */
export function turn(step: number): void {
  const now = tour.value;
  if (!now) return;
  const count = now.views.length;
  for (let tried = 1; tried <= count; tried++) {
    const at = (((now.at + step * tried) % count) + count) % count;
    const view = viewNamed(now.views[at]);
    if (!view || view.layout.tour) continue;
    tour.value = { ...now, at, left: now.seconds };
    return put(view.layout);
  }
  endTour();
}

/** A second has passed. */
export function second(): void {
  const now = tour.value;
  if (!now || now.paused || wall.whole.value || document.hidden || document.querySelector('dialog[open]')) return;
  if (now.left > 1) tour.value = { ...now, left: now.left - 1 };
  else turn(1);
}

/** Watches for changes by hand, until the returned function is called. */
export function watchChanges(): () => void {
  return effect(() => {
    if (shown && wall.layout.value !== shown && tour.peek() && !tour.peek()?.paused) pause(true);
  });
}

function put(view: View['layout']): void {
  const layout = checked(view);
  if (!layout) return;
  shown = layout;
  wall.lay(layout);
}
