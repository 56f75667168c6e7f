// Calls of the HTTP API, as far as the page needs them.

import { asSentence } from '../player/text';
import { md5 } from './md5';
import { readSession } from './session';

export interface Source {
  nType: string;
  strName: string;
  strToken: string;
  strUrl: string;
  bOnline: boolean;
  /** A recording runs. */
  bRec?: boolean;
  strOfflineReason?: string;
  strOfflineText?: string;
}

export interface LoginAnswer {
  strSession: string;
  strUserType?: string;
  bDefaultPassword?: boolean;
  bMustChangePassword?: boolean;
}

export interface RunInfo {
  strRunTime?: string;
  strCPU?: string;
  strMemory?: string;
  strNetworkIn?: string;
  strNetworkOut?: string;
}

/** A call that failed, with the server's own words. */
export class ApiError extends Error {
  constructor(
    text: string,
    /** The session is missing or has run out. */
    readonly loggedOut: boolean,
  ) {
    super(text);
  }
}

/** What went wrong, in words for people. */
export function words(error: unknown): string {
  return asSentence(error instanceof Error ? error.message : String(error));
}

/** POST with a form body, so that no password or session stands in an address. */
export async function call<T>(name: string, params: Record<string, string>): Promise<T> {
  const session = readSession();
  const body = new URLSearchParams(session ? { ...params, session } : params);
  let answer: Response;
  try {
    answer = await fetch(`api/v1/${name}`, { method: 'POST', body, cache: 'no-store' });
  } catch {
    throw new ApiError('The server cannot be reached.', false);
  }
  const json = (await answer.json().catch(() => ({}))) as { bStatus?: boolean; strCode?: string };
  if (answer.ok && json.bStatus !== false) return json as T;
  throw new ApiError(json.strCode ? asSentence(json.strCode) : `The server answered with status ${answer.status}.`, answer.status === 401);
}

export function login(user: string, password: string): Promise<LoginAnswer> {
  return call('Login', { user, password: md5(password) });
}

export async function logout(): Promise<void> {
  await call('Logout', {});
}

/** Using the session keeps it alive, and so does this. */
export async function keepAlive(): Promise<void> {
  await call('Keepalive', {});
}

export async function changePassword(user: string, old: string, fresh: string): Promise<void> {
  await call('UpdateUser', { user, oldpassword: md5(old), newpassword: md5(fresh) });
}

export async function sources(): Promise<Source[]> {
  return (await call<{ src?: Source[] }>('GetSrc', {})).src ?? [];
}

export function runInfo(): Promise<RunInfo> {
  return call('GetRunInfo', {});
}

/** `AddSrcRTSP` (which also takes RTMP) or `AddSrcFile`, with the manual's parameters. */
export async function addSource(callName: 'AddSrcRTSP' | 'AddSrcFile', params: Record<string, string>): Promise<void> {
  await call(callName, params);
}

/** Begins or ends the recording that runs until it is ended. */
export async function record(token: string, on: boolean): Promise<void> {
  await call(on ? 'ManualRecordStart' : 'ManualRecordStop', { token });
}

/** Keeps the newest picture; gives its address. */
export async function snapshot(token: string): Promise<string> {
  return (await call<{ strUrl?: string }>('Snapshot', { token })).strUrl ?? '';
}

export async function deleteSource(token: string): Promise<void> {
  await call('DelSrc', { token });
}
