// Makes the recordings that app_playback.test.mjs plays. run.sh starts it beside the other tests, since it takes a minute:
// of the camera with sound two spans with a gap between them, and a little H.265.
import { call, login, pause } from './support.mjs';

/** Longer than the pre-roll, with which the second span begins. */
const GAP = 12_000;

const session = await login();

async function record(token, duration) {
  const answer = await call('Record', { token, duration, session });
  if (!answer.bStatus) throw new Error(`Record ${token}: ${answer.strCode}`);
}

await Promise.all([record('sound', 30), record('h265', 8)]);
await pause(5000);
await call('Snapshot', { token: 'sound', session });
await pause(25_000 + GAP);
await record('sound', 20);
