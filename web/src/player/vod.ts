// Wall time and media time of a recorded span that is played over HLS. Times are milliseconds since 1970 and seconds of
// media; nothing here touches a browser.

/** A segment as hls.js lists it: where it lies in the media, and when it was recorded. */
export interface Dated {
  start: number;
  duration: number;
  programDateTime: number | null;
}

/** When the picture at `media` was recorded; NaN where the playlist does not say. */
export function wallAt(segments: readonly Dated[], media: number): number {
  let found: Dated | undefined;
  for (const segment of segments) {
    if (segment.programDateTime === null) continue;
    if (found && segment.start > media) break;
    found = segment;
  }
  if (!found || found.programDateTime === null) return NaN;
  return found.programDateTime + Math.min(found.duration, Math.max(0, media - found.start)) * 1000;
}

/** Where the picture of that moment lies; what was not recorded leads to what comes next. */
export function mediaAt(segments: readonly Dated[], wall: number): number {
  let end = 0;
  for (const { start, duration, programDateTime } of segments) {
    if (programDateTime === null) continue;
    end = start + duration;
    if (wall < programDateTime + duration * 1000) return start + Math.max(0, wall - programDateTime) / 1000;
  }
  return end;
}
