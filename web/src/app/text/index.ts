// The page's words, English and Chinese: `en/<part>.json` and `zh/<part>.json`, a key is `<part>.<name>`.
// `test/text.test.ts` fails on a key that one language lacks or nobody uses.

import { computed, signal } from '@preact/signals';
import enCloud from './en/cloud.json';
import enLive from './en/live.json';
import enPlayback from './en/playback.json';
import enSetup from './en/setup.json';
import enShell from './en/shell.json';
import enSnapshots from './en/snapshots.json';
import enSources from './en/sources.json';
import enSystem from './en/system.json';
import zhCloud from './zh/cloud.json';
import zhLive from './zh/live.json';
import zhPlayback from './zh/playback.json';
import zhSetup from './zh/setup.json';
import zhShell from './zh/shell.json';
import zhSnapshots from './zh/snapshots.json';
import zhSources from './zh/sources.json';
import zhSystem from './zh/system.json';

const EN = { cloud: enCloud, live: enLive, playback: enPlayback, setup: enSetup, shell: enShell, snapshots: enSnapshots, sources: enSources, system: enSystem };
const ZH: typeof EN = { cloud: zhCloud, live: zhLive, playback: zhPlayback, setup: zhSetup, shell: zhShell, snapshots: zhSnapshots, sources: zhSources, system: zhSystem };

type Texts = typeof EN;
/** `<part>.<name>` */
export type Key = { [P in keyof Texts]: `${P & string}.${keyof Texts[P] & string}` }[keyof Texts];
export type Language = 'en' | 'zh';

export const LANGUAGES: Record<Language, { name: string; tag: string; texts: Texts }> = {
  en: { name: 'English', tag: 'en', texts: EN },
  zh: { name: '简体中文', tag: 'zh-CN', texts: ZH },
};

const KEPT = 'h5edge-language';

function first(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'en' || kept === 'zh') return kept;
  return /^zh\b/i.test(navigator.language) ? 'zh' : 'en';
}

export const language = signal<Language>(first());
/** For `Intl`. */
export const locale = computed(() => LANGUAGES[language.value].tag);

export function setLanguage(chosen: Language): void {
  localStorage.setItem(KEPT, chosen);
  language.value = chosen;
}

/**
 * The text of a key, with `{name}` filled in. A text of two forms, `{n} day|{n} days`, is chosen by `n`.
 */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const [part = '', name = ''] = key.split('.');
  const texts = LANGUAGES[language.value].texts as unknown as Record<string, Record<string, string>>;
  const [one = '', other = one] = (texts[part]?.[name] ?? key).split('|');
  return fill(values['n'] === 1 ? one : other, values);
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
