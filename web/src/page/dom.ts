// Typed look-ups in the page's own markup.

/** The element for a selector; its absence is a mistake in the markup. */
export function find<T extends Element>(selector: string, kind: abstract new () => T, within: ParentNode = document): T {
  const element = within.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`the page lacks ${selector}`);
}

/** The first element of a `<template>`, copied. */
export function stamp(selector: string): HTMLElement {
  const copy = find(selector, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (copy instanceof HTMLElement) return copy;
  throw new Error(`the template ${selector} is empty`);
}

/** A form's fields by name, without blanks at the ends except in passwords. */
export function fields(form: HTMLFormElement): Record<string, string> {
  const entries = [...new FormData(form)].map(([name, value]) => {
    const text = String(value);
    return [name, name.startsWith('password') ? text : text.trim()] as const;
  });
  return Object.fromEntries(entries);
}
