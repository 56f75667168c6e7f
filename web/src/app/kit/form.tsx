// Forms: fields with a name, a hint and a fault, and a form that sends them once and shows what went wrong.

import type { ComponentChildren, PartialInputHTMLAttributes, TargetedSubmitEvent, TextareaHTMLAttributes } from 'preact';
import { useId, useState } from 'preact/hooks';
import { words } from '../call';
import { t } from '../text';
import { Button } from './button';

export type Values = Record<string, string>;

/** The fields by name; a box that is not ticked is 'false'. Blanks at the ends go, except in passwords. */
export function valuesOf(form: HTMLFormElement): Values {
  const values: Values = {};
  for (const field of form.elements) {
    if (field instanceof HTMLInputElement && field.name) {
      if (field.type === 'checkbox') values[field.name] = String(field.checked);
      else if (field.type === 'radio') {
        if (field.checked) values[field.name] = field.value;
      } else if (field.type !== 'file') values[field.name] = field.type === 'password' ? field.value : field.value.trim();
    } else if ((field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement) && field.name) {
      values[field.name] = field.value.trim();
    }
  }
  return values;
}

/** Whether it is Enter in a field, which then does not send the form around it. */
export function isEnter(event: KeyboardEvent): boolean {
  const is = event.key === 'Enter' && event.target instanceof HTMLInputElement;
  if (is) event.preventDefault();
  return is;
}

interface FormProps {
  /** What it throws is shown in the form. */
  onSend: (values: Values) => Promise<unknown>;
  /** The sending button's text. */
  send: string;
  kind?: 'main' | 'danger';
  onCancel?: (() => void) | undefined;
  /** More buttons, before the sending one. */
  more?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
  onInput?: (values: Values) => void;
}

export function Form({ onSend, send, kind = 'main', onCancel, more, children, class: name = '', onInput }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      await onSend(valuesOf(event.currentTarget));
    } catch (error) {
      setFault(words(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class={`form ${name}`.trim()} onSubmit={(event) => void submit(event)} onInput={(event) => onInput?.(valuesOf(event.currentTarget))}>
      {children}
      {fault && (
        <p class="note bad" role="alert">
          {fault}
        </p>
      )}
      <div class="buttons">
        {onCancel && <Button onPress={onCancel}>{t('shell.cancel')}</Button>}
        {more}
        <Button submit kind={kind} disabled={busy}>
          {send}
        </Button>
      </div>
    </form>
  );
}

type InputProps = Omit<PartialInputHTMLAttributes<HTMLInputElement>, 'role' | 'label' | 'name'> & { type?: string; label: string; name: string; list?: string; hint?: ComponentChildren };

/** One line of text, a number, a password, a date … by `type`. */
export function Field({ label, hint, ...input }: InputProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} aria-describedby={hint ? `${id}-hint` : undefined} autoCapitalize="none" spellcheck={false} {...(input as object)} />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

type AreaProps = Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'label'> & { label: string; name: string; hint?: ComponentChildren };

export function Area({ label, hint, ...area }: AreaProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} aria-describedby={hint ? `${id}-hint` : undefined} spellcheck={false} {...area} />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

interface SelectProps {
  label: string;
  name?: string;
  hint?: string;
  value?: string;
  /** The label is there for screen readers only. */
  bare?: boolean;
  disabled?: boolean;
  options: readonly (readonly [value: string, text: string])[];
  onPick?: (value: string) => void;
}

export function Select({ label, name, hint, value, bare, disabled, options, onPick }: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={bare ? 'sr' : ''}>
        {label}
      </label>
      <select id={id} name={name} disabled={disabled} onChange={(event) => onPick?.(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
      {hint && <small>{hint}</small>}
    </div>
  );
}

interface CheckProps {
  label: ComponentChildren;
  name?: string;
  checked?: boolean;
  disabled?: boolean;
  onSwitch?: (on: boolean) => void;
}

export function Check({ label, name, checked, disabled, onSwitch }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" name={name} {...(onSwitch ? { checked: checked ?? false } : { defaultChecked: checked ?? false })} disabled={disabled} onChange={(event) => onSwitch?.(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

interface ChoiceProps {
  /** For screen readers. */
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: ComponentChildren])[];
  onPick: (value: string) => void;
}

/** A row of buttons of which one is on. */
export function Choice({ label, value, options, onPick }: ChoiceProps) {
  const name = useId();
  return (
    <fieldset class="ways">
      <legend class="sr">{label}</legend>
      {options.map(([option, text]) => (
        <label key={option}>
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => onPick(option)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
