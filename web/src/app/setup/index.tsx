// The first password of a device that has none; on a box also its name and its time zone. Then, logged in, its network.

import './setup.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, newPassword } from '../call';
import { logIn, type SetupState } from '../entrance';
import { Choice, Field, Form, Lazy, Note, tellFailure, Toasts, ZoneField } from '../kit';
import { language, LANGUAGES, setLanguage, t, type Language } from '../text';
import { strength } from './strength';

export function Setup({ state }: { state: SetupState }) {
  const [password, setPassword] = useState('');
  const over = (state.nSecondsLeft ?? 0) <= 0;
  const send = async ({ password = '', again = '', name = '', zone = '' }) => {
    if (password !== again) throw new Error(t('setup.differ'));
    const { strCode } = await call<{ strCode: string }>('Setup', { password: newPassword(password), name: name || undefined, zone: zone || undefined });
    await logIn('admin', password, 'network');
    // The password is set; the name or the zone may not be.
    const [, ...failed] = strCode.split(';');
    for (const text of failed) tellFailure(new Error(text));
  };
  return (
    <main class="login setup">
      <div class="card">
        <h1>
          <img src="./favicon.svg" alt="" width="36" height="36" />
          h5edge
        </h1>
        <Languages />
        {over ? (
          <Note kind="warn">{t('setup.over')}</Note>
        ) : (
          <Form send={t('setup.send')} onSend={send} onInput={(values) => setPassword(values['password'] ?? '')}>
            <p>{t('setup.intro')}</p>
            <input class="sr" name="user" autocomplete="username" tabIndex={-1} aria-hidden="true" readOnly value="admin" />
            <NewPassword rating={strength(password)} />
            <Field label={t('setup.again')} name="again" type="password" autocomplete="new-password" required maxLength={256} />
            {state.bAppliance && <Box name={state.strHostname ?? ''} />}
          </Form>
        )}
      </div>
    </main>
  );
}

/** The second step; its code comes with it. */
export function NetworkStep() {
  return (
    <main class="login setup">
      <Lazy load={() => import('./network')} />
      <Toasts />
    </main>
  );
}

function Languages() {
  const options = (Object.keys(LANGUAGES) as Language[]).map((key) => [key, <bdi lang={LANGUAGES[key].tag}>{LANGUAGES[key].name}</bdi>] as const);
  return <Choice label={t('shell.language')} value={language.value} options={options} onPick={(value) => setLanguage(value as Language)} />;
}

function NewPassword({ rating }: { rating: 0 | 1 | 2 | 3 | 4 }) {
  const here = useRef<HTMLDivElement>(null);
  useEffect(() => here.current?.querySelector('input')?.focus(), []);
  const hint = (
    <span class="strength">
      <meter min={0} max={4} low={2} high={3} optimum={4} value={rating} aria-hidden="true" />
      <span role="status">{t(`setup.strength_${rating}`)}</span>
    </span>
  );
  return (
    <div ref={here}>
      <Field label={t('setup.password')} name="password" type="password" autocomplete="new-password" required minLength={8} maxLength={256} hint={hint} />
    </div>
  );
}

function Box({ name }: { name: string }) {
  return (
    <>
      <Field
        label={t('setup.name')}
        name="name"
        maxLength={63}
        pattern="[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?"
        placeholder={name}
        autocomplete="off"
        hint={t('setup.name_hint')}
      />
      <ZoneField label={t('setup.zone')} name="zone" />
    </>
  );
}
