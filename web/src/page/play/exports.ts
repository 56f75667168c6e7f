// Exports: the span's fields, and one line for each export with its progress, download and cancel.

import { words } from '../api';
import { find, stamp } from '../dom';
import { fileAddress } from '../session';
import { dropExport, type Export, exportProgress, listExports, startExport } from './footage';
import type { Span } from './timeline';
import { clock, type Day, lengthWords, onDay } from './time';

const LOOK_EVERY = 1000;
/** An export of which nothing can be learnt for so many looks has failed. */
const PATIENCE = 5;
/** The newest exports of a camera that are listed. */
const MOST = 20;

export class Exports {
  private readonly form = find('#export', HTMLFormElement);
  private readonly from = find('[name=from]', HTMLInputElement, this.form);
  private readonly to = find('[name=to]', HTMLInputElement, this.form);
  private readonly note = find('.note', HTMLElement, this.form);
  private readonly length = find('.length', HTMLElement, this.form);
  private readonly button = find('button.main', HTMLButtonElement, this.form);
  private readonly listing = find('#exports', HTMLElement);
  private lines: ExportLine[] = [];

  /** `place` gives the present place of the playback, `marked` is told each change of the span. */
  constructor(
    private readonly place: () => number | undefined,
    private readonly marked: (span: Span | undefined) => void,
    private readonly camera: () => { token: string; day: Day },
  ) {
    for (const input of [this.from, this.to]) input.addEventListener('input', () => this.changed());
    find('.from-here', HTMLButtonElement, this.form).addEventListener('click', () => this.here(this.from));
    find('.to-here', HTMLButtonElement, this.form).addEventListener('click', () => this.here(this.to));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.begin();
    });
    this.changed();
  }

  /** Takes a span over that was marked on the time line. */
  show({ from, to }: Span): void {
    this.from.value = clock(from);
    this.to.value = clock(to);
    this.changed();
  }

  /** Another day: nothing is marked. */
  clear(): void {
    this.from.value = this.to.value = '';
    this.note.hidden = true;
    this.changed();
  }

  /** Shows the exports of another camera. */
  async list(token: string): Promise<void> {
    this.lines.forEach((line) => line.stop());
    this.lines = [];
    this.listing.replaceChildren();
    const known = await listExports(token);
    if (token !== this.camera().token) return;
    this.lines = known.slice(0, MOST).map((made) => new ExportLine(token, made, made.filename));
    this.listing.append(...this.lines.map(({ element }) => element));
  }

  markStart(): void {
    this.here(this.from);
  }

  markEnd(): void {
    this.here(this.to);
  }

  private here(input: HTMLInputElement): void {
    const place = this.place();
    if (place === undefined) return;
    input.value = clock(place);
    this.changed();
  }

  private get span(): Span | undefined {
    const { day } = this.camera();
    const [from, to] = [onDay(day, this.from.value), onDay(day, this.to.value)];
    return to > from ? { from, to } : undefined;
  }

  private changed(): void {
    const { span } = this;
    const wrong = this.from.value !== '' && this.to.value !== '' && !span;
    this.length.textContent = span ? lengthWords(span.to - span.from) : wrong ? 'The end lies before the start.' : '';
    this.button.disabled = !span;
    this.marked(span);
  }

  private async begin(): Promise<void> {
    const { span } = this;
    if (!span) return;
    const { token } = this.camera();
    this.note.hidden = true;
    this.button.disabled = true;
    try {
      const started = await startExport(token, span.from, span.to);
      const line = new ExportLine(token, started, `${clock(span.from)} – ${clock(span.to)}`);
      this.lines.push(line);
      this.listing.prepend(line.element);
    } catch (error) {
      this.note.textContent = words(error);
      this.note.hidden = false;
    } finally {
      this.button.disabled = !this.span;
    }
  }
}

class ExportLine {
  readonly element = stamp('#export-line');
  private readonly bar = find('progress', HTMLProgressElement, this.element);
  private readonly state = find('.state', HTMLElement, this.element);
  private readonly download = find('.download', HTMLAnchorElement, this.element);
  private readonly drop = find('.drop', HTMLButtonElement, this.element);
  private readonly timer = setInterval(() => void this.look(), LOOK_EVERY);
  private misses = 0;

  constructor(
    private readonly token: string,
    private readonly made: Export,
    title: string,
  ) {
    find('.span', HTMLElement, this.element).textContent = title;
    this.drop.addEventListener('click', () => void this.remove());
    void this.look();
  }

  /** Asks no more. */
  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    try {
      const { percent, done, failure } = await exportProgress(this.token, this.made.filename);
      this.misses = 0;
      if (failure) return this.failed(failure);
      this.bar.value = percent;
      this.state.textContent = `${Math.round(percent)} %`;
      if (done) this.done();
    } catch (error) {
      this.misses++;
      if (this.misses >= PATIENCE) this.failed(words(error));
    }
  }

  private done(): void {
    this.stop();
    this.bar.hidden = true;
    this.state.textContent = 'Ready';
    this.download.href = fileAddress(this.made.url, { download: '1' });
    this.download.hidden = false;
    this.drop.textContent = 'Remove';
  }

  private failed(text: string): void {
    this.stop();
    this.bar.hidden = true;
    this.state.textContent = text;
    this.element.dataset['state'] = 'failed';
    this.drop.textContent = 'Remove';
  }

  private async remove(): Promise<void> {
    this.stop();
    this.drop.disabled = true;
    try {
      await dropExport(this.token, this.made.filename);
    } catch (error) {
      // Of a failed export nothing may be left to remove.
      if (this.element.dataset['state'] !== 'failed') {
        this.drop.disabled = false;
        this.state.textContent = words(error);
        return;
      }
    }
    this.element.remove();
  }
}
