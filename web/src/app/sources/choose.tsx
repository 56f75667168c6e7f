// What the ticked ONVIF cameras offer: each is asked, its picture is shown, and those that are wanted are added.

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type Params, words } from '../call';
import { Badge, Button, Check, Field, Form, isEnter, Note, Progress, Select, tell, type Values } from '../kit';
import { sources } from '../state';
import { t, type Key } from '../text';
import { bitRate } from '../words';
import { PullFields, usedTokens } from './fields';
import { idOf, type Device } from './find';
import { Lane } from './lane';
import { tokenOf, unusedName } from './names';
import { codecText, explained, size } from './status';
import { Result, test, type Tested, testFault } from './testing';

interface Profile {
  strToken: string;
  strProfileName: string;
  strCodecName: string;
  /** 0 where it is not known, as the next two. */
  nWidth: number;
  nHeight: number;
  nFps: number;
  /** In kbit/s. */
  nBandwidth: number;
}

/** OnvifProbe */
interface Offer {
  profile: Profile[];
  strOnvifAddr: string;
  strProfileMain: string;
  strProfileSub: string;
  strModel: string;
  /** '' where its scopes say none. */
  strName: string;
  strPin: string;
}

interface Camera {
  device: Device;
  user: string;
  password: string;
  offer?: Offer;
  /** Why it cannot be asked, or could not be added. */
  fault: string;
  asking: boolean;
  added: boolean;
}

interface ChooseProps {
  devices: readonly Device[];
  user: string;
  password: string;
  onBack: () => void;
  onClose: () => void;
}

const REASONS = ['unreachable', 'unauthorised', 'not_onvif', 'tls', 'refused', 'unsupported'];
/** Questions to cameras at a time. */
const lane = new Lane(4);

function onvifParams({ device, user, password }: Camera): Params {
  return { ip: device.strIp, port: device.strPort, user: user || undefined, password: password || undefined, https: device.bHttps || undefined };
}

/** The same, with what the camera said about its service. */
function serviceParams(camera: Camera): Params {
  const { offer } = camera;
  return { ...onvifParams(camera), onvifaddr: offer?.strOnvifAddr || undefined, pin: (camera.device.bHttps && offer?.strPin) || undefined };
}

export function Choose({ devices, user, password, onBack, onClose }: ChooseProps) {
  const [cameras, setCameras] = useState<readonly Camera[]>(() => devices.map((device) => ({ device, user, password, fault: '', asking: true, added: false })));
  const [values, setValues] = useState<Values>({});
  const change = (index: number, changed: Partial<Camera>) => setCameras((list) => list.map((camera, at) => (at === index ? { ...camera, ...changed } : camera)));
  const gone = useRef(new AbortController());

  const probe = (index: number, camera: Camera) =>
    lane.run(async () => {
      const { signal } = gone.current;
      if (signal.aborted) return;
      change(index, { ...camera, asking: true, fault: '' });
      try {
        const offer = await call<Offer>('OnvifProbe', { ...onvifParams(camera), onvifaddr: camera.device.strOnvifAddr || undefined }, signal);
        change(index, { asking: false, offer, fault: offer.profile.length > 0 ? '' : t('sources.no_profile') });
      } catch (error) {
        if (!signal.aborted) change(index, { asking: false, fault: why(error) });
      }
    });
  useEffect(() => {
    cameras.forEach((camera, index) => void probe(index, camera));
    return () => gone.current.abort();
  }, []);

  const names = suggested(cameras);
  const add = async (given: Values) => {
    const used = new Set(usedTokens());
    let count = 0;
    let failed = 0;
    for (const [index, camera] of cameras.entries()) {
      if (!camera.offer || camera.added || given[`add${index}`] === 'false') continue;
      const name = given[`name${index}`] || (names[index] ?? '');
      const token = given[`token${index}`] || tokenOf(name, used);
      used.add(token);
      const { audio, connect, transport } = given;
      const chosen = { audio, connect, transport, main: given[`main${index}`] || undefined, sub: given[`sub${index}`] || undefined };
      try {
        await call('AddSrcONVIF', { name, token, ...serviceParams(camera), ...chosen });
        change(index, { added: true, fault: '' });
        count += 1;
      } catch (error) {
        change(index, { fault: words(error) });
        failed += 1;
      }
    }
    if (count > 0) tell(t('sources.added', { n: count }));
    if (count + failed === 0) throw new Error(t('sources.nothing_to_add'));
    if (failed === 0) onClose();
  };
  const ready = cameras.filter(({ offer, added }, index) => offer && !added && values[`add${index}`] !== 'false').length;
  return (
    <Form
      onSend={add}
      send={t('sources.add_cameras', { n: ready })}
      onInput={setValues}
      class="cameras"
      more={
        <Button icon="back" onPress={onBack}>
          {t('sources.back')}
        </Button>
      }
    >
      {cameras.map((camera, index) => (
        <Card key={idOf(camera.device)} camera={camera} index={index} name={names[index] ?? ''} values={values} onAsk={(login) => probe(index, { ...camera, ...login })} />
      ))}
      <details>
        <summary>{t('sources.more_all')}</summary>
        <PullFields />
      </details>
    </Form>
  );
}

