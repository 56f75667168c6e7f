// The day's snapshots as a strip of small pictures. The newest are shown, so that a day of time lapse does not fetch
// thousands at once.

import { find } from '../dom';
import { fileAddress } from '../session';
import type { Footage } from './footage';
import { clock } from './time';

/** Pictures in the strip at once. */
const MOST = 120;

export class Strip {
  private readonly root = find('#pictures', HTMLElement);
  private readonly count = find('.count', HTMLElement, this.root);
  private readonly list = find('ul', HTMLElement, this.root);
  private drawn = '';

  /** `play` is called with the moment of a picture that was clicked. */
  constructor(private readonly play: (moment: number) => void) {}

  show(snapshots: readonly Footage[]): void {
    this.root.hidden = snapshots.length === 0;
    const state = JSON.stringify(snapshots);
    if (state === this.drawn) return;
    this.drawn = state;
    const shown = snapshots.slice(-MOST);
    const all = snapshots.length === 1 ? '1 picture' : `${snapshots.length} pictures`;
    this.count.textContent = shown.length < snapshots.length ? `${all}, the newest ${MOST} shown` : all;
    this.list.replaceChildren(...shown.map((snapshot) => this.item(snapshot)));
    // The newest stand at the end.
    this.list.scrollLeft = this.list.scrollWidth;
  }

  private item(snapshot: Footage): HTMLElement {
    const item = document.createElement('li');
    const time = clock(snapshot.start);
    const button = document.createElement('button');
    button.type = 'button';
    button.title = `Play from ${time}`;
    button.addEventListener('click', () => this.play(snapshot.start));
    const picture = document.createElement('img');
    picture.loading = 'lazy';
    picture.decoding = 'async';
    picture.src = fileAddress(snapshot.url);
    picture.alt = `Picture of ${time}`;
    button.append(picture);
    const link = document.createElement('a');
    link.href = fileAddress(snapshot.url);
    link.target = '_blank';
    link.rel = 'noopener';
    link.textContent = time;
    link.setAttribute('aria-label', `Open the picture of ${time}`);
    item.append(button, link);
    return item;
  }
}
