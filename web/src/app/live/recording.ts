// Recording by hand: what runs, since when, start and stop.

import { call } from '../call';
import { tell } from '../kit';
import type { Source } from '../state';
import { t } from '../text';

/** GetRecordStatus. */
interface Running {
  nType: string;
  strState: string;
  /** Of its first file; '' while it waits for a picture. */
  strBeginTime: string;
}

export interface RecordState {
  /** One that was started by hand runs, so that it can be stopped by hand. */
  manual: boolean;
  /** When it began, or what began first where none was started by hand, in milliseconds; 0 before the first picture. */
  since: number;
}

export const NOTHING: RecordState = { manual: false, since: 0 };

/** Asked once for each change that the socket tells of. */
export async function recordState({ strToken: token }: Source, signal?: AbortSignal): Promise<RecordState> {
  const { record } = await call<{ record: Running[] }>('GetRecordStatus', { token }, signal);
  const running = record.filter(({ strState }) => strState !== 'idle');
  const byHand = running.filter(({ nType }) => nType === MANUAL);
  const meant = byHand.length > 0 ? byHand : running;
  const starts = meant.map(({ strBeginTime }) => Date.parse(strBeginTime)).filter((time) => !Number.isNaN(time));
  return { manual: byHand.length > 0, since: starts.length > 0 ? Math.min(...starts) : 0 };
}

const MANUAL = 'H5_REC_MANUAL';

/** Starts, or stops what was started by hand. */
export async function toggleRecord({ strToken: token }: Source, name: string, manual: boolean): Promise<void> {
  if (manual) {
    await call('ManualRecordStop', { token });
    return tell(t('live.record_stopped', { name }));
  }
  await call('ManualRecordStart', { token });
  tell(t('live.record_started', { name }));
}

/** `2:05`, `1:02:05` */
export function runningTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
