// The box's name on the network, and the way in for its maintainers.

import { call } from '../call';
import { Area, ask, Badge, Button, Facts, Field, Form, Load, Section, Table, tell, useLoaded } from '../kit';
import { t } from '../text';

export function Hostname() {
  const loaded = useLoaded((signal) => call<{ strHostname: string; strDefault: string }>('GetHostname', {}, signal));
  const send = async ({ name = '' }) => {
    await call('SetHostname', { name });
    tell(t('system.saved'));
    await loaded.reload();
  };
  return (
    <Section title={t('system.hostname')}>
      <Load of={loaded}>
        {({ strHostname, strDefault }) => (
          <Form key={strHostname} send={t('system.save')} onSend={send} class="narrow">
            <Field
              label={t('system.name')}
              name="name"
              maxLength={63}
              pattern="[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?"
              defaultValue={strHostname}
              placeholder={strDefault}
              autocomplete="off"
              hint={t('system.hostname_hint', { address: `${strHostname}.local` })}
            />
          </Form>
        )}
      </Load>
    </Section>
  );
}

/** GetSsh. */
interface SshState {
  bEnabled: boolean;
  keys: { strType: string; strFingerprint: string; strComment: string }[];
  strHostFingerprint: string;
}

export function Ssh() {
  const loaded = useLoaded((signal) => call<SshState>('GetSsh', {}, signal));
  const set = async (keys: string) => {
    await call('SetSsh', { keys });
    tell(t('system.saved'));
    await loaded.reload();
  };
  const askOff = () => ask({ title: t('system.ssh_off'), text: t('system.ssh_off_why'), yes: t('system.ssh_off'), act: () => set('') });
  return (
    <Section title="SSH" actions={loaded.value && <Badge kind={loaded.value.bEnabled ? 'warn' : 'off'}>{t(loaded.value.bEnabled ? 'system.on' : 'system.off')}</Badge>}>
      <p class="soft">{t('system.ssh_why')}</p>
      <Load of={loaded}>
        {({ bEnabled, keys, strHostFingerprint }) => (
          <>
            {bEnabled && (
              <Table
                label={t('system.ssh_keys')}
                rows={keys}
                id={(key) => key.strFingerprint}
                empty=""
                columns={[
                  { title: t('system.comment'), cell: (key) => key.strComment || key.strType },
                  { title: t('system.fingerprint'), cell: (key) => <code>{key.strFingerprint}</code> },
                ]}
              />
            )}
            {strHostFingerprint && <Facts facts={[[t('system.host_fingerprint'), <code>{strHostFingerprint}</code>]]} />}
            <Form
              key={keys.length}
              send={t(bEnabled ? 'system.ssh_replace' : 'system.ssh_on')}
              onSend={({ keys: lines = '' }) => set(lines)}
              more={
                bEnabled && (
                  <Button kind="danger" onPress={askOff}>
                    {t('system.ssh_off')}
                  </Button>
                )
              }
              class="inner"
            >
              <Area label={t('system.ssh_keys')} name="keys" rows={4} required maxLength={32768} placeholder="ssh-ed25519 AAAA… name" hint={t('system.ssh_hint')} />
            </Form>
          </>
        )}
      </Load>
    </Section>
  );
}
