// What the server tells by itself: sources, figures and news, through one socket for all of the page. Components read
// the signals and are drawn again when they change.
//
// Bound: 100 news.

import { batch, computed, signal } from '@preact/signals';
import { Backoff } from '../player/backoff';
import { readSession } from './session';

/** An entry of GetSrc. */
export interface Source {
  nType: 'H5_FILE' | 'H5_STREAM' | 'H5_ONVIF' | 'H5_CLOUD' | 'H5_RTMP_PUSH';
  /** The type at its site, of one of `H5_CLOUD`. */
  nOriginalType?: string;
  strName: string;
  strToken: string;
  strUrl: string;
  strUser: string;
  bEnableAudio: boolean;
  nConnectType: string;
  nRTSPType: string;
  strSrcIpAddress: string;
  strSrcPort: string;
  strOnvifAddr?: string;
  /** The profiles are those that the camera offers first, not chosen ones. */
  bOnvifProfileAuto?: boolean;
  strOnvifProfileMain: string;
  /** There is a small picture. */
  strOnvifProfileSub: string;
  strUrlSub?: string;
  bEnableUrlSub?: boolean;
  bOnline: boolean;
  bRec: boolean;
  nViewers: number;
  strRecState: 'idle' | 'recording' | 'waiting' | 'trouble';
  strRecText: string;
  /** Of a source of a site at this central. */
  strServerToken?: string;
  strServerName?: string;
  /** Of one that is not online: `connecting`, `refused`, `unauthorised`, … */
  strOfflineReason?: string;
  strOfflineText?: string;
  /** Of one that is pulled. */
  strVideoType?: string;
  nVideoWidth?: number;
  nVideoHeight?: number;
}

/** GetRunInfo. */
export interface RunInfo {
  strRunTime: string;
  nCPUUsage: number;
  nMemoryUsage: number;
  nTotalMemoryByte: number;
  nNetworkInK: number;
  nNetworkOutK: number;
  nTotalSpaceByte: number;
  nFreeSpaceByte: number;
  nRecordTotalSpaceByte: number;
  nRecordFreeSpaceByte: number;
  temperature?: { strName: string; nCelsius: number }[];
}

export interface News {
  strTime: string;
  strType: string;
  strToken: string;
  strName: string;
  strText: string;
}

/** GetUpdate. */
export interface Update {
  strVersion: string;
  strBuild: string;
  strBoard: string;
  /** Name of the slot that is started next. */
  strNext: string;
  slots: { strName: string; bBooted: boolean; strBootStatus: 'good' | 'bad'; strVersion: string; strInstalled: string }[];
  strState: 'idle' | 'receiving' | 'checking' | 'installing' | 'done' | 'failed';
  nPercent: number;
  strText: string;
  strReady: string;
  bRebootNeeded: boolean;
}

/** The progress of an export. */
export interface Archive {
  strToken: string;
  strFileName: string;
  strUrl: string;
  strState: 'working' | 'done' | 'failed';
  /** Why, where it failed. */
  strCode: string;
  nPercentage: number;
  nBytes: number;
}

type Message =
  | { type: 'H5S_STATE'; strVersion: string; bAppliance: boolean; strUser: string; strUserType: string; src: Source[]; run: RunInfo; news: News[] }
  | { type: 'H5S_SRC'; src: Source[]; gone: string[] }
  | { type: 'H5S_RUN'; run: RunInfo }
  | { type: 'H5S_NEWS'; news: News }
  | { type: 'H5S_UPDATE'; update: Update }
  | { type: 'H5S_ARCHIVE'; archive: Archive };

const MOST_NEWS = 100;
const KEEPALIVE_EVERY = 30_000;
/** The server tells its figures every 5 s: who is silent for so long is gone, though the socket does not know, in milliseconds. */
const SILENCE = 20_000;
const LISTEN_EVERY = 2000;

