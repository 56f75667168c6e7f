// Restart, power-off, and everything back to how the box was delivered.

import { useState } from 'preact/hooks';
import { call, hashed } from '../call';
import { ask, Button, Dialog, Field, Form, Note, Section, tell } from '../kit';
import { t } from '../text';

export function askRestart(): void {
  ask({
    title: t('system.restart'),
    text: t('system.restart_why'),
    yes: t('system.restart'),
    danger: false,
    act: async () => {
      await call('Reboot');
      tell(t('system.restarting'));
    },
  });
}

function askOff(): void {
  ask({
    title: t('system.power_off'),
    text: t('system.power_off_why'),
    yes: t('system.power_off'),
    act: async () => {
      await call('PowerOff');
      tell(t('system.powering_off'));
    },
  });
}

export function Power() {
  const [reset, setReset] = useState(false);
  return (
    <Section title={t('system.power')}>
      <div class="actions">
        <Button icon="refresh" onPress={askRestart}>
          {t('system.restart')}
        </Button>
        <Button icon="stop" onPress={askOff}>
          {t('system.power_off')}
        </Button>
        <Button kind="danger" icon="delete" onPress={() => setReset(true)}>
          {t('system.factory_reset')}
        </Button>
      </div>
      {reset && <Reset onClose={() => setReset(false)} />}
    </Section>
  );
}

function Reset({ onClose }: { onClose: () => void }) {
  const send = async ({ password = '' }) => {
    await call('FactoryReset', { password: hashed(password) });
    tell(t('system.resetting'));
    onClose();
  };
  return (
    <Dialog title={t('system.factory_reset')} onClose={onClose}>
      <Form send={t('system.factory_reset_yes')} kind="danger" onSend={send} onCancel={onClose}>
        <Note kind="bad">{t('system.factory_reset_why')}</Note>
        <Field label={t('system.own_password')} name="password" type="password" autocomplete="current-password" required />
      </Form>
    </Dialog>
  );
}
