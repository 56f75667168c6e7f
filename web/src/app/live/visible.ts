// Which tiles are seen: one observer for all of them, and the tab's own state.

import { signal } from '@preact/signals';

/** Whether the tab is in front. */
export const tabSeen = signal(!document.hidden);
document.addEventListener('visibilitychange', () => (tabSeen.value = !document.hidden));

const told = new WeakMap<Element, (seen: boolean) => void>();
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) told.get(target)?.(isIntersecting);
});

/** Tells whether the element is in sight, until the returned function is called. */
export function watchSight(element: Element, tell: (seen: boolean) => void): () => void {
  told.set(element, tell);
  observer.observe(element);
  return () => {
    told.delete(element);
    observer.unobserve(element);
  };
}
