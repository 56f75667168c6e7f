// The sites of a central: which boxes are registered, how they fare, and how they are taken in, changed and removed.

import { useState } from 'preact/hooks';
import { call } from '../call';
import { ask, Badge, Button, Choice, Dialog, Field, Form, Load, Note, Section, Table, tell } from '../kit';
import { t } from '../text';
import { moment } from '../words';
import { found, type Site, type Sites, useWatched, type Waiting } from './registration';

/** With more sites than this there is a search. */
const FEW = 8;

export function CentralSection() {
  const loaded = useWatched((signal) => call<Sites>('GetServerList', {}, signal));
  const [open, setOpen] = useState<Site | 'new'>();
  const done = async (text: string) => {
    setOpen(undefined);
    tell(text);
    await loaded.reload();
  };
  const close = () => setOpen(undefined);
  return (
    <Section
      title={t('cloud.central')}
      actions={
        loaded.value?.bCentral && (
          <Button kind="main" icon="add" onPress={() => setOpen('new')}>
            {t('cloud.add')}
          </Button>
        )
      }
    >
      <Load of={loaded}>
        {(sites) => (
          <>
            {sites.bCentral && <SiteTable sites={sites.server} onRename={setOpen} onDone={done} />}
            <Turn sites={sites} onDone={done} />
          </>
        )}
      </Load>
      {open === 'new' && <AddDialog onClose={close} onDone={done} />}
      {typeof open === 'object' && <RenameDialog site={open} onClose={close} onDone={done} />}
    </Section>
  );
}

/** Making this box a central, and ending that. */
function Turn({ sites: { bCentral, bCentralNext }, onDone }: { sites: Sites; onDone: (text: string) => Promise<void> }) {
  const set = async (enable: boolean) => {
    await call('SetCloudServer', { enable });
    await onDone(t('cloud.saved'));
  };
  return (
    <>
      {bCentral !== bCentralNext && <Note kind="warn">{t(bCentralNext ? 'cloud.central_after' : 'cloud.no_central_after')}</Note>}
      {!bCentral && <p class="soft">{t('cloud.central_why')}</p>}
      <div class="buttons">
        <Button onPress={() => set(!bCentralNext)}>{t(bCentralNext ? 'cloud.make_none' : 'cloud.make_central')}</Button>
      </div>
    </>
  );
}

interface SiteTableProps {
  sites: readonly Site[];
  onRename: (site: Site) => void;
  onDone: (text: string) => Promise<void>;
}

function SiteTable({ sites, onRename, onDone }: SiteTableProps) {
  const [asked, setAsked] = useState('');
  const enable = async ({ strServerToken: servertoken, strServerName: name }: Site, enable: boolean) => {
    await call('UpdateServer', { servertoken, enable });
    await onDone(t(enable ? 'cloud.enabled' : 'cloud.disabled', { name }));
  };
  return (
    <>
      {sites.length > FEW && (
        <div class="filters">
          <Field label={t('cloud.search')} name="search" type="search" value={asked} onInput={(event) => setAsked(event.currentTarget.value)} />
        </div>
      )}
      <Table
        label={t('cloud.sites')}
        rows={found(sites, sites.length > FEW ? asked : '')}
        id={(site) => site.strServerToken}
        empty={t(sites.length === 0 ? 'cloud.no_sites' : 'cloud.nothing_found')}
        columns={[
          {
            title: t('cloud.site'),
            cell: (site) => (
              <div>
                <b>{site.strServerName}</b>
                <br />
                <small>{site.strServerToken}</small>
              </div>
            ),
            by: (site) => site.strServerName,
          },
          { title: t('cloud.state'), cell: (site) => <SiteState site={site} />, by: (site) => Number(site.bOnline) },
          { title: t('cloud.address'), cell: (site) => site.strServerIp, by: (site) => site.strServerIp },
          { title: t('cloud.cameras'), cell: (site) => site.nSources, by: (site) => site.nSources },
          { title: t('cloud.version'), cell: (site) => site.strVersion },
          {
            title: t('cloud.actions'),
            cell: (site) => (
              <div class="actions row">
                <Button kind="quiet" icon="edit" label={t('cloud.rename_name', { name: site.strServerName })} onPress={() => onRename(site)} />
                <Button
                  kind="quiet"
                  icon={site.bEnable ? 'pause' : 'play'}
                  label={t(site.bEnable ? 'cloud.disable_name' : 'cloud.enable_name', { name: site.strServerName })}
                  onPress={() => (site.bEnable ? askDisable(site, enable) : enable(site, true))}
                />
                <Button kind="quiet" class="danger" icon="delete" label={t('cloud.remove_name', { name: site.strServerName })} onPress={() => askRemove(site, onDone)} />
              </div>
            ),
          },
        ]}
      />
    </>
  );
}

