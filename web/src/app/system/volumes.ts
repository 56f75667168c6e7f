// What GetStorageInfo tells, and the arithmetic of how long footage is kept.

import { call } from '../call';

export interface Volume {
  strName: string;
  strPath: string;
  strState: 'online' | 'checking' | 'full' | 'readonly' | 'gone';
  strText: string;
  nTotalByte: number;
  nFreeByte: number;
  nKeepFreeByte: number;
  nRecordByte: number;
  nRecordCount: number;
  nSnapshotByte: number;
  nSnapshotCount: number;
  nChecked: number;
  nToCheck: number;
  nSetAside: number;
  /** null: not measured yet. */
  nForecastDays?: number | null;
  nBytePerDay?: number | null;
}

export interface StorageInfo {
  volume: Volume[];
  /** Newest first, a line for each day and volume. */
  written: { strDay: string; strVolume: string; nByte: number }[];
  nWrittenTodayByte: number;
  strOldestTime: string;
}

export function storageInfo(signal: AbortSignal): Promise<StorageInfo> {
  return call<StorageInfo>('GetStorageInfo', {}, signal);
}

/** What footage can take of a volume: what it has, and what is free but for the reserve. */
export function room({ nRecordByte, nSnapshotByte, nFreeByte, nKeepFreeByte }: Volume): number {
  return Math.max(0, nRecordByte + nSnapshotByte + nFreeByte - nKeepFreeByte);
}

/** The last `count` days up to `today`, `2026-11-22`, oldest first; those without a line wrote nothing. */
export function byDay(written: StorageInfo['written'], today: string, count = 30): { day: string; bytes: number }[] {
  const sums = new Map<string, number>();
  for (const { strDay, nByte } of written) sums.set(strDay, (sums.get(strDay) ?? 0) + nByte);
  const last = Date.parse(`${today}T00:00:00Z`);
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(last - (count - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return { day, bytes: sums.get(day) ?? 0 };
  });
}

/** Why nothing is recorded on a volume; undefined while it works. */
export function trouble({ strState }: Volume): 'full' | 'readonly' | 'gone' | undefined {
  return strState === 'online' || strState === 'checking' ? undefined : strState;
}
