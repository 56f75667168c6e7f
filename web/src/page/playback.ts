// playback.html: what was recorded of a camera on a day, found on a time line and played.

import type { H5sState } from '../player/conf';
import { ApiError, keepAlive, type Source, sources, words } from './api';
import { FormDialog } from './dialogs';
import { find } from './dom';
import { recordedLine } from './figures';
import { Calendar } from './play/calendar';
import { Controls } from './play/controls';
import { Exports } from './play/exports';
import { type Footage, recordedDays, search } from './play/footage';
import { RecordList, remove, setLock } from './play/list';
import { lastMoment, neighbour, playableFrom, recordedTime, stretches } from './play/spans';
import { Stage } from './play/stage';
import { Strip } from './play/strip';
import { type Span, Timeline } from './play/timeline';
import { bounds, clock, type Day, dayOf, dayText, dayWords, daysOn, lengthWords, parseDay, sameDay } from './play/time';
import { player } from './player';
import { keepSession, loadSession, readSession } from './session';

/** A day that is still going on is searched again so often, in milliseconds. */
const REFRESH_EVERY = 10_000;
const MARKER_EVERY = 200;
const KEEPALIVE_EVERY = 60_000;

const camera = find('#camera', HTMLSelectElement);
const message = find('#message', HTMLElement);
const problem = find('#problem', HTMLElement);
const summary = find('#summary', HTMLElement);
const now = find('#now', HTMLElement);
const figures = find('#figures', HTMLElement);
const nextDay = find('#day-next', HTMLButtonElement);

let token = '';
let day = dayOf(Date.now());
let records: Footage[] = [];
/** Counts the searches, so that a slow answer for another day is dropped. */
let searchNumber = 0;
let toRemove: Footage | undefined;

const stage = new Stage({ changed: () => controls.update(records.length > 0), state: (state) => showState(state) });
const timeline = new Timeline(playFrom, (span) => exporter.show(span));
const exporter = new Exports(
  () => stage.place,
  (span) => timeline.showSpan(span),
  () => ({ token, day }),
);
const controls = new Controls(stage, {
  toggle,
  step: (seconds) => playFrom((stage.place ?? bounds(day).from) + seconds * 1000),
  skip: (direction) => {
    const target = neighbour(records, stage.place ?? bounds(day).from, direction);
    if (target !== undefined) playFrom(target);
  },
  way: (way) => stage.setWay(way, whole()),
  save: () => player.H5sSnapshot(stage.video, `${token} ${dayText(day)} ${clock(stage.place ?? Date.now()).replaceAll(':', '-')}.jpg`),
  markStart: () => exporter.markStart(),
  markEnd: () => exporter.markEnd(),
});
const list = new RecordList(
  {
    play: (record) => playFrom(record.start),
    remove: (record) => {
      toRemove = record;
      find('#remove-dialog .what', HTMLElement).textContent = `${clock(record.start)} – ${clock(record.end)}`;
      removeDialog.open();
    },
    lock: (record) => void change(() => setLock(record, !record.locked)),
  },
  rights(),
);
const strip = new Strip(playFrom);
const calendar = new Calendar((year, month) => (token ? recordedDays(token, year, month) : Promise.resolve(new Set())), showDay);
const removeDialog = new FormDialog('#remove-dialog', async () => {
  if (toRemove) await remove('record', toRemove);
  calendar.refresh();
  await refresh();
});

/** What the server would refuse is not offered; of a session that was made elsewhere nothing is known. */
function rights() {
  const { role } = loadSession();
  return { lock: role !== 'Viewer', remove: role !== 'Viewer' && role !== 'Operator' };
}

/** What may be played without asking again: all that is recorded of the day, and what is still to come of it. */
function whole(): Span {
  const { from, to } = bounds(day);
  const goesOn = records.some(({ open }) => open);
  return { from, to: goesOn ? to : Math.min(to, lastMoment(records) ?? to) };
}

function playFrom(moment: number): void {
  const target = playableFrom(records, moment);
  if (target === undefined) {
    say(records.length > 0 ? `Nothing is recorded at or after ${clock(moment)}.` : nothingRecorded());
    return;
  }
  say('');
  stage.play(token, target, whole());
}

function toggle(): void {
  if (stage.playing || stage.isHeld) stage.toggle();
  else playFrom(restartPlace());
}

/** Where "play" begins: at the marker, at the start of the day, or there again after its end. */
function restartPlace(): number {
  const { from } = bounds(day);
  const place = stage.place ?? from;
  return playableFrom(records, place + 1000) === undefined ? from : place;
}

function showState({ state, text }: H5sState): void {
  document.body.dataset['state'] = state;
  say(state === 'muted' || state === 'stopped' ? '' : text);
}

function say(text: string): void {
  message.textContent = text;
  message.hidden = text === '';
}

function nothingRecorded(): string {
  return `Nothing is recorded on ${dayWords(day)}.`;
}

function showProblem(text: string): void {
  problem.textContent = text;
  problem.hidden = text === '';
}

