// Full screen: the whole document, so that toasts and dialogs are seen there too; `live.css` hides what is not the wall.

import { signal } from '@preact/signals';
import { whole } from './wall';

export const isFull = signal(document.fullscreenElement !== null);
/** An iPhone has none. */
export const canBeFull = document.fullscreenEnabled;
/** Token of the tile that was enlarged for it, and goes back with it. */
let enlarged = '';

document.addEventListener('fullscreenchange', () => {
  isFull.value = document.fullscreenElement !== null;
  if (isFull.value) return;
  if (enlarged && whole.value === enlarged) whole.value = '';
  enlarged = '';
});

/** The wall, or one tile of it; out again when it is full already. */
export async function toggleFull(token = ''): Promise<void> {
  if (isFull.value) return document.exitFullscreen();
  if (token && whole.value !== token) whole.value = enlarged = token;
  await document.documentElement.requestFullscreen();
}
