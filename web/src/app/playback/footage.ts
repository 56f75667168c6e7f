// What is recorded, as the API tells it: searches, calendar, locking and deleting.

import { call } from '../call';
import { bounds, type Day, iso } from './time';

export type Kind = 'record' | 'snapshot';
export type Cause = 'manual' | 'schedule' | 'alarm';

/** A recording or a snapshot, in the page's own terms. */
export interface Footage {
  token: string;
  start: number;
  end: number;
  path: string;
  url: string;
  cause: Cause;
  bytes: number;
  locked: boolean;
  /** Its volume is there. */
  available: boolean;
  /** It is still being written. */
  open: boolean;
}

/** An entry of Search's `record`. */
export interface Entry {
  strToken: string;
  strStartTime: string;
  strEndTime?: string;
  /** Seconds; 0 while it runs. */
  strDuration?: string;
  nDurationNow?: number;
  strPath: string;
  strUrl?: string;
  nType?: string;
  nBytes?: number;
  bLocked?: boolean;
  bAvailable?: boolean;
}

export interface SearchAnswer {
  record?: Entry[];
  /** Leads to the entries behind these; absent behind the last. */
  strNext?: string;
}

/** More answers than this for one day are not asked for. */
const MOST_ANSWERS = 20;

export function footageOf(entry: Entry): Footage {
  const start = Date.parse(entry.strStartTime);
  const open = entry.nDurationNow !== undefined;
  const lasted = Number(open ? entry.nDurationNow : (entry.strDuration ?? 0)) * 1000;
  const told = Date.parse(entry.strEndTime ?? '');
  return {
    token: entry.strToken,
    start,
    end: open || Number.isNaN(told) ? start + lasted : told,
    path: entry.strPath,
    url: entry.strUrl ?? entry.strPath,
    cause: causeOf(entry.nType),
    bytes: entry.nBytes ?? 0,
    locked: entry.bLocked === true,
    available: entry.bAvailable !== false,
    open,
  };
}

function causeOf(type = ''): Cause {
  return type === 'H5_REC_ALARM' ? 'alarm' : type === 'H5_REC_SCHEDULE' ? 'schedule' : 'manual';
}

/** Everything of a kind that was made on a day, by start. */
export async function search(kind: Kind, token: string, day: Day): Promise<Footage[]> {
  const { from, to } = bounds(day);
  const asked = { type: kind, token, start: iso(from), end: iso(to) };
  const found: Footage[] = [];
  let next = '';
  for (let answers = 0; answers < MOST_ANSWERS; answers++) {
    const answer = await call<SearchAnswer>('Search', next ? { ...asked, next } : asked);
    found.push(...(answer.record ?? []).map(footageOf));
    next = answer.strNext ?? '';
    if (!next) break;
  }
  return found;
}

/** Days of the month with recordings. */
export async function recordedDays(token: string, year: number, month: number): Promise<Set<number>> {
  const { record = [] } = await call<{ record?: { nDay: number; bHasRec: boolean }[] }>('SearchDeviceRecordCalendar', { token, year, month });
  return new Set(record.filter(({ bHasRec }) => bHasRec).map(({ nDay }) => nDay));
}

export async function setLock({ token, path }: Footage, lock: boolean): Promise<void> {
  await call('LockRecord', { token, path, lock });
}

export async function remove(kind: Kind, { token, path }: Footage): Promise<void> {
  await call(kind === 'record' ? 'DelRecord' : 'DelSnapshot', { token, path });
}
