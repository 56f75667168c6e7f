// Codec names for people, and whether this browser decodes them.

/** `H.264 + AAC` for `video/mp4; codecs="avc1.42C00D, mp4a.40.2"`. */
export function codecName(mime: string): string {
  const codecs = /codecs="([^"]*)"/.exec(mime)?.[1] ?? mime;
  return codecs
    .split(',')
    .map((codec) => NAMES[codec.trim().slice(0, 4).toLowerCase()] ?? codec.trim())
    .join(' + ');
}

const NAMES: Record<string, string> = {
  avc1: 'H.264',
  avc3: 'H.264',
  hvc1: 'H.265',
  hev1: 'H.265',
  mp4a: 'AAC',
  av01: 'AV1',
  vp09: 'VP9',
};

/** The sentence for a stream that this browser has no decoder for. */
export function cannotDecode(mime: string): string {
  const name = codecName(mime);
  const advice = name.includes('H.265') ? ' Set the camera to H.264, or use a browser with an H.265 decoder.' : '';
  return `This browser cannot play ${name} (${mime}).${advice}`;
}
