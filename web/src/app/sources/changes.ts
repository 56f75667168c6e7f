// What an edited form changes of a source, as UpdateSrc takes it.

import type { Params } from '../call';
import type { Values } from '../kit';
import type { Source } from '../state';

/** Only what differs. An empty password keeps the stored one; a user that was taken away takes it along. */
export function changesOf(source: Source, values: Values): Params {
  const now: Record<string, string> = {
    name: source.strName,
    url: source.strUrl,
    user: source.strUser,
    audio: String(source.bEnableAudio),
    connect: source.nConnectType,
    transport: source.nRTSPType,
    ip: source.strSrcIpAddress,
    port: source.strSrcPort,
    urlsub: source.strUrlSub ?? '',
  };
  const changes: Params = {};
  for (const [name, old] of Object.entries(now)) {
    const value = values[name];
    if (value !== undefined && value !== old) changes[name] = value;
  }
  if (values['password']) changes['password'] = values['password'];
  return changes;
}
