// The box and what belongs to it: how it is, who may use it, and its settings, one part each by address.

import './system.css';
import { Lazy, Select, type Loading } from '../kit';
import { go, href, route } from '../route';
import { isAdministrator } from '../state';
import { t, type Key } from '../text';

interface Part {
  name: string;
  title: Key;
  everybody?: boolean;
  load: Loading;
}

const PARTS: readonly Part[] = [
  { name: 'dashboard', title: 'system.dashboard', everybody: true, load: () => import('./dashboard') },
  { name: 'users', title: 'system.users', load: () => import('./users') },
  { name: 'recording', title: 'system.recording', load: () => import('./recording') },
  { name: 'storage', title: 'system.storage', load: () => import('./storage') },
  { name: 'network', title: 'system.network', load: () => import('./network') },
  { name: 'time', title: 'system.time', load: () => import('./time') },
  { name: 'certificate', title: 'system.certificate', load: () => import('./certificate') },
  { name: 'cloud', title: 'cloud.title', load: () => import('./cloud') },
  { name: 'update', title: 'system.update', load: () => import('./update') },
  { name: 'logs', title: 'system.logs', load: () => import('./logs') },
  { name: 'audit', title: 'system.audit', load: () => import('./audit') },
  { name: 'api', title: 'system.api', everybody: true, load: () => import('./api') },
];

export default function System() {
  const parts = PARTS.filter((part) => isAdministrator.value || part.everybody);
  const part = parts.find(({ name }) => name === route.value.part) ?? parts[0];
  if (!part) return null;
  return (
    <div class="system-page">
      <nav class="parts" aria-label={t('system.parts')}>
        {parts.map(({ name, title }) => (
          <a key={name} href={href(`system/${name}`)} aria-current={name === part.name ? 'page' : undefined}>
            {t(title)}
          </a>
        ))}
      </nav>
      <div class="parts-phone">
        <Select bare label={t('system.parts')} value={part.name} options={parts.map(({ name, title }) => [name, t(title)] as const)} onPick={(name) => go(`system/${name}`)} />
      </div>
      <div class={`part ${part.name}`}>
        <Lazy key={part.name} load={part.load} />
      </div>
    </div>
  );
}
