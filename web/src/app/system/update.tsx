// The box's software: what runs, an update from a file or an address, the way back; and restart, power and reset.

import { useState } from 'preact/hooks';
import { call } from '../call';
import { ask, Badge, Button, Choice, Facts, Field, Form, Head, Load, Note, Progress, Section, Table, tell, useLoaded } from '../kit';
import { connected, update, type Update } from '../state';
import { t } from '../text';
import { moment } from '../words';
import { OnBox } from './box';
import { askRestart, Power } from './power';
import { uploadUpdate } from './upload';

export default function UpdatePart() {
  return (
    <>
      <Head title={t('system.update')} />
      <OnBox>
        <UpdateSections />
        <Power />
      </OnBox>
    </>
  );
}

/** The news of it come through the socket; this asks for what was before. */
async function load(signal?: AbortSignal): Promise<true> {
  update.value = await call<Update>('GetUpdate', {}, signal);
  return true;
}

function UpdateSections() {
  // After a restart another system may run.
  const loaded = useLoaded(load, [connected.value]);
  // An upload of this page's own stays where it was begun, with its way to give it up.
  const [uploading, setUploading] = useState(false);
  return (
    <Load of={loaded}>
      {() => {
        const now = update.value;
        return (
          now && (
            <>
              <Running now={now} />
              <Section title={t('system.new_update')}>
                {!uploading && <Going now={now} />}
                {(uploading || !isBusy(now)) && <Offer now={now} onUpload={setUploading} />}
              </Section>
            </>
          )
        );
      }}
    </Load>
  );
}

function isBusy({ strState }: Update): boolean {
  return strState === 'receiving' || strState === 'checking' || strState === 'installing';
}

function Running({ now }: { now: Update }) {
  const askBack = () =>
    ask({
      title: t('system.roll_back'),
      text: t('system.roll_back_why'),
      yes: t('system.roll_back'),
      act: async () => {
        await call('RollBack');
        await load();
      },
    });
  return (
    <Section title={t('system.running')}>
      {now.bRebootNeeded && (
        <Note kind="warn">
          {t('system.restart_needed', { name: now.strNext })} <Button onPress={askRestart}>{t('system.restart')}</Button>
        </Note>
      )}
      <Facts
        facts={[
          [t('system.version'), now.strVersion],
          [t('system.build'), now.strBuild],
          [t('system.board'), now.strBoard],
        ]}
      />
      <Table
        label={t('system.slots')}
        rows={now.slots}
        id={(slot) => slot.strName}
        empty={t('system.no_slots')}
        columns={[
          { title: t('system.slot'), cell: (slot) => slot.strName },
          { title: t('system.version'), cell: (slot) => slot.strVersion || t('system.none') },
          { title: t('system.installed'), cell: (slot) => moment(slot.strInstalled) || t('system.none') },
          {
            title: t('system.slot_state'),
            cell: (slot) => (
              <span class="actions">
                {slot.bBooted && <Badge kind="good">{t('system.slot_runs')}</Badge>}
                {slot.strName === now.strNext && !slot.bBooted && <Badge kind="warn">{t('system.slot_next')}</Badge>}
                {slot.strBootStatus === 'bad' && <Badge kind="bad">{t('system.slot_bad')}</Badge>}
              </span>
            ),
          },
        ]}
      />
      <div class="buttons">
        <Button icon="back" disabled={isBusy(now)} onPress={askBack}>
          {t('system.roll_back')}
        </Button>
      </div>
    </Section>
  );
}

function Going({ now }: { now: Update }) {
  switch (now.strState) {
    case 'receiving':
    case 'checking':
    case 'installing':
      return <Progress label={t(`system.update_${now.strState}`)} percent={now.strState === 'checking' ? undefined : now.nPercent} />;
    case 'failed':
      return (
        <Note kind="bad">
          {t('system.update_failed')} {now.strText}
        </Note>
      );
    case 'done':
      return <Note kind="good">{t('system.update_done')}</Note>;
    case 'idle':
      return null;
  }
}

function Offer({ now, onUpload }: { now: Update; onUpload: (going: boolean) => void }) {
  const [from, setFrom] = useState<'file' | 'url'>('file');
  const install = async () => {
    await call('InstallUpdate');
    await load();
  };
  const fetchAndInstall = async ({ url = '' }) => {
    await call('InstallUpdate', { url });
    tell(t('system.install_begun'));
    await load();
  };
  return (
    <>
      {now.strReady && (
        <div class="ready">
          <p>{t('system.update_ready', { version: now.strReady })}</p>
          <Button kind="main" onPress={install}>
            {t('system.install')}
          </Button>
        </div>
      )}
      <p class="soft">{t('system.update_why')}</p>
      <Choice
        label={t('system.update_from')}
        value={from}
        options={[
          ['file', t('system.from_file')],
          ['url', t('system.from_url')],
        ]}
        onPick={(value) => setFrom(value as 'file' | 'url')}
      />
      {from === 'file' ? (
        <UploadForm onUpload={onUpload} />
      ) : (
        <Form send={t('system.fetch_install')} onSend={fetchAndInstall} class="narrow">
          <Field label={t('system.url')} name="url" type="url" required maxLength={2048} placeholder="https://" />
        </Form>
      )}
    </>
  );
}

function UploadForm({ onUpload }: { onUpload: (going: boolean) => void }) {
  const [file, setFile] = useState<File>();
  const [percent, setPercent] = useState<number>();
  const [abort, setAbort] = useState<AbortController>();
  const send = async () => {
    if (!file) return;
    const given = new AbortController();
    setAbort(given);
    onUpload(true);
    const failure = await uploadUpdate(file, setPercent, given.signal).then(
      () => tell(t('system.upload_done')),
      (error: unknown) => error,
    );
    setPercent(undefined);
    setAbort(undefined);
    await load().catch(() => undefined);
    onUpload(false);
    const { strState, strText } = update.value ?? {};
    // Given up by hand is no failure, and what the box says of the bundle stands above already.
    if (failure instanceof Error && !given.signal.aborted && !(strState === 'failed' && strText === failure.message)) throw failure;
  };
  return (
    <Form send={t('system.upload')} onSend={send} class="narrow">
      <Field label={t('system.bundle')} name="bundle" type="file" required accept=".raucb" hint={t('system.bundle_hint')} onChange={(event) => setFile(event.currentTarget.files?.[0])} />
      {abort && <Progress label={t('system.uploading')} percent={percent} onCancel={() => abort.abort()} />}
    </Form>
  );
}
