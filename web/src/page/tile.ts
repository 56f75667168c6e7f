// One source on the overview: its live picture, state and buttons. It only plays while it can be seen.

import type { H5sConf, H5sState } from '../player/conf';
import type { H5sPlayer } from '../player/helper';
import { asSentence } from '../player/text';
import { record, snapshot, type Source, words } from './api';
import { find, stamp } from './dom';
import { figuresLine } from './figures';
import { player } from './player';
import { fileAddress, readSession } from './session';

const STATES = { online: 'Online', idle: 'Idle', offline: 'Offline' };

type Way = 'ws' | 'rtc' | 'hls';

export class Tile {
  readonly element = stamp('#tile');
  private readonly video = find('video', HTMLVideoElement, this.element);
  private readonly message = find('.message', HTMLElement, this.element);
  private readonly figures = find('.figures', HTMLElement, this.element);
  private readonly link = find('.open', HTMLAnchorElement, this.element);
  private readonly told = find('.told', HTMLElement, this.element);
  private readonly recordButton = find('.record', HTMLButtonElement, this.element);
  private readonly snapshotButton = find('.snapshot', HTMLButtonElement, this.element);
  private way: Way = 'ws';
  private visible = false;
  private running: H5sPlayer | undefined;

  constructor(
    private source: Source,
    onDelete: (source: Source) => void,
  ) {
    for (const radio of this.element.querySelectorAll('input')) {
      radio.name = `way-${source.strToken}`;
      radio.addEventListener('change', () => this.choose(radio.value as Way));
    }
    find('.delete', HTMLButtonElement, this.element).addEventListener('click', () => onDelete(this.source));
    this.recordButton.addEventListener('click', () => void this.run(this.recordButton, () => this.record()));
    this.snapshotButton.addEventListener('click', () => void this.run(this.snapshotButton, () => this.snapshot()));
    this.video.muted = true;
    this.update(source);
  }

  update(source: Source): void {
    this.source = source;
    const { strName, strToken, bOnline, strOfflineText, strOfflineReason } = source;
    find('h2', HTMLElement, this.element).textContent = strName || strToken;
    // An idle source is well, it is only pulled when somebody watches.
    const state = bOnline ? 'online' : strOfflineReason === 'idle' ? 'idle' : 'offline';
    this.element.dataset['state'] = state;
    find('.status', HTMLElement, this.element).textContent = STATES[state];
    const reason = find('.reason', HTMLElement, this.element);
    reason.textContent = state === 'offline' ? asSentence(strOfflineText || strOfflineReason || '') : '';
    reason.hidden = reason.textContent === '';
    this.video.setAttribute('aria-label', `Live picture of ${strName || strToken}`);
    find('.delete', HTMLElement, this.element).setAttribute('aria-label', `Delete ${strName || strToken}`);
    this.link.href = `${this.way}.html?token=${encodeURIComponent(strToken)}${this.way === 'hls' ? '&ver=v2' : ''}`;
    this.link.setAttribute('aria-label', `Open ${strName || strToken} in the whole window`);
    const recordings = find('.recordings', HTMLAnchorElement, this.element);
    recordings.href = `playback.html?token=${encodeURIComponent(strToken)}`;
    recordings.setAttribute('aria-label', `Playback of ${strName || strToken}`);
    this.showRecording(source.bRec === true);
  }

  show(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    this.restart();
  }

  /** Once a second. */
  tick(): void {
    this.figures.textContent = this.running ? figuresLine(this.running.stats()) : '';
  }

  remove(): void {
    this.show(false);
    this.element.remove();
  }

  private showRecording(on: boolean): void {
    find('.rec', HTMLElement, this.element).hidden = !on;
    this.recordButton.textContent = on ? 'Stop' : 'Record';
    this.recordButton.classList.toggle('on', on);
    this.recordButton.setAttribute('aria-label', `${on ? 'Stop recording' : 'Record'} ${this.source.strName || this.source.strToken}`);
  }

  /** One click at a time; a failure is told below the picture. */
  private async run(button: HTMLButtonElement, action: () => Promise<void>): Promise<void> {
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      this.say(words(error));
    } finally {
      button.disabled = false;
    }
  }

  private async record(): Promise<void> {
    const on = this.source.bRec !== true;
    await record(this.source.strToken, on);
    this.source = { ...this.source, bRec: on };
    this.showRecording(on);
    this.say('');
  }

  private async snapshot(): Promise<void> {
    const link = document.createElement('a');
    link.href = fileAddress(await snapshot(this.source.strToken));
    link.target = '_blank';
    link.rel = 'noopener';
    link.textContent = 'Open it';
    this.say('Snapshot kept. ', link);
  }

  private say(text: string, ...more: Node[]): void {
    this.told.replaceChildren(text, ...more);
    this.told.hidden = text === '';
  }

  private choose(way: Way): void {
    this.way = way;
    this.update(this.source);
    this.restart();
  }

  private restart(): void {
    this.running?.disconnect();
    this.running = undefined;
    this.message.hidden = true;
    if (!this.visible) return;
    const kinds = { ws: player.H5sPlayerWS, rtc: player.H5sPlayerRTC, hls: player.H5sPlayerHls };
    this.running = new kinds[this.way](this.conf());
    this.running.connect();
  }

  private conf(): H5sConf {
    return {
      videodom: this.video,
      protocol: location.protocol,
      host: location.host,
      rootpath: location.pathname,
      token: this.source.strToken,
      hlsver: 'v2',
      session: readSession(),
      onstate: (state) => this.tell(state),
    };
  }

  private tell({ state, text }: H5sState): void {
    this.message.textContent = text;
    this.message.hidden = text === '' || state === 'stopped' || state === 'muted';
  }
}
