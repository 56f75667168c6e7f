// Cloud registration: this box at a central server, and the sites of one.

import { useState } from 'preact/hooks';
import { call } from '../call';
import { asSentence } from '../../player/text';
import { ask, Badge, Button, Check, Choice, Facts, Field, Form, Head, Load, Note, Section, Select, tell, type Values } from '../kit';
import { t } from '../text';
import { moment } from '../words';
import { type Client, type Grant, GRANTS, useWatched } from './registration';
import { CentralSection } from './sites';

export default function CloudPart() {
  return (
    <>
      <Head title={t('cloud.title')} />
      <EdgeSection />
      <CentralSection />
    </>
  );
}

function EdgeSection() {
  const loaded = useWatched((signal) => call<Client>('GetCloudClientInfo', {}, signal));
  const [changing, setChanging] = useState(false);
  const set = async (what: Record<string, string | boolean>) => {
    await call('SetCloudInfo', what);
    tell(t('cloud.saved'));
    setChanging(false);
    await loaded.reload();
  };
  const state = loaded.value?.strState;
  return (
    <Section title={t('cloud.edge')} actions={state && <StateBadge state={state} />}>
      <Load of={loaded}>
        {(client) =>
          changing ? (
            <EdgeForm client={client} onSend={set} onCancel={() => setChanging(false)} />
          ) : client.strState === 'off' ? (
            <>
              <p class="soft">{t('cloud.edge_why')}</p>
              <DeviceKey client={client} />
              <div class="buttons">
                <Button onPress={() => setChanging(true)}>{t('cloud.begin')}</Button>
              </div>
            </>
          ) : (
            <>
              <Standing client={client} onTrust={(pin) => set({ pin })} />
              <Facts
                facts={[
                  [t('cloud.central_address'), `${client.strCloudIp}:${client.strCloudPort}${client.bSSL ? ' (TLS)' : ''}`],
                  client.strOnlineSince !== '' && [t('cloud.online_since'), moment(client.strOnlineSince)],
                  [t('cloud.name'), client.strNameAtCentral ?? client.strServerName],
                  [t('cloud.token'), client.strServerToken],
                  [t('cloud.grant'), t(`cloud.grant_${client.strGrant}`)],
                ]}
              />
              <div class="buttons">
                <Button icon="edit" onPress={() => setChanging(true)}>
                  {t('cloud.change')}
                </Button>
                <Button icon="close" onPress={() => askDisconnect(set)}>
                  {t('cloud.disconnect')}
                </Button>
              </div>
            </>
          )
        }
      </Load>
    </Section>
  );
}

const KINDS = { off: 'off', connecting: 'warn', unclaimed: 'warn', online: 'good', offline: 'bad' } as const;

function StateBadge({ state }: { state: Client['strState'] }) {
  return <Badge kind={KINDS[state]}>{t(`cloud.is_${state}`)}</Badge>;
}

function askDisconnect(set: (what: Record<string, string | boolean>) => Promise<void>): void {
  ask({ title: t('cloud.disconnect'), text: t('cloud.disconnect_why'), yes: t('cloud.disconnect'), act: () => set({ enable: false }) });
}

/** What has to be done now, if anything. */
function Standing({ client, onTrust }: { client: Client; onTrust: (pin: string) => Promise<void> }) {
  if (client.strState === 'unclaimed') {
    return (
      <div class="claim">
        <p>{t('cloud.code_why')}</p>
        <output class="code">{client.strClaimCode ?? '…'}</output>
        <CopyButton text={client.strClaimCode ?? ''} />
        <DeviceKey client={client} />
      </div>
    );
  }
  if (client.strState !== 'offline') return null;
  return (
    <>
      <Note kind="bad">{asSentence(client.strStateText)}</Note>
      {client.strPinOffered === '' ? (
        <p class="soft">{t('cloud.goes_on')}</p>
      ) : (
        <>
          <p>{t('cloud.trust_why')}</p>
          <code class="fingerprint">{grouped(client.strPinOffered)}</code>
          <div class="buttons">
            <Button icon="lock" onPress={() => onTrust(client.strPinOffered)}>
              {t('cloud.trust')}
            </Button>
          </div>
        </>
      )}
    </>
  );
}

