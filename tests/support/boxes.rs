//! Just enough of ISO/IEC 14496-12 to check what the daemon sends: tracks from an init segment, and
//! decode times, durations and flags from fragments. Anything malformed panics.

/// One box: its type and what is inside.
#[derive(Clone, Copy, Debug)]
pub struct Box<'a> {
    pub kind: [u8; 4],
    pub body: &'a [u8],
}

/// Splits off the first complete box; `None` if `bytes` holds only the beginning of one.
pub fn first_box(bytes: &[u8]) -> Option<(Box<'_>, &[u8])> {
    let size = be32(bytes.get(..8)?, 0) as usize;
    let kind: [u8; 4] = bytes[4..8].try_into().expect("four bytes");
    assert!(size >= 8, "a box {:?} of {size} bytes", kind.escape_ascii().to_string());
    let whole = bytes.get(..size)?;
    Some((Box { kind, body: &whole[8..] }, &bytes[size..]))
}

/// All boxes; `bytes` has to end with the last one.
pub fn boxes(mut bytes: &[u8]) -> Vec<Box<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (next, rest) = first_box(bytes).expect("a whole box");
        found.push(next);
        bytes = rest;
    }
    found
}

/// The body of the first box along `path`, such as `[b"mdia", b"mdhd"]`.
pub fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let Some((kind, rest)) = path.split_first() else { return Some(bytes) };
    let inner = boxes(bytes).into_iter().find(|inner| inner.kind == **kind)?;
    find(inner.body, rest)
}

/// A track of an init segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    pub id: u32,
    /// Ticks per second.
    pub timescale: u32,
    /// Otherwise sound.
    pub video: bool,
    /// Type of the first sample entry: `avc1`, `hvc1`, `mp4a`.
    pub entry: [u8; 4],
}

/// The tracks of a `moov`.
pub fn tracks(moov: &[u8]) -> Vec<Track> {
    let traks = boxes(moov).into_iter().filter(|inner| inner.kind == *b"trak");
    traks.map(|trak| track(trak.body).expect("a complete track")).collect()
}

fn track(trak: &[u8]) -> Option<Track> {
    // Version 1 of tkhd and mdhd has 64-bit times before the field we want.
    let field = |body: &[u8]| be32(body, if body[0] == 1 { 20 } else { 12 });
    let entries = find(trak, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
    Some(Track {
        id: field(find(trak, &[b"tkhd"])?),
        timescale: field(find(trak, &[b"mdia", b"mdhd"])?),
        video: find(trak, &[b"mdia", b"hdlr"])?[8..12] == *b"vide",
        entry: boxes(&entries[8..]).first()?.kind,
    })
}

/// One track's part of a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub track: u32,
    /// `baseMediaDecodeTime`, in ticks.
    pub decode_time: u64,
    pub samples: Vec<Sample>,
}

impl Run {
    /// Where the next run of the track has to begin.
    pub fn end(&self) -> u64 {
        self.decode_time + self.samples.iter().map(|sample| u64::from(sample.duration)).sum::<u64>()
    }
}

/// One sample of a run, defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub duration: u32,
    pub size: u32,
    /// Presentation after decoding, in ticks.
    pub offset: i32,
    /// Decoding can start here (`sample_is_non_sync_sample` is 0).
    pub key: bool,
}

/// The runs of a `moof`.
pub fn runs(moof: &[u8]) -> Vec<Run> {
    let trafs = boxes(moof).into_iter().filter(|inner| inner.kind == *b"traf");
    trafs.map(|traf| run(traf.body).expect("a complete traf")).collect()
}

fn run(traf: &[u8]) -> Option<Run> {
    let mut tfhd = Fields::new(find(traf, &[b"tfhd"])?);
    let track = tfhd.next();
    tfhd.optional(0x1);
    tfhd.optional(0x1);
    tfhd.optional(0x2);
    let [duration, size, flags] = [0x8, 0x10, 0x20].map(|bit| tfhd.optional(bit));
    let tfdt = find(traf, &[b"tfdt"])?;
    let decode_time = match tfdt[0] {
        1 => u64::from(be32(tfdt, 4)) << 32 | u64::from(be32(tfdt, 8)),
        _ => u64::from(be32(tfdt, 4)),
    };
    let mut samples = Vec::new();
    for inner in boxes(traf).into_iter().filter(|inner| inner.kind == *b"trun") {
        let mut trun = Fields::new(inner.body);
        let count = trun.next();
        trun.optional(0x1);
        let first_flags = trun.optional(0x4);
        for index in 0..count {
            let [own_duration, own_size, own_flags, offset] =
                [0x100, 0x200, 0x400, 0x800].map(|bit| trun.optional(bit));
            let flags = own_flags.or(first_flags.filter(|_| index == 0)).or(flags).unwrap_or_default();
            samples.push(Sample {
                duration: own_duration.or(duration)?,
                size: own_size.or(size)?,
                offset: offset.unwrap_or_default() as i32,
                key: flags & 0x1_0000 == 0,
            });
        }
    }
    Some(Run { track, decode_time, samples })
}

/// Reads the 32-bit fields of a full box, some of them there only if a flag says so.
struct Fields<'a> {
    flags: u32,
    body: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self { flags: be32(body, 0) & 0xff_ffff, body, at: 4 }
    }

    fn next(&mut self) -> u32 {
        self.at += 4;
        be32(self.body, self.at - 4)
    }

    fn optional(&mut self, bit: u32) -> Option<u32> {
        (self.flags & bit != 0).then(|| self.next())
    }
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
