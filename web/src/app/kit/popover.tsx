// A button that opens a small panel below itself; a press elsewhere or Escape closes it.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons';

interface PopoverProps {
  icon: IconName;
  title: string;
  children: (close: () => void) => ComponentChildren;
}

export function Popover({ icon, title, children }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const here = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    here.current?.querySelector('button')?.focus();
  };
  useEffect(() => {
    if (!open) return;
    // A question in a dialog belongs to the panel.
    const elsewhere = ({ target }: Event) => target instanceof Element && !here.current?.contains(target) && !target.closest('dialog') && setOpen(false);
    document.addEventListener('pointerdown', elsewhere);
    return () => document.removeEventListener('pointerdown', elsewhere);
  }, [open]);
  return (
    <div
      class="popover"
      ref={here}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={icon} />
        <span>{title}</span>
      </button>
      {open && <div class="card panel">{children(close)}</div>}
    </div>
  );
}
