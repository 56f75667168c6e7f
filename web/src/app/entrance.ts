// In and out: what is known of the session, the log-in, the first password, and the way out.

import { signal } from '@preact/signals';
import { call, hashed, onLoggedOut } from './call';
import { clearToasts } from './kit';
import { note } from './route';
import { dropSession, keepSession, loadSession, type Session } from './session';
import { forget, StateLink } from './state';
import { t } from './text';

interface LoginAnswer {
  strSession: string;
  strUserType?: string;
  bDefaultPassword?: boolean;
  bMustChangePassword?: boolean;
}

/** GetSetup. */
export interface SetupState {
  /** There is no user yet. */
  bSetupRequired?: boolean;
  /** How long one can still be made. */
  nSecondsLeft?: number;
  strHostname?: string;
  /** Name, time zone and network can be set too. */
  bAppliance?: boolean;
}

/** 'network' is the set-up's second step. */
type Stage = { at: 'starting' } | { at: 'setup'; state: SetupState } | { at: 'network' } | { at: 'login'; text: string } | { at: 'inside' };

export const stage = signal<Stage>({ at: 'starting' });
export const session = signal<Session>(loadSession());

let link: StateLink | undefined;

function keep(next: Session): void {
  keepSession(next);
  session.value = next;
}

/** Goes in with the session that the tab has, or asks for one. */
export function begin(): void {
  onLoggedOut(() => leave(t('shell.expired')));
  if (session.value.session) enter();
  else void out('');
}

export async function logIn(user: string, password: string, to: 'inside' | 'network' = 'inside'): Promise<void> {
  const answer = await call<LoginAnswer>('Login', { user, password: hashed(password) });
  keep({
    session: answer.strSession,
    user,
    role: answer.strUserType ?? '',
    defaultPassword: answer.bDefaultPassword === true,
    mustChange: answer.bMustChangePassword === true,
  });
  enter(to);
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  await call('UpdateUser', { user: session.value.user, oldpassword: hashed(old), newpassword: hashed(fresh) });
  keep({ ...session.value, defaultPassword: false, mustChange: false });
  enter();
}

export function enter(at: 'inside' | 'network' = 'inside'): void {
  stage.value = { at };
  // Until the new password is set, the server refuses all else.
  if (!session.value.mustChange) link ??= new StateLink(() => call('Keepalive'));
}

export function logOut(): void {
  // The server's answer does not matter: the page forgets the session either way.
  void call('Logout').catch(() => undefined).finally(() => {
    leave('');
    // Whoever is next begins at the beginning.
    note('', {});
  });
}

function leave(text: string): void {
  link?.stop();
  link = undefined;
  dropSession();
  session.value = loadSession();
  forget();
  clearToasts();
  void out(text);
}

async function out(text: string): Promise<void> {
  // Where it does not tell, as a device that cannot be reached, there is the log-in.
  const state = await call<SetupState>('GetSetup').catch((): SetupState => ({}));
  stage.value = state.bSetupRequired ? { at: 'setup', state } : { at: 'login', text };
}
