// What browsers are shown under https://, and which sites may show these pages.

import { useState } from 'preact/hooks';
import { call, callFile } from '../call';
import { Area, ask, Badge, Button, Facts, Form, Head, Load, Note, Section, tell, useLoaded } from '../kit';
import { asSentence } from '../../player/text';
import { t } from '../text';
import { moment } from '../words';
import { saveFile } from './save';

/** GetCertificate. */
interface Certificate {
  /** Without HTTPS the rest is missing. */
  bHttps: boolean;
  strSubject: string;
  strIssuer: string;
  strNotBefore: string;
  strNotAfter: string;
  strFingerprint: string;
  bSelfSigned: boolean;
  names: string[];
  /** Why the one that was set is not shown; '' without trouble. */
  strTrouble: string;
}

export default function CertificatePart() {
  return (
    <>
      <Head title={t('system.certificate')} />
      <CertificateSections />
      <Frames />
    </>
  );
}

const SOON = 30 * 86_400_000;

function CertificateSections() {
  const loaded = useLoaded((signal) => call<Certificate>('GetCertificate', {}, signal));
  const changed = async (text: string) => {
    tell(text);
    await loaded.reload();
  };
  const renew = () =>
    ask({
      title: t('system.renew'),
      text: t('system.renew_why'),
      yes: t('system.renew'),
      danger: loaded.value?.bSelfSigned === false,
      act: async () => {
        await call('RenewCertificate');
        await changed(t('system.renewed'));
      },
    });
  const download = async () => saveFile(await callFile('GetCertificateFile'), 'h5edge.pem');
  return (
    <>
      <Section title={t('system.present_certificate')} actions={loaded.value?.bHttps && <Badge kind={loaded.value.bSelfSigned ? 'plain' : 'good'}>{t(loaded.value.bSelfSigned ? 'system.self_signed' : 'system.signed')}</Badge>}>
        <Load of={loaded}>
          {(certificate) =>
            certificate.bHttps ? (
              <>
                {certificate.strTrouble && <Note kind="bad">{asSentence(certificate.strTrouble)}</Note>}
                <Ends at={certificate.strNotAfter} />
                {certificate.bSelfSigned && <p class="soft">{t('system.self_signed_why')}</p>}
                <Facts
                  facts={[
                    [t('system.subject'), certificate.strSubject],
                    [t('system.issuer'), certificate.strIssuer],
                    [t('system.valid_from'), moment(certificate.strNotBefore)],
                    [t('system.valid_until'), moment(certificate.strNotAfter)],
                    [t('system.names'), certificate.names.join(', ')],
                  ]}
                />
                <Facts facts={[[t('system.fingerprint_sha'), <code class="fingerprint">{certificate.strFingerprint}</code>]]} />
                <div class="buttons">
                  <Button icon="down" onPress={download}>
                    {t('system.download')}
                  </Button>
                  <Button icon="refresh" onPress={renew}>
                    {t('system.renew')}
                  </Button>
                </div>
              </>
            ) : (
              <Note>{t('system.https_off')}</Note>
            )
          }
        </Load>
      </Section>
      {loaded.value?.bHttps && (
        <Section title={t('system.own_certificate')}>
          <OwnCertificate onDone={() => changed(t('system.certificate_set'))} />
        </Section>
      )}
    </>
  );
}

function Ends({ at }: { at: string }) {
  const left = Date.parse(at) - Date.now();
  if (!(left < SOON)) return null;
  return <Note kind={left < 0 ? 'bad' : 'warn'}>{left < 0 ? t('system.certificate_over') : t('system.certificate_ends', { n: Math.ceil(left / 86_400_000) })}</Note>;
}

function OwnCertificate({ onDone }: { onDone: () => Promise<void> }) {
  const [cert, setCert] = useState('');
  const [key, setKey] = useState('');
  const send = async () => {
    await call('SetCertificate', { cert, key });
    setCert('');
    setKey('');
    await onDone();
  };
  return (
    <Form send={t('system.use_certificate')} onSend={send}>
      <p class="soft">{t('system.own_certificate_why')}</p>
      <Pem label={t('system.pem_certificate')} name="cert" value={cert} onText={setCert} placeholder={pem('CERTIFICATE')} />
      <Pem label={t('system.pem_key')} name="key" value={key} onText={setKey} placeholder={pem('PRIVATE KEY')} />
    </Form>
  );
}

function pem(what: string): string {
  return `-----BEGIN ${what}-----`;
}

interface PemProps {
  label: string;
  name: string;
  value: string;
  placeholder: string;
  onText: (text: string) => void;
}

/** A PEM text, typed, pasted or from a file. */
function Pem({ label, name, value, placeholder, onText }: PemProps) {
  return (
    <div class="pem">
      <Area label={label} name={name} rows={4} required value={value} placeholder={placeholder} onInput={(event) => onText(event.currentTarget.value)} />
      <label class="file">
        <span>{t('system.from_file')}</span>
        <input
          type="file"
          aria-label={t('system.from_file_of', { name: label })}
          accept=".pem,.crt,.cer,.key"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) void file.text().then(onText);
          }}
        />
      </label>
    </div>
  );
}

function Frames() {
  const loaded = useLoaded((signal) => call<{ origins: string[] }>('GetFrames', {}, signal));
  const send = async ({ origins = '' }) => {
    await call('SetFrames', { origins: origins.split(/[\s,]+/).filter(Boolean).join(',') });
    tell(t('system.saved'));
    await loaded.reload();
  };
  return (
    <Section title={t('system.frames')}>
      <Load of={loaded}>
        {({ origins }) => (
          <Form key={origins.join()} send={t('system.save')} onSend={send}>
            <p class="soft">{origins.length === 0 ? t('system.frames_nobody') : t('system.frames_some', { n: origins.length })}</p>
            <Area label={t('system.origins')} name="origins" rows={3} defaultValue={origins.join('\n')} placeholder="https://portal.example" hint={t('system.origins_hint')} />
          </Form>
        )}
      </Load>
    </Section>
  );
}
