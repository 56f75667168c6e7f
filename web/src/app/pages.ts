// The pages by their address, loaded when they are first shown.

import type { IconName, Loading } from './kit';
import type { Key } from './text';

export interface Page {
  name: string;
  title: Key;
  icon: IconName;
  /** Whether Viewers have no use for it. */
  administrators?: boolean;
  load: Loading;
}

export const PAGES: readonly Page[] = [
  { name: 'live', title: 'shell.live', icon: 'grid', load: () => import('./live') },
  { name: 'playback', title: 'shell.playback', icon: 'clock', load: () => import('./playback') },
  { name: 'snapshots', title: 'shell.snapshots', icon: 'view', load: () => import('./snapshots') },
  { name: 'sources', title: 'shell.sources', icon: 'camera', administrators: true, load: () => import('./sources') },
  { name: 'system', title: 'shell.system', icon: 'system', load: () => import('./system') },
];
