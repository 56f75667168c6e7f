// Dialogs: the browser's own `<dialog>`, which keeps the keyboard inside and closes on Escape; and questions.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../text';
import { Button } from './button';
import { Form } from './form';

interface DialogProps {
  title: string;
  /** Escape, the cross, or a press beside it. Without, there is no way out but to succeed. */
  onClose?: (() => void) | undefined;
  wide?: boolean;
  children: ComponentChildren;
}

/** Open as long as it is drawn. */
export function Dialog({ title, onClose, wide, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Closed while it still stands in the page, it gives the keyboard back to what opened it.
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'wide' : ''}
      aria-label={title}
      onCancel={(event) => {
        if (event.target !== dialog.current) return;
        event.preventDefault();
        onClose?.();
      }}
      // A browser may let Escape through on the second press.
      onClose={() => dialog.current?.isConnected && dialog.current.showModal()}
      onMouseDown={(event) => event.target === dialog.current && onClose?.()}
    >
      <div class="inside">
        <header>
          <h2>{title}</h2>
          {onClose && <Button kind="quiet" icon="close" label={t('shell.close')} onPress={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  text: ComponentChildren;
  /** The button that does it. */
  yes: string;
  danger: boolean;
  act: () => Promise<unknown>;
}

const question = signal<Question | undefined>(undefined);

/** Asks before something that cannot be undone; `act` runs when it is wanted, and a failure is shown in the dialog. */
export function ask(asked: Omit<Question, 'danger'> & { danger?: boolean }): void {
  question.value = { danger: true, ...asked };
}

/** Stands once in the page. */
export function Questions() {
  const asked = question.value;
  if (!asked) return null;
  const close = () => (question.value = undefined);
  const act = async () => {
    await asked.act();
    close();
  };
  return (
    <Dialog title={asked.title} onClose={close}>
      <Form onSend={act} send={asked.yes} kind={asked.danger ? 'danger' : 'main'} onCancel={close}>
        <p>{asked.text}</p>
      </Form>
    </Dialog>
  );
}
