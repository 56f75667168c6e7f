// Asks the server why a stream cannot be had, since a refused WebSocket tells a page nothing.

import { asSentence } from './text';

export const INTERRUPTED = 'The stream was interrupted. Reconnecting …';

interface Source {
  bOnline?: boolean;
  strOfflineReason?: string;
  strOfflineText?: string;
}

/** A sentence for people. `url` is GetSrc with the token. What is recorded plays without the camera. */
export async function whyNot(url: string, recorded = false): Promise<string> {
  try {
    const answer = await fetch(url, { cache: 'no-store' });
    if (answer.status === 401) return 'The log-in is missing or has run out. Log in again.';
    if (recorded) return INTERRUPTED;
    const { src, strCode } = (await answer.json()) as { src?: Source[]; strCode?: string };
    return sentence(src, strCode);
  } catch {
    return 'The server cannot be reached. Trying again …';
  }
}

/** What the answer of GetSrc says about the one source asked for. */
export function sentence(src: Source[] | undefined, strCode: string | undefined): string {
  if (!src) return strCode ? asSentence(strCode) : 'The server refuses the stream.';
  const source = src[0];
  if (!source) return 'There is no source with this token.';
  if (source.bOnline === false) {
    return source.strOfflineText ? asSentence(source.strOfflineText) : 'The camera is offline. Trying again …';
  }
  return INTERRUPTED;
}
