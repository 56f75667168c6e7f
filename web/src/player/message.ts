// Text messages of the server, as far as the player itself acts on them (docs/protocol.md 1, 2.2).

import { asSentence } from './text';

export type ServerMessage =
  | { kind: 'error'; text: string; fallback: boolean }
  | { kind: 'iceserver'; config: RTCConfiguration }
  | { kind: 'offer'; sdp: string }
  | { kind: 'candidate'; candidate: RTCIceCandidateInit }
  | { kind: 'place'; time: string }
  | { kind: 'fault'; text: string }
  | { kind: 'other' };

export function parseMessage(text: string): ServerMessage {
  const message = parseObject(text);
  switch (message['type']) {
    case 'error':
    case 'H5S_ERROR':
      return { kind: 'error', text: textOf(message['strCode']), fallback: message['bFallback'] === true };
    case 'iceserver':
      return { kind: 'iceserver', config: iceConfig(message) };
    case 'offer':
      return typeof message['sdp'] === 'string' ? { kind: 'offer', sdp: message['sdp'] } : { kind: 'other' };
    case 'remoteice':
      return { kind: 'candidate', candidate: candidateOf(message) };
    case 'H5S_EVENT_PB_TIME':
      return { kind: 'place', time: timeOf(message['pbTime']) };
    case 'H5S_EVENT_PB_FAULT':
      return { kind: 'fault', text: textOf(message['strCode']) };
    default:
      return { kind: 'other' };
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function timeOf(pbTime: unknown): string {
  const time = (pbTime as { strTime?: unknown } | undefined)?.strTime;
  return typeof time === 'string' ? time : '';
}

function textOf(code: unknown): string {
  return typeof code === 'string' && code !== '' ? asSentence(code) : 'The server reports an error.';
}

function iceConfig(message: Record<string, unknown>): RTCConfiguration {
  const servers = message['iceServers'];
  return {
    iceServers: Array.isArray(servers) ? (servers as RTCIceServer[]) : [],
    iceTransportPolicy: message['iceTransportPolicy'] === 'relay' ? 'relay' : 'all',
  };
}

function candidateOf(message: Record<string, unknown>): RTCIceCandidateInit {
  const line = message['sdpMLineIndex'];
  return {
    candidate: String(message['candidate'] ?? ''),
    sdpMLineIndex: typeof line === 'number' ? line : 0,
  };
}
