// Calls of the HTTP API. What each takes and answers is in docs/api.md; the shapes stand where they are used.

import { asSentence } from '../player/text';
import { md5 } from './md5';
import { readSession } from './session';
import { t } from './text';

/** A call that failed, with the server's own words. */
export class ApiError extends Error {
  constructor(
    text: string,
    /** The session is missing or has run out. */
    readonly loggedOut: boolean,
    /** What else the server said, such as `strReason`. */
    readonly more: { strReason?: string; strText?: string; strOfflineReason?: string } = {},
  ) {
    super(text);
  }
}

/** Nothing was answered: what was asked for may have been done. */
export class Unreachable extends ApiError {
  constructor() {
    super(t('shell.unreachable'), false);
  }
}

/** What went wrong, in words for people. */
export function words(error: unknown): string {
  return asSentence(error instanceof Error ? error.message : String(error));
}

export type Params = Record<string, string | number | boolean | undefined>;

let loggedOut: () => void = () => undefined;

/** Who is told when the server knows the session no more. */
export function onLoggedOut(tell: () => void): void {
  loggedOut = tell;
}

/**
 * POST with a form body, so that no password or session stands in an address. Parameters that are `undefined` are left
 * out.
 *
 * Throws an {@link ApiError}; when the session has run out, the log-in is shown as well.
 */
export async function call<T = unknown>(name: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  return judged<T>(await post(name, params, signal));
}

/** A call that answers with a file. */
export async function callFile(name: string, params: Params = {}, signal?: AbortSignal): Promise<Blob> {
  const answer = await post(name, params, signal);
  if (!answer.ok || answer.headers.get('content-type')?.includes('json')) await judged(answer);
  return answer.blob();
}

/** The answer as it is. */
export async function post(name: string, params: Params, signal: AbortSignal | undefined): Promise<Response> {
  const body = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value !== undefined) body.set(key, String(value));
  const session = readSession();
  if (session) body.set('session', session);
  try {
    return await fetch(`api/v1/${name}`, { method: 'POST', body, cache: 'no-store', signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable();
  }
}

/** What was answered; throws what the server refused. */
async function judged<T>(answer: Response): Promise<T> {
  const json = (await answer.json().catch(() => ({}))) as Refused;
  if (answer.ok && json.bStatus !== false) return json as T;
  throw refusal(answer.status, json);
}

/** What an answer says that is no success. */
export interface Refused {
  bStatus?: boolean;
  strCode?: string;
  strReason?: string;
  strText?: string;
  strOfflineReason?: string;
}

/** The failure of an answer that refuses; shows the log-in when the session has run out. */
export function refusal(status: number, said: Refused): ApiError {
  if (status === 401) loggedOut();
  return new ApiError(said.strCode ? asSentence(said.strCode) : t('shell.status', { n: status }), status === 401, said);
}

/** A password as the API takes it. */
export function hashed(password: string): string {
  return md5(password);
}

/**
 * A new password as the API takes it: as it is, so that the server can refuse what everybody tries; but what looks like a
 * hash would be taken for one.
 */
export function newPassword(password: string): string {
  return /^[0-9a-f]{32}$/i.test(password) ? hashed(password) : password;
}
