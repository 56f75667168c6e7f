// Short words at the edge of the page about what was done or failed. A failure stays until it is closed.
//
// Bound: 4, the oldest goes.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { words } from '../call';
import { t } from '../text';
import { Button } from './button';

interface Toast {
  id: number;
  bad: boolean;
  text: ComponentChildren;
}

const STAYS = 6000;
const MOST = 4;
const toasts = signal<readonly Toast[]>([]);
let count = 0;

function add(text: ComponentChildren, bad: boolean): void {
  const id = ++count;
  toasts.value = [...toasts.value, { id, bad, text }].slice(-MOST);
  if (!bad) setTimeout(() => drop(id), STAYS);
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Says what was done. */
export function tell(text: ComponentChildren): void {
  add(text, false);
}

/** Says what went wrong. */
export function tellFailure(error: unknown): void {
  // Whoever is logged out sees that.
  if (error instanceof DOMException && error.name === 'AbortError') return;
  add(words(error), true);
}

export function clearToasts(): void {
  toasts.value = [];
}

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {toasts.value.map(({ id, bad, text }) => (
        <div key={id} class={bad ? 'toast bad' : 'toast'} role={bad ? 'alert' : 'status'}>
          <p>{text}</p>
          <Button kind="quiet" icon="close" label={t('shell.close')} onPress={() => drop(id)} />
        </div>
      ))}
    </div>
  );
}
