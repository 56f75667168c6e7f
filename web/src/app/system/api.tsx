// The reference of the HTTP API, from the box itself: every call with its parameters, and those that only read to try.

import './api.css';
import { useState } from 'preact/hooks';
import { words } from '../call';
import { Badge, Choice, Field, Head, Load, Note, Section, Table, useLoaded } from '../kit';
import { note, route } from '../route';
import { t } from '../text';
import { Marked } from './marked';
import { callsOf, valueOf, type Call, type Document } from './openapi';
import { TryIt } from './tryit';

export default function Api() {
  const loaded = useLoaded(document);
  return (
    <>
      <Head title={t('system.api')}>
        <a class="quiet" href="api/v1/openapi.json" download="openapi.json">
          openapi.json
        </a>
      </Head>
      <Load of={loaded}>{(value) => <Reference of={value} />}</Load>
    </>
  );
}

async function document(signal: AbortSignal): Promise<Document> {
  const answer = await fetch('api/v1/openapi.json', { signal });
  const json = (await answer.json()) as Partial<Document> & { strCode?: string };
  if (!json.paths) throw new Error(words(new Error(json.strCode ?? t('shell.status', { n: answer.status }))));
  return json as Document;
}

function Reference({ of }: { of: Document }) {
  const [search, setSearch] = useState('');
  const calls = callsOf(of);
  const needle = search.trim().toLowerCase();
  const found = calls.filter((call) => `${call.name} ${call.about}`.toLowerCase().includes(needle));
  const groups = [...new Set(calls.map(({ group }) => group))];
  const picked = calls.find(({ name }) => name === route.value.query.get('call'));
  return (
    <div class="reference">
      <Section title={t('system.calls', { n: found.length })} class="calls">
        <Field label={t('system.search')} name="search" type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        {found.length === 0 && <p class="soft">{t('system.nothing_found')}</p>}
        {groups.map((group) => {
          const inside = found.filter((call) => call.group === group);
          return (
            inside.length > 0 && (
              <details key={`${group} ${needle !== ''}`} open={needle !== '' || inside.some((call) => call === picked)}>
                <summary>
                  {group} <small>{inside.length}</small>
                </summary>
                <ul>
                  {inside.map((call) => (
                    <li key={call.name}>
                      <a href={`#/system/api?call=${encodeURIComponent(call.name)}`} aria-current={call === picked ? 'true' : undefined} onClick={(event) => pick(event, call)}>
                        {call.name}
                      </a>
                    </li>
                  ))}
                </ul>
              </details>
            )
          );
        })}
      </Section>
      <div class="call">{picked ? <One key={picked.name} call={picked} /> : <Introduction of={of} />}</div>
    </div>
  );
}

/** Without a step in the history for each one that is looked at. */
function pick(event: Event, { name }: Call): void {
  event.preventDefault();
  note('system/api', { call: name });
}

function Introduction({ of }: { of: Document }) {
  return (
    <Section title={`${of.info.title} ${of.info.version}`}>
      <p>
        <Marked text={of.info.description} />
      </p>
      <Note>{t('system.api_pick')}</Note>
    </Section>
  );
}

function One({ call }: { call: Call }) {
  const [way, setWay] = useState('about');
  return (
    <Section title={call.name} actions={<Badge kind={call.old ? 'warn' : 'plain'}>{call.old ? t('system.not_served') : t(`system.way_${call.way}`)}</Badge>}>
      <p>
        <Marked text={call.about} />
      </p>
      {call.standing && <p class="soft">{call.standing}</p>}
      <Choice
        label={t('system.api_view')}
        value={way}
        options={[
          ['about', t('system.parameters')],
          ['try', t('system.try')],
        ]}
        onPick={setWay}
      />
      {way === 'about' ? (
        <Table
          label={t('system.parameters')}
          rows={call.parameters}
          id={({ name }) => name}
          empty={t('system.no_parameters')}
          columns={[
            { title: t('system.name'), whole: true, cell: ({ name }) => <code>{name}</code> },
            { title: t('system.needed'), whole: true, cell: ({ needed }) => t(needed ? 'system.yes' : 'system.no') },
            { title: t('system.value'), cell: ({ schema }) => <small>{valueOf(schema)}</small> },
            { title: t('system.meaning'), cell: ({ about }) => <Marked text={about} /> },
          ]}
        />
      ) : (
        <TryIt call={call} />
      )}
    </Section>
  );
}
