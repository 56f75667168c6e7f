// The export of a span: its fields, and what was exported, with progress, download and delete.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { asSentence } from '../../player/text';
import { ask, Button, Field, Form, Note, Progress, Select } from '../kit';
import { fileAddress } from '../session';
import { isOperator } from '../state';
import { t } from '../text';
import { bytes, moment } from '../words';
import type { Desk } from './desk';
import { type Export, Exporting } from './exporting';
import type { Span } from './spans';
import { clock, type Day, lengthWords, onDay } from './time';

const ALL = '';

export function Exports({ desk }: { desk: Desk }) {
  const exporting = useMemo(() => new Exporting(), []);
  useEffect(() => () => exporting.dispose(), []);
  const tokens = desk.tokens.value;
  useEffect(() => void exporting.load(tokens), [String(tokens)]);
  const list = exporting.list.value;
  if (!isOperator.value && list.length === 0) return null;
  return (
    <section class="export card" aria-labelledby="export-title">
      <h2 id="export-title">{t('playback.export')}</h2>
      {isOperator.value && <SpanForm desk={desk} exporting={exporting} />}
      {exporting.fault.value && <Note kind="bad">{exporting.fault.value}</Note>}
      <ul aria-label={t('playback.exports')}>
        {list.map((one) => (
          <Line key={`${one.strToken} ${one.strFileName}`} desk={desk} exporting={exporting} one={one} />
        ))}
      </ul>
    </section>
  );
}

interface PartProps {
  desk: Desk;
  exporting: Exporting;
}

function SpanForm({ desk, exporting }: PartProps) {
  const [camera, setCamera] = useState(ALL);
  const [texts, setTexts] = useState({ from: '', to: '' });
  const tokens = desk.tokens.value;
  const day = desk.day.value;
  const span = desk.span.value;
  // A span that was typed here stays as it was typed.
  useEffect(() => setTexts((typed) => (span && isTyped(day, typed, span) ? typed : span ? { from: clock(span.from), to: clock(span.to) } : { from: '', to: '' })), [span]);
  const typed = (from: string, to: string) => {
    setTexts({ from, to });
    const [start, end] = [onDay(day, from), onDay(day, to)];
    if (end >= start) desk.span.value = { from: start, to: end };
  };
  const here = () => (desk.deck.place.value === undefined ? undefined : clock(desk.deck.place.value));
  const wrong = onDay(day, texts.to) < onDay(day, texts.from);
  const send = async () => {
    if (!span || wrong || span.to - span.from < 1000) throw new Error(t('playback.export_choose'));
    for (const token of tokens.includes(camera) ? [camera] : tokens) await exporting.begin(token, span);
  };
  const options = [[ALL, t('playback.all_shown')], ...tokens.map((token) => [token, desk.name(token)] as const)] as const;
  return (
    <Form onSend={send} send={t('playback.export')} onInput={({ from = '', to = '' }) => typed(from, to)} more={<Length desk={desk} wrong={wrong} />}>
      <div class="times">
        <div>
          <TimeField label={t('playback.from')} name="from" value={texts.from} />
          <Button label={t('playback.from_here')} onPress={() => typed(here() ?? texts.from, texts.to)}>
            {t('playback.here')}
          </Button>
        </div>
        <div>
          <TimeField label={t('playback.to')} name="to" value={texts.to} />
          <Button label={t('playback.to_here')} onPress={() => typed(texts.from, here() ?? texts.to)}>
            {t('playback.here')}
          </Button>
        </div>
      </div>
      {tokens.length > 1 && <Select label={t('playback.camera')} value={camera} options={options} onPick={setCamera} />}
    </Form>
  );
}

function isTyped(day: Day, { from, to }: { from: string; to: string }, span: Span): boolean {
  return onDay(day, from) === span.from && onDay(day, to) === span.to;
}

/** A time of day in 24 hours, as the line has it; the browser's own field follows its language. */
function TimeField(props: { label: string; name: string; value: string }) {
  return <Field {...props} inputMode="numeric" maxLength={8} pattern="([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?" placeholder="hh:mm:ss" title="08:03:09" autocomplete="off" />;
}

function Length({ desk, wrong }: { desk: Desk; wrong: boolean }) {
  const span = desk.span.value;
  return (
    <span class="length" role="status">
      {wrong ? t('playback.export_wrong') : span && span.to > span.from ? lengthWords(span.to - span.from) : ''}
    </span>
  );
}

function Line({ desk, exporting, one }: PartProps & { one: Export }) {
  const { strState: state, strTime, strCode, strUrl } = one;
  const name = `${desk.name(one.strToken)} · ${moment(strTime)}`;
  const drop = () => {
    if (state === 'working') return exporting.drop(one);
    ask({ title: t('playback.export_delete'), text: t('playback.export_delete_text', { name: one.strFileName }), yes: t('playback.delete'), act: () => exporting.drop(one) });
    return undefined;
  };
  return (
    <li data-state={state}>
      <span class="span">{name}</span>
      {state === 'working' && <Progress label={t('playback.export_working')} percent={one.nPercentage} />}
      {state !== 'working' && (
        <span class="state" role="status">
          {state === 'done' ? t('playback.export_done', { size: bytes(one.nBytes) }) : asSentence(strCode) || t('playback.export_failed')}
        </span>
      )}
      <span class="do">
        {state === 'done' && (
          <a class="quiet" href={fileAddress(strUrl, { download: '1' })} download="" aria-label={t('playback.download_of', { time: name })}>
            {t('playback.download')}
          </a>
        )}
        {isOperator.value && (
          <Button kind="quiet" class="danger" onPress={drop}>
            {t(state === 'working' ? 'playback.export_cancel' : 'playback.delete')}
          </Button>
        )}
      </span>
    </li>
  );
}
