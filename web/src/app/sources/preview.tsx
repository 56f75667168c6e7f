// What an import would do, line by line; then what it did.

import { useEffect, useRef, useState } from 'preact/hooks';
import { call, words } from '../call';
import { Badge, Button, Note, Progress } from '../kit';
import { t } from '../text';
import type { Fault, Import, Row } from './rows';

interface PreviewProps {
  read: Import;
  /** Whether sources are being added: what must not be closed by a slip. */
  onBusy: (busy: boolean) => void;
  onBack: () => void;
  onClose: () => void;
}

/** By line: '' for added, else why not. */
type Results = ReadonlyMap<number, string>;

export function Preview({ read, onBusy, onBack, onClose }: PreviewProps) {
  const [results, setResults] = useState<Results>(new Map());
  const [state, setState] = useState<'asked' | 'running' | 'over'>('asked');
  const cancelled = useRef(false);
  useEffect(() => () => void (cancelled.current = true), []);

  const good = read.rows.filter((row) => row.faults.length === 0 && !row.exists);
  const faulty = read.rows.filter((row) => row.faults.length > 0).length;
  const skipped = read.rows.filter((row) => row.exists && row.faults.length === 0).length;
  const added = [...results.values()].filter((fault) => fault === '').length;
  const faults = [...read.faults, ...read.rows.flatMap((row) => row.faults)];

  const run = async () => {
    setState('running');
    onBusy(true);
    for (const row of good) {
      if (cancelled.current) break;
      let fault = '';
      try {
        await call(row.call, row.params);
      } catch (error) {
        fault = words(error);
      }
      setResults((known) => new Map(known).set(row.line, fault));
    }
    onBusy(false);
    setState('over');
  };
  return (
    <>
      {state === 'asked' && <p role="status">{t('sources.import_counts', { n: good.length, skipped, faulty })}</p>}
      {state === 'running' && <Progress label={t('sources.importing')} percent={(results.size / good.length) * 100} onCancel={() => void (cancelled.current = true)} />}
      {state === 'over' && (
        <p role="status">
          {t('sources.import_over', { added, refused: results.size - added, rest: good.length - results.size })}
        </p>
      )}
      {faults.length > 0 && state === 'asked' && (
        <Note kind={read.faults.length > 0 ? 'bad' : 'warn'}>
          <ul class="faults">
            {faults.map((fault, index) => (
              <li key={index}>{inWords(fault)}</li>
            ))}
          </ul>
        </Note>
      )}
      {read.rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('sources.import_rows')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('sources.line')}</th>
                <th scope="col">{t('sources.name')}</th>
                <th scope="col">{t('sources.token')}</th>
                <th scope="col">{t('sources.address')}</th>
                <th scope="col">{t('sources.outcome')}</th>
              </tr>
            </thead>
            <tbody>
              {read.rows.map((row) => (
                <tr key={row.line}>
                  <td data-title={t('sources.line')}>{row.line}</td>
                  <td data-title={t('sources.name')}>{row.name}</td>
                  <td data-title={t('sources.token')}>{row.token}</td>
                  <td data-title={t('sources.address')}>{row.address}</td>
                  <td data-title={t('sources.outcome')}>
                    <Outcome row={row} result={results.get(row.line)} over={state === 'over'} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div class="buttons">
        {state !== 'running' && (
          <Button icon="back" onPress={onBack}>
            {t('sources.back')}
          </Button>
        )}
        {state === 'asked' && (
          <Button kind="main" disabled={good.length === 0 || read.faults.length > 0} onPress={run}>
            {t('sources.import_now', { n: good.length })}
          </Button>
        )}
        {state === 'over' && (
          <Button kind="main" onPress={onClose}>
            {t('shell.close')}
          </Button>
        )}
      </div>
    </>
  );
}

function Outcome({ row, result, over }: { row: Row; result: string | undefined; over: boolean }) {
  if (row.faults.length > 0) return <Badge kind="bad">{t('sources.row_faulty')}</Badge>;
  if (row.exists) return <Badge kind="warn">{t('sources.row_exists')}</Badge>;
  if (result === '') return <Badge kind="good">{t('sources.is_added')}</Badge>;
  if (result === undefined) return <Badge>{t(over ? 'sources.row_left' : 'sources.row_ready')}</Badge>;
  return (
    <div class="status">
      <Badge kind="bad">{t('sources.row_refused')}</Badge>
      <small>{result}</small>
    </div>
  );
}

function inWords({ line, column, text, values }: Fault): string {
  const where = column ? t('sources.at_column', { line, column }) : t('sources.at_line', { line });
  return `${where} ${t(text, values)}`;
}
