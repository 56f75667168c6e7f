// Who may log in, and what each may do.

import { useState } from 'preact/hooks';
import { call, newPassword } from '../call';
import { session } from '../entrance';
import { ask, Badge, Button, Dialog, Field, Form, Head, Load, Section, Select, Table, tell, useLoaded } from '../kit';
import { t } from '../text';
import { levelName, people, roleName, type Person, type Role } from './people';
import { Roles } from './roles';

type Open = { what: 'new' } | { what: 'password' | 'role'; person: Person };

export default function Users() {
  const loaded = useLoaded(people);
  return (
    <>
      <Head title={t('system.users')} />
      <Load of={loaded}>
        {({ persons, roles }) => (
          <>
            <Persons persons={persons} roles={roles} reload={loaded.reload} />
            <Roles roles={roles} reload={loaded.reload} />
          </>
        )}
      </Load>
    </>
  );
}

function Persons({ persons, roles, reload }: { persons: Person[]; roles: Role[]; reload: () => Promise<void> }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const done = async (text: string) => {
    close();
    tell(text);
    await reload();
  };
  return (
    <Section
      title={t('system.users_list')}
      actions={
        <Button kind="main" icon="add" onPress={() => setOpen({ what: 'new' })}>
          {t('system.add_user')}
        </Button>
      }
    >
      <Table
        label={t('system.users_list')}
        rows={persons}
        id={(person) => person.strUser}
        empty=""
        columns={[
          { title: t('system.name'), cell: (person) => nameCell(person), by: (person) => person.strUser },
          { title: t('system.role'), cell: (person) => roleName(person.strRoleToken, person.strRole), by: (person) => person.strRole },
          { title: t('system.may'), cell: (person) => levelName(person.strUserType), by: (person) => person.strUserType },
          {
            title: t('system.actions'),
            cell: (person) => (
              <div class="actions row">
                <Button kind="quiet" icon="user" label={t('system.change_role_of', { name: person.strUser })} onPress={() => setOpen({ what: 'role', person })} />
                <Button kind="quiet" icon="lock" label={t('system.reset_password_of', { name: person.strUser })} onPress={() => setOpen({ what: 'password', person })} />
                <Button kind="quiet" class="danger" icon="delete" label={t('system.delete_name', { name: person.strUser })} disabled={isMe(person)} onPress={() => askDelete(person, done)} />
              </div>
            ),
          },
        ]}
      />
      {open?.what === 'new' && <NewUser roles={roles} onClose={close} onDone={done} />}
      {open?.what === 'password' && <NewPassword person={open.person} onClose={close} onDone={done} />}
      {open?.what === 'role' && <OtherRole person={open.person} roles={roles} onClose={close} onDone={done} />}
    </Section>
  );
}

function isMe(person: Person): boolean {
  return person.strUser === session.value.user;
}

function nameCell(person: Person) {
  return (
    <span>
      {person.strUser} {isMe(person) && <Badge>{t('system.you')}</Badge>}
    </span>
  );
}

function askDelete({ strUser }: Person, done: (text: string) => Promise<void>): void {
  ask({
    title: t('system.delete_name', { name: strUser }),
    text: t('system.delete_user_why', { name: strUser }),
    yes: t('system.delete'),
    act: async () => {
      await call('DeleteUser', { user: strUser });
      await done(t('system.user_deleted', { name: strUser }));
    },
  });
}

interface DialogProps {
  onClose: () => void;
  onDone: (text: string) => Promise<void>;
}

function roleOptions(roles: Role[]) {
  return roles.map((role) => [role.strRoleToken, roleName(role.strRoleToken, role.strRole)] as const);
}

function Passwords() {
  return (
    <>
      <Field label={t('system.password')} name="password" type="password" autocomplete="new-password" required minLength={8} maxLength={256} hint={t('shell.password_hint')} />
      <Field label={t('system.password_again')} name="again" type="password" autocomplete="new-password" required maxLength={256} />
    </>
  );
}

function chosen(password: string, again: string): string {
  if (password !== again) throw new Error(t('shell.passwords_differ'));
  return newPassword(password);
}

function NewUser({ roles, onClose, onDone }: DialogProps & { roles: Role[] }) {
  const send = async ({ user = '', password = '', again = '', roletoken = '' }) => {
    await call('CreateUser', { user, password: chosen(password, again), roletoken });
    await onDone(t('system.user_added', { name: user }));
  };
  return (
    <Dialog title={t('system.add_user')} onClose={onClose}>
      <Form send={t('system.add_user')} onSend={send} onCancel={onClose}>
        <Field label={t('system.name')} name="user" required maxLength={64} autocomplete="off" autofocus />
        <Passwords />
        <Select label={t('system.role')} name="roletoken" value="viewer" options={roleOptions(roles)} hint={t('system.role_hint')} />
      </Form>
    </Dialog>
  );
}

function NewPassword({ person, onClose, onDone }: DialogProps & { person: Person }) {
  const send = async ({ password = '', again = '' }) => {
    await call('ResetUserPassword', { user: person.strUser, password: chosen(password, again) });
    await onDone(t('system.password_reset', { name: person.strUser }));
  };
  return (
    <Dialog title={t('system.reset_password_of', { name: person.strUser })} onClose={onClose}>
      <Form send={t('system.reset_password')} onSend={send} onCancel={onClose}>
        <p>{t('system.reset_password_why')}</p>
        <Passwords />
      </Form>
    </Dialog>
  );
}

function OtherRole({ person, roles, onClose, onDone }: DialogProps & { person: Person; roles: Role[] }) {
  const send = async ({ roletoken = '' }) => {
    await call('SetUserRole', { user: person.strUser, roletoken });
    await onDone(t('system.role_changed', { name: person.strUser }));
  };
  return (
    <Dialog title={t('system.change_role_of', { name: person.strUser })} onClose={onClose}>
      <Form send={t('system.save')} onSend={send} onCancel={onClose}>
        <p>{t('system.change_role_why')}</p>
        <Select label={t('system.role')} name="roletoken" value={person.strRoleToken} options={roleOptions(roles)} />
      </Form>
    </Dialog>
  );
}
