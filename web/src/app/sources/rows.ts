// The list of sources as rows of a CSV file: written without passwords, read with a fault named for each cell that will
// not do. Pure, so that nothing is added before people have seen what it would be.
//
// Bound: 1000 rows.

import type { Params } from '../call';
import type { Source } from '../state';
import type { Key } from '../text';
import { parseCsv, writeCsv } from './csv';
import { takeApart, TOKEN, tokenOf } from './names';

export const COLUMNS = ['kind', 'name', 'token', 'url', 'user', 'password', 'ip', 'port', 'audio', 'connect', 'transport', 'urlsub', 'onvifaddr', 'main', 'sub'] as const;
export type ColumnName = (typeof COLUMNS)[number];
export type Cells = Partial<Record<ColumnName, string>>;

export interface Fault {
  line: number;
  /** As in the file; '' where it is the line's. */
  column: string;
  text: Key;
  values: Record<string, string | number>;
}

export interface Row {
  line: number;
  name: string;
  token: string;
  address: string;
  /** The call that adds it, and with what. */
  call: 'AddSrcRTSP' | 'AddSrcONVIF' | 'AddSrcFile';
  params: Params;
  faults: Fault[];
  /** The token is in use already, so it is not added. */
  exists: boolean;
}

export interface Import {
  rows: Row[];
  /** Of the file as a whole: with these, nothing can be added. */
  faults: Fault[];
}

const MOST_ROWS = 1000;
/** What the server shows for a password inside an address, and so what an export has there. */
const MASK = '******';
const CALLS = { rtsp: 'AddSrcRTSP', onvif: 'AddSrcONVIF', file: 'AddSrcFile' } as const;
type Kind = keyof typeof CALLS;
const TAKES: Record<Kind, readonly ColumnName[]> = {
  rtsp: ['url', 'user', 'password', 'audio', 'connect', 'transport', 'urlsub'],
  onvif: ['ip', 'port', 'user', 'password', 'audio', 'connect', 'transport', 'onvifaddr', 'main', 'sub'],
  file: ['url', 'audio', 'connect'],
};
const CONNECT = { auto: 'H5_AUTO', ondemand: 'H5_ONDEMAND', always: 'H5_ALWAYS' };
const TRANSPORT = { auto: 'H5_RTSP_AUTO', tcp: 'H5_RTSP_TCP', udp: 'H5_RTSP_UDP' };
const YES_NO = { true: 'true', yes: 'true', '1': 'true', false: 'false', no: 'false', '0': 'false' };

export const TEMPLATE = writeCsv([
  COLUMNS,
  cellsOf({ kind: 'rtsp', name: 'Gate', token: 'gate', url: 'rtsp://192.168.1.20/stream1', user: 'viewer', password: 'secret', audio: 'no', connect: 'auto', transport: 'auto', urlsub: 'rtsp://192.168.1.20/stream2' }),
  cellsOf({ kind: 'onvif', name: 'Yard', token: 'yard', ip: '192.168.1.21', port: '80', user: 'viewer', password: 'secret', audio: 'yes', connect: 'always' }),
  cellsOf({ kind: 'file', name: 'Demo', token: 'demo', url: '/data/files/demo.mp4' }),
]);

function cellsOf(cells: Cells): string[] {
  return COLUMNS.map((column) => cells[column] ?? '');
}

/** What can be added again; sources that come by themselves (pushed, of a registered server) are left out. */
export function exported(sources: readonly Source[]): string {
  const rows = sources.map(asCells).filter((cells) => cells !== undefined);
  return writeCsv([COLUMNS, ...rows.map(cellsOf)]);
}

function asCells(source: Source): Cells | undefined {
  const shared = { name: source.strName, token: source.strToken, audio: source.bEnableAudio ? 'yes' : 'no', connect: short(CONNECT, source.nConnectType) };
  const camera = { ...shared, user: source.strUser, transport: short(TRANSPORT, source.nRTSPType) };
  switch (source.nType) {
    case 'H5_STREAM':
      return { kind: 'rtsp', ...camera, url: source.strUrl, urlsub: source.strUrlSub ?? '' };
    case 'H5_ONVIF': {
      const profiles = source.bOnvifProfileAuto === false ? { main: source.strOnvifProfileMain, sub: source.strOnvifProfileSub } : {};
      return { kind: 'onvif', ...camera, ip: source.strSrcIpAddress, port: source.strSrcPort, onvifaddr: source.strOnvifAddr ?? '', ...profiles };
    }
    case 'H5_FILE':
      return { kind: 'file', ...shared, url: source.strUrl };
    default:
      return undefined;
  }
}

function short(names: Record<string, string>, long: string): string {
  return Object.keys(names).find((name) => names[name] === long) ?? long;
}

