// The session lives as long as the tab.

const KEY = 'h5edge-session';

export function readSession(): string {
  return sessionStorage.getItem(KEY) ?? '';
}

export function keepSession(session: string): void {
  sessionStorage.setItem(KEY, session);
}

export function dropSession(): void {
  sessionStorage.removeItem(KEY);
}
