// What the gallery shows: the snapshots of a day, of one camera or of all, merged by time.
//
// Bound: MOST pictures of a day; four searches at a time.

import { batch, effect, signal, untracked } from '@preact/signals';
import { words } from '../call';
import { type Footage, search } from '../playback/footage';
import { bounds, type Day, dayOf, dayText, parseDay } from '../playback/time';
import { note, route } from '../route';
import { sources } from '../state';
import { t } from '../text';

/** The newest of a day are kept. */
const MOST = 5000;
const AT_ONCE = 4;

export class Gallery {
  /** '' is all cameras. */
  readonly token = signal('');
  readonly day = signal<Day>(dayOf(Date.now()));
  /** The newest first. */
  readonly pictures = signal<readonly Footage[]>([]);
  readonly looking = signal(true);
  readonly fault = signal('');
  private number = 0;
  private readonly stop = effect(() => {
    const { query } = route.value;
    untracked(() => this.take(query));
  });

  dispose(): void {
    this.stop();
    this.number++;
  }

  show(token: string, day: Day): void {
    note('snapshots', { ...(token ? { token } : {}), day: dayText(day) });
  }

  /** Searches again; what is shown stays until the answer. */
  async refresh(): Promise<void> {
    const number = ++this.number;
    const [day, token] = [this.day.value, this.token.value];
    const tokens = token ? [token] : sources.value.map(({ strToken }) => strToken);
    const found: Footage[] = [];
    const faults: string[] = [];
    const waiting = [...tokens];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined && number === this.number; next = waiting.shift()) {
        await search('snapshot', next, day).then(
          (list) => found.push(...list),
          (error: unknown) => faults.push(words(error)),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (number !== this.number) return;
    const { from } = bounds(day);
    const newest = found.filter(({ start }) => start >= from).sort((a, b) => b.start - a.start);
    batch(() => {
      this.pictures.value = newest.slice(0, MOST);
      this.looking.value = false;
      this.fault.value = [...new Set(faults), ...(newest.length > MOST ? [t('snapshots.bounded', { n: MOST })] : [])].join(' ');
    });
  }

  drop(picture: Footage): void {
    this.pictures.value = this.pictures.value.filter(({ path }) => path !== picture.path);
  }

  private take(query: URLSearchParams): void {
    if (route.peek().page !== 'snapshots') return;
    const token = query.get('token') ?? '';
    const day = parseDay(query.get('day') ?? '') ?? dayOf(Date.now());
    if (this.number > 0 && token === this.token.peek() && dayText(day) === dayText(this.day.peek())) return;
    batch(() => {
      this.token.value = token;
      this.day.value = day;
      this.pictures.value = [];
      this.looking.value = true;
      this.fault.value = '';
    });
    void this.refresh();
  }
}
