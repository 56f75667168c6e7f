/// <reference types="vite/client" />
// The two languages have the same texts, with the same places to fill in, and the page uses them all.
import { expect, test } from 'vitest';

const json = import.meta.glob<Record<string, string>>('../src/app/text/*/*.json', { eager: true, import: 'default' });
const code = Object.values(import.meta.glob<string>('../src/app/**/*.{ts,tsx}', { eager: true, query: '?raw', import: 'default' })).join('\n');

function texts(language: string): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [path, part] of Object.entries(json)) {
    const [, of = '', name = ''] = /(\w+)\/(\w+)\.json$/.exec(path) ?? [];
    if (of === language) for (const [key, text] of Object.entries(part)) all[`${name}.${key}`] = text;
  }
  return all;
}

const places = (text: string) => [...new Set([...text.matchAll(/\{\w+\}/g)].map(String))].sort();

const english = texts('en');
const chinese = texts('zh');

test('every text is there in both languages', () => {
  expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort());
  for (const [key, text] of Object.entries({ ...english, ...chinese })) expect(text.trim(), key).not.toBe('');
});

test('a translation fills in what the text fills in', () => {
  const differ = Object.keys(english).filter((key) => String(places(english[key] ?? '')) !== String(places(chinese[key] ?? '')));
  expect(differ).toEqual([]);
});

test('no text is there for nobody', () => {
  // A key may be put together: `system.role_${level}` uses all that begin so.
  const begun = [...code.matchAll(/`(\w+\.\w*)\$\{/g)].map(([, start]) => start ?? '');
  const unused = Object.keys(english).filter((key) => !code.includes(`'${key}'`) && !begun.some((start) => key.startsWith(start)));
  expect(unused).toEqual([]);
});
