// index.html: log-in, then the overview with its forms.

import { addSource, ApiError, changePassword, deleteSource, login, logout, runInfo, type RunInfo, type Source } from './api';
import { FormDialog, onSubmit } from './dialogs';
import { find } from './dom';
import { Overview } from './overview';
import { dropSession, keepSession, loadSession } from './session';

const REFRESH_EVERY = 5000;
const EXPIRED = 'The session has run out. Log in again.';

const loginPage = find('#login', HTMLElement);
const app = find('#app', HTMLElement);
const warning = find('#default-password', HTMLElement);
const problem = find('#problem', HTMLElement);
const mustChange = find('#must-change', HTMLElement);
let refreshTimer: ReturnType<typeof setInterval> | undefined;
let toDelete: Source | undefined;

const overview = new Overview((source) => {
  toDelete = source;
  find('#delete-title span', HTMLElement).textContent = source.strName || source.strToken;
  deleteDialog.open();
});

const addDialog = new FormDialog('#add-dialog', async ({ kind, ...params }) => {
  if (kind === 'file') {
    const { name = '', token = '', url = '' } = params;
    await addSource('AddSrcFile', { name, token, url });
  } else {
    await addSource('AddSrcRTSP', params);
  }
  await refresh();
});

const deleteDialog = new FormDialog('#delete-dialog', async () => {
  if (toDelete) await deleteSource(toDelete.strToken);
  await refresh();
});

const passwordDialog = new FormDialog('#password-dialog', async (values) => {
  const fresh = values['password-new'] ?? '';
  if (fresh !== values['password-again']) throw new Error('The two new passwords differ.');
  const old = values['password'] ?? '';
  if (fresh === old) throw new Error('The new password is the present one.');
  await changePassword(loadSession().user, old, fresh);
  keepSession({ ...loadSession(), defaultPassword: false, mustChange: false });
  enter();
});

function askPassword(forced: boolean): void {
  mustChange.hidden = !forced;
  passwordDialog.open(forced);
  find('[name=user]', HTMLInputElement, passwordDialog.form).value = loadSession().user;
}

onSubmit(find('#login-form', HTMLFormElement), async ({ user = '', password = '' }) => {
  const answer = await login(user, password);
  keepSession({
    session: answer.strSession,
    user,
    role: answer.strUserType ?? '',
    defaultPassword: answer.bDefaultPassword === true,
    mustChange: answer.bMustChangePassword === true,
  });
  find('#login-form', HTMLFormElement).reset();
  const next = nextPage();
  if (next && !loadSession().mustChange) location.replace(next);
  else enter();
});

/** The page that sent its user here to log in; no other address than a page of ours. */
function nextPage(): string | undefined {
  const next = new URLSearchParams(location.search).get('next') ?? '';
  return /^playback\.html(\?|$)/.test(next) ? next : undefined;
}

/** Shows the overview and keeps it fresh; first of all the new password, where the server insists. */
function enter(): void {
  const session = loadSession();
  if (session.mustChange) return askPassword(true);
  warning.hidden = !session.defaultPassword;
  loginPage.hidden = true;
  app.hidden = false;
  clearInterval(refreshTimer);
  refreshTimer = setInterval(() => void refresh(), REFRESH_EVERY);
  void refresh();
}

function leave(text = ''): void {
  clearInterval(refreshTimer);
  dropSession();
  overview.clear();
  for (const dialog of [addDialog, deleteDialog, passwordDialog]) dialog.dismiss();
  app.hidden = true;
  loginPage.hidden = false;
  const note = find('.note', HTMLElement, loginPage);
  note.textContent = text;
  note.hidden = text === '';
  find('[name=password]', HTMLInputElement, loginPage).focus();
}

async function refresh(): Promise<void> {
  try {
    const [info] = await Promise.all([runInfo(), overview.refresh()]);
    showRunInfo(info);
    problem.hidden = true;
  } catch (error) {
    if (error instanceof ApiError && error.loggedOut) return leave(EXPIRED);
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  }
}

function showRunInfo(info: RunInfo): void {
  const parts: [string, string | undefined][] = [
    ['Up', info.strRunTime],
    ['CPU', info.strCPU],
    ['Memory', info.strMemory],
    ['In', info.strNetworkIn],
    ['Out', info.strNetworkOut],
  ];
  const shown = parts.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  find('#run-info', HTMLElement).replaceChildren(
    ...shown.flatMap(([name, value], index) => {
      const figure = document.createElement('b');
      figure.textContent = value;
      return [`${index > 0 ? ' · ' : ''}${name} `, figure];
    }),
  );
}

function showKind(): void {
  const file = new FormData(addDialog.form).get('kind') === 'file';
  find('#camera-login', HTMLElement).hidden = file;
  find('#url-label', HTMLElement).textContent = file ? 'Path on the device' : 'Address';
  find('[name=url]', HTMLInputElement, addDialog.form).placeholder = file
    ? '/path/to/video.mp4'
    : 'rtsp://192.168.0.10:554/stream1';
}

addDialog.form.addEventListener('change', showKind);
find('#add', HTMLElement).addEventListener('click', () => {
  addDialog.open();
  showKind();
});
find('#password', HTMLElement).addEventListener('click', () => askPassword(false));
find('button', HTMLElement, warning).addEventListener('click', () => askPassword(false));
find('#logout', HTMLElement).addEventListener('click', () => {
  // The server's answer does not matter: the page forgets the session either way.
  void logout().catch(() => undefined).finally(() => leave());
});

if (loadSession().session) enter();
else leave(new URLSearchParams(location.search).get('why') === 'expired' ? EXPIRED : '');
