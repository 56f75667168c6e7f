// The sources: what there is and how it is; adding, changing, deleting, and what is recorded.

import { useEffect, useState } from 'preact/hooks';
import { call, words } from '../call';
import { ask, Button, Choice, Field, Head, tell } from '../kit';
import { note, route } from '../route';
import { nameOf, sourceMap, sources, standing, type Source, type Standing } from '../state';
import { t } from '../text';
import { Add } from './add';
import { Edit } from './edit';
import { addressOf, List } from './list';
import { useFreshPictures } from './picture';
import { RecordingDialog } from './recording';
import './sources.css';
import { Transfer } from './transfer';

type Open = { at: 'add' | 'transfer' } | { at: 'edit'; source: Source } | { at: 'record'; tokens: readonly string[] };

const STANDINGS: readonly Standing[] = ['online', 'connecting', 'offline'];

export default function Sources() {
  useFreshPictures();
  const { query } = route.value;
  const [open, setOpen] = useState<Open | undefined>(query.has('add') ? { at: 'add' } : undefined);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const typed = query.get('q') ?? '';
  const status = query.get('status') ?? '';
  const found = sources.value.filter((source) => matches(source, typed));
  const shown = found.filter((source) => status === '' || standing(source) === status);
  // One that comes back under its token was not chosen.
  useEffect(() => {
    const there = [...picked].filter((token) => sourceMap.value.has(token));
    if (there.length < picked.size) setPicked(new Set(there));
  }, [sourceMap.value]);
  // What is not shown is not meant.
  const chosen = shown.map((source) => source.strToken).filter((token) => picked.has(token));
  const close = () => setOpen(undefined);

  const look = (changed: Record<string, string>) => {
    const wanted = { q: typed, status, ...changed };
    note('sources', Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== '')));
  };
  const pick = (tokens: readonly string[], on: boolean) => {
    const next = new Set(picked);
    for (const token of tokens) on ? next.add(token) : next.delete(token);
    setPicked(next);
  };

  const count = (name: Standing) => found.filter((source) => standing(source) === name).length;
  const states = STANDINGS.filter((name) => count(name) > 0 || name === status);
  return (
    <>
      <Head title={t('shell.sources')}>
        <Button icon="swap" onPress={() => setOpen({ at: 'transfer' })}>
          {t('sources.transfer')}
        </Button>
        <Button kind="main" icon="add" onPress={() => setOpen({ at: 'add' })}>
          {t('sources.add')}
        </Button>
      </Head>
      <section class="card section list">
        <div class="tools">
          <search>
            <Field label={t('sources.search')} name="q" type="search" placeholder={t('sources.search')} value={typed} onInput={(event) => look({ q: event.currentTarget.value })} />
          </search>
          <Choice
            label={t('sources.status')}
            value={status}
            options={[['', `${t('sources.all')} ${found.length}`], ...states.map((name) => [name, `${t(`sources.is_${name}`)} ${count(name)}`] as const)]}
            onPick={(value) => look({ status: value })}
          />
          {chosen.length > 0 && (
            <div class="chosen" role="group" aria-label={t('sources.selected', { n: chosen.length })}>
              <span role="status">{t('sources.selected', { n: chosen.length })}</span>
              <Button icon="record" onPress={() => setOpen({ at: 'record', tokens: chosen })}>
                {t('sources.recording')}
              </Button>
              <Button icon="delete" onPress={() => askDelete(chosen)}>
                {t('sources.delete')}
              </Button>
            </div>
          )}
        </div>
        <List
          shown={shown}
          picked={picked}
          onPick={pick}
          onEdit={(source) => setOpen({ at: 'edit', source })}
          onRecord={({ strToken }) => setOpen({ at: 'record', tokens: [strToken] })}
          onDelete={({ strToken }) => askDelete([strToken])}
          empty={sources.value.length === 0 ? t('sources.none') : t('sources.none_found')}
        />
      </section>
      {open?.at === 'add' && <Add onClose={close} />}
      {open?.at === 'edit' && (
        <Edit
          source={open.source}
          onClose={close}
          onDelete={() => {
            close();
            askDelete([open.source.strToken]);
          }}
        />
      )}
      {open?.at === 'record' && <RecordingDialog tokens={open.tokens} onClose={close} />}
      {open?.at === 'transfer' && <Transfer onClose={close} />}
    </>
  );
}

function matches(source: Source, words: string): boolean {
  const text = [source.strName, source.strToken, addressOf(source), source.strUrl].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function named(token: string): string {
  const source = sourceMap.value.get(token);
  return source ? nameOf(source) : token;
}

function askDelete(tokens: readonly string[]): void {
  const [first = ''] = tokens;
  const values = { n: tokens.length, name: named(first) };
  ask({
    title: t('sources.delete_title', values),
    text: (
      <>
        {tokens.length > 1 && <span class="names">{tokens.map(named).join(', ')}</span>}
        {t('sources.delete_text', { ...values, token: first })}
      </>
    ),
    yes: t('sources.delete'),
    act: async () => {
      const failed: string[] = [];
      for (const token of tokens) {
        await call('DelSrc', { token }).catch((error: unknown) => failed.push(`${named(token)}: ${words(error)}`));
      }
      if (failed.length > 0) throw new Error(failed.join(' '));
      tell(t('sources.deleted', values));
    },
  });
}
