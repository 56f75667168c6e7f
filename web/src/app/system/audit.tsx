// Who changed what: the newest first, by user, call and day.
//
// Bound: the 20 000 entries that the server keeps.

import { useEffect, useState } from 'preact/hooks';
import { call, words } from '../call';
import { Badge, Button, Field, Head, Note, Progress, Section, Table } from '../kit';
import { note, route } from '../route';
import { t } from '../text';
import { moment } from '../words';

/** Of GetAuditList. */
export interface Entry {
  strTime: string;
  strUser: string;
  strAddress: string;
  strCall: string;
  strAbout: string;
  bDone: boolean;
  strFailure?: string;
}

interface Answer {
  audit: Entry[];
  bMore: boolean;
  strNext?: string;
}

const PAGE = 200;
/** Of entries that are gone through for a day further back. */
const LONG_PAGE = 1000;

interface Wanted {
  user: string;
  text: string;
  /** `2026-11-22`, or ''. */
  day: string;
}

export default function Audit() {
  const [wanted, setWanted] = useState<Wanted>({ user: route.value.query.get('user') ?? '', text: route.value.query.get('text') ?? '', day: route.value.query.get('day') ?? '' });
  const pages = usePages(wanted.user, wanted.day);
  const change = (more: Partial<Wanted>) => {
    const next = { ...wanted, ...more };
    setWanted(next);
    note('system/audit', Object.fromEntries(Object.entries(next).filter(([, value]) => value !== '')));
  };
  const shown = pages.entries.filter((entry) => fits(entry, wanted));
  return (
    <>
      <Head title={t('system.audit')}>
        <Button icon="refresh" onPress={pages.reload}>
          {t('system.reload')}
        </Button>
      </Head>
      <Section title={t('system.audit_list')}>
        <p class="soft">{t('system.audit_why')}</p>
        <div class="filters">
          <Field label={t('system.user')} name="user" type="search" defaultValue={wanted.user} onChange={(event) => change({ user: event.currentTarget.value.trim() })} />
          <Field label={t('system.call_or_words')} name="text" type="search" value={wanted.text} onInput={(event) => change({ text: event.currentTarget.value })} />
          <Field label={t('system.day')} name="day" type="date" value={wanted.day} onChange={(event) => change({ day: event.currentTarget.value })} />
        </div>
        {pages.fault && <Note kind="bad">{pages.fault}</Note>}
        <Table
          label={t('system.audit_list')}
          rows={shown}
          id={(entry) => `${entry.place}`}
          empty={pages.busy ? '' : t('system.nothing_found')}
          columns={[
            { title: t('system.at'), cell: (entry) => moment(entry.strTime), by: (entry) => entry.strTime },
            { title: t('system.user'), whole: true, cell: (entry) => entry.strUser, by: (entry) => entry.strUser },
            { title: t('system.from_address'), whole: true, cell: (entry) => entry.strAddress, by: (entry) => entry.strAddress },
            { title: t('system.call'), whole: true, cell: (entry) => entry.strCall, by: (entry) => entry.strCall },
            { title: t('system.about'), cell: (entry) => entry.strAbout },
            { title: t('system.outcome'), cell: (entry) => (entry.bDone ? <Badge kind="good">{t('system.done')}</Badge> : <Failure text={entry.strFailure ?? ''} />) },
          ]}
        />
        {pages.busy ? (
          <Progress label={t('shell.loading')} />
        ) : (
          pages.more && (
            <div class="buttons">
              <Button onPress={pages.older}>{t('system.older')}</Button>
            </div>
          )
        )}
      </Section>
    </>
  );
}

function Failure({ text }: { text: string }) {
  return (
    <span>
      <Badge kind="bad">{t('system.failed')}</Badge> <small>{text}</small>
    </span>
  );
}

/** The user is the server's to filter. */
export function fits(entry: Entry, { text, day }: Pick<Wanted, 'text' | 'day'>): boolean {
  const needle = text.trim().toLowerCase();
  if (day !== '' && !entry.strTime.startsWith(day)) return false;
  return [entry.strCall, entry.strAbout, entry.strAddress].some((value) => value.toLowerCase().includes(needle));
}

/** `place` in the list tells entries apart that are alike. */
type Placed = Entry & { place: number };

/** Entries page by page; those of `day` are gone for, however far back. */
function usePages(user: string, day: string) {
  const [entries, setEntries] = useState<Placed[]>([]);
  const [next, setNext] = useState<string>();
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(true);
  const load = async (before: Placed[], from: string | undefined, signal: AbortSignal) => {
    setBusy(true);
    setFault('');
    try {
      let all = before;
      let place = from;
      do {
        const answer = await call<Answer>('GetAuditList', { user: user || undefined, limit: day ? LONG_PAGE : PAGE, next: place }, signal);
        const first = all.length;
        all = [...all, ...answer.audit.map((entry, index) => ({ ...entry, place: first + index }))];
        place = answer.bMore ? answer.strNext : undefined;
      } while (place !== undefined && day !== '' && (all.at(-1)?.strTime.slice(0, 10) ?? '') >= day);
      setEntries(all);
      setNext(place);
    } catch (error) {
      if (!signal.aborted) setFault(words(error));
    } finally {
      if (!signal.aborted) setBusy(false);
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void load([], undefined, abort.signal);
    return () => abort.abort();
  }, [user, day]);
  const unending = () => new AbortController().signal;
  return { entries, fault, busy, more: next !== undefined, older: () => load(entries, next, unending()), reload: () => load([], undefined, unending()) };
}
