// The box's journal: searched, and saved as a file.
//
// Bound: what the server gives, 16 MiB; shown are the newest 3000 lines that fit.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { callFile } from '../call';
import { Button, Check, Field, Head, Load, Section, Select, useLoaded } from '../kit';
import { t } from '../text';
import { number } from '../words';
import { OnBox } from './box';
import { saveFile } from './save';

export default function LogsPart() {
  return (
    <>
      <Head title={t('system.logs')} />
      <OnBox>
        <Journal />
      </OnBox>
    </>
  );
}

const SHOWN = 3000;
const COUNTS = ['1000', '5000', '50000'] as const;

function Journal() {
  const [count, setCount] = useState('5000');
  const [search, setSearch] = useState('');
  const [grave, setGrave] = useState(false);
  const loaded = useLoaded(
    async (signal) => {
      const blob = await callFile('GetLog', { lines: count }, signal);
      return { blob, lines: (await blob.text()).trimEnd().split('\n') };
    },
    [count],
  );
  const shown = useMemo(() => matching(loaded.value?.lines ?? [], search, grave), [loaded.value, search, grave]);
  return (
    <Section title={t('system.journal')}>
      <div class="filters">
        <Field label={t('system.search')} name="search" type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        <Select label={t('system.how_many')} value={count} options={COUNTS.map((value) => [value, t('system.n_lines', { n: number(Number(value), 0) })] as const)} onPick={setCount} />
        <Check label={t('system.only_grave')} checked={grave} onSwitch={setGrave} />
        <Button icon="refresh" onPress={loaded.reload}>
          {t('system.reload')}
        </Button>
        <Button icon="down" disabled={!loaded.value} onPress={() => loaded.value && saveFile(loaded.value.blob, 'h5edge.log')}>
          {t('system.download')}
        </Button>
      </div>
      <Load of={loaded}>{() => <Lines lines={shown} />}</Load>
    </Section>
  );
}

/** Warnings and failures by the daemon's words for them. */
export function matching(lines: readonly string[], search: string, grave: boolean): string[] {
  const wanted = search.trim().toLowerCase();
  return lines.filter((line) => line.toLowerCase().includes(wanted) && (!grave || /\b(WARN|ERROR)\b/.test(line)));
}

function Lines({ lines }: { lines: string[] }) {
  const pane = useRef<HTMLPreElement>(null);
  // The newest are at the end.
  useEffect(() => pane.current?.scrollTo(0, pane.current.scrollHeight), [lines]);
  return (
    <>
      <p role="status" class="soft">
        {lines.length > SHOWN ? t('system.lines_cut', { n: number(SHOWN, 0), all: number(lines.length, 0) }) : t('system.lines_found', { n: lines.length })}
      </p>
      <pre ref={pane} class="journal" tabIndex={0} role="region" aria-label={t('system.journal')}>
        {lines.slice(-SHOWN).join('\n')}
      </pre>
    </>
  );
}
