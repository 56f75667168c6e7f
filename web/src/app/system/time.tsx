// The box's clock: zone, servers that keep it, or the browser's time.

import { call } from '../call';
import { ask, Badge, Button, Facts, Field, Form, Head, Load, Note, Section, tell, useLoaded, ZoneField } from '../kit';
import { t } from '../text';
import { OnBox } from './box';

/** GetTime. */
interface Clock {
  /** In the box's zone. */
  strTime: string;
  strZone: string;
  ntp: string[];
  bSynchronised: boolean;
}

export default function TimePart() {
  return (
    <>
      <Head title={t('system.time')} />
      <OnBox>
        <ClockSections />
      </OnBox>
    </>
  );
}

function ClockSections() {
  const loaded = useLoaded(async (signal) => ({ clock: await call<Clock>('GetTime', {}, signal), asked: Date.now() }));
  const set = async (what: { zone?: string; ntp?: string; time?: string }) => {
    await call('SetTime', what);
    tell(t('system.saved'));
    await loaded.reload();
  };
  const fromBrowser = () =>
    ask({ title: t('system.from_browser'), text: t('system.from_browser_why'), yes: t('system.from_browser'), danger: false, act: () => set({ time: `${new Date().toISOString().slice(0, 19)}Z` }) });
  return (
    <Load of={loaded}>
      {({ clock, asked }) => (
        <>
          <Section title={t('system.clock')} actions={<Badge kind={clock.bSynchronised ? 'good' : 'warn'}>{t(clock.bSynchronised ? 'system.synchronised' : 'system.unsynchronised')}</Badge>}>
            {!clock.bSynchronised && <Note kind="warn">{t('system.unsynchronised_why')}</Note>}
            <Facts
              facts={[
                [t('system.box_time'), wall(clock.strTime)],
                [t('system.off_by'), t('system.seconds', { n: Math.round(Math.abs(Date.parse(clock.strTime) - asked) / 1000) })],
              ]}
            />
            <div class="buttons">
              <Button icon="refresh" onPress={loaded.reload}>
                {t('system.reload')}
              </Button>
              <Button icon="clock" disabled={clock.bSynchronised} onPress={fromBrowser}>
                {t('system.from_browser')}
              </Button>
            </div>
          </Section>
          <Section title={t('system.zone')}>
            <Form key={clock.strZone} send={t('system.save')} onSend={({ zone = '' }) => set({ zone })} class="narrow">
              <ZoneField label={t('system.zone')} name="zone" value={clock.strZone} />
            </Form>
          </Section>
          <Section title={t('system.ntp')}>
            <Form key={clock.ntp.join()} send={t('system.save')} onSend={({ ntp = '' }) => set({ ntp: ntp || 'default' })} class="narrow">
              <Field label={t('system.ntp')} name="ntp" maxLength={2048} defaultValue={clock.ntp.join(', ')} placeholder="pool.ntp.org" autocomplete="off" hint={t('system.ntp_hint')} />
            </Form>
          </Section>
        </>
      )}
    </Load>
  );
}

/** `2026-11-22 15:04:05 +01:00`: as the box has it, whatever the browser's zone. */
function wall(iso: string): string {
  return iso.replace(/^(.{10})T(.{8})(.*)$/, '$1 $2 $3');
}