/** For a central that prepares itself for this box. */
function DeviceKey({ client }: { client: Client }) {
  return <Facts facts={[[t('cloud.key'), <code class="fingerprint">{client.strDeviceKey}</code>]]} />;
}

/** `AB:CD:…`, as certificates are shown elsewhere. */
function grouped(hex: string): string {
  return hex.toUpperCase().replace(/(..)(?=.)/g, '$1:');
}

function CopyButton({ text }: { text: string }) {
  // Browsers give the clipboard to pages under https:// only.
  if (!('clipboard' in navigator)) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    tell(t('cloud.copied'));
  };
  return <Button onPress={copy}>{t('cloud.copy')}</Button>;
}

interface EdgeFormProps {
  client: Client;
  onSend: (what: Record<string, string | boolean>) => Promise<void>;
  onCancel: () => void;
}

function EdgeForm({ client, onSend, onCancel }: EdgeFormProps) {
  const [tls, setTls] = useState(client.bSSL);
  const [way, setWay] = useState('code');
  const [grant, setGrant] = useState<Grant>(client.strGrant);
  const send = ({ cloudip = '', cloudport = '', servername = '', servertoken = '', user = '', password = '', pin = '' }: Values) => {
    const known = way === 'user' ? { user, password } : { user: '', password: '' };
    return onSend({ enable: true, cloudip, cloudport, ssl: tls, servername, servertoken, grant, ...known, ...(tls && { pin }) });
  };
  return (
    <Form send={t('cloud.connect')} onSend={send} onCancel={onCancel} class="narrow">
      <Field label={t('cloud.central_address')} name="cloudip" required maxLength={253} defaultValue={client.strCloudIp} placeholder="central.example" autocomplete="off" />
      <Field label={t('cloud.port')} name="cloudport" type="number" required min={1} max={65535} defaultValue={client.strCloudPort} hint={t('cloud.port_hint')} />
      <Check label={t('cloud.tls')} checked={tls} onSwitch={setTls} />
      {!tls && <Note kind="warn">{t('cloud.no_tls')}</Note>}
      {tls && <Field label={t('cloud.pin')} name="pin" maxLength={95} defaultValue={client.strPin} autocomplete="off" hint={t('cloud.pin_hint')} />}
      <Field label={t('cloud.name')} name="servername" maxLength={64} defaultValue={client.strServerName} autocomplete="off" hint={t('cloud.name_hint')} />
      <Field label={t('cloud.token')} name="servertoken" required maxLength={64} pattern="[A-Za-z0-9_\-][A-Za-z0-9._\-]*" defaultValue={client.strServerToken} autocomplete="off" hint={t('cloud.token_hint')} />
      <Choice
        label={t('cloud.way')}
        value={way}
        options={[
          ['code', t('cloud.way_code')],
          ['user', t('cloud.way_user')],
        ]}
        onPick={setWay}
      />
      <p class="soft">{t(way === 'code' ? 'cloud.way_code_why' : 'cloud.way_user_why')}</p>
      {way === 'user' && (
        <>
          <Field label={t('cloud.user')} name="user" required maxLength={256} defaultValue={client.strUser} autocomplete="off" />
          <Field label={t('cloud.password')} name="password" type="password" required maxLength={256} autocomplete="off" />
        </>
      )}
      <Select label={t('cloud.grant')} value={grant} options={GRANTS.map((grant) => [grant, t(`cloud.grant_${grant}`)] as const)} onPick={(picked) => setGrant(picked as Grant)} hint={t(`cloud.may_${grant}`)} />
    </Form>
  );
}