/** Runs a change, and shows the day as it is afterwards. */
async function change(run: () => Promise<void>): Promise<void> {
  try {
    await run();
    await refresh();
  } catch (error) {
    failed(error);
  }
}

function failed(error: unknown): void {
  if (error instanceof ApiError && error.loggedOut) return logIn(readSession() !== '');
  showProblem(words(error));
}

/** The overview asks for user and password, and leads back here. */
function logIn(expired: boolean): void {
  keepSession({ ...loadSession(), session: '' });
  const query = new URLSearchParams(location.search);
  query.delete('session');
  const back = `playback.html?${query}`;
  location.replace(`index.html?${new URLSearchParams({ next: back, ...(expired ? { why: 'expired' } : {}) })}`);
}

function showDay(chosen: Day): void {
  day = chosen;
  stage.clear();
  records = [];
  say('');
  const { from, to } = bounds(day);
  timeline.showDay(from, to);
  exporter.clear();
  calendar.show(day);
  find('#day', HTMLElement).textContent = dayWords(day);
  nextDay.disabled = dayText(day) >= dayText(dayOf(Date.now()));
  summary.textContent = 'Looking …';
  list.show([]);
  strip.show([]);
  keepAddress();
  void refresh().then(() => {
    const [first, last] = [records[0]?.start, lastMoment(records)];
    if (first !== undefined && last !== undefined) timeline.fit(first, last);
    else if (problem.hidden) say(nothingRecorded());
  });
}

function keepAddress(): void {
  const query = new URLSearchParams({ token, day: dayText(day) });
  history.replaceState(null, '', `?${query}`);
}

/** Searches the day again. */
async function refresh(): Promise<void> {
  if (!token) return;
  const number = ++searchNumber;
  try {
    const [found, snapshots] = await Promise.all([search('record', token, day), search('snapshot', token, day)]);
    if (number !== searchNumber) return;
    records = found;
    showProblem('');
    show(snapshots);
  } catch (error) {
    if (number !== searchNumber) return;
    summary.textContent = '';
    failed(error);
  }
}

function show(snapshots: Footage[]): void {
  const { from, to } = bounds(day);
  timeline.showFootage(stretches(records, from, to), snapshots.map(({ start }) => start));
  list.show(records);
  strip.show(snapshots);
  controls.update(records.length > 0);
  const gone = records.filter(({ available }) => !available).length;
  const bytes = `${records.length} ${records.length === 1 ? 'recording' : 'recordings'}, ${lengthWords(recordedTime(records))}`;
  summary.textContent = records.length === 0 ? nothingRecorded() : bytes;
  if (gone > 0) showProblem(`The volume of ${gone === records.length ? 'these' : `${gone} of these`} recordings is not there. Put it back to play them.`);
  find('#records', HTMLElement).hidden = records.length === 0;
}

function fillCameras(present: Source[], wanted: string): void {
  const known = present.some(({ strToken }) => strToken === wanted);
  // A camera that was deleted may have left recordings.
  const gone = wanted && !known ? [option(wanted, `${wanted} (not a camera any more)`)] : [];
  camera.replaceChildren(...present.map(({ strToken, strName }) => option(strToken, strName || strToken)), ...gone);
  camera.value = wanted || (present[0]?.strToken ?? '');
  token = camera.value;
  if (!token) return showProblem('There is no camera yet. Add one on the overview.');
}

function option(value: string, text: string): HTMLOptionElement {
  const element = document.createElement('option');
  element.value = value;
  element.textContent = text;
  return element;
}

function tick(): void {
  const { place } = stage;
  timeline.showPlace(place);
  list.showPlace(records, place);
  now.textContent = place === undefined ? '--:--:--' : clock(place);
  const stats = stage.stats();
  document.body.dataset['transport'] = stats?.transport ?? '';
  figures.textContent = stats && stage.playing ? recordedLine(stats) : '';
}

async function begin(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const given = query.get('session');
  if (given) keepSession({ ...loadSession(), session: given, role: '' });
  try {
    fillCameras(await sources(), query.get('token') ?? '');
  } catch (error) {
    return failed(error);
  }
  void exporter.list(token).catch(failed);
  showDay(parseDay(query.get('day') ?? '') ?? dayOf(Date.now()));
  setInterval(tick, MARKER_EVERY);
  // Who watches a long recording asks for nothing else, and stays logged in.
  setInterval(() => void keepAlive().catch(failed), KEEPALIVE_EVERY);
  setInterval(() => {
    if (!document.hidden && sameDay(day, dayOf(Date.now()))) void refresh();
  }, REFRESH_EVERY);
}

camera.addEventListener('change', () => {
  token = camera.value;
  showProblem('');
  calendar.refresh();
  void exporter.list(token).catch(failed);
  showDay(day);
});
find('#day-previous', HTMLButtonElement).addEventListener('click', () => showDay(daysOn(day, -1)));
nextDay.addEventListener('click', () => showDay(daysOn(day, 1)));
void begin();
