// The log-in, and the new password that a default one asks for.

import { changePassword, logIn, session } from './entrance';
import { Dialog, Field, Form } from './kit';
import { LanguagePick } from './menu';
import { t } from './text';

export function Login({ text }: { text: string }) {
  return (
    <main class="login">
      <div class="card">
        <div class="title">
          <h1>
            <img src="./favicon.svg" alt="" width="36" height="36" />
            h5edge
          </h1>
          <LanguagePick />
        </div>
        {text && <p class="note">{text}</p>}
        <Form send={t('shell.log_in')} onSend={({ user = '', password = '' }) => logIn(user, password)}>
          <Field label={t('shell.user')} name="user" autocomplete="username" defaultValue="admin" required maxLength={64} />
          <Field label={t('shell.password')} name="password" type="password" autocomplete="current-password" required autofocus />
        </Form>
      </div>
    </main>
  );
}

/** `forced`: there is no way out but a new password. */
export function PasswordDialog({ forced, onClose }: { forced: boolean; onClose: () => void }) {
  const send = async ({ password = '', fresh = '', again = '' }) => {
    if (fresh !== again) throw new Error(t('shell.passwords_differ'));
    if (fresh === password) throw new Error(t('shell.password_same'));
    await changePassword(password, fresh);
    onClose();
  };
  return (
    <Dialog title={t('shell.change_password')} onClose={forced ? undefined : onClose}>
      <Form send={t('shell.change')} onSend={send} onCancel={forced ? undefined : onClose}>
        {forced && <p>{t('shell.must_change')}</p>}
        <input class="sr" name="user" autocomplete="username" tabIndex={-1} aria-hidden="true" readOnly value={session.value.user} />
        <Field label={t('shell.password_present')} name="password" type="password" autocomplete="current-password" required />
        <Field label={t('shell.password_new')} name="fresh" type="password" autocomplete="new-password" required minLength={8} hint={t('shell.password_hint')} />
        <Field label={t('shell.password_again')} name="again" type="password" autocomplete="new-password" required />
      </Form>
    </Dialog>
  );
}
