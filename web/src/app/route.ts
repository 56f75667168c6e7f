// Which page is shown: the part of the address after `#`, `#/playback?token=gate&day=2026-11-22`. Pages write what they
// show into it, so that an address can be kept or sent.

import { signal } from '@preact/signals';

export interface Route {
  /** `live`, `system`, …; '' at the start. */
  page: string;
  /** What follows: `users` of `#/system/users`. */
  part: string;
  query: URLSearchParams;
}

export const route = signal<Route>(parse(location.hash));

addEventListener('hashchange', () => (route.value = parse(location.hash)));

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', part = ''] = path.split('/').map(decodeURIComponent);
  return { page, part, query: new URLSearchParams(query) };
}

/** The address of a page, for links. */
export function href(page: string, query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${text ? `?${text}` : ''}`;
}

export function go(page: string, query: Record<string, string> = {}): void {
  location.hash = href(page, query);
}

/** Notes in the address what is shown, without a step in the history. */
export function note(page: string, query: Record<string, string>): void {
  history.replaceState(null, '', href(page, query));
  route.value = parse(location.hash);
}
