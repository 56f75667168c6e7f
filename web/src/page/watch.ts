// ws.html, rtc.html and hls.html: one source, full window. The body names the player's class.

import type { H5sConf, H5sState } from '../player/conf';
import type { H5sPlayer } from '../player/helper';
import { find } from './dom';
import { figuresLine } from './figures';
import { player } from './player';
import { readSession } from '../app/session';

declare global {
  interface Window {
    /** The running player, for the console and for tests. */
    h5splayer?: H5sPlayer;
  }
}

const SOUND_NOTE_FOR = 6000;

const param = player.GetURLParameter;
const token = param('token') || 'token1';
const notice = find('#notice', HTMLElement);
const sound = find('#sound', HTMLElement);
const start = find('#start', HTMLButtonElement);
const figures = find('#figures', HTMLElement);

function conf(): H5sConf {
  return {
    videoid: 'h5sVideo1',
    protocol: location.protocol,
    host: location.host,
    rootpath: location.pathname,
    token,
    streamprofile: param('stream') || 'main',
    hlsver: param('ver') || 'v1',
    session: param('session') || readSession(),
    onstate: show,
  };
}

function show({ state, text }: H5sState): void {
  if (state === 'muted') return tellSound(text);
  document.body.dataset['state'] = state;
  notice.textContent = text;
  notice.hidden = text === '';
  start.hidden = state !== 'blocked';
}

function tellSound(text: string): void {
  sound.textContent = text;
  sound.hidden = false;
  setTimeout(() => (sound.hidden = true), SOUND_NOTE_FOR);
}

function play(): void {
  start.hidden = true;
  if (window.h5splayer) {
    void find('#h5sVideo1', HTMLVideoElement).play();
    return;
  }
  const kinds = { H5sPlayerWS: player.H5sPlayerWS, H5sPlayerRTC: player.H5sPlayerRTC, H5sPlayerHls: player.H5sPlayerHls };
  const Kind = kinds[document.body.dataset['player'] as keyof typeof kinds];
  const running = new Kind(conf());
  window.h5splayer = running;
  running.connect();
  setInterval(() => (figures.textContent = figuresLine(running.stats())), 1000);
}

find('#name', HTMLElement).textContent = token;
document.title = `${token} · ${document.title}`;
start.addEventListener('click', play);
if (param('autoplay') === 'false') start.hidden = false;
else play();
