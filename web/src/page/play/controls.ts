// Buttons and keys of the playback.

import { find } from '../dom';
import type { Stage, Way } from './stage';

/** What a key press on one of these means is its own affair. */
const OWN_KEYS = 'input, select, textarea, button, a, dialog, [contenteditable]';

export interface Control {
  toggle(): void;
  /** By so many seconds. */
  step(seconds: number): void;
  /** To the recording before or after. */
  skip(direction: 1 | -1): void;
  way(way: Way): void;
  save(): void;
  markStart(): void;
  markEnd(): void;
}

export const SPEEDS = ['0.5', '1.0', '2.0', '4.0', '8.0', '16.0'];

export class Controls {
  private readonly playButton = find('#play', HTMLButtonElement);
  private readonly startButton = find('#start', HTMLButtonElement);
  private readonly speed = find('#speed', HTMLSelectElement);

  constructor(
    private readonly stage: Stage,
    private readonly control: Control,
  ) {
    const click = (id: string, run: () => void) => {
      const button = find(id, HTMLButtonElement);
      button.addEventListener('click', ({ detail }) => {
        run();
        // After a click by pointer the keys are the playback's again.
        if (detail > 0) button.blur();
      });
    };
    click('#play', () => control.toggle());
    click('#start', () => control.toggle());
    stage.video.addEventListener('click', () => control.toggle());
    click('#back', () => control.step(-10));
    click('#on', () => control.step(10));
    click('#previous', () => control.skip(-1));
    click('#next', () => control.skip(1));
    click('#save', () => control.save());
    click('#sound', () => this.sound());
    stage.video.addEventListener('volumechange', () => {
      find('#sound', HTMLElement).setAttribute('aria-pressed', String(!stage.video.muted));
    });
    click('#full', () => this.fullScreen());
    this.speed.addEventListener('change', () => {
      stage.setSpeed(this.speed.value);
      this.speed.blur();
    });
    for (const radio of document.querySelectorAll<HTMLInputElement>('[name=way]')) {
      radio.addEventListener('change', () => control.way(radio.value as Way));
    }
    document.addEventListener('keydown', (event) => this.key(event));
  }

  /** Shows what the stage does; `possible` tells whether there is something to play. */
  update(possible: boolean): void {
    const { playing } = this.stage;
    this.startButton.hidden = playing || !possible;
    this.playButton.disabled = !possible;
    this.playButton.dataset['state'] = playing ? 'playing' : 'paused';
    this.playButton.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    this.speed.value = this.stage.speed;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) return;
    if (event.target instanceof Element && event.target.closest(OWN_KEYS)) return;
    const run = this.keys[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  private readonly keys: Record<string, () => void> = {
    ' ': () => this.control.toggle(),
    k: () => this.control.toggle(),
    ArrowLeft: () => this.control.step(-10),
    ArrowRight: () => this.control.step(10),
    ArrowUp: () => this.faster(1),
    ArrowDown: () => this.faster(-1),
    PageUp: () => this.control.skip(-1),
    PageDown: () => this.control.skip(1),
    i: () => this.control.markStart(),
    o: () => this.control.markEnd(),
    f: () => this.fullScreen(),
    m: () => this.sound(),
  };

  private faster(steps: number): void {
    const speed = SPEEDS[SPEEDS.indexOf(this.stage.speed) + steps];
    if (speed) this.stage.setSpeed(speed);
  }

  private sound(): void {
    this.stage.video.muted = !this.stage.video.muted;
  }

  private fullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void find('#stage', HTMLElement).requestFullscreen();
  }
}
