// The day's recordings as a list, with what can be done to each.

import { call } from '../api';
import { find, stamp } from '../dom';
import { fileAddress } from '../session';
import type { Footage } from './footage';
import { clock, lengthWords, sizeWords } from './time';

const CAUSES = { manual: 'Manual', schedule: 'Schedule', alarm: 'Alarm' };

export interface ListEvents {
  play(record: Footage): void;
  /** Asks for confirmation first. */
  remove(record: Footage): void;
  lock(record: Footage): void;
}

/** What the user may do. */
export interface Rights {
  lock: boolean;
  remove: boolean;
}

export class RecordList {
  private readonly body = find('#records tbody', HTMLElement);
  private drawn = '';

  constructor(
    private readonly events: ListEvents,
    private readonly may: Rights,
  ) {}

  show(records: readonly Footage[]): void {
    // Rows that stay as they are keep their focus.
    const state = JSON.stringify(records);
    if (state === this.drawn) return;
    this.drawn = state;
    this.body.replaceChildren(...records.map((record) => this.row(record)));
  }

  /** Shows which one is playing. */
  showPlace(records: readonly Footage[], moment: number | undefined): void {
    const rows = [...this.body.children];
    records.forEach(({ start, end }, index) => {
      const current = moment !== undefined && moment >= start && moment < end;
      rows[index]?.toggleAttribute('data-current', current);
    });
  }

  private row(record: Footage): HTMLElement {
    const row = stamp('#record');
    const part = (name: string) => find(`.${name}`, HTMLElement, row);
    const start = find('.when button', HTMLButtonElement, row);
    start.textContent = clock(record.start);
    start.setAttribute('aria-label', `Play from ${clock(record.start)}`);
    start.disabled = !record.available;
    start.addEventListener('click', () => this.events.play(record));
    part('length').textContent = record.open ? `${lengthWords(record.end - record.start)}, recording` : lengthWords(record.end - record.start);
    part('size').textContent = record.bytes > 0 ? sizeWords(record.bytes) : '–';
    const cause = part('cause');
    cause.textContent = CAUSES[record.cause];
    cause.dataset['cause'] = record.cause;
    part('gone').hidden = record.available;
    const download = find('.download', HTMLAnchorElement, row);
    download.hidden = !record.available;
    download.href = fileAddress(record.url, { download: '1' });
    download.setAttribute('aria-label', `Download the recording of ${clock(record.start)}`);
    this.manage(row, record);
    return row;
  }

  private manage(row: HTMLElement, record: Footage): void {
    const lock = find('.lock', HTMLButtonElement, row);
    const remove = find('.remove', HTMLButtonElement, row);
    lock.textContent = record.locked ? 'Unlock' : 'Lock';
    lock.setAttribute('aria-pressed', String(record.locked));
    lock.title = record.locked ? 'It is kept until the space is needed.' : 'Keeps it beyond its age.';
    lock.hidden = !this.may.lock;
    remove.hidden = !this.may.remove;
    find('.kept', HTMLElement, row).hidden = !record.locked;
    remove.disabled = record.open || record.locked;
    remove.title = record.open ? 'It is being recorded.' : record.locked ? 'Unlock it first.' : '';
    lock.addEventListener('click', () => this.events.lock(record));
    remove.addEventListener('click', () => this.events.remove(record));
  }
}

export async function setLock(record: Footage, locked: boolean): Promise<void> {
  await call('LockRecord', { token: record.token, path: record.path, lock: String(locked) });
}

export async function remove(kind: 'record' | 'snapshot', record: Footage): Promise<void> {
  await call(kind === 'record' ? 'DelRecord' : 'DelSnapshot', { token: record.token, path: record.path });
}