/** By token. */
export const sourceMap = signal<ReadonlyMap<string, Source>>(new Map());
/** By name. */
export const sources = computed(() =>
  [...sourceMap.value.values()].sort((a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true })),
);
export const run = signal<RunInfo | undefined>(undefined);
export const news = signal<readonly News[]>([]);
export const update = signal<Update | undefined>(undefined);
/** By file name. */
export const archives = signal<ReadonlyMap<string, Archive>>(new Map());
/** `strVersion`, and whether this is a box with slots, network and clock of its own. */
export const about = signal({ version: '', appliance: false });
/** Who is logged in, and may do what. */
export const me = signal({ user: '', role: '' });

/** Nothing of what one user was told is shown to the next. */
export function forget(): void {
  sourceMap.value = new Map();
  run.value = update.value = undefined;
  news.value = [];
  archives.value = new Map();
  me.value = { user: '', role: '' };
}
/** `false` while the server does not answer; what is shown may be old then. */
export const connected = signal(false);

export const isAdministrator = computed(() => me.value.role === 'Administrator');
/** May record, steer, delete. */
export const isOperator = computed(() => isAdministrator.value || me.value.role === 'Operator');

export function nameOf(source: Source): string {
  return source.strName || source.strToken;
}

export type Standing = 'online' | 'connecting' | 'offline';

export function standing(source: Source): Standing {
  if (source.bOnline) return 'online';
  return source.strOfflineReason === 'connecting' ? 'connecting' : 'offline';
}

/** Takes one message of the server over; unknown ones (camera events of later versions) are left alone. */
export function take(message: Message): void {
  switch (message.type) {
    case 'H5S_STATE':
      return batch(() => {
        sourceMap.value = byToken(message.src);
        run.value = message.run;
        news.value = message.news;
        // What is told of it belongs to the run before, and there may have been a restart.
        update.value = undefined;
        about.value = { version: message.strVersion, appliance: message.bAppliance };
        me.value = { user: message.strUser, role: message.strUserType };
        connected.value = true;
      });
    case 'H5S_SRC': {
      const next = new Map(sourceMap.value);
      for (const token of message.gone) next.delete(token);
      for (const source of message.src) next.set(source.strToken, source);
      sourceMap.value = next;
      return;
    }
    case 'H5S_RUN':
      run.value = message.run;
      return;
    case 'H5S_NEWS':
      news.value = [message.news, ...news.value].slice(0, MOST_NEWS);
      return;
    case 'H5S_UPDATE':
      update.value = message.update;
      return;
    case 'H5S_ARCHIVE':
      archives.value = new Map(archives.value).set(message.archive.strFileName, message.archive);
  }
}

function byToken(list: Source[]): Map<string, Source> {
  return new Map(list.map((source) => [source.strToken, source]));
}

/** The socket, kept open until `stop`. */
export class StateLink {
  private socket: WebSocket | undefined;
  private readonly backoff = new Backoff();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly beat = setInterval(() => this.say(), KEEPALIVE_EVERY);
  private readonly ear = setInterval(() => this.listen(), LISTEN_EVERY);
  private heard = 0;
  private stopped = false;

  /** `ask` finds out why a socket was closed: the session may have run out. */
  constructor(private readonly ask: () => Promise<void>) {
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.beat);
    clearInterval(this.ear);
    clearTimeout(this.timer);
    this.socket?.close();
    connected.value = false;
  }

  private open(): void {
    const url = new URL('api/v1/h5stateapi', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.hash = '';
    url.search = new URLSearchParams({ session: readSession() }).toString();
    const socket = new WebSocket(url);
    this.socket = socket;
    this.heard = performance.now();
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heard = performance.now();
      this.backoff.reset();
      take(JSON.parse(String(data)) as Message);
    };
    socket.onclose = () => this.lost(socket);
  }

  private listen(): void {
    if (this.socket && performance.now() - this.heard > SILENCE) this.lost(this.socket);
  }

  private lost(socket: WebSocket): void {
    if (this.stopped || socket !== this.socket) return;
    this.socket = undefined;
    socket.close();
    connected.value = false;
    void this.ask().catch(() => undefined);
    this.timer = setTimeout(() => this.open(), this.backoff.delay());
  }

  private say(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('{"type":"keepalive"}');
  }
}
