// A part of the page whose code is loaded when it is first shown.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../text';
import { Note, Progress } from './parts';

export type Loading = () => Promise<{ default: ComponentType }>;

/** Wants a `key` where another part may take its place. */
export function Lazy({ load }: { load: Loading }) {
  const [View, setView] = useState<ComponentType>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    load().then(
      (loaded) => setView(() => loaded.default),
      () => setFault(t('shell.page_missing')),
    );
  }, []);
  return fault ? <Note kind="bad">{fault}</Note> : View ? <View /> : <Progress label={t('shell.loading')} />;
}
