// The list of sources as a CSV file: taken along, and brought back after a look at what it would do.

import { useState } from 'preact/hooks';
import { Area, Button, Dialog, Field, Form, type Values } from '../kit';
import { sources } from '../state';
import { t } from '../text';
import { decodeText } from './csv';
import { usedTokens } from './fields';
import { Preview } from './preview';
import { COLUMNS, exported, readRows, TEMPLATE, type Import } from './rows';

const MOST_BYTES = 1_000_000;

export function Transfer({ onClose }: { onClose: () => void }) {
  const [read, setRead] = useState<Import>();
  const [busy, setBusy] = useState(false);
  const look = async ({ text = '' }: Values, file?: File) => {
    if (file && file.size > MOST_BYTES) throw new Error(t('sources.file_too_large'));
    const content = file ? decodeText(new Uint8Array(await file.arrayBuffer())) : text;
    if (content.trim() === '') throw new Error(t('sources.choose_or_paste'));
    setRead(readRows(content, usedTokens()));
  };
  return (
    <Dialog title={t('sources.transfer')} wide onClose={busy ? undefined : onClose}>
      {read ? <Preview read={read} onBusy={setBusy} onBack={() => setRead(undefined)} onClose={onClose} /> : <Start onLook={look} onClose={onClose} />}
    </Dialog>
  );
}

interface StartProps {
  onLook: (values: Values, file?: File) => Promise<void>;
  onClose: () => void;
}

function Start({ onLook, onClose }: StartProps) {
  const [file, setFile] = useState<File>();
  const count = sources.value.length;
  return (
    <>
      <section class="transfer">
        <h3>{t('sources.export')}</h3>
        <p class="soft">{t('sources.export_hint')}</p>
        <Button icon="down" disabled={count === 0} onPress={() => save('sources.csv', exported(sources.value))}>
          {t('sources.export_now', { n: count })}
        </Button>
      </section>
      <section class="transfer">
        <h3>{t('sources.import')}</h3>
        <p class="soft">{t('sources.import_hint')}</p>
        <Form onSend={(values) => onLook(values, file)} send={t('sources.import_look')} onCancel={onClose}>
          <Field label={t('sources.file')} name="file" type="file" accept=".csv,.txt,text/csv" onChange={(event) => setFile(event.currentTarget.files?.[0])} />
          <Area label={t('sources.paste')} name="text" rows={5} placeholder="name,url&#10;Gate,rtsp://192.168.1.20/stream1" />
          <details>
            <summary>{t('sources.columns')}</summary>
            <p>{t('sources.columns_hint')}</p>
            <dl class="columns">
              {COLUMNS.map((column) => (
                <div key={column}>
                  <dt>
                    <code>{column}</code>
                  </dt>
                  <dd>{t(`sources.column_${column}`)}</dd>
                </div>
              ))}
            </dl>
          </details>
          <div>
            <Button kind="quiet" icon="down" onPress={() => save('sources-template.csv', TEMPLATE)}>
              {t('sources.template')}
            </Button>
          </div>
        </Form>
      </section>
    </>
  );
}

/** Hands a text out as a file. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
