// The user's menu: language, colours, password, log-out.

import { useEffect, useRef, useState } from 'preact/hooks';
import { logOut, session } from './entrance';
import { Button, Choice, Select } from './kit';
import { about } from './state';
import { language, LANGUAGES, setLanguage, t, type Language } from './text';
import { theme, type Theme } from './theme';

export function LanguagePick() {
  const options = (Object.keys(LANGUAGES) as Language[]).map((key) => [key, LANGUAGES[key].name] as const);
  return <Select bare label={t('shell.language')} value={language.value} options={options} onPick={(value) => setLanguage(value as Language)} />;
}

export function UserMenu({ onPassword }: { onPassword: () => void }) {
  const [open, setOpen] = useState(false);
  const here = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const elsewhere = (event: Event) => event.target instanceof Node && !here.current?.contains(event.target) && setOpen(false);
    const escape = (event: KeyboardEvent) => event.key === 'Escape' && setOpen(false);
    document.addEventListener('pointerdown', elsewhere);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', elsewhere);
      document.removeEventListener('keydown', escape);
    };
  }, [open]);
  const themes: [Theme, string][] = [
    ['auto', t('shell.theme_auto')],
    ['light', t('shell.theme_light')],
    ['dark', t('shell.theme_dark')],
  ];
  return (
    <div class="menu" ref={here}>
      <button type="button" class="quiet" aria-expanded={open} aria-haspopup="true" onClick={() => setOpen(!open)}>
        <span class="initial" aria-hidden="true">
          {session.value.user.charAt(0).toUpperCase()}
        </span>
        <span>{session.value.user}</span>
      </button>
      {open && (
        <div class="card panel">
          <LanguagePick />
          <Choice label={t('shell.theme')} value={theme.value} options={themes} onPick={(value) => (theme.value = value as Theme)} />
          <Button
            icon="lock"
            kind="quiet"
            onPress={() => {
              setOpen(false);
              onPassword();
            }}
          >
            {t('shell.change_password')}
          </Button>
          <Button icon="user" kind="quiet" onPress={logOut}>
            {t('shell.log_out')}
          </Button>
          <small>h5edge {about.value.version}</small>
        </div>
      )}
    </div>
  );
}
