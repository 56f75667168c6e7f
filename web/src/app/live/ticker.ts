// One timer for everything on the page that goes by seconds, running only while somebody needs it.

import { signal } from '@preact/signals';

/** Milliseconds of the last tick, for running times. */
export const now = signal(Date.now());

const wanted = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls `act` each second until the returned function is called. */
export function eachSecond(act: () => void): () => void {
  wanted.add(act);
  timer ??= setInterval(tick, 1000);
  return () => {
    wanted.delete(act);
    if (wanted.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  now.value = Date.now();
  for (const act of wanted) act();
}
