// Small parts of pages: sections, notes, states, progress, tables, charts.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { words } from '../call';
import { t } from '../text';
import { Button } from './button';

/** A page's head: its name, and what can be done. */
export function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header class="head">
      <h1>{title}</h1>
      <div class="actions">{children}</div>
    </header>
  );
}

export function Section({ title, actions, children, class: name = '' }: { title: string; actions?: ComponentChildren; children: ComponentChildren; class?: string }) {
  return (
    <section class={`card section ${name}`.trim()}>
      <header>
        <h2>{title}</h2>
        <div class="actions">{actions}</div>
      </header>
      {children}
    </section>
  );
}

export function Note({ kind = 'plain', children }: { kind?: 'plain' | 'bad' | 'warn' | 'good'; children: ComponentChildren }) {
  return (
    <p class={`note ${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
      {children}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

export function Badge({ kind = 'plain', children }: { kind?: 'plain' | 'good' | 'bad' | 'warn' | 'off'; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

/** How far long work is; without `percent` it only says that something goes on. */
export function Progress({ label, percent, onCancel }: { label: string; percent?: number | undefined; onCancel?: (() => unknown) | undefined }) {
  return (
    <div class="progress">
      <span>{percent === undefined ? label : `${label} · ${Math.round(percent)} %`}</span>
      <progress max={100} value={percent} aria-label={label} />
      {onCancel && <Button onPress={onCancel}>{t('shell.cancel')}</Button>}
    </div>
  );
}

/** Names and values. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren] | false | undefined)[] }) {
  return (
    <dl class="facts">
      {facts.map((fact) =>
        fact ? (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

interface Loaded<T> {
  value: T | undefined;
  fault: string;
  /** Asks again; what is shown stays until the answer. */
  reload: () => Promise<void>;
}

/** Something from the server, asked for when the component is first drawn and when `keys` change. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[] = []): Loaded<T> {
  const [value, setValue] = useState<T>();
  const [fault, setFault] = useState('');
  const ask = async (signal: AbortSignal) => {
    try {
      const loaded = await load(signal);
      if (signal.aborted) return;
      setValue(() => loaded);
      setFault('');
    } catch (error) {
      if (!signal.aborted) setFault(words(error));
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void ask(abort.signal);
    return () => abort.abort();
  }, keys);
  return { value, fault, reload: () => ask(new AbortController().signal) };
}

/** What was loaded, or why not, or that it is on its way. */
export function Load<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
  if (of.value !== undefined) return <>{children(of.value)}</>;
  if (of.fault === '') return <Progress label={t('shell.loading')} />;
  return (
    <div class="empty">
      <Note kind="bad">{of.fault}</Note>
      <Button icon="refresh" onPress={of.reload}>
        {t('shell.again')}
      </Button>
    </div>
  );
}
