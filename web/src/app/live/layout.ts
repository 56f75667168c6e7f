// What stands where on the wall, as values: made, changed, written into the address and the server's views, and read
// back with every part checked. A camera stands on a wall once at most.
//
// Bound: 36 tiles.

export type Way = 'rtc' | 'ws' | 'hls';
export type Profile = 'main' | 'sub';

/** One camera on the wall. What is left out is chosen by the page. */
export interface Tile {
  token: string;
  transport?: Way;
  profile?: Profile;
}

export interface Grid {
  cols: number;
  rows: number;
}

export interface Layout {
  grid: Grid;
  /** By place, row by row; may be longer than the grid, so that a larger grid has them again. */
  tiles: (Tile | undefined)[];
}

/** Shows other views in turn. */
export interface Tour {
  seconds: number;
  views: string[];
}

/** A view as the server keeps it. */
export interface View {
  strName: string;
  layout: { grid: Grid; tiles: (Tile | null)[]; tour?: Tour };
}

export const MOST_ACROSS = 6;
const MOST_TILES = MOST_ACROSS * MOST_ACROSS;
/** A wall that nobody has arranged shows no more than this. */
const MOST_AT_FIRST = 16;
export const SHORTEST_TURN = 5;
export const LONGEST_TURN = 3600;
const WAYS: readonly string[] = ['rtc', 'ws', 'hls'];
const PROFILES: readonly string[] = ['main', 'sub'];
/** Of a site's camera: the site's token, a dash and its own, of 64 characters each. */
const TOKEN = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,128}$/;

export function placesOf({ cols, rows }: Grid): number {
  return cols * rows;
}

/** The squarest grid that holds so many, at most 16; on a narrow screen one below the other. */
export function gridFor(count: number, narrow = false): Grid {
  const shown = Math.min(MOST_AT_FIRST, Math.max(1, count));
  if (narrow) return { cols: 1, rows: Math.min(MOST_ACROSS, shown) };
  const cols = Math.ceil(Math.sqrt(shown));
  return { cols, rows: Math.ceil(shown / cols) };
}

/** The first cameras, for a wall that nobody has arranged yet. */
export function firstLayout(tokens: readonly string[], narrow: boolean): Layout {
  const grid = gridFor(tokens.length, narrow);
  return { grid, tiles: tokens.slice(0, placesOf(grid)).map((token) => ({ token })) };
}

export function placeOf({ tiles }: Layout, token: string): number {
  return tiles.findIndex((tile) => tile?.token === token);
}

/** Puts a camera in a place; one that stands elsewhere changes places with what is there. */
export function put(layout: Layout, place: number, token: string): Layout {
  const from = placeOf(layout, token);
  if (from >= 0) return swap(layout, from, place);
  return withTile(layout, place, { token });
}

export function swap(layout: Layout, a: number, b: number): Layout {
  return { ...layout, tiles: filled(Math.max(layout.tiles.length, a + 1, b + 1), (place) => layout.tiles[place === a ? b : place === b ? a : place]) };
}

export function withTile(layout: Layout, at: number, tile: Tile | undefined): Layout {
  return { ...layout, tiles: filled(Math.max(layout.tiles.length, at + 1), (place) => (place === at ? tile : layout.tiles[place])) };
}

/** Another grid; the places that it adds take the next of these cameras that are not on the wall. */
export function regrid(layout: Layout, grid: Grid, tokens: readonly string[]): Layout {
  const free = tokens.filter((token) => placeOf(layout, token) < 0);
  const from = placesOf(layout.grid);
  const tile = (place: number) => {
    const next = layout.tiles[place] ?? (place >= from ? free.shift() : undefined);
    return typeof next === 'string' ? { token: next } : next;
  };
  return { grid, tiles: filled(Math.max(placesOf(grid), layout.tiles.length), tile) };
}

