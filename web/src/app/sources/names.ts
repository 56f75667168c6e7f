// Names, tokens and addresses of sources: what is made of what people type or paste.

/** What the server takes as a token. */
export const TOKEN = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
const LONGEST_TOKEN = 64;

export interface Address {
  url: string;
  user: string;
  password: string;
}

/**
 * `rtsp://user:pass@host/path` in its parts. The password may hold `@` as it is, as pasted ones do; a `%xx` that is none
 * stays.
 */
export function takeApart(url: string): Address {
  const [, scheme = '', login, rest = ''] = /^([a-z][a-z\d+.-]*:\/\/)(?:([^/?#]*)@)?(.*)$/is.exec(url.trim()) ?? [];
  if (login === undefined) return { url: url.trim(), user: '', password: '' };
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(login) ?? [];
  return { url: scheme + rest, user: decoded(user), password: decoded(password) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A token of a name, `gate-north-2`, that is none of `used`; what has no Latin letters becomes `camera`. */
export function tokenOf(name: string, used: ReadonlySet<string>): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return unique((plain || 'camera').slice(0, LONGEST_TOKEN), used, '-', LONGEST_TOKEN);
}

/** `Gate`, `Gate 2`, … */
export function unusedName(name: string, used: ReadonlySet<string>): string {
  return unique(name, used, ' ', 200);
}

function unique(wanted: string, used: ReadonlySet<string>, between: string, longest: number): string {
  for (let count = 1; ; count += 1) {
    const end = count === 1 ? '' : `${between}${count}`;
    const text = wanted.slice(0, longest - end.length) + end;
    if (!used.has(text)) return text;
  }
}
