// Forms that talk to the server, in dialogs and elsewhere: one submission at a time, errors shown in the form.

import { fields, find } from './dom';

/** Runs `send` with the fields on submit; what it throws is shown in the form's note. */
export function onSubmit(form: HTMLFormElement, send: (fields: Record<string, string>) => Promise<void>): void {
  const button = find('button:not([type=button])', HTMLButtonElement, form);
  const note = find('.note', HTMLElement, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    note.hidden = true;
    button.disabled = true;
    send(fields(form))
      .catch((error: unknown) => {
        note.textContent = error instanceof Error ? error.message : String(error);
        note.hidden = false;
      })
      .finally(() => (button.disabled = false));
  });
}

/** A `<dialog>` with one form, which closes when `send` succeeds. */
export class FormDialog {
  readonly element: HTMLDialogElement;
  readonly form: HTMLFormElement;
  private readonly closer: HTMLButtonElement;
  private forced = false;

  constructor(selector: string, send: (fields: Record<string, string>) => Promise<void>) {
    this.element = find(selector, HTMLDialogElement);
    this.form = find('form', HTMLFormElement, this.element);
    this.closer = find('[data-close]', HTMLButtonElement, this.element);
    this.closer.addEventListener('click', () => this.element.close());
    this.element.addEventListener('cancel', (event) => this.forced && event.preventDefault());
    // A browser may let Escape through on the second press.
    this.element.addEventListener('close', () => this.forced && this.element.showModal());
    onSubmit(this.form, async (values) => {
      await send(values);
      this.forced = false;
      this.element.close();
    });
  }

  /** `forced` leaves no way out but to succeed. */
  open(forced = false): void {
    this.forced = forced;
    this.closer.hidden = forced;
    this.form.reset();
    find('.note', HTMLElement, this.form).hidden = true;
    if (!this.element.open) this.element.showModal();
  }

  /** Closes it even where it was forced. */
  dismiss(): void {
    this.forced = false;
    this.element.close();
  }
}
