// How one network interface gets its addresses, and the wireless network it joins.

import { useState } from 'preact/hooks';
import { call, type Params } from '../call';
import { Button, Choice, Field, Form, Note, type Values } from '../kit';
import { t } from '../text';
import type { Port } from './ports';

/** Of ScanWifi. */
interface Found {
  strSsid: string;
  /** dBm */
  nSignal: number;
  bSecured: boolean;
}

type Method = Exclude<Port['strMethod'], ''>;

interface LinkFormProps {
  port: Port;
  /** With where the box is then, '' where that stays. */
  onBegun: (seconds: number, address: string) => void;
  onCancel: () => void;
}

export function LinkForm({ port, onBegun, onCancel }: LinkFormProps) {
  const [method, setMethod] = useState<Method>(port.strMethod || 'dhcp');
  const methods = (['dhcp', 'static', 'off'] as const).map((value) => [value, t(`system.method_${value}`)] as const);
  const send = async (values: Values) => {
    const { nConfirmSeconds } = await call<{ nConfirmSeconds: number }>('SetNetwork', { interface: port.strName, method, ...addressing(method, values), ...joining(port, values) });
    const moved = method === 'static' && !port.addresses.includes(values['address'] ?? '');
    onBegun(nConfirmSeconds, moved ? (values['address'] ?? '') : '');
  };
  return (
    <Form send={t('system.try_it')} onSend={send} onCancel={onCancel} class="narrow inner">
      <Choice label={t('system.method')} value={method} options={methods} onPick={(value) => setMethod(value as Method)} />
      {port.strType === 'wifi' && method !== 'off' && <Wifi port={port} />}
      {method === 'static' && (
        <>
          <Field label={t('system.address')} name="address" required maxLength={64} defaultValue={port.addresses[0] ?? ''} placeholder="192.168.1.5/24" hint={t('system.address_hint')} />
          <Field label={t('system.gateway')} name="gateway" maxLength={64} defaultValue={port.strGateway} placeholder="192.168.1.1" />
          <Field label={t('system.dns')} name="dns" maxLength={256} defaultValue={port.dns.join(',')} placeholder="192.168.1.1" hint={t('system.comma_hint')} />
        </>
      )}
      {method === 'off' && <Note kind="warn">{t('system.off_why')}</Note>}
      <Note>{t('system.trial_before')}</Note>
    </Form>
  );
}

function addressing(method: Method, { address, gateway, dns }: Values): Params {
  return method === 'static' ? { address, gateway: gateway || undefined, dns: dns || undefined } : {};
}

/** Nothing, where the wireless network stays as it is: its passphrase is not told. */
function joining(port: Port, { ssid, psk }: Values): Params {
  if (!ssid || (ssid === port.strSsid && !psk)) return {};
  return { ssid, psk: psk || undefined };
}

function Wifi({ port }: { port: Port }) {
  const [found, setFound] = useState<Found[]>();
  const [ssid, setSsid] = useState(port.strSsid);
  const scan = async () => setFound((await call<{ networks: Found[] }>('ScanWifi', { interface: port.strName })).networks);
  return (
    <>
      <Field label={t('system.wifi_network')} name="ssid" required maxLength={32} value={ssid} onInput={(event) => setSsid(event.currentTarget.value)} autocomplete="off" />
      <Button icon="search" onPress={scan}>
        {t('system.scan')}
      </Button>
      {found?.length === 0 && <p role="status">{t('system.scan_none')}</p>}
      {found && found.length > 0 && (
        <ul class="networks" aria-label={t('system.scan_found')}>
          {found.map((network) => (
            <li key={network.strSsid}>
              <Button kind="quiet" icon={network.bSecured ? 'lock' : 'grid'} onPress={() => setSsid(network.strSsid)}>
                {network.strSsid}
              </Button>
              <small>
                {t('system.signal', { percent: strengthOf(network.nSignal) })}
                {network.bSecured ? '' : ` · ${t('system.wifi_open')}`}
              </small>
            </li>
          ))}
        </ul>
      )}
      <Field label={t('system.psk')} name="psk" type="password" minLength={8} maxLength={63} autocomplete="off" hint={t('system.psk_hint')} />
    </>
  );
}

/** -90 dBm is barely there, -50 is as good as it gets. */
function strengthOf(dbm: number): number {
  return Math.round(Math.min(100, Math.max(0, ((dbm + 90) / 40) * 100)));
}