/** `used`: the tokens that there are. */
export function readRows(text: string, used: ReadonlySet<string>): Import {
  const { lines, broken } = parseCsv(text);
  const faults: Fault[] = [];
  if (broken) faults.push({ line: broken.line, column: '', text: broken.why === 'quote_open' ? 'sources.csv_quote_open' : 'sources.csv_quote_after', values: {} });
  const [head, ...rest] = lines;
  if (!head) {
    if (!broken) faults.push({ line: 1, column: '', text: 'sources.csv_empty', values: {} });
    return { rows: [], faults };
  }
  const columns = head.cells.map((cell) => cell.toLowerCase());
  const wrong = (column: string, text: Key) => faults.push({ line: head.line, column, text, values: { column } });
  columns.forEach((column, index) => {
    if (column === '') return;
    if (!COLUMNS.some((known) => known === column)) wrong(head.cells[index] ?? '', 'sources.csv_unknown_column');
    else if (columns.indexOf(column) !== index) wrong(column, 'sources.csv_column_twice');
  });
  if (!columns.includes('name')) wrong('name', 'sources.csv_no_column');
  else if (!columns.includes('url') && !columns.includes('ip')) wrong('url', 'sources.csv_no_column');
  if (rest.length === 0 && faults.length === 0) faults.push({ line: head.line, column: '', text: 'sources.csv_empty', values: {} });
  if (rest.length > MOST_ROWS) faults.push({ line: rest[MOST_ROWS]?.line ?? 1, column: '', text: 'sources.csv_too_many', values: { n: MOST_ROWS } });
  if (faults.some((fault) => fault.line === head.line) || rest.length > MOST_ROWS) return { rows: [], faults };

  // Named tokens first: one that is made of a name must not take theirs.
  const named = rest.map(({ cells }) => cells[columns.indexOf('token')] ?? '');
  const taken = new Set([...used, ...named]);
  const seen = new Map<string, number>();
  const rows = rest.map(({ line, cells }) => {
    const given: Cells = {};
    columns.forEach((column, index) => (given[column as ColumnName] = cells[index] ?? ''));
    const row = readRow(line, given, taken);
    if (cells.slice(columns.length).some((cell) => cell !== '')) row.faults.push({ line, column: '', text: 'sources.csv_too_wide', values: {} });
    const first = seen.get(row.token);
    if (first !== undefined) row.faults.push({ line, column: 'token', text: 'sources.csv_token_twice', values: { token: row.token, n: first } });
    else seen.set(row.token, line);
    taken.add(row.token);
    row.exists = used.has(row.token);
    return row;
  });
  return { rows, faults };
}

function readRow(line: number, given: Cells, taken: ReadonlySet<string>): Row {
  const faults: Fault[] = [];
  const fault = (column: ColumnName, text: Key, values: Fault['values'] = {}) => faults.push({ line, column, text, values });
  const login = takeApart(given.url ?? '');
  const cells: Cells = { ...given, url: login.url, user: given.user || login.user, password: given.password || login.password };
  const kind = kindOf(cells);
  const name = cells.name ?? '';
  const token = cells.token || tokenOf(name, taken);
  const params: Params = { name, token };
  if (name === '') fault('name', 'sources.csv_missing');
  if (!TOKEN.test(token)) fault('token', 'sources.csv_token');
  if (!kind) fault('kind', 'sources.csv_choice', { choices: Object.keys(CALLS).join(', ') });
  if (kind === 'onvif') {
    if (!cells.ip) fault('ip', 'sources.csv_missing');
    const port = cells.port || '80';
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) fault('port', 'sources.csv_port');
    cells.port = port;
  } else if (!cells.url) {
    fault('url', 'sources.csv_missing');
  } else if (kind === 'rtsp' && !/^(rtsp|rtmp)s?:\/\/[^/]/i.test(cells.url)) {
    fault('url', 'sources.csv_url');
  } else if (kind === 'file' && !cells.url.startsWith('/')) {
    fault('url', 'sources.csv_path');
  }
  if (kind === 'rtsp' && cells.urlsub && !/^(rtsp|rtmp)s?:\/\/[^/]/i.test(cells.urlsub)) fault('urlsub', 'sources.csv_url');
  for (const column of ['url', 'urlsub'] as const) if (cells[column]?.includes(MASK)) fault(column, 'sources.csv_masked');
  const choice = (column: ColumnName, names: Record<string, string>, shown = Object.keys(names)) => {
    const value = (cells[column] ?? '').toLowerCase();
    if (value === '') return;
    const long = names[value] ?? Object.values(names).find((known) => known.toLowerCase() === value);
    if (long === undefined) fault(column, 'sources.csv_choice', { choices: shown.join(', ') });
    else cells[column] = long;
  };
  choice('audio', YES_NO, ['yes', 'no']);
  choice('connect', CONNECT);
  choice('transport', TRANSPORT);
  for (const column of kind ? TAKES[kind] : []) if (cells[column]) params[column] = cells[column];
  if (kind) {
    const foreign = COLUMNS.filter((column) => given[column] && !['kind', 'name', 'token'].includes(column) && !TAKES[kind].includes(column));
    for (const column of foreign) fault(column, 'sources.csv_foreign', { kind });
  }
  return { line, name, token, address: kind === 'onvif' ? `${cells.ip}:${cells.port}` : (cells.url ?? ''), call: CALLS[kind ?? 'rtsp'], params, faults, exists: false };
}

/** Without a kind it is told by the address. */
function kindOf({ kind = '', url = '', ip = '' }: Cells): Kind | undefined {
  const given = kind.toLowerCase();
  if (given !== '') return given in CALLS ? (given as Kind) : undefined;
  if (url === '') return ip === '' ? 'rtsp' : 'onvif';
  return url.startsWith('/') ? 'file' : 'rtsp';
}
