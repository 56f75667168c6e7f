// What cameras reported, made into stretches of time: from the report that it began to the one that it ended.

import { call } from '../call';
import { bounds, type Day, iso } from './time';

export type Kind = 'motion' | 'input';

export interface Happening {
  kind: Kind;
  /** Which rule, video source or input. */
  item: string;
  start: number;
  end: number;
}

/** An entry of SearchEvents. */
export interface Report {
  strTime: string;
  strType: string;
  strItem: string;
  bActive: boolean;
}

/** More answers than this for one day are not asked for. */
const MOST_ANSWERS = 4;

/** By start; what has not ended goes on to `until`. Reports come by time. */
export function happeningsOf(reports: readonly Report[], from: number, until: number): Happening[] {
  const found: Happening[] = [];
  const open = new Map<string, Happening>();
  for (const { strTime, strType, strItem, bActive } of reports) {
    const at = Date.parse(strTime);
    const key = `${strType} ${strItem}`;
    const running = open.get(key);
    if (bActive && !running) {
      const begun: Happening = { kind: strType === 'digital_input' ? 'input' : 'motion', item: strItem, start: at, end: until };
      open.set(key, begun);
      found.push(begun);
    } else if (!bActive && running) {
      running.end = at;
      open.delete(key);
    } else if (!bActive && found.length === 0) {
      // It began on the day before.
      found.push({ kind: strType === 'digital_input' ? 'input' : 'motion', item: strItem, start: from, end: at });
    }
  }
  return found;
}

export async function happenings(token: string, day: Day): Promise<Happening[]> {
  const { from, to } = bounds(day);
  const reports: Report[] = [];
  let next: string | undefined;
  for (let answers = 0; answers < MOST_ANSWERS; answers++) {
    const answer = await call<{ event?: Report[]; strNext?: string }>('SearchEvents', { token, start: iso(from), end: iso(to), next });
    reports.push(...(answer.event ?? []));
    next = answer.strNext;
    if (!next) break;
  }
  return happeningsOf(reports, from, Math.min(to, Date.now()));
}
