// The grid of tiles, kept in step with the server's list of sources.

import { type Source, sources } from './api';
import { find } from './dom';
import { Tile } from './tile';

export class Overview {
  private readonly list = find('#tiles', HTMLElement);
  private readonly empty = find('#empty', HTMLElement);
  private readonly tiles = new Map<string, Tile>();
  private readonly byElement = new WeakMap<Element, Tile>();
  private readonly seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.byElement.get(target)?.show(isIntersecting);
  });

  constructor(private readonly onDelete: (source: Source) => void) {
    setInterval(() => this.tiles.forEach((tile) => tile.tick()), 1000);
  }

  /** Takes the server's present list over; tiles that stay keep playing. */
  async refresh(): Promise<void> {
    const present = await sources();
    const tokens = new Set(present.map((source) => source.strToken));
    for (const token of this.tiles.keys()) if (!tokens.has(token)) this.drop(token);
    for (const source of present) this.put(source);
    this.empty.hidden = present.length > 0;
  }

  clear(): void {
    for (const token of this.tiles.keys()) this.drop(token);
  }

  private put(source: Source): void {
    const known = this.tiles.get(source.strToken);
    if (known) return known.update(source);
    const tile = new Tile(source, this.onDelete);
    this.tiles.set(source.strToken, tile);
    this.byElement.set(tile.element, tile);
    this.list.append(tile.element);
    this.seen.observe(tile.element);
  }

  private drop(token: string): void {
    const tile = this.tiles.get(token);
    if (!tile) return;
    this.seen.unobserve(tile.element);
    tile.remove();
    this.tiles.delete(token);
  }
}
