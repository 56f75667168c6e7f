// ONVIF cameras: searched on the network or named by address, ticked, then asked for what they offer.

import { useEffect, useRef, useState } from 'preact/hooks';
import { call, words } from '../call';
import { Badge, Button, Check, Field, Form, Note, Progress, type Values, valuesOf } from '../kit';
import { t } from '../text';
import { Choose } from './choose';
import { LoginFields } from './fields';

/** An entry of OnvifSearch. */
export interface Device {
  strIp: string;
  strPort: string;
  strOnvifAddr: string;
  strName: string;
  strModel: string;
  bHttps: boolean;
  bAdded: boolean;
}

/** How long the network is searched, in seconds. */
const PATIENCE = 6;
const BEAT = 250;

export function idOf({ strIp, strPort }: Device): string {
  return `${strIp}:${strPort}`;
}

export function Find({ onClose }: { onClose: () => void }) {
  const [devices, setDevices] = useState<readonly Device[]>([]);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<{ devices: readonly Device[]; user: string; password: string }>();
  const search = useSearch((found) => setDevices((known) => [...found, ...known.filter((device) => !found.some((other) => idOf(other) === idOf(device)))]));

  const tick = (id: string, on: boolean) => {
    const next = new Set(ticked);
    on ? next.add(id) : next.delete(id);
    setTicked(next);
  };
  /** Puts a camera that was named by its address on the list, ticked. */
  const named = (values: Values): Device | undefined => {
    const { ip = '', port = '', https } = values;
    if (ip === '') return undefined;
    const device = { strIp: ip, strPort: port || (https === 'true' ? '443' : '80'), strOnvifAddr: '', strName: '', strModel: '', bHttps: https === 'true', bAdded: false };
    setDevices((known) => (known.some((other) => idOf(other) === idOf(device)) ? known : [...known, device]));
    tick(idOf(device), true);
    return device;
  };
  const next = async (values: Values) => {
    const more = named(values);
    const list = devices.filter((device) => ticked.has(idOf(device)));
    if (more && !list.some((device) => idOf(device) === idOf(more))) list.push(more);
    if (list.length === 0) throw new Error(t('sources.tick_one'));
    search.stop();
    setChosen({ devices: list, user: values['user'] ?? '', password: values['password'] ?? '' });
  };

  if (chosen) return <Choose {...chosen} onBack={() => setChosen(undefined)} onClose={onClose} />;
  return (
    <Form onSend={next} send={t('sources.next')} onCancel={onClose} class="find">
      {search.percent === undefined ? (
        <div class="between">
          <span role="status">{search.fault ? '' : t('sources.found', { n: devices.length })}</span>
          <Button icon="refresh" onPress={search.start}>
            {t('sources.search_again')}
          </Button>
        </div>
      ) : (
        <Progress label={t('sources.searching')} percent={search.percent} onCancel={search.stop} />
      )}
      {search.fault && <Note kind="bad">{search.fault}</Note>}
      <ul class="devices">
        {devices.map((device) => (
          <li key={idOf(device)}>
            <Check
              checked={ticked.has(idOf(device))}
              onSwitch={(on) => tick(idOf(device), on)}
              label={
                <>
                  <b>{[device.strName, device.strModel].filter(Boolean).join(' · ') || t('sources.camera')}</b> <span class="soft">{idOf(device)}</span>
                  {device.bHttps && <small> HTTPS</small>}
                </>
              }
            />
            {device.bAdded && <Badge kind="good">{t('sources.is_added')}</Badge>}
          </li>
        ))}
      </ul>
      <details>
        <summary>{t('sources.not_found')}</summary>
        <div class="pair">
          <Field label={t('sources.ip')} name="ip" maxLength={253} placeholder="192.168.1.21" />
          <Field label={t('sources.port')} name="port" inputMode="numeric" pattern="\d{1,5}" placeholder="80" />
        </div>
        <div class="between">
          <Check label={t('sources.https')} name="https" />
          <PutOnList onPress={named} />
        </div>
      </details>
      <LoginFields />
      <p class="soft">{t('sources.login_hint')}</p>
    </Form>
  );
}

function PutOnList({ onPress }: { onPress: (values: Values) => Device | undefined }) {
  const place = useRef<HTMLSpanElement>(null);
  const press = () => {
    const form = place.current?.closest('form');
    if (!form || !onPress(valuesOf(form))) return;
    for (const name of ['ip', 'port']) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = '';
    }
  };
  return (
    <span ref={place}>
      <Button icon="add" onPress={press}>
        {t('sources.put_on_list')}
      </Button>
    </span>
  );
}

/** A search that begins when it is shown; `percent` while it goes on. The server answers when its time is over. */
function useSearch(onFound: (devices: Device[]) => void) {
  const [percent, setPercent] = useState<number>();
  const [fault, setFault] = useState('');
  const running = useRef<AbortController>(undefined);
  const stop = () => running.current?.abort();
  const start = () => {
    stop();
    const abort = new AbortController();
    running.current = abort;
    const began = Date.now();
    const clock = setInterval(() => setPercent(Math.min(99, (Date.now() - began) / (PATIENCE * 10))), BEAT);
    setPercent(0);
    setFault('');
    call<{ device: Device[] }>('OnvifSearch', { timeout: PATIENCE }, abort.signal)
      .then(({ device }) => onFound(device))
      .catch((error: unknown) => abort.signal.aborted || setFault(words(error)))
      .finally(() => {
        clearInterval(clock);
        if (running.current === abort) setPercent(undefined);
      });
  };
  useEffect(() => {
    start();
    return stop;
  }, []);
  return { percent, fault, start, stop };
}
