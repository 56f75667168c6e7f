// What only a box has: outside one, its own system keeps the clock, the network and the updates.

import type { ComponentChildren } from 'preact';
import { Note } from '../kit';
import { about } from '../state';
import { t } from '../text';

export function OnBox({ children }: { children: ComponentChildren }) {
  return about.value.appliance ? <>{children}</> : <Note>{t('system.no_box')}</Note>;
}
