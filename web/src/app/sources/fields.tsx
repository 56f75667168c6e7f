// The fields that adding and editing have in common.

import type { TargetedEvent } from 'preact';
import { Check, Field, Select } from '../kit';
import { sourceMap, type Source } from '../state';
import { t } from '../text';
import { takeApart, tokenOf } from './names';

type Given = Partial<Source> | undefined;

export function usedTokens(): ReadonlySet<string> {
  return new Set(sourceMap.value.keys());
}

/** Name and token; a token that is left empty is made of the name. */
export function NameFields({ name }: { name: string }) {
  const made = tokenOf(name, usedTokens());
  return (
    <div class="pair">
      <Field label={t('sources.name')} name="name" required maxLength={200} />
      <Field label={t('sources.token')} name="token" maxLength={64} placeholder={name ? made : ''} hint={name ? t('sources.token_made', { token: made }) : t('sources.token_hint')} />
    </div>
  );
}

/** User and password; with `stored`, an empty password keeps the one that there is. */
export function LoginFields({ source, stored = false }: { source?: Given; stored?: boolean }) {
  return (
    <div class="pair">
      <Field label={t('shell.user')} name="user" autoComplete="off" defaultValue={source?.strUser} />
      <Field label={t('shell.password')} name="password" type="password" autoComplete="new-password" hint={stored ? t('sources.password_kept') : undefined} />
    </div>
  );
}

/** Address of a stream, with user and password; those inside a pasted address move to their fields. */
export function StreamFields({ source, stored = false }: { source?: Given; stored?: boolean }) {
  return (
    <>
      <Field
        label={t('sources.url')}
        name="url"
        required
        maxLength={2048}
        placeholder="rtsp://192.168.1.20/stream1"
        hint={t('sources.url_hint')}
        defaultValue={source?.strUrl}
        onChange={split}
        onInput={(event) => (event as InputEvent).inputType === 'insertFromPaste' && split(event)}
      />
      <LoginFields source={source} stored={stored} />
    </>
  );
}

function split({ currentTarget: field }: TargetedEvent<HTMLInputElement>): void {
  const { url, user, password } = takeApart(field.value);
  if (url === field.value) return;
  field.value = url;
  const fill = (name: string, value: string) => {
    const other = field.form?.elements.namedItem(name);
    if (other instanceof HTMLInputElement && value !== '') other.value = value;
  };
  fill('user', user);
  fill('password', password);
}

/** The address of the small picture, which tiles of a wall take. */
export function SubField({ source }: { source?: Given }) {
  return <Field label={t('sources.urlsub')} name="urlsub" maxLength={2048} placeholder="rtsp://192.168.1.20/stream2" hint={t('sources.urlsub_hint')} defaultValue={source?.strUrlSub ?? ''} />;
}

export function OnvifFields({ source }: { source?: Given }) {
  return (
    <div class="pair">
      <Field label={t('sources.ip')} name="ip" maxLength={253} defaultValue={source?.strSrcIpAddress} placeholder="192.168.1.21" />
      <Field label={t('sources.port')} name="port" inputMode="numeric" pattern="\d{1,5}" defaultValue={source?.strSrcPort || '80'} />
    </div>
  );
}

/** When it is pulled, how, and whether with sound. */
export function PullFields({ source, file = false }: { source?: Given; file?: boolean }) {
  return (
    <>
      <div class="pair">
        <Select
          label={t('sources.connect')}
          name="connect"
          value={source?.nConnectType ?? 'H5_AUTO'}
          options={[
            ['H5_AUTO', t('sources.connect_auto')],
            ['H5_ONDEMAND', t('sources.connect_ondemand')],
            ['H5_ALWAYS', t('sources.connect_always')],
          ]}
        />
        {!file && (
          <Select
            label={t('sources.transport')}
            name="transport"
            value={source?.nRTSPType ?? 'H5_RTSP_AUTO'}
            options={[
              ['H5_RTSP_AUTO', t('sources.transport_auto')],
              ['H5_RTSP_TCP', 'TCP'],
              ['H5_RTSP_UDP', 'UDP'],
            ]}
          />
        )}
      </div>
      <Check label={t('sources.audio')} name="audio" checked={source?.bEnableAudio ?? false} />
    </>
  );
}
