// What the wall shows, shared by its parts: the layout, which tile is chosen, enlarged, heard or steered. Every change of
// the layout goes through here, and is kept in the address and, per user, in the browser, with no secrets in either.

import { computed, effect, signal, untracked } from '@preact/signals';
import { route, note } from '../route';
import { me, nameOf, sourceMap, sources } from '../state';
import { t } from '../text';
import * as plan from './layout';

const PAGE = 'live';

const NOTHING: plan.Layout = { grid: { cols: 2, rows: 2 }, tiles: [] };

export const layout = signal(NOTHING);
/** Somebody has arranged the wall; until then new cameras are added by themselves. */
const arranged = signal(false);
/** The place that keys and a press on a camera in the list are for. */
export const selected = signal(0);
/** Token of the tile that fills the wall, or ''. */
export const whole = signal('');
/** Token of the one tile that is heard, or ''. */
export const sounding = signal('');
/** Token of the camera whose pad is open, or ''. */
export const steered = signal('');
/** Token of the tile whose choices are open, or ''. */
export const choosing = signal('');
/** Tokens of the tiles that show the figures of their stream. */
export const measured = signal<ReadonlySet<string>>(new Set());
/** For screen readers: what a key or a press has done. */
export const said = signal('');
/** Name of the tour under way, or ''; a reload goes on with it. */
export const touring = signal('');
/** Narrow screens have the wall in one or two columns, and the cameras in a drawer. */
export const narrow = signal(false);

export const places = computed(() => plan.placesOf(layout.value.grid));

/** The grid as it is seen. */
export const shownGrid = computed<plan.Grid>(() => {
  const { cols, rows } = layout.value.grid;
  const across = narrow.value ? Math.min(2, cols) : cols;
  return { cols: across, rows: Math.ceil((cols * rows) / across) };
});

/** There is nothing to be shown, and nobody has asked for anything. */
export const bare = computed(() => sourceMap.value.size === 0 && layout.value.tiles.every((tile) => !tile));

export function tokenAt(place: number): string {
  return layout.value.tiles[place]?.token ?? '';
}

export function nameOfToken(token: string): string {
  const source = sourceMap.value.get(token);
  return source ? nameOf(source) : token;
}

/** Takes a layout over as arranged by hand. */
export function arrange(next: plan.Layout): void {
  arranged.value = true;
  layout.value = next;
  const places = plan.placesOf(next.grid);
  if (selected.value >= places) selected.value = places - 1;
  const shown = new Set(next.tiles.slice(0, places).map((tile) => tile?.token ?? ''));
  for (const of of [whole, sounding, steered]) if (!shown.has(of.value)) of.value = '';
}

/** Another wall as a whole: an empty place is chosen, so that the next camera replaces none. */
export function lay(next: plan.Layout): void {
  whole.value = '';
  arrange(next);
  selected.value = plan.emptyAfter(next, -1) ?? 0;
}

/** Places that a larger grid adds take the next cameras. */
export function setGrid(grid: plan.Grid): void {
  const tokens = sources.value.map(({ strToken }) => strToken);
  lay(plan.regrid(layout.value, grid, tokens));
}

/** Puts a camera into a place, where it changes places with what is there; then the next empty place is chosen. */
export function show(token: string, place = selected.value): void {
  const large = whole.value !== '';
  arrange(plan.put(layout.value, place, token));
  if (large) whole.value = token;
  said.value = t('live.was_put', { name: nameOfToken(token), n: place + 1 });
  selected.value = large ? place : (plan.emptyAfter(layout.value, place) ?? place);
}

/** A press on a camera in the list: goes to its tile, or puts it into the chosen one. */
export function pick(token: string): void {
  const place = plan.placeOf(layout.value, token);
  if (place < 0 || place >= places.value) return show(token);
  selected.value = place;
  if (whole.value) whole.value = token;
  said.value = t('live.was_chosen', { name: nameOfToken(token), n: place + 1 });
}

export function swap(a: number, b: number): void {
  if (a === b) return;
  arrange(plan.swap(layout.value, a, b));
  selected.value = b;
  said.value = t('live.was_moved', { name: nameOfToken(tokenAt(b)) || t('live.empty'), n: b + 1 });
}

export function clear(place: number): void {
  const name = nameOfToken(tokenAt(place));
  arrange(plan.withTile(layout.value, place, undefined));
  said.value = t('live.was_removed', { name });
}

/** Changes how one camera is shown. */
export function change(token: string, how: Pick<plan.Tile, 'transport' | 'profile'>): void {
  const place = plan.placeOf(layout.value, token);
  const { transport, profile } = { ...layout.value.tiles[place], ...how };
  arrange(plan.withTile(layout.value, place, { token, ...(transport && { transport }), ...(profile && { profile }) }));
}

export function enlarge(token: string): void {
  whole.value = whole.value === token ? '' : token;
  said.value = whole.value ? t('live.was_enlarged', { name: nameOfToken(token) }) : '';
}

export function toggleFigures(token: string): void {
  const next = new Set(measured.value);
  if (!next.delete(token)) next.add(token);
  measured.value = next;
}

const keptUnder = () => `h5edge-live-${me.peek().user}`;

function kept(): plan.Layout | undefined {
  try {
    return plan.checked(JSON.parse(localStorage.getItem(keptUnder()) ?? 'null'));
  } catch {
    return undefined;
  }
}

/** Shows what the address says, else what was shown last, else the first cameras; and keeps it so. */
export function open(): () => void {
  const { query } = route.peek();
  const asked = plan.fromQuery(query) ?? kept();
  // It goes on as soon as the views are there.
  touring.value = query.get('tour') ?? '';
  whole.value = steered.value = choosing.value = sounding.value = '';
  selected.value = 0;
  // Nothing of what another user has left.
  arranged.value = false;
  layout.value = NOTHING;
  if (asked) lay(asked);
  const stops = [
    effect(() => {
      const tokens = sources.value.map(({ strToken }) => strToken);
      if (arranged.value || tokens.length === 0) return;
      const first = plan.firstLayout(tokens, narrow.peek());
      if (JSON.stringify(untracked(() => layout.value)) !== JSON.stringify(first)) layout.value = first;
    }),
    effect(() => {
      const now = layout.value;
      if (!arranged.value) return;
      localStorage.setItem(keptUnder(), JSON.stringify(plan.toView(now)));
      const query = { ...plan.toQuery(now), ...(touring.value && { tour: touring.value }) };
      untracked(() => says(query) || note(PAGE, query));
    }),
    // An address that was typed, or a link to the page itself.
    effect(() => {
      const { page, query } = route.value;
      untracked(() => {
        const wanted = page === PAGE ? plan.fromQuery(query) : undefined;
        if (wanted && JSON.stringify(plan.toView(wanted)) !== JSON.stringify(plan.toView(layout.value))) lay(wanted);
      });
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

/** Whether the address says this of the wall already. */
function says(query: Record<string, string>): boolean {
  return ['grid', 'tiles', 'tour'].every((name) => (route.value.query.get(name) ?? '') === (query[name] ?? ''));
}
