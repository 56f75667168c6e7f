// Looks into a fragment of MP4 (ISO/IEC 14496-12 8.8), as far as the player needs to.

/** The track of the pictures. */
const VIDEO = 1;
/** "This sample is no sync sample", in sample flags. */
const NOT_SYNC = 0x10000;
/** In the flags of `trun`: which fields it has. */
const DATA_OFFSET = 0x1;
const FIRST_FLAGS = 0x4;
const DURATION = 0x100;
const SIZE = 0x200;
const FLAGS = 0x400;

/** Whether `bytes` begins with a fragment whose first picture is a key frame; false for what cannot be read. */
export function beginsWithKey(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const moof = find(view, 'moof', 0, view.byteLength);
    const traf = moof && find(view, 'traf', moof.from, moof.to);
    const tfhd = traf && find(view, 'tfhd', traf.from, traf.to);
    const trun = traf && find(view, 'trun', traf.from, traf.to);
    if (!tfhd || !trun || view.getUint32(tfhd.from + 4) !== VIDEO) return false;
    const flags = firstFlags(view, trun.from);
    return flags !== undefined && (flags & NOT_SYNC) === 0;
  } catch {
    // It ends within a box.
    return false;
  }
}

interface Box {
  from: number;
  to: number;
}

/** The contents of the first box of that name. */
function find(view: DataView, name: string, from: number, to: number): Box | undefined {
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...[4, 5, 6, 7].map((index) => view.getUint8(at + index)));
    if (kind === name) return { from: at + 8, to: at + size };
    if (size < 8) return undefined;
    at += size;
  }
  return undefined;
}

/** The first sample's flags, where the `trun` at `at` has them itself. */
function firstFlags(view: DataView, at: number): number | undefined {
  const has = (flag: number) => (view.getUint32(at) & flag) !== 0;
  const skip = (flag: number) => (has(flag) ? 4 : 0);
  const fields = at + 8 + skip(DATA_OFFSET);
  if (has(FIRST_FLAGS)) return view.getUint32(fields);
  return has(FLAGS) ? view.getUint32(fields + skip(DURATION) + skip(SIZE)) : undefined;
}
