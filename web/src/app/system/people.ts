// Users and roles as the server lists them.

import { call } from '../call';
import { t } from '../text';

export type Level = 'Viewer' | 'Operator' | 'Administrator';
export const LEVELS: readonly Level[] = ['Viewer', 'Operator', 'Administrator'];

export interface Person {
  strUser: string;
  strUserType: Level;
  strRole: string;
  strRoleToken: string;
}

export interface Role {
  strRole: string;
  strRoleToken: string;
  strLevel: Level;
  bAllCam: boolean;
  nCam: number | null;
  bBuiltIn: boolean;
}

/** Of GetRoleInfo; the name is empty where the source is gone. */
export interface Granted {
  strCamToken: string;
  strCamName: string;
}

export function levelName(level: Level): string {
  return t(`system.level_${level}`);
}

/** The three roles that are always there have a name in the page's language. */
export function roleName(token: string, name: string): string {
  return token === 'viewer' || token === 'operator' || token === 'administrator' ? t(`system.builtin_${token}`) : name;
}

export async function people(signal: AbortSignal): Promise<{ persons: Person[]; roles: Role[] }> {
  const [{ user }, { role }] = await Promise.all([call<{ user: Person[] }>('GetUserList', {}, signal), call<{ role: Role[] }>('GetRoleList', {}, signal)]);
  return { persons: user, roles: role };
}

/** A token for a role of this name that is not in use. */
export function roleToken(name: string, used: readonly string[]): string {
  const begin =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 56) || 'role';
  for (let count = 1; ; count++) {
    const token = count === 1 ? begin : `${begin}-${count}`;
    if (!used.includes(token)) return token;
  }
}

/** Gives a role the sources `wanted` in place of `had`, one call each; what failed is thrown at its first. */
export async function grant(roletoken: string, had: ReadonlySet<string>, wanted: ReadonlySet<string>): Promise<void> {
  for (const camtoken of wanted) if (!had.has(camtoken)) await call('AddCamToRole', { roletoken, camtoken });
  for (const camtoken of had) if (!wanted.has(camtoken)) await call('DelCamInRole', { roletoken, camtoken });
}