interface CardProps {
  camera: Camera;
  index: number;
  name: string;
  values: Values;
  onAsk: (login: { user: string; password: string }) => Promise<void>;
}

function Card({ camera, index, name, values, onAsk }: CardProps) {
  const { device, offer, fault } = camera;
  const [login, setLogin] = useState({ user: camera.user, password: camera.password });
  const wanted = values[`main${index}`] || offer?.strProfileMain;
  const main = offer?.profile.find((profile) => profile.strToken === wanted) ?? offer?.profile[0];
  const made = tokenOf(values[`name${index}`] ?? name, usedTokens());
  const options = (first: string) => [['', first], ...(offer?.profile ?? []).map((profile) => [profile.strToken, [profile.strProfileName, facts(profile)].filter(Boolean).join(' · ')])] as [string, string][];
  return (
    <fieldset class="camera">
      <legend>
        {name} <span class="soft">{idOf(device)}</span>
      </legend>
      {camera.asking && <Progress label={t('sources.asking')} />}
      {fault && <Note kind="bad">{fault}</Note>}
      {camera.added && <Badge kind="good">{t('sources.is_added')}</Badge>}
      {!camera.asking && !offer && (
        <div class="again" onKeyDown={(event) => isEnter(event) && void onAsk(login)}>
          <Field label={t('shell.user')} name={`user${index}`} autoComplete="off" value={login.user} onInput={(event) => setLogin({ ...login, user: event.currentTarget.value })} />
          <Field label={t('shell.password')} name={`password${index}`} type="password" autoComplete="new-password" value={login.password} onInput={(event) => setLogin({ ...login, password: event.currentTarget.value })} />
          <Button icon="refresh" onPress={() => onAsk(login)}>
            {t('shell.again')}
          </Button>
        </div>
      )}
      {offer && !camera.added && (
        <div class="offer">
          <Preview key={main?.strToken} camera={camera} profile={main} name={name} />
          <div class="form">
            <Check label={t('sources.add_this')} name={`add${index}`} checked={!device.bAdded} />
            <Field label={t('sources.name')} name={`name${index}`} maxLength={200} defaultValue={name} />
            <Field label={t('sources.token')} name={`token${index}`} maxLength={64} placeholder={made} hint={t('sources.token_made', { token: made })} />
            <Select label={t('sources.profile_main')} name={`main${index}`} options={options(t('sources.profile_auto', { name: label(offer, offer.strProfileMain) }))} />
            <Select label={t('sources.profile_sub')} name={`sub${index}`} options={options(offer.strProfileSub ? t('sources.profile_auto', { name: label(offer, offer.strProfileSub) }) : t('sources.profile_none'))} />
          </div>
        </div>
      )}
    </fieldset>
  );
}

function label(offer: Offer, token: string): string {
  const profile = offer.profile.find(({ strToken }) => strToken === token);
  return (profile && facts(profile)) || token;
}

function facts({ strCodecName, nWidth, nHeight, nFps, nBandwidth }: Profile): string {
  return [codecText(strCodecName), size(nWidth, nHeight), nFps > 0 && t('sources.fps', { n: nFps }), nBandwidth > 0 && bitRate(nBandwidth)].filter(Boolean).join(' · ');
}

/** The picture of a profile, taken once. */
function Preview({ camera, profile, name }: { camera: Camera; profile: Profile | undefined; name: string }) {
  const [tested, setTested] = useState<Tested>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    if (!profile) return;
    const abort = new AbortController();
    test({ ...serviceParams(camera), main: profile.strToken }, abort.signal)
      .then(setTested)
      .catch((error: unknown) => abort.signal.aborted || setFault(testFault(error)));
    return () => abort.abort();
  }, []);
  return (
    <div class="test">
      <Result tested={tested} fault={fault} name={name} />
    </div>
  );
}

/** A name for each, none twice, and none that a source has. */
function suggested(cameras: readonly Camera[]): string[] {
  const used = new Set(sources.peek().map((source) => source.strName));
  return cameras.map(({ device, offer }) => {
    const name = unusedName(device.strName || offer?.strName || offer?.strModel || device.strModel || device.strIp, used);
    used.add(name);
    return name;
  });
}

/** Why a camera could not be asked. */
function why(error: unknown): string {
  const { strReason = '', strText = '' } = error instanceof ApiError ? error.more : {};
  if (!REASONS.includes(strReason)) return words(error);
  return explained(t(`sources.probe_${strReason}` as Key), strText);
}
