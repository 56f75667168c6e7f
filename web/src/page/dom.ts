// Typed look-ups in the page's own markup.

/** The element for a selector; its absence is a mistake in the markup. */
export function find<T extends Element>(selector: string, kind: abstract new () => T, within: ParentNode = document): T {
  const element = within.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`the page lacks ${selector}`);
}
