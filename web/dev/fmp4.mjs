// A live fMP4 feed for the mock server: ffmpeg makes it, this file cuts it into fragments, keeps the newest GOP and
// rebases each connection to start at 0 with the GOP squeezed together, as the daemon does.
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';

const ENCODER = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline'],
  h265: ['-c:v', 'libx265', '-preset', 'ultrafast', '-tune', 'zerolatency', '-tag:v', 'hvc1', '-x265-params', 'log-level=none'],
};
const MIME = { h264: 'video/mp4; codecs="avc1.42C01F"', h265: 'video/mp4; codecs="hvc1.1.6.L93.B0"' };
/** A squeezed frame of the opening GOP lasts this many ticks. */
const SQUEEZED = 8;

export class Feed extends EventEmitter {
  /** Emits 'fragment' per frame and 'end' when the camera goes. */
  constructor({ codec = 'h264', pattern = 'testsrc2', fps = 25, gop = 50, size = '1280x720' } = {}) {
    super();
    this.setMaxListeners(0);
    this.mime = MIME[codec];
    this.args = [
      ['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', `${pattern}=size=${size}:rate=${fps}`],
      [...ENCODER[codec], '-pix_fmt', 'yuv420p', '-g', String(gop), '-f', 'mp4'],
      ['-movflags', 'empty_moov+default_base_moof+frag_every_frame', '-'],
    ].flat();
    this.start();
  }

  start() {
    this.init = undefined;
    this.gop = [];
    this.rest = Buffer.alloc(0);
    this.head = [];
    this.process = spawn('ffmpeg', this.args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.process.stdout.on('data', (data) => this.cut(data));
  }

  get online() {
    return this.process !== undefined;
  }

  stop() {
    this.process?.kill();
    this.process?.stdout.removeAllListeners();
    this.process = undefined;
    this.gop = [];
    this.emit('end');
  }

  cut(data) {
    this.rest = Buffer.concat([this.rest, data]);
    while (this.rest.length >= 8) {
      const size = this.rest.readUInt32BE(0);
      if (this.rest.length < size) return;
      this.box(this.rest.toString('latin1', 4, 8), this.rest.subarray(0, size));
      this.rest = this.rest.subarray(size);
    }
  }

  box(type, bytes) {
    this.head.push(bytes);
    if (type === 'moov') this.init = Buffer.concat(this.head.splice(0));
    if (type !== 'mdat') return;
    const fragment = Buffer.concat(this.head.splice(0));
    const key = isKey(fragment);
    if (key) this.gop = [];
    this.gop.push(fragment);
    this.emit('fragment', fragment, key);
  }

  /** Sends MIME, init and media to `send` until the returned function is called. */
  view(send) {
    send(Buffer.from(this.mime));
    send(this.init);
    let first;
    let shift = 0;
    this.gop.forEach((fragment, index) => {
      first ??= decodeTime(fragment);
      shift = decodeTime(fragment) - BigInt(index * SQUEEZED);
      send(rebased(fragment, shift, SQUEEZED));
    });
    const step = this.gop.length > 1 ? decodeTime(this.gop[1]) - first : 512n;
    shift = shift + step - BigInt(SQUEEZED);
    const forward = (fragment, key) => {
      if (first === undefined && !key) return;
      if (first === undefined) shift = decodeTime(fragment);
      first ??= 0n;
      send(rebased(fragment, shift));
    };
    this.on('fragment', forward);
    return () => this.off('fragment', forward);
  }
}

const at = (fragment, name) => fragment.indexOf(name, 0, 'latin1') + 4;

/** ffmpeg writes tfdt version 1: 64 bits. */
const decodeTime = (fragment) => fragment.readBigUInt64BE(at(fragment, 'tfdt') + 4);

function rebased(fragment, shift, duration) {
  const copy = Buffer.from(fragment);
  copy.writeBigUInt64BE(decodeTime(fragment) - shift, at(copy, 'tfdt') + 4);
  if (duration !== undefined) copy.writeUInt32BE(duration, durationAt(copy));
  return copy;
}

/** tfhd: flags, track, then the optional fields in order; trun where each sample has its own duration. */
function durationAt(fragment) {
  const trun = at(fragment, 'trun');
  const flags = fragment.readUInt32BE(trun) & 0xffffff;
  if (flags & 0x100) return trun + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  return at(fragment, 'tfhd') + 8;
}

/** By the sample flags' "is not a sync sample" bit. */
function isKey(fragment) {
  const trun = at(fragment, 'trun');
  const flags = fragment.readUInt32BE(trun) & 0xffffff;
  const tfhd = at(fragment, 'tfhd');
  const tfhdFlags = fragment.readUInt32BE(tfhd) & 0xffffff;
  const skip = (bit) => (tfhdFlags & bit ? 4 : 0);
  const sample = flags & 4 ? trun + 8 + (flags & 1 ? 4 : 0) : tfhd + 8 + skip(8) + skip(16);
  return (fragment.readUInt32BE(sample) & 0x10000) === 0;
}
