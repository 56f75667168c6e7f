// The system page's arithmetic: the charts' history, what was written by day, roles, the filters, the reference.
import { expect, test, vi } from 'vitest';
import type { RunInfo, Source } from '../src/app/state';
import type { Site } from '../src/app/system/registration';

vi.hoisted(() => {
  const store = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  Object.assign(globalThis, { localStorage: store, sessionStorage: store, location: { hash: '' }, addEventListener: () => undefined });
  if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { language: 'en' } });
});

const { History, hottest, runTime } = await import('../src/app/system/history');
const { byDay, room, trouble } = await import('../src/app/system/volumes');
const { roleToken } = await import('../src/app/system/people');
const { fits } = await import('../src/app/system/audit');
const { matching } = await import('../src/app/system/logs');
const { found } = await import('../src/app/system/registration');
const { pickable } = await import('../src/app/system/roles');
const { groups } = await import('../src/app/live/tree');
const { callsOf, curl, isTried, valueOf } = await import('../src/app/system/openapi');

const run = (cpu: number): RunInfo => ({
  strRunTime: '44H 5MIN',
  nCPUUsage: cpu,
  nMemoryUsage: 1,
  nTotalMemoryByte: 1,
  nNetworkInK: 2,
  nNetworkOutK: 3,
  nTotalSpaceByte: 1,
  nFreeSpaceByte: 1,
  nRecordTotalSpaceByte: 1,
  nRecordFreeSpaceByte: 1,
});

test('figures come once a step, and what was missed is a gap', () => {
  const history = new History(10, [], 0);
  history.add(run(1), 0);
  history.add(run(2), 5_000);
  history.add(run(3), 9_900);
  history.add(run(4), 40_000);
  expect(history.figures.map(({ nCPUUsage }) => nCPUUsage)).toEqual([1, 3, null, null, 4]);
  for (let at = 50_000; at < 5_000_000; at += 10_000) history.add(run(5), at);
  expect(history.figures.length).toBe(360);
});

test('a history longer than an hour is cut, and goes on', () => {
  const old = Array.from({ length: 400 }, (_, n) => ({ nCPUUsage: n, nMemoryUsage: 0, nNetworkInK: 0, nNetworkOutK: 0, nCelsius: null }));
  const history = new History(10, old, 1000);
  expect(history.figures[0]?.nCPUUsage).toBe(40);
  history.add(run(7), 11_000);
  expect(history.figures.at(-1)).toMatchObject({ nCPUUsage: 7, nCelsius: null });
});

test('the hottest sensor counts', () => {
  expect(hottest(run(0))).toBeNull();
  expect(hottest({ ...run(0), temperature: [{ strName: 'a', nCelsius: 40 }, { strName: 'b', nCelsius: 51 }] })).toBe(51);
});

test('a run time has days', () => {
  expect(runTime('44H 5MIN')).toEqual({ days: 1, hours: 20, minutes: 5 });
  expect(runTime('?')).toEqual({ days: 0, hours: 0, minutes: 0 });
});

test('days without a line wrote nothing, and volumes are summed', () => {
  const written = [
    { strDay: '2026-03-01', strVolume: 'a', nByte: 1 },
    { strDay: '2026-03-01', strVolume: 'b', nByte: 2 },
    { strDay: '2026-02-27', strVolume: 'a', nByte: 4 },
  ];
  expect(byDay(written, '2026-03-01', 4)).toEqual([
    { day: '2026-02-26', bytes: 0 },
    { day: '2026-02-27', bytes: 4 },
    { day: '2026-02-28', bytes: 0 },
    { day: '2026-03-01', bytes: 3 },
  ]);
});

const VOLUME = { strName: 'main', strPath: '', strState: 'online', strText: '', nTotalByte: 100, nFreeByte: 30, nKeepFreeByte: 10, nRecordByte: 40, nRecordCount: 1, nSnapshotByte: 5, nSnapshotCount: 1, nChecked: 0, nToCheck: 0, nSetAside: 0 } as const;

test('the room for footage is what it has and what is free but for the reserve', () => {
  expect(room(VOLUME)).toBe(65);
  expect(room({ ...VOLUME, nFreeByte: 0, nRecordByte: 0 })).toBe(0);
});

test('a volume that is checked is in no trouble', () => {
  expect((['online', 'checking', 'full', 'gone'] as const).map((strState) => trouble({ ...VOLUME, strState }))).toEqual([undefined, undefined, 'full', 'gone']);
});

test('a role has a token from its name, that is not in use', () => {
  expect(roleToken('Gate Keepers!', [])).toBe('gate-keepers');
  expect(roleToken('门卫', ['role'])).toBe('role-2');
  expect(roleToken('Viewer', ['viewer', 'viewer-2'])).toBe('viewer-3');
});

test('audit entries are found by call, words and day', () => {
  const entry = { strTime: '2026-11-22T10:00:00+01:00', strUser: 'a', strAddress: '::1', strCall: 'DelSrc', strAbout: 'token=gate', bDone: true };
  expect(fits(entry, { text: 'delsrc', day: '2026-11-22' })).toBe(true);
  expect(fits(entry, { text: 'GATE', day: '' })).toBe(true);
  expect(fits(entry, { text: '', day: '2026-11-21' })).toBe(false);
});

