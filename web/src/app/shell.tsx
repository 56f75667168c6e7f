// The frame around the pages: navigation, warnings, the user's menu; and which page is shown.

import { useEffect, useState } from 'preact/hooks';
import { session, stage } from './entrance';
import { Button, Icon, Lazy, Note, Progress, Questions, Toasts } from './kit';
import { Login, PasswordDialog } from './login';
import { UserMenu } from './menu';
import { PAGES, type Page } from './pages';
import { href, route } from './route';
import { NetworkStep, Setup } from './setup';
import { connected, isAdministrator, me } from './state';
import { language, LANGUAGES, t } from './text';

export function App() {
  useEffect(() => {
    document.documentElement.lang = LANGUAGES[language.value].tag;
  }, [language.value]);
  const now = stage.value;
  switch (now.at) {
    case 'starting':
      return null;
    case 'setup':
      return <Setup state={now.state} />;
    case 'network':
      return <NetworkStep />;
    case 'login':
      return <Login text={now.text} />;
    case 'inside':
      return session.value.mustChange ? <PasswordDialog forced onClose={() => undefined} /> : <Inside />;
  }
}

function Inside() {
  const [password, setPassword] = useState(false);
  const pages = PAGES.filter((page) => isAdministrator.value || !page.administrators);
  const page = pages.find(({ name }) => name === route.value.page) ?? pages[0];
  return (
    <div class="app">
      <a class="skip" href="#content" onClick={skip}>
        {t('shell.skip')}
      </a>
      <header class="bar">
        <a class="brand" href={href('live')} aria-label="h5edge">
          <img src="./favicon.svg" alt="" width="28" height="28" />
        </a>
        <nav aria-label={t('shell.pages')}>
          {pages.map(({ name, title, icon }) => (
            <a key={name} href={href(name)} aria-current={name === page?.name ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{t(title)}</span>
            </a>
          ))}
        </nav>
        <UserMenu onPassword={() => setPassword(true)} />
      </header>
      {session.value.defaultPassword && (
        <div class="warning" role="alert">
          <Icon name="alert" />
          <p>
            <strong>{t('shell.default_password')}</strong> {t('shell.default_password_why')}
          </p>
          <Button onPress={() => setPassword(true)}>{t('shell.change_now')}</Button>
        </div>
      )}
      {me.value.user !== '' && !connected.value && <Note kind="warn">{t('shell.lost')}</Note>}
      {page && me.value.user !== '' ? <Shown key={page.name} page={page} /> : <Progress label={t('shell.loading')} />}
      {password && <PasswordDialog forced={false} onClose={() => setPassword(false)} />}
      <Questions />
      <Toasts />
    </div>
  );
}

/** The address keeps naming the page. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Shown({ page }: { page: Page }) {
  useEffect(() => {
    document.title = `${t(page.title)} · h5edge`;
  }, [page]);
  return (
    <main id="content" class={`page ${page.name}`} tabIndex={-1}>
      <Lazy load={page.load} />
    </main>
  );
}
