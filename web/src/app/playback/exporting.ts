// Exports: begun, followed and dropped. Their progress comes through the state socket; only where nothing comes is the
// server asked, by one timer while one is under way.
//
// Bound: the newest 20 of each camera.

import { effect, signal } from '@preact/signals';
import { ApiError, call, Unreachable, words } from '../call';
import { type Archive, archives } from '../state';
import type { Span } from './spans';
import { iso } from './time';

const MOST = 20;
/** Nothing was heard of one that is under way for so long: the server is asked. */
const ASK_AFTER = 2500;

/** An entry of GetArchiveList. */
export interface Export extends Archive {
  /** When it was begun. */
  strTime: string;
}

export class Exporting {
  /** The newest first. */
  readonly list = signal<readonly Export[]>([]);
  readonly fault = signal('');
  private tokens: readonly string[] = [];
  private heardAt = 0;
  private readonly timer = setInterval(() => void this.ask(), ASK_AFTER);
  private readonly stop = effect(() => this.hear(archives.value));

  dispose(): void {
    clearInterval(this.timer);
    this.stop();
  }

  async load(tokens: readonly string[]): Promise<void> {
    this.tokens = tokens;
    try {
      const lists = await Promise.all(tokens.map((token) => entries(token)));
      if (tokens !== this.tokens) return;
      this.list.value = lists.flat().sort((a, b) => Date.parse(b.strTime) - Date.parse(a.strTime));
      this.fault.value = '';
    } catch (error) {
      this.fault.value = words(error);
    }
  }

  async begin(token: string, { from, to }: Span): Promise<void> {
    const { strFileName, strUrl } = await call<{ strFileName: string; strUrl: string }>('Archive', { token, start: iso(from), end: iso(to) });
    const made: Export = { strToken: token, strFileName, strUrl, strState: 'working', strCode: '', nPercentage: 0, nBytes: 0, strTime: iso(Date.now()) };
    this.list.value = [made, ...this.list.value];
    this.hear(archives.peek());
  }

  /** Ends one that is under way, or deletes it. Of a failed one nothing may be left. */
  async drop({ strToken: token, strFileName: filename, strState }: Export): Promise<void> {
    try {
      await call('DelArchive', { token, filename });
    } catch (error) {
      if (strState !== 'failed') throw error;
    }
    this.list.value = this.list.value.filter((one) => one.strFileName !== filename || one.strToken !== token);
  }

  private hear(told: ReadonlyMap<string, Archive>): void {
    this.heardAt = performance.now();
    this.list.value = this.list.peek().map((one) => {
      const news = told.get(one.strFileName);
      return news && news.strToken === one.strToken && one.strState === 'working' ? { ...one, ...news } : one;
    });
  }

  private async ask(): Promise<void> {
    if (performance.now() - this.heardAt < ASK_AFTER) return;
    for (const one of this.list.peek().filter(({ strState }) => strState === 'working')) {
      const { strToken: token, strFileName: filename } = one;
      const now = await call<Archive>('GetArchiveStatus', { token, filename }).catch((error: unknown) => {
        // Whoever does not answer, or wants a log-in first, may be working on it.
        const goesOn = error instanceof Unreachable || (error instanceof ApiError && error.loggedOut);
        return goesOn ? {} : { strState: 'failed' as const, strCode: words(error) };
      });
      this.list.value = this.list.peek().map((old) => (old.strFileName === filename && old.strToken === token ? { ...old, ...now } : old));
    }
  }
}

async function entries(token: string): Promise<Export[]> {
  const { archive = [] } = await call<{ archive?: Omit<Export, 'strToken'>[] }>('GetArchiveList', { token });
  return archive.slice(-MOST).map((one) => ({ ...one, strToken: token }));
}
