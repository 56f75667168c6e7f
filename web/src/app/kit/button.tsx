// Buttons. One that does something on the server is busy until that is over, and tells a failure as a toast.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, type IconName } from './icons';
import { tellFailure } from './toast';

interface ButtonProps {
  /** What it does; a promise keeps it busy. */
  onPress?: () => unknown;
  kind?: 'main' | 'danger' | 'quiet' | 'plain';
  icon?: IconName;
  /** Its name where only the icon is seen; also the tooltip. */
  label?: string;
  disabled?: boolean;
  /** For switches: whether it is on. */
  pressed?: boolean;
  submit?: boolean;
  children?: ComponentChildren;
  class?: string;
}

export function Button({ onPress, kind = 'plain', icon, label, disabled, pressed, submit, children, class: more = '' }: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    const work = onPress?.();
    if (!(work instanceof Promise)) return;
    setBusy(true);
    try {
      await work;
    } catch (error) {
      tellFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={`${kind} ${children === undefined ? 'only-icon' : ''} ${more}`.trim()}
      disabled={disabled || busy}
      aria-busy={busy}
      aria-label={label}
      title={children === undefined ? label : undefined}
      aria-pressed={pressed}
      onClick={() => void press()}
    >
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}
