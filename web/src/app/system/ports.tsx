// The network interfaces: what is set, and a change that undoes itself unless it is kept.

import { useEffect, useState } from 'preact/hooks';
import { call } from '../call';
import { Badge, Button, Facts, Load, Note, Section, tell, useLoaded } from '../kit';
import { t } from '../text';
import { LinkForm } from './link';
import { Trial } from './trial';

/** Of GetNetwork. */
export interface Port {
  strName: string;
  strMac: string;
  strType: 'ethernet' | 'wifi';
  bUp: boolean;
  /** '' where the machine's own system decides. */
  strMethod: 'dhcp' | 'static' | 'off' | '';
  /** With the lengths of their prefixes. */
  addresses: string[];
  strGateway: string;
  dns: string[];
  strSsid: string;
}

interface Network {
  bAppliance: boolean;
  interfaces: Port[];
  bTrial: boolean;
  nConfirmSeconds: number;
}

interface PortsProps {
  /** Only how the addresses come, in a sentence. */
  brief?: boolean;
  /** Told when a trial begins and when it is over. */
  onTrial?: (runs: boolean) => void;
}

export function Ports({ brief = false, onTrial }: PortsProps) {
  const loaded = useLoaded((signal) => call<Network>('GetNetwork', {}, signal));
  /** What is tried, as long as this page knows. */
  const [tried, setTried] = useState<{ seconds: number; address: string }>();
  const [editing, setEditing] = useState('');
  const found = loaded.value?.bTrial ? { seconds: loaded.value.nConfirmSeconds, address: '' } : undefined;
  const trial = tried ?? found;
  useEffect(() => onTrial?.(trial !== undefined), [trial !== undefined]);
  const over = async (text: string) => {
    setTried(undefined);
    tell(text);
    await loaded.reload();
  };
  const begun = (seconds: number, address: string) => {
    setEditing('');
    setTried({ seconds, address });
  };
  return (
    <>
      {trial && <Trial key={`${trial.address} ${trial.seconds}`} {...trial} onOver={over} />}
      <Load of={loaded}>
        {({ bAppliance, interfaces }) => (
          <>
            {!bAppliance && <Note>{t('system.no_box')}</Note>}
            {interfaces.length === 0 && <Note>{t('system.no_interface')}</Note>}
            {interfaces.filter(({ addresses }) => bAppliance || addresses.length > 0).map((port) => (
              <Section
                key={port.strName}
                title={`${t(`system.type_${port.strType}`)} ${port.strName}`}
                actions={<Badge kind={port.bUp ? 'good' : 'off'}>{t(port.bUp ? 'system.link_up' : 'system.link_down')}</Badge>}
              >
                {brief ? <p>{sentence(port)}</p> : <PortFacts port={port} />}
                {editing === port.strName && <LinkForm port={port} onBegun={begun} onCancel={() => setEditing('')} />}
                {bAppliance && editing !== port.strName && (
                  <div class="buttons">
                    <Button icon="edit" onPress={() => setEditing(port.strName)}>
                      {t('system.change_settings')}
                    </Button>
                  </div>
                )}
              </Section>
            ))}
          </>
        )}
      </Load>
    </>
  );
}

function PortFacts({ port }: { port: Port }) {
  const nothing = t('system.none');
  return (
    <Facts
      facts={[
        port.strMethod !== '' && [t('system.method'), t(`system.method_${port.strMethod}`)],
        [t('system.addresses'), port.addresses.join(', ') || nothing],
        [t('system.gateway'), port.strGateway || nothing],
        [t('system.dns'), port.dns.join(', ') || nothing],
        [t('system.mac'), port.strMac],
        port.strType === 'wifi' && ([t('system.wifi_network'), port.strSsid || nothing] as const),
      ]}
    />
  );
}

/** How the addresses come, and what they are, but for those of IPv6 that every link has. */
function sentence({ strMethod, addresses }: Port): string {
  const told = addresses.filter((address) => !address.startsWith('fe80:'));
  if (strMethod !== '' && told.length === 0) return t(`system.method_${strMethod}`);
  return t(`system.now_${strMethod || 'other'}`, { addresses: told.join(', ') });
}
