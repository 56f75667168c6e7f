// Reads what a peer connection knows about its incoming video.

export interface RtcFigures {
  codec: string;
  bytes: number;
  delayMs: number;
  /** Totals of the jitter buffer, in seconds and frames, for the next reading's difference. */
  heldFor: number;
  held: number;
}

interface Inbound {
  type: string;
  kind?: string;
  codecId?: string;
  bytesReceived?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
}

/** `undefined` before video has been negotiated. The delay is the mean time in the jitter buffer since `before`. */
export async function rtcFigures(peer: RTCPeerConnection, before?: RtcFigures): Promise<RtcFigures | undefined> {
  const report = await peer.getStats();
  let inbound: Inbound | undefined;
  report.forEach((entry: Inbound) => {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') inbound = entry;
  });
  if (!inbound) return undefined;
  const codec = report.get(inbound.codecId ?? '') as { mimeType?: string } | undefined;
  const heldFor = inbound.jitterBufferDelay ?? 0;
  const held = inbound.jitterBufferEmittedCount ?? 0;
  const frames = held - (before?.held ?? 0);
  const delayMs = frames > 0 ? Math.round(((heldFor - (before?.heldFor ?? 0)) / frames) * 1000) : 0;
  return { codec: nameOf(codec?.mimeType), bytes: inbound.bytesReceived ?? 0, delayMs, heldFor, held };
}

function nameOf(mimeType = ''): string {
  const name = mimeType.replace('video/', '');
  return name === 'H264' ? 'H.264' : name === 'H265' ? 'H.265' : name;
}