function SiteState({ site: { bEnable, bOnline, strSince } }: { site: Site }) {
  return (
    <div>
      <Badge kind={!bEnable ? 'off' : bOnline ? 'good' : strSince === '' ? 'warn' : 'bad'}>{t(!bEnable ? 'cloud.is_disabled' : bOnline ? 'cloud.is_online' : strSince === '' ? 'cloud.is_awaited' : 'cloud.is_away')}</Badge>
      {strSince !== '' && (
        <>
          <br />
          <small>{t('cloud.since', { time: moment(strSince) })}</small>
        </>
      )}
    </div>
  );
}

function askDisable(site: Site, enable: (site: Site, on: boolean) => Promise<void>): void {
  ask({ title: t('cloud.disable_name', { name: site.strServerName }), text: t('cloud.disable_why'), yes: t('cloud.disable'), act: () => enable(site, false) });
}

function askRemove({ strServerName: name, strServerToken: servertoken }: Site, done: (text: string) => Promise<void>): void {
  ask({
    title: t('cloud.remove_name', { name }),
    text: t('cloud.remove_why'),
    yes: t('cloud.remove'),
    act: async () => {
      await call('DelServer', { servertoken });
      await done(t('cloud.removed', { name }));
    },
  });
}

interface DialogProps {
  onClose: () => void;
  onDone: (text: string) => Promise<void>;
}

function RenameDialog({ site, onClose, onDone }: DialogProps & { site: Site }) {
  const send = async ({ name = '' }) => {
    await call('UpdateServer', { servertoken: site.strServerToken, name });
    await onDone(t('cloud.renamed', { name }));
  };
  return (
    <Dialog title={t('cloud.rename_name', { name: site.strServerName })} onClose={onClose}>
      <Form send={t('cloud.rename')} onSend={send} onCancel={onClose}>
        <Field label={t('cloud.name')} name="name" required maxLength={64} defaultValue={site.strServerName} autocomplete="off" autofocus />
      </Form>
    </Dialog>
  );
}

function AddDialog({ onClose, onDone }: DialogProps) {
  const [way, setWay] = useState('code');
  const send = async ({ code = '', key = '', name = '', servertoken = '' }) => {
    if (way === 'key') await call('AddServer', { servertoken, name, key });
    else await call('ClaimServer', { code, name, servertoken });
    await onDone(t('cloud.added'));
  };
  return (
    <Dialog title={t('cloud.add')} onClose={onClose}>
      <Form send={t('cloud.add')} onSend={send} onCancel={onClose}>
        <Choice
          label={t('cloud.way')}
          value={way}
          options={[
            ['code', t('cloud.way_code')],
            ['key', t('cloud.way_key')],
          ]}
          onPick={setWay}
        />
        <p class="soft">{t(way === 'code' ? 'cloud.claim_why' : 'cloud.key_why')}</p>
        {way === 'code' ? (
          <>
            <Field key="code" label={t('cloud.code')} name="code" required maxLength={32} placeholder="7KQ2-M0XZ" autocomplete="off" autofocus />
            <WaitingList />
          </>
        ) : (
          <Field key="key" label={t('cloud.key')} name="key" required pattern="[0-9A-Fa-f]{64}" maxLength={64} autocomplete="off" />
        )}
        <Field label={t('cloud.name')} name="name" maxLength={64} autocomplete="off" hint={t('cloud.own_name_hint')} />
        <Field label={t('cloud.token')} name="servertoken" required={way === 'key'} maxLength={64} pattern="[A-Za-z0-9_\-][A-Za-z0-9._\-]*" autocomplete="off" hint={t(way === 'code' ? 'cloud.own_token_hint' : 'cloud.key_token_hint')} />
      </Form>
    </Dialog>
  );
}

/** The boxes that show a code now, without it: whoever claims one reads it there. */
function WaitingList() {
  const loaded = useWatched((signal) => call<{ claim: Waiting[] }>('GetClaimList', {}, signal));
  return (
    <Load of={loaded}>
      {({ claim }) => (
        <>
          <small>{claim.length === 0 ? t('cloud.nobody_waits') : t('cloud.who_waits', { n: claim.length })}</small>
          <ul class="waiting">
            {claim.map(({ strDeviceKey, strServerName, strServerToken, strIp }) => (
              <li key={strDeviceKey}>
                {strServerName || strServerToken} <small>{strIp}</small>
              </li>
            ))}
          </ul>
        </>
      )}
    </Load>
  );
}
