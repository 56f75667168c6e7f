import { expect, test } from 'vitest';
import { cleanSession, folderOf, Urls, type H5sConf } from '../src/player/conf';

const page = { protocol: 'http:', host: 'box:8080', pathname: '/index.html' };
const urls = (conf: Partial<H5sConf> = {}) => new Urls({ token: 'token1', session: 's1', ...conf }, page);

test.each([
  ['/', '/'],
  ['', '/'],
  ['/index.html', '/'],
  ['/site/ws.html', '/site/'],
  ['/site/', '/site/'],
  ['/site', '/site/'],
  ['/v1.2/', '/v1.2/'],
  ['//site//ws.html', '/site/'],
])('the folder of %j is %j', (rootpath, folder) => {
  expect(folderOf(rootpath)).toBe(folder);
});

test.each([[undefined], [null], [''], ['undefined'], ['null']])('%j is no session', (session) => {
  expect(cleanSession(session)).toBeUndefined();
});

test('live addresses carry token, profile and session', () => {
  expect(urls().media('h5swsapi')).toBe('ws://box:8080/api/v1/h5swsapi?token=token1&profile=main&session=s1');
  expect(urls({ streamprofile: 'sub' }).media('h5srtcapi')).toBe('ws://box:8080/api/v1/h5srtcapi?token=token1&profile=sub&session=s1');
});

test('protocol, host and root path of the conf go before those of the page', () => {
  const other = urls({ protocol: 'https:', host: 'cam.example:8443', rootpath: '/a/ws.html', session: 'undefined' });
  expect(other.media('h5swsapi')).toBe('wss://cam.example:8443/a/api/v1/h5swsapi?token=token1&profile=main');
  expect(other.poster()).toBe('https://cam.example:8443/a/api/v1/GetImage?token=token1');
});

test('playback addresses are percent-encoded and have the defaults of docs/protocol.md 1', () => {
  const pbconf = { begintime: '2020-05-01T00:00:00+08:00', endtime: '2020-05-01T01:00:00+08:00', serverpb: 'true' };
  expect(urls({ pbconf }).media('h5swsapi')).toBe(
    'ws://box:8080/api/v1/h5swsapi?token=token1&hevc=false&playback=true&profile=main&serverpb=true' +
      '&begintime=2020-05-01T00%3A00%3A00%2B08%3A00&endtime=2020-05-01T01%3A00%3A00%2B08%3A00' +
      '&moveto=2020-05-01T00%3A00%3A00%2B08%3A00&filename=fake&session=s1',
  );
  expect(urls({ pbconf }).media('h5swsapi', '2020-05-01T00:30:00Z')).toContain('&moveto=2020-05-01T00%3A30%3A00Z&');
  expect(urls({ pbconf: { filename: 'gate.mp4' } }).media('h5srtcapi')).toBe(
    'ws://box:8080/api/v1/h5srtcapi?token=token1&hevc=false&playback=true&profile=main&serverpb=false' +
      '&begintime=0&endtime=0&moveto=0&filename=gate.mp4&session=s1',
  );
});

test('a span is played over HLS from its own playlist', () => {
  const pbconf = { begintime: '2020-05-01T00:00:00+08:00', endtime: '2020-05-01T01:00:00+08:00' };
  expect(urls({ pbconf, hlsver: 'v2' }).hls()).toBe(
    'http://box:8080/hls/vod/token1/hls.m3u8' +
      '?begintime=2020-05-01T00%3A00%3A00%2B08%3A00&endtime=2020-05-01T01%3A00%3A00%2B08%3A00&session=s1',
  );
});

test('a token is encoded wherever it stands', () => {
  const odd = urls({ token: 'a/b c&d', hlsver: 'v2' });
  expect(odd.hls()).toBe('http://box:8080/hls/v2/a%2Fb%20c%26d/hls.m3u8?session=s1');
  expect(odd.keepUp()).toBe('ws://box:8080/api/v1/h5swscmnapi?token=a%2Fb%20c%26d&session=s1');
});

test('HLS is v1 unless v2 is asked for', () => {
  expect(urls({ session: undefined }).hls()).toBe('http://box:8080/hls/v1/token1/hls.m3u8');
});
