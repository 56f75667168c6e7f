// Adding sources: found on the network, by address, or a file on the device.

import { useState } from 'preact/hooks';
import { call, type Params } from '../call';
import { Choice, Dialog, Field, Form, tell, type Values } from '../kit';
import { t } from '../text';
import { NameFields, PullFields, StreamFields, SubField, usedTokens } from './fields';
import { Find } from './find';
import { tokenOf } from './names';
import { TestBox } from './testing';

type Way = 'find' | 'address' | 'file';

export function Add({ onClose }: { onClose: () => void }) {
  const [way, setWay] = useState<Way>('find');
  const ways = [
    ['find', t('sources.way_find')],
    ['address', t('sources.way_address')],
    ['file', t('sources.way_file')],
  ] as const;
  return (
    <Dialog title={t('sources.add')} wide onClose={onClose}>
      <Choice label={t('sources.ways')} value={way} options={ways} onPick={(picked) => setWay(picked as Way)} />
      {way === 'find' && <Find onClose={onClose} />}
      {way === 'address' && <ByAddress onClose={onClose} />}
      {way === 'file' && <OfFile onClose={onClose} />}
    </Dialog>
  );
}

/** Fills in the token, and leaves out what is empty. */
function given(values: Values, names: readonly string[]): Params {
  const params: Params = { name: values['name'], token: values['token'] || tokenOf(values['name'] ?? '', usedTokens()) };
  for (const name of names) if (values[name]) params[name] = values[name];
  return params;
}

const LOGIN = ['url', 'user', 'password', 'transport'] as const;

function ByAddress({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const add = async (values: Values) => {
    await call('AddSrcRTSP', given(values, [...LOGIN, 'audio', 'connect', 'urlsub']));
    tell(t('sources.added_one', { name: values['name'] ?? '' }));
    onClose();
  };
  return (
    <Form onSend={add} send={t('sources.add_it')} onCancel={onClose} onInput={(values) => setName(values['name'] ?? '')}>
      <NameFields name={name} />
      <StreamFields />
      <TestBox params={(values) => Object.fromEntries(LOGIN.map((field) => [field, values[field] || undefined]))} />
      <details>
        <summary>{t('sources.more')}</summary>
        <SubField />
        <PullFields />
      </details>
    </Form>
  );
}

function OfFile({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const add = async (values: Values) => {
    await call('AddSrcFile', given(values, ['url', 'audio', 'connect']));
    tell(t('sources.added_one', { name: values['name'] ?? '' }));
    onClose();
  };
  return (
    <Form onSend={add} send={t('sources.add_it')} onCancel={onClose} onInput={(values) => setName(values['name'] ?? '')}>
      <NameFields name={name} />
      <Field label={t('sources.path')} name="url" required maxLength={2048} placeholder="/data/files/demo.mp4" hint={t('sources.path_hint')} />
      <TestBox params={({ url }) => ({ url })} />
      <PullFields file />
    </Form>
  );
}
