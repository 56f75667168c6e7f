// A call made from the page with its session, and the same as a line for a shell.

import { useEffect, useState } from 'preact/hooks';
import { post } from '../call';
import { Button, Field, Form, Note, Select, tell, type Values } from '../kit';
import { t } from '../text';
import { Marked } from './marked';
import { curl, isTried, type Call, type Parameter } from './openapi';

interface Answered {
  status: number;
  text: string;
  /** Address of a picture that was answered. */
  picture: string;
}

const LONGEST = 200_000;

export function TryIt({ call }: { call: Call }) {
  const [values, setValues] = useState<Values>({});
  const [answer, setAnswer] = useState<Answered>();
  useEffect(() => () => forget(answer), [answer]);
  const line = curl(new URL('.', location.href).toString().replace(/#.*/, ''), call, values);
  const copy = async () => {
    await navigator.clipboard.writeText(line);
    tell(t('system.copied'));
  };
  const send = async (sent: Values) => setAnswer(await answered(await post(call.name, given(sent), undefined)));
  return (
    <div class="try">
      {isTried(call) ? (
        <Form send={t('system.send')} onSend={send} onInput={setValues}>
          {call.parameters.map((parameter) => (
            <Input key={parameter.name} parameter={parameter} />
          ))}
        </Form>
      ) : (
        <Note>{t(call.way === 'socket' ? 'system.try_socket' : 'system.try_not')}</Note>
      )}
      {call.way !== 'socket' && (
        <div class="curl">
          <code tabIndex={0} role="region" aria-label={t('system.curl')}>
            {line}
          </code>
          {/* Browsers give the clipboard to pages under https:// only. */}
          {'clipboard' in navigator && (
            <Button kind="quiet" onPress={copy}>
              {t('system.copy')}
            </Button>
          )}
        </div>
      )}
      {answer && (
        <div class="answer" role="status">
          <p class="soft">{t('system.answered', { n: answer.status })}</p>
          {answer.picture ? (
            <img src={answer.picture} alt={call.name} />
          ) : (
            <pre tabIndex={0} role="region" aria-label={t('system.answer')}>
              {answer.text}
            </pre>
          )}
        </div>
      )}
    </div>
  );
}

function Input({ parameter: { name, needed, about, schema } }: { parameter: Parameter }) {
  const words = schema.enum ?? (schema.type === 'boolean' ? ['true', 'false'] : undefined);
  const label = needed ? `${name} *` : name;
  if (words) return <Select label={label} name={name} hint={about.replaceAll('`', '')} options={[['', '–'], ...words.map((word) => [word, word] as const)]} />;
  return <Field label={label} name={name} required={needed} hint={<Marked text={about} />} autocomplete="off" type={schema.type === 'integer' ? 'number' : 'text'} />;
}

/** What is empty is left out. */
function given(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}

function forget(answer: Answered | undefined): void {
  if (answer?.picture) URL.revokeObjectURL(answer.picture);
}

async function answered(answer: Response): Promise<Answered> {
  const kind = answer.headers.get('content-type') ?? '';
  if (kind.startsWith('image/')) return { status: answer.status, text: '', picture: URL.createObjectURL(await answer.blob()) };
  const text = await answer.text();
  return { status: answer.status, text: pretty(text).slice(0, LONGEST), picture: '' };
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
