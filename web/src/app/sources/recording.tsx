// What is recorded of one source or of several: hours of the week, events of ONVIF cameras, snapshots.

import { useState } from 'preact/hooks';
import { call, type Params } from '../call';
import { Button, Check, Dialog, Field, Form, Load, Note, Select, tell, useLoaded, type Values } from '../kit';
import { href } from '../route';
import { nameOf, sourceMap } from '../state';
import { t } from '../text';
import { WeekGrid } from './grid';
import { ALWAYS, hoursOf, NEVER, WORKING } from './week';

/** GetRecordSchedule and GetAlarmRecord of one source. */
interface Rules {
  week: string;
  snapshotSeconds: number;
  motion: boolean;
  input: boolean;
  postSeconds: number;
}

const SNAPSHOTS = [0, 60, 300, 600, 1800, 3600];
const PRESETS = [
  ['sources.week_always', ALWAYS],
  ['sources.week_never', NEVER],
  ['sources.week_working', WORKING],
] as const;

export function RecordingDialog({ tokens, onClose }: { tokens: readonly string[]; onClose: () => void }) {
  const loaded = useLoaded((signal) => Promise.all(tokens.map((token) => rulesOf(token, signal))));
  const [first = ''] = tokens;
  const source = sourceMap.peek().get(first);
  const title = tokens.length > 1 ? t('sources.record_many', { n: tokens.length }) : t('sources.record_one', { name: source ? nameOf(source) : first });
  return (
    <Dialog title={title} wide onClose={onClose}>
      <Load of={loaded}>{(rules) => <RulesForm tokens={tokens} rules={rules} onClose={onClose} />}</Load>
    </Dialog>
  );
}

/** Events are reported by ONVIF cameras only. */
function hasEvents(token: string): boolean {
  return sourceMap.peek().get(token)?.nType === 'H5_ONVIF';
}

async function rulesOf(token: string, signal: AbortSignal): Promise<Rules> {
  const [plan, alarm] = await Promise.all([
    call<{ strWeek: string; nSnapshotSeconds: number }>('GetRecordSchedule', { token }, signal),
    hasEvents(token) ? call<{ bMotion: boolean; bInput: boolean; nPostSeconds: number }>('GetAlarmRecord', { token }, signal) : undefined,
  ]);
  return { week: plan.strWeek, snapshotSeconds: plan.nSnapshotSeconds, motion: alarm?.bMotion ?? false, input: alarm?.bInput ?? false, postSeconds: alarm?.nPostSeconds ?? 10 };
}

interface RulesFormProps {
  tokens: readonly string[];
  rules: readonly Rules[];
  onClose: () => void;
}

function RulesForm({ tokens, rules, onClose }: RulesFormProps) {
  const lead = rules[tokens.findIndex(hasEvents)] ?? rules[0];
  const [week, setWeek] = useState(rules[0]?.week ?? NEVER);
  const withEvents = tokens.filter(hasEvents);
  const isSame = (parts: readonly unknown[]) => new Set(parts.map((part) => JSON.stringify(part))).size <= 1;
  const events = rules.filter((_, index) => hasEvents(tokens[index] ?? ''));
  const differ =
    !isSame(rules.map(({ week, snapshotSeconds }) => [week, snapshotSeconds])) || !isSame(events.map(({ motion, input, postSeconds }) => [motion, input, postSeconds]));
  const seconds = rules[0]?.snapshotSeconds ?? 0;
  const steps = SNAPSHOTS.includes(seconds) ? SNAPSHOTS : [...SNAPSHOTS, seconds].sort((a, b) => a - b);

  const save = async (values: Values) => {
    const alarm: Params = { motion: values['motion'], input: values['input'], post: values['post'] };
    for (const token of tokens) {
      await call('SetRecordSchedule', { token, week, snapshotseconds: values['snapshots'] });
      if (hasEvents(token)) await call('SetAlarmRecord', { token, ...alarm });
    }
    tell(t('sources.record_saved'));
    onClose();
  };
  return (
    <Form onSend={save} send={tokens.length > 1 ? t('sources.save_all', { n: tokens.length }) : t('sources.save')} onCancel={onClose}>
      {differ && <Note kind="warn">{t('sources.record_differ')}</Note>}
      <section>
        <div class="between">
          <h3>{t('sources.week_title')}</h3>
          <div class="actions">
            {PRESETS.map(([name, preset]) => (
              <Button key={name} pressed={week === preset} onPress={() => setWeek(preset)}>
                {t(name)}
              </Button>
            ))}
          </div>
        </div>
        <WeekGrid week={week} onPaint={setWeek} />
        <p class="soft" role="status">
          {t('sources.week_hours', { n: hoursOf(week) })}
        </p>
      </section>
      <section>
        <h3>{t('sources.events')}</h3>
        {withEvents.length === 0 && <p class="soft">{t('sources.events_none')}</p>}
        {withEvents.length > 0 && withEvents.length < tokens.length && <p class="soft">{t('sources.events_some', { n: withEvents.length })}</p>}
        {withEvents.length > 0 && (
          <div class="pair">
            <div>
              <Check label={t('sources.on_motion')} name="motion" checked={lead?.motion ?? false} />
              <Check label={t('sources.on_input')} name="input" checked={lead?.input ?? false} />
            </div>
            <Field label={t('sources.post')} name="post" type="number" min={5} max={3600} required defaultValue={String(lead?.postSeconds ?? 10)} hint={t('sources.post_hint')} />
          </div>
        )}
      </section>
      <section>
        <h3>{t('sources.snapshots')}</h3>
        <Select
          label={t('sources.snapshots_every')}
          name="snapshots"
          value={String(seconds)}
          options={steps.map((step) => [String(step), step === 0 ? t('sources.snapshots_never') : step < 120 || step % 60 !== 0 ? t('sources.seconds', { n: step }) : t('sources.minutes', { n: step / 60 })])}
        />
      </section>
      <p class="soft">
        {t('sources.keep_elsewhere')} <a href={href('system')}>{t('shell.system')}</a>
      </p>
    </Form>
  );
}