test('lines of the journal are found by words and by weight', () => {
  const lines = ['10:00 box h5edge[1]:  INFO gate: online', '10:01 box h5edge[1]:  WARN yard: refused', '10:02 box kernel: gate WARNING'];
  expect(matching(lines, 'GATE', false)).toEqual([lines[0], lines[2]]);
  expect(matching(lines, '', true)).toEqual([lines[1]]);
});

const operation = (more: object) => ({ summary: 'x', description: 'What it does.\n\nRole: Viewer. From: h5edge.', tags: ['Sources'], responses: { '200': {} }, ...more });

test('calls are read from the document', () => {
  const parameter = { name: 'token', in: 'query', required: true, description: 'Which.', schema: { type: 'string', pattern: '^x' } };
  const schema = { type: 'object', properties: { password: { type: 'string', format: 'password', maxLength: 256, description: 'New.' } }, required: ['password'] };
  const calls = callsOf({
    info: { title: '', version: '', description: '' },
    tags: [],
    paths: {
      '/api/v1/GetSrc': { get: operation({ parameters: [parameter] }), post: operation({}) },
      '/api/v1/Setup': { post: operation({ requestBody: { content: { 'application/x-www-form-urlencoded': { schema } } } }) },
      '/api/v1/UploadUpdate': { post: operation({ parameters: [], requestBody: { content: { 'application/octet-stream': {} } } }) },
      '/api/v1/h5swsapi': { get: operation({ responses: { '101': {} } }) },
    },
  });
  expect(calls.map(({ name, way }) => [name, way])).toEqual([['GetSrc', 'get'], ['Setup', 'post'], ['UploadUpdate', 'upload'], ['h5swsapi', 'socket']]);
  expect(calls[0]).toMatchObject({ group: 'Sources', about: 'What it does.', standing: 'Role: Viewer. From: h5edge.' });
  expect(calls[1]?.parameters).toMatchObject([{ name: 'password', needed: true, about: 'New.' }]);
  expect(calls.filter(isTried).map(({ name }) => name)).toEqual(['GetSrc']);
});

test('a value is told in a few words', () => {
  expect(valueOf({ type: 'integer', minimum: 1, maximum: 9 })).toBe('integer, 1 – 9');
  expect(valueOf({ type: 'string', enum: ['a', 'b'] })).toBe('a, b');
  expect(valueOf({ type: 'string', pattern: '^x' })).toBe('token');
  expect(valueOf({ type: 'string', format: 'password', maxLength: 256 })).toBe('password, ≤ 256');
});

test('a line for a shell has neither a session nor a loose quote', () => {
  const call = { name: 'GetSrc', group: '', about: '', standing: '', old: false, way: 'get', parameters: [] } as const;
  const get = { ...call, parameters: [] };
  expect(curl('http://box/', get, { token: "a'b +", type: '' })).toBe(`curl -H "Authorization: token $SESSION" 'http://box/api/v1/GetSrc?token=a%27b%20%2B'`);
  expect(curl('http://box/', { ...get, name: 'Setup', way: 'post' }, { password: 'x' })).toContain(`-d 'password=x' 'http://box/api/v1/Setup'`);
  expect(curl('http://box/', { ...get, name: 'UploadUpdate', way: 'upload' }, {})).toContain('--data-binary @FILE');
});

test('sites are found by what is seen of them, and stand by name', () => {
  const site = (name: string, token: string): Site => ({ strServerToken: token, strServerName: name, strServerIp: '192.0.2.7', bOnline: true, bEnable: true, strSince: '', strVersion: '', nSources: 0 });
  const sites = [site('Shop 10', 'b'), site('Shop 9', 'a'), site('Depot', 'north')];
  expect(found(sites, '').map(({ strServerName }) => strServerName)).toEqual(['Depot', 'Shop 9', 'Shop 10']);
  expect(found(sites, ' NORTH').map(({ strServerName }) => strServerName)).toEqual(['Depot']);
  expect(found(sites, '192.0.2.7')).toHaveLength(3);
});

test('a role is given cameras, whole sites, and keeps what is there no more', () => {
  const camera = (strToken: string, strName: string, site = '') => ({ strToken, strName, ...(site && { strServerToken: site, strServerName: 'Shop' }) }) as Source;
  const had = [
    { strCamToken: 'old', strCamName: '' },
    { strCamToken: 'site2-*', strCamName: 'Depot' },
    { strCamToken: 'gate', strCamName: 'Gate' },
  ];
  expect(pickable([camera('gate', 'Gate'), camera('site1-cam1', 'Till', 'site1')], had)).toEqual([
    ['site1-*', 'All cameras of Shop, also later ones'],
    ['gate', 'Gate'],
    ['site1-cam1', 'Shop: Till'],
    ['old', 'old (no longer there)'],
    ['site2-*', 'All cameras of Depot, also later ones'],
  ]);
});

test('the list on the live page has this box first, then sites by name', () => {
  const camera = (strToken: string, more: Partial<Source> = {}) => ({ strToken, strName: strToken, ...more }) as Source;
  const of = (site: string, name: string) => ({ strServerToken: site, strServerName: name });
  const all = [camera('b-1', of('b', 'Shop')), camera('a-1', { ...of('a', 'Yard'), strOfflineReason: 'site_away' }), camera('own')];
  expect(groups(all).map(({ name, away, tokens }) => [name, away, tokens])).toEqual([
    ['', false, ['own']],
    ['Shop', false, ['b-1']],
    ['Yard', true, ['a-1']],
  ]);
});
