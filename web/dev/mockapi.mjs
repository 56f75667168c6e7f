// The HTTP calls of the mock server, with the answers' fields as the daemon gives them.
import { spawnSync } from 'node:child_process';
import { footageCalls } from './mockfootage.mjs';

const MD5_12345 = '827ccb0eea8a706c4c34a16891f84e7b';
const SESSION = 'c0ffee00-0000-4000-8000-000000000001';
const JPEG = spawnSync('ffmpeg', '-loglevel error -f lavfi -i color=0x1b2433:size=320x180 -frames:v 1 -f mjpeg -'.split(' ')).stdout;

export class MockApi {
  constructor(feeds) {
    this.feeds = feeds;
    this.password = MD5_12345;
    const source = (strToken, strName, nType, strUrl) => ({ nType, strName, strToken, strUrl });
    this.sources = [
      source('token1', 'Front gate', 'H5_STREAM', 'rtsp://127.0.0.1:8554/cam0'),
      source('token2', 'Loading bay, north side', 'H5_FILE', '/media/sample.mp4'),
      source('h265', 'Car park (H.265)', 'H5_STREAM', 'rtsp://127.0.0.1:8554/cam1'),
      source('token4', 'Workshop', 'H5_STREAM', 'rtsp://192.168.100.31/stream1'),
    ];
  }

  async handle(request, response, url) {
    const name = url.pathname.slice('/api/v1/'.length);
    const body = await text(request);
    const params = Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)]);
    if (name === 'GetImage') return this.picture(response);
    if (name !== 'Login' && params.session !== SESSION) return answer(response, 401, fail('The session is missing or has run out'));
    const call = this.calls[name];
    return answer(response, 200, call ? call(params) : fail(`${name} is not there yet`));
  }

  calls = {
    ...footageCalls,
    ManualRecordStart: ({ token }) => this.record(token, true),
    ManualRecordStop: ({ token }) => this.record(token, false),
    Login: ({ user, password }) => {
      if (user !== 'admin' || password !== this.password) return fail('The user name or the password is wrong');
      const standard = this.password === MD5_12345;
      const warning = { bDefaultPassword: true, bMustChangePassword: process.env.MUST_CHANGE === '1', strCode: 'The default password is still set: change it.' };
      return { bStatus: true, strSession: SESSION, nTimeout: 600, strUserType: 'Administrator', ...(standard ? warning : { bDefaultPassword: false, strCode: '' }) };
    },
    Keepalive: () => ok('Keepalive successfully'),
    Logout: () => ok('Logout successfully'),
    UpdateUser: ({ oldpassword, newpassword }) => {
      if (oldpassword !== this.password) return fail('oldpassword: it is not the present password');
      this.password = newpassword;
      return ok('Update user successfully');
    },
    GetSrc: ({ token }) => ({ src: this.sources.filter((source) => !token || source.strToken === token).map((source) => this.state(source)) }),
    AddSrcRTSP: (params) => this.add('H5_STREAM', params),
    AddSrcFile: (params) => this.add('H5_FILE', params),
    DelSrc: ({ token }) => {
      const index = this.sources.findIndex((source) => source.strToken === token);
      if (index < 0) return fail(`token: there is no source "${token}"`);
      this.sources.splice(index, 1);
      return ok('Delete successfully');
    },
    GetRunInfo: () => ({
      strRunTime: '5H 23MIN', strCPU: `${3 + Math.round(Math.random() * 3)}%`, strMemory: '39%', strNetworkIn: '8120kbps', strNetworkOut: '16240kbps',
    }),
  };

  picture(response) {
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end(JPEG);
  }

  record(token, bRec) {
    Object.assign(this.sources.find((source) => source.strToken === token), { bRec });
    return ok('Record successfully');
  }

  state(source) {
    const online = this.feeds[source.strToken]?.online ?? false;
    const why = { strOfflineReason: 'refused', strOfflineText: 'The camera refuses the connection (192.168.100.31:554).' };
    return { ...source, bOnline: online, ...(online ? {} : why) };
  }

  add(nType, { name, token, url }) {
    if (!/^[\w-]{1,64}$/.test(token ?? '')) return fail('token: only letters, digits, "-" and "_" may stand in it');
    if (this.sources.some((source) => source.strToken === token)) return fail(`token: "${token}" is in use`);
    this.sources.push({ nType, strName: name, strToken: token, strUrl: url });
    return ok('Add successfully');
  }
}

const ok = (strCode) => ({ bStatus: true, strCode });
const fail = (strCode) => ({ bStatus: false, strCode });

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\r\n`);
}

async function text(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
