// The pure parts of the page of the sources: CSV, rows of an import, names, changes, hours of the week, turns.
import { expect, test } from 'vitest';
import { changesOf } from '../src/app/sources/changes';
import { decodeText, parseCsv, writeCsv } from '../src/app/sources/csv';
import { Lane } from '../src/app/sources/lane';
import { takeApart, tokenOf, unusedName } from '../src/app/sources/names';
import { COLUMNS, exported, readRows, TEMPLATE } from '../src/app/sources/rows';
import { ALWAYS, hoursOf, isOn, NEVER, paint, step, turn, WORKING } from '../src/app/sources/week';
import type { Source } from '../src/app/state';

const cells = (text: string) => parseCsv(text).lines.map((line) => line.cells);

test('CSV with any separator, line ending and mark', () => {
  const rows = [
    ['a', 'b'],
    ['1', '2'],
  ];
  expect(cells('a,b\n1,2')).toEqual(rows);
  expect(cells('\uFEFFa;b\r\n1;2\r\n')).toEqual(rows);
  expect(cells('a\tb\r1\t2\r')).toEqual(rows);
  expect(cells(' a , b \n\n , \n1,2\n')).toEqual(rows);
  expect(cells('a,b\n1,')).toEqual([
    ['a', 'b'],
    ['1', ''],
  ]);
  expect(cells('')).toEqual([]);
});

test('quotes hold separators, quotes and line breaks', () => {
  expect(cells('a,b\n"x, y","say ""hi"""\n')).toEqual([
    ['a', 'b'],
    ['x, y', 'say "hi"'],
  ]);
  const { lines } = parseCsv('a,b\r\n"one\r\ntwo",2\r\n3,"4"');
  expect(lines.map((line) => line.line)).toEqual([1, 2, 4]);
  expect(lines[1]?.cells).toEqual(['one\r\ntwo', '2']);
  expect(cells('"a" ,"",b\n')).toEqual([['a', '', 'b']]);
  expect(cells('a,"b",')).toEqual([['a', 'b', '']]);
  expect(cells('5" lens,b')).toEqual([['5" lens', 'b']]);
  expect(cells('" keeps blanks "')).toEqual([[' keeps blanks ']]);
});

test('quotes that do not fit are told with their line', () => {
  expect(parseCsv('a\n"x\ny').broken).toEqual({ line: 2, why: 'quote_open' });
  expect(parseCsv('a\n"x"y').broken).toEqual({ line: 2, why: 'quote_after' });
  expect(parseCsv('a\n"x"y').lines).toHaveLength(1);
});

test('what is written is read the same', () => {
  const rows = [
    ['name', 'url'],
    ['Gate, "north"', 'rtsp://a/b;c'],
    ['two\nlines', ' blank'],
  ];
  expect(cells(writeCsv(rows))).toEqual(rows);
});

test('texts of other encodings', () => {
  const text = 'name\n大门';
  expect(decodeText(new TextEncoder().encode(text))).toBe(text);
  expect(decodeText(new Uint8Array([0xff, 0xfe, 0x61, 0, 0x27, 0x59]))).toBe('a大');
  expect(decodeText(new Uint8Array([0xb4, 0xf3, 0xc3, 0xc5]))).toBe('大门');
});

test('a pasted address is taken apart', () => {
  expect(takeApart('rtsp://admin:p%40ss@10.0.0.1:554/s?a=b@c')).toEqual({ url: 'rtsp://10.0.0.1:554/s?a=b@c', user: 'admin', password: 'p@ss' });
  expect(takeApart(' rtsp://u:a@b:c@host/x ')).toEqual({ url: 'rtsp://host/x', user: 'u', password: 'a@b:c' });
  expect(takeApart('rtsp://u@host/x')).toEqual({ url: 'rtsp://host/x', user: 'u', password: '' });
  expect(takeApart('rtsp://u:100%@host')).toEqual({ url: 'rtsp://host', user: 'u', password: '100%' });
  expect(takeApart('rtsp://host/x@y')).toEqual({ url: 'rtsp://host/x@y', user: '', password: '' });
  expect(takeApart('/data/a@b.mp4')).toEqual({ url: '/data/a@b.mp4', user: '', password: '' });
});

test('tokens and names that nobody has', () => {
  expect(tokenOf('Größe – Gate Nr. 2', new Set())).toBe('gro-e-gate-nr-2');
  expect(tokenOf('Gate', new Set(['gate', 'gate-2']))).toBe('gate-3');
  expect(tokenOf('大门', new Set())).toBe('camera');
  const long = tokenOf('x'.repeat(99), new Set(['x'.repeat(64)]));
  expect(long).toBe(`${'x'.repeat(62)}-2`);
  expect(unusedName('Gate', new Set(['Gate']))).toBe('Gate 2');
});

const SOURCE: Source = {
  nType: 'H5_STREAM',
  strName: 'Gate',
  strToken: 'gate',
  strUrl: 'rtsp://10.0.0.1/s',
  strUser: 'viewer',
  bEnableAudio: false,
  nConnectType: 'H5_AUTO',
  nRTSPType: 'H5_RTSP_AUTO',
  strSrcIpAddress: '10.0.0.1',
  strSrcPort: '554',
  strOnvifProfileMain: '',
  strOnvifProfileSub: '',
  bOnline: true,
  bRec: false,
  nViewers: 0,
  strRecState: 'idle',
  strRecText: '',
};

test('an edit sends what differs', () => {
  const same = { name: 'Gate', url: SOURCE.strUrl, user: 'viewer', password: '', audio: 'false', connect: 'H5_AUTO', transport: 'H5_RTSP_AUTO', urlsub: '' };
  expect(changesOf(SOURCE, same)).toEqual({});
  expect(changesOf(SOURCE, { ...same, name: 'Door', password: 'new', audio: 'true' })).toEqual({ name: 'Door', password: 'new', audio: 'true' });
  expect(changesOf(SOURCE, { ...same, user: '' })).toEqual({ user: '' });
});

