// The session lives as long as the tab, with what the log-in said about it, so that a reload forgets neither.

const KEY = 'h5edge-session';

export interface Session {
  session: string;
  user: string;
  /** `Administrator`, `Operator` or `Viewer`; '' where it is not known. */
  role: string;
  /** The password is the one that every device is delivered with. */
  defaultPassword: boolean;
  /** Nothing but a new password is allowed. */
  mustChange: boolean;
}

const NONE: Session = { session: '', user: '', role: '', defaultPassword: false, mustChange: false };

export function loadSession(): Session {
  try {
    return { ...NONE, ...(JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Partial<Session>) };
  } catch {
    return NONE;
  }
}

export function keepSession(session: Session): void {
  sessionStorage.setItem(KEY, JSON.stringify(session));
}

export function dropSession(): void {
  sessionStorage.removeItem(KEY);
}

/** The session's id, '' without one. */
export function readSession(): string {
  return loadSession().session;
}

/** The address with the session, for what is opened by a link. */
export function withSession(address: string, more: Record<string, string> = {}): string {
  const session = readSession();
  const query = new URLSearchParams(session ? { session, ...more } : more).toString();
  return query ? `${address}?${query}` : address;
}

/** Where `/mediastore/…` is served: relative, so that the pages may lie under any path. */
export function fileAddress(url: string, more: Record<string, string> = {}): string {
  return withSession(url.replace(/^\//, ''), more);
}
