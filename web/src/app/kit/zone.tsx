// A time zone, found by typing a part of its name.

import { useId } from 'preact/hooks';
import { Field } from './form';

interface ZoneProps {
  label: string;
  name: string;
  /** Default: the browser's. */
  value?: string;
  disabled?: boolean;
}

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function ZoneField({ label, name, value = browserZone(), disabled }: ZoneProps) {
  const list = useId();
  return (
    <>
      <Field label={label} name={name} list={list} defaultValue={value} required maxLength={64} autocomplete="off" disabled={disabled} />
      <datalist id={list}>
        {['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}