test('the template is a good import, and an export comes back', () => {
  const { rows, faults } = readRows(TEMPLATE, new Set());
  expect([faults, rows.flatMap((row) => row.faults)]).toEqual([[], []]);
  expect(rows.map((row) => row.call)).toEqual(['AddSrcRTSP', 'AddSrcONVIF', 'AddSrcFile']);
  const onvif: Source = { ...SOURCE, nType: 'H5_ONVIF', strToken: 'yard', strUrl: 'rtsp://10.0.0.1/x', strSrcPort: '8080', strOnvifProfileMain: 'p1', bOnvifProfileAuto: true };
  const pushed: Source = { ...SOURCE, nType: 'H5_RTMP_PUSH', strToken: 'pushed' };
  const text = exported([{ ...SOURCE, bEnableAudio: true }, onvif, pushed]);
  expect(parseCsv(text).lines[0]?.cells).toEqual([...COLUMNS]);
  const back = readRows(text, new Set(['yard']));
  expect(back.faults).toEqual([]);
  expect(back.rows.map(({ token, exists, faults: found }) => [token, exists, found])).toEqual([
    ['gate', false, []],
    ['yard', true, []],
  ]);
  expect(back.rows[0]?.params).toEqual({ name: 'Gate', token: 'gate', url: 'rtsp://10.0.0.1/s', user: 'viewer', audio: 'true', connect: 'H5_AUTO', transport: 'H5_RTSP_AUTO' });
  expect(back.rows[1]?.params).toEqual({ name: 'Gate', token: 'yard', ip: '10.0.0.1', port: '8080', user: 'viewer', audio: 'false', connect: 'H5_AUTO', transport: 'H5_RTSP_AUTO' });
});

test('faults are named by line and column', () => {
  const text = ['name,token,url,port,audio,kind', 'A,a/b,rtsp://h/1', ',c,http://h', 'D,d,rtsp://h/1,99999,maybe,tape', 'E,d,rtsp://u:p@h/1', 'F,f,/x.mp4,,,,more', 'G,g,,80,,onvif'].join('\n');
  const { rows, faults } = readRows(text, new Set());
  expect(faults).toEqual([]);
  expect(rows.map((row) => row.faults.map((fault) => `${fault.line} ${fault.column} ${fault.text}`))).toEqual([
    ['2 token sources.csv_token'],
    ['3 name sources.csv_missing', '3 url sources.csv_url'],
    ['4 kind sources.csv_choice', '4 audio sources.csv_choice'],
    ['5 token sources.csv_token_twice'],
    ['6  sources.csv_too_wide'],
    ['7 ip sources.csv_missing'],
  ]);
  expect(rows[3]?.params).toEqual({ name: 'E', token: 'd', url: 'rtsp://h/1', user: 'u', password: 'p' });
});

test('a password that an export left out is asked for', () => {
  const { rows } = readRows('name,url\nA,rtsp://h/x?pwd=******', new Set());
  expect(rows[0]?.faults.map(({ column, text }) => `${column} ${text}`)).toEqual(['url sources.csv_masked']);
});

test('a token that is made leaves named ones alone', () => {
  const { rows } = readRows('name,token,url\nGate,,rtsp://h/1\nGate,,rtsp://h/2\nOther,gate,rtsp://h/3', new Set(['gate-2']));
  expect(rows.map((row) => row.token)).toEqual(['gate-3', 'gate-4', 'gate']);
});

test('what is no list at all', () => {
  const why = (text: string) => readRows(text, new Set()).faults.map((fault) => `${fault.line} ${fault.column} ${fault.text}`);
  expect(why('')).toEqual(['1  sources.csv_empty']);
  expect(why('name,url\n')).toEqual(['1  sources.csv_empty']);
  expect(why('name,colour,url,name\nA,red,rtsp://h')).toEqual(['1 colour sources.csv_unknown_column', '1 name sources.csv_column_twice']);
  expect(why('token\nA')).toEqual(['1 name sources.csv_no_column']);
  expect(why('name,url\nA,"rtsp://h')).toEqual(['2  sources.csv_quote_open']);
  expect(why(`name,url\n${'A,rtsp://h/1\n'.repeat(1001)}`)).toEqual(['1002  sources.csv_too_many']);
});

test('hours are painted by rectangles', () => {
  expect([hoursOf(NEVER), hoursOf(ALWAYS), hoursOf(WORKING)]).toEqual([0, 168, 50]);
  const week = paint(NEVER, { day: 2, hour: 5 }, { day: 1, hour: 4 }, true);
  expect(hoursOf(week)).toBe(4);
  expect([isOn(week, { day: 1, hour: 4 }), isOn(week, { day: 1, hour: 3 })]).toEqual([true, false]);
  const day = turn(week, { day: 1, hour: 0 }, { day: 1, hour: 23 });
  expect(hoursOf(day)).toBe(26);
  expect(hoursOf(turn(day, { day: 1, hour: 0 }, { day: 1, hour: 23 }))).toBe(2);
  expect(step({ day: 6, hour: 0 }, 1, -1)).toEqual({ day: 6, hour: 0 });
});

test('work waits for its turn', async () => {
  const lane = new Lane(2);
  let now = 0;
  let most = 0;
  const done: number[] = [];
  const work = (n: number) =>
    lane.run(async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now -= 1;
      done.push(n);
      if (n === 1) throw new Error('one');
    });
  const all = await Promise.allSettled([0, 1, 2, 3, 4].map(work));
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect([most, done]).toEqual([2, [0, 1, 2, 3, 4]]);
});
