// The figures of the last hour: GetRunHistory at first, then what the server tells by itself.
//
// Bound: 360 figures.

import type { RunInfo } from '../state';

/** null: not measured. */
export interface Figures {
  nCPUUsage: number | null;
  nMemoryUsage: number | null;
  nNetworkInK: number | null;
  nNetworkOutK: number | null;
  nCelsius: number | null;
}

/** GetRunHistory, oldest first. */
export interface RunHistory {
  /** Seconds between two figures. */
  nStep: number;
  run: Figures[];
}

/** An hour of them. */
export const MOST = 360;
const NONE: Figures = { nCPUUsage: null, nMemoryUsage: null, nNetworkInK: null, nNetworkOutK: null, nCelsius: null };

export class History {
  /** When the newest was taken, in milliseconds of `performance.now()`. */
  private end: number;
  figures: readonly Figures[];

  constructor(
    private readonly step: number,
    figures: readonly Figures[],
    now: number,
  ) {
    this.figures = figures.slice(-MOST);
    this.end = now;
  }

  /** The server tells more often than a step is long; what was missed while it could not be reached is a gap. */
  add(run: RunInfo, now: number): void {
    const steps = this.figures.length === 0 ? 1 : Math.floor((now - this.end) / (this.step * 1000) + 0.1);
    if (steps < 1) return;
    const missed = Array.from({ length: Math.min(steps - 1, MOST) }, () => NONE);
    this.figures = [...this.figures, ...missed, figures(run)].slice(-MOST);
    this.end = now;
  }
}

function figures(run: RunInfo): Figures {
  const { nCPUUsage, nMemoryUsage, nNetworkInK, nNetworkOutK } = run;
  return { nCPUUsage, nMemoryUsage, nNetworkInK, nNetworkOutK, nCelsius: hottest(run) };
}

/** Of all sensors. */
export function hottest(run: RunInfo): number | null {
  const all = (run.temperature ?? []).map(({ nCelsius }) => nCelsius);
  return all.length === 0 ? null : Math.max(...all);
}

/** Hours and minutes of `strRunTime`, `44H 5MIN`; hours count on past 24. */
export function runTime(text: string): { days: number; hours: number; minutes: number } {
  const [, hours = '0', minutes = '0'] = /(\d+)H\s*(\d+)MIN/.exec(text) ?? [];
  return { days: Math.floor(Number(hours) / 24), hours: Number(hours) % 24, minutes: Number(minutes) };
}