/** The next empty place after one, around the end; `undefined` on a full wall. */
export function emptyAfter({ grid, tiles }: Layout, place: number): number | undefined {
  const count = placesOf(grid);
  for (let step = 1; step <= count; step++) {
    const next = (place + step) % count;
    if (!tiles[next]) return next;
  }
  return undefined;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The place beside one; the same at the edge. */
export function beside({ cols, rows }: Grid, place: number, direction: Direction): number {
  const [col, row] = [place % cols, Math.floor(place / cols)];
  const clamp = (value: number, most: number) => Math.min(most - 1, Math.max(0, value));
  const across = direction === 'left' ? -1 : direction === 'right' ? 1 : 0;
  const down = direction === 'up' ? -1 : direction === 'down' ? 1 : 0;
  return clamp(row + down, rows) * cols + clamp(col + across, cols);
}

/** `{ grid: '2x2', tiles: 'gate yard*sub*ws *' }`: a tile is token, profile and transport; `*` is an empty one. */
export function toQuery({ grid, tiles }: Layout): Record<string, string> {
  const shown = filled(placesOf(grid), (place) => tiles[place]).map((tile) =>
    tile ? [tile.token, tile.profile ?? '', tile.transport ?? ''].join('*').replace(/\*+$/, '') : '*',
  );
  return { grid: `${grid.cols}x${grid.rows}`, tiles: shown.join(' ').replace(/( \*)+$/, '') };
}

/** `undefined` where the address says nothing, or nothing that can be read. */
export function fromQuery(query: URLSearchParams): Layout | undefined {
  const [, cols, rows] = /^(\d)x(\d)$/.exec(query.get('grid') ?? '') ?? [];
  const tiles = (query.get('tiles') ?? '').split(' ').map((text) => {
    const [token, profile, transport] = text.split('*');
    return { token, profile, transport };
  });
  return checked({ grid: { cols: Number(cols), rows: Number(rows) }, tiles });
}

/** A layout out of something from outside; `undefined` when it is none. Tiles that make no sense are empty. */
export function checked(value: unknown): Layout | undefined {
  const { grid, tiles } = (value ?? {}) as { grid?: Partial<Grid>; tiles?: unknown };
  const across = (count: unknown): count is number => Number.isInteger(count) && (count as number) >= 1 && (count as number) <= MOST_ACROSS;
  if (!across(grid?.cols) || !across(grid?.rows) || !Array.isArray(tiles)) return undefined;
  const seen = new Set<string>();
  return { grid: { cols: grid.cols, rows: grid.rows }, tiles: (tiles as unknown[]).slice(0, MOST_TILES).map((tile) => checkedTile(tile, seen)) };
}

function checkedTile(value: unknown, seen: Set<string>): Tile | undefined {
  const { token, transport, profile } = (value ?? {}) as Record<string, unknown>;
  if (typeof token !== 'string' || !TOKEN.test(token) || seen.has(token)) return undefined;
  seen.add(token);
  return {
    token,
    ...(WAYS.includes(transport as string) && { transport: transport as Way }),
    ...(PROFILES.includes(profile as string) && { profile: profile as Profile }),
  };
}

/** A tour out of a view; `undefined` when it has none that can be shown. */
export function checkedTour(value: unknown): Tour | undefined {
  const { seconds, views } = (value ?? {}) as { seconds?: unknown; views?: unknown };
  if (!Array.isArray(views)) return undefined;
  const names = views.filter((name): name is string => typeof name === 'string');
  const turn = Math.min(LONGEST_TURN, Math.max(SHORTEST_TURN, Number(seconds) || 0));
  return names.length > 0 ? { seconds: turn, views: names } : undefined;
}

/** As the server keeps it: what is seen, and nothing of what a larger grid would have. */
export function toView({ grid, tiles }: Layout): View['layout'] {
  return { grid, tiles: filled(placesOf(grid), (place) => tiles[place] ?? null) };
}

function filled<T>(count: number, at: (place: number) => T): T[] {
  return Array.from({ length: count }, (_, place) => at(place));
}
