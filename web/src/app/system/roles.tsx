// Roles: what their users may do, and with which cameras.

import { useState } from 'preact/hooks';
import { call } from '../call';
import { ask, Badge, Button, Check, Dialog, Facts, Field, Form, isEnter, Load, Section, Select, Table, tell, useLoaded } from '../kit';
import { nameOf, type Source, sources } from '../state';
import { t } from '../text';
import { grant, levelName, LEVELS, roleName, roleToken, type Granted, type Level, type Role } from './people';

export function Roles({ roles, reload }: { roles: Role[]; reload: () => Promise<void> }) {
  const [open, setOpen] = useState<Role | 'new'>();
  const done = async (text: string) => {
    setOpen(undefined);
    tell(text);
    await reload();
  };
  const close = () => {
    setOpen(undefined);
    // Some of the calls may have been made.
    void reload();
  };
  return (
    <Section
      title={t('system.roles')}
      actions={
        <Button icon="add" onPress={() => setOpen('new')}>
          {t('system.add_role')}
        </Button>
      }
    >
      <Table
        label={t('system.roles')}
        rows={roles}
        id={(role) => role.strRoleToken}
        empty=""
        columns={[
          { title: t('system.name'), cell: (role) => roleName(role.strRoleToken, role.strRole), by: (role) => role.strRole },
          { title: t('system.may'), cell: (role) => levelName(role.strLevel), by: (role) => LEVELS.indexOf(role.strLevel) },
          { title: t('system.cameras'), cell: (role) => (role.bAllCam ? t('system.all_cameras') : t('system.n_cameras', { n: role.nCam ?? 0 })) },
          {
            title: t('system.actions'),
            cell: (role) =>
              role.bBuiltIn ? (
                <Badge kind="off">{t('system.always_there')}</Badge>
              ) : (
                <div class="actions row">
                  {!role.bAllCam && <Button kind="quiet" icon="camera" label={t('system.cameras_of_role', { name: role.strRole })} onPress={() => setOpen(role)} />}
                  <Button kind="quiet" class="danger" icon="delete" label={t('system.delete_name', { name: role.strRole })} onPress={() => askDelete(role, done)} />
                </div>
              ),
          },
        ]}
      />
      <Facts facts={LEVELS.map((level) => [levelName(level), t(`system.level_${level}_may`)] as const)} />
      {open === 'new' && <NewRole used={roles.map((role) => role.strRoleToken)} onClose={close} onDone={done} />}
      {typeof open === 'object' && <RoleCameras role={open} onClose={close} onDone={done} />}
    </Section>
  );
}

function askDelete({ strRole, strRoleToken }: Role, done: (text: string) => Promise<void>): void {
  ask({
    title: t('system.delete_name', { name: strRole }),
    text: t('system.delete_role_why'),
    yes: t('system.delete'),
    act: async () => {
      await call('DeleteRole', { roletoken: strRoleToken });
      await done(t('system.role_deleted', { name: strRole }));
    },
  });
}

interface DialogProps {
  onClose: () => void;
  onDone: (text: string) => Promise<void>;
}

function NewRole({ used, onClose, onDone }: DialogProps & { used: readonly string[] }) {
  const [level, setLevel] = useState<Level>('Viewer');
  const [all, setAll] = useState(false);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  // An Administrator has all sources.
  const choose = level !== 'Administrator' && !all;
  const send = async ({ role = '' }) => {
    const token = roleToken(role, used);
    await call('CreateRole', { role, roletoken: token, level, allcam: !choose });
    if (choose) await grant(token, new Set(), picked);
    await onDone(t('system.role_added', { name: role }));
  };
  return (
    <Dialog title={t('system.add_role')} onClose={onClose}>
      <Form send={t('system.add_role')} onSend={send} onCancel={onClose}>
        <Field label={t('system.name')} name="role" required maxLength={64} autocomplete="off" autofocus placeholder={t('system.role_example')} />
        <Select
          label={t('system.may')}
          value={level}
          options={LEVELS.map((level) => [level, levelName(level)] as const)}
          onPick={(value) => setLevel(value as Level)}
          hint={t(`system.level_${level}_may`)}
        />
        {level !== 'Administrator' && <Check label={t('system.all_cameras')} checked={all} onSwitch={setAll} />}
        {choose && <CameraList picked={picked} onPick={setPicked} had={[]} />}
      </Form>
    </Dialog>
  );
}

function RoleCameras({ role, onClose, onDone }: DialogProps & { role: Role }) {
  const loaded = useLoaded((signal) => call<{ cam: Granted[] }>('GetRoleInfo', { roletoken: role.strRoleToken }, signal));
  return (
    <Dialog title={t('system.cameras_of_role', { name: role.strRole })} onClose={onClose}>
      <Load of={loaded}>{({ cam }) => <CamerasForm role={role} cam={cam} onClose={onClose} onDone={onDone} />}</Load>
    </Dialog>
  );
}

function CamerasForm({ role, cam, onClose, onDone }: DialogProps & { role: Role; cam: Granted[] }) {
  const had = new Set(cam.map(({ strCamToken }) => strCamToken));
  const [picked, setPicked] = useState<ReadonlySet<string>>(had);
  const send = async () => {
    await grant(role.strRoleToken, had, picked);
    await onDone(t('system.role_saved', { name: role.strRole }));
  };
  return (
    <Form send={t('system.save')} onSend={send} onCancel={onClose}>
      <CameraList picked={picked} onPick={setPicked} had={cam} />
    </Form>
  );
}

interface CameraListProps {
  picked: ReadonlySet<string>;
  onPick: (picked: ReadonlySet<string>) => void;
  /** What is granted already, also where it is there no more. */
  had: readonly Granted[];
}

function CameraList({ picked, onPick, had }: CameraListProps) {
  const [search, setSearch] = useState('');
  const all = pickable(sources.value, had);
  const shown = all.filter((camera) => camera.some((text) => text.toLowerCase().includes(search.trim().toLowerCase())));
  const flip = (token: string, on: boolean) => {
    const next = new Set(picked);
    if (on) next.add(token);
    else next.delete(token);
    onPick(next);
  };
  return (
    <fieldset class="camera-list">
      <legend>{t('system.cameras_picked', { n: picked.size, all: all.length })}</legend>
      <Field label={t('system.search')} name="search" type="search" value={search} onKeyDown={isEnter} onInput={(event) => setSearch(event.currentTarget.value)} />
      <div class="checks">
        {shown.map(([token, name]) => (
          <Check key={token} label={name} checked={picked.has(token)} onSwitch={(on) => flip(token, on)} />
        ))}
        {shown.length === 0 && <p class="soft">{t('system.nothing_found')}</p>}
      </div>
    </fieldset>
  );
}

/** Tokens with their names: whole sites, cameras, and what else is granted. */
export function pickable(sources: readonly Source[], had: readonly Granted[]): (readonly [token: string, name: string])[] {
  const whole = (name: string) => t('system.whole_site', { name });
  const found = new Map<string, string>();
  for (const { strServerToken, strServerName } of sources) if (strServerToken) found.set(`${strServerToken}-*`, whole(strServerName ?? strServerToken));
  for (const source of sources) found.set(source.strToken, source.strServerName ? `${source.strServerName}: ${nameOf(source)}` : nameOf(source));
  for (const { strCamToken: token, strCamName: name } of had) {
    if (!found.has(token)) found.set(token, name === '' ? t('system.camera_gone', { name: token }) : token.endsWith('-*') ? whole(name) : name);
  }
  return [...found];
}
