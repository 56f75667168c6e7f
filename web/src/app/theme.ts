// Light, dark, or as the browser says.

import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const KEPT = 'h5edge-theme';
const kept = localStorage.getItem(KEPT);

export const theme = signal<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto');

effect(() => {
  if (theme.value === 'auto') {
    localStorage.removeItem(KEPT);
    delete document.documentElement.dataset['theme'];
  } else {
    localStorage.setItem(KEPT, theme.value);
    document.documentElement.dataset['theme'] = theme.value;
  }
});
