//! One fragment's own form: reads a `moof` back as [`fragment_head`] writes it, and the checksum box.
//!
//! [`fragment_head`]: crate::media::fmp4::fragment_head

use bytes::{Buf, BufMut, Bytes};

use crate::base::time::MediaTime;
use crate::media::fmp4::Sample;
use crate::media::frame::Track;

/// Size of the `free` box behind each `mdat` that holds the CRC-32 of `moof` and `mdat`.
pub const CHECKSUM_SIZE: usize = 12;

/// How that box begins.
pub const CHECKSUM_HEAD: &[u8] = b"\0\0\0\x0cfree";

/// The checksum box for what these pieces are together.
pub fn checksum(pieces: &[Bytes]) -> Bytes {
    let mut sum = crc32fast::Hasher::new();
    pieces.iter().for_each(|piece| sum.update(piece));
    Bytes::copy_from_slice(&checksum_box(sum.finalize()))
}

/// The box with that sum.
pub fn checksum_box(sum: u32) -> [u8; CHECKSUM_SIZE] {
    let mut out = [0; CHECKSUM_SIZE];
    let mut rest = out.as_mut_slice();
    rest.put_slice(CHECKSUM_HEAD);
    rest.put_u32(sum);
    out
}

/// Samples of one track.
#[derive(Clone, Debug)]
pub struct Run {
    pub track: Track,
    pub start: MediaTime,
    pub samples: Vec<Sample>,
}

/// The runs of a `moof` (whole, with its head), and how many bytes of data they have together. `None`
/// for what our own writer does not write: other boxes, flags, an order of tracks, a data offset that
/// is not where the data is.
pub fn read_moof(moof: &[u8]) -> Option<(Vec<Run>, u64)> {
    const MDAT_HEAD: u64 = 8;
    let mut rest = child(moof, b"moof", &mut 0)?;
    let header = take_child(&mut rest, b"mfhd")?;
    if header.len() != 8 {
        return None;
    }
    let mut runs: Vec<Run> = Vec::new();
    let mut data = 0;
    while !rest.is_empty() {
        let run = read_track(take_child(&mut rest, b"traf")?, moof.len() as u64 + MDAT_HEAD + data)?;
        if runs.iter().any(|other| other.track == run.track) {
            return None;
        }
        data += run.samples.iter().map(|sample| u64::from(sample.size)).sum::<u64>();
        runs.push(run);
    }
    (!runs.is_empty()).then_some((runs, data))
}

fn read_track(mut traf: &[u8], data_offset: u64) -> Option<Run> {
    let mut header = take_child(&mut traf, b"tfhd")?;
    let (_flags, track) = (header.try_get_u32().ok()?, header.try_get_u32().ok()?);
    let track = match track {
        1 => Track::Video,
        2 => Track::Audio,
        _ => return None,
    };
    let mut time = take_child(&mut traf, b"tfdt")?;
    let (_version, start) = (time.try_get_u32().ok()?, time.try_get_u64().ok()?);
    let mut run = take_child(&mut traf, b"trun")?;
    let (flags, count, offset) =
        (run.try_get_u32().ok()?, run.try_get_u32().ok()? as usize, run.try_get_u32().ok()?);
    let as_written = flags == 0x100_0f01 && u64::from(offset) == data_offset && traf.is_empty();
    if !as_written || count == 0 || run.len() != count.checked_mul(SAMPLE_SIZE)? {
        return None;
    }
    let samples = run.chunks_exact(SAMPLE_SIZE).map(read_sample).collect::<Option<_>>()?;
    Some(Run { track, start: MediaTime(i64::try_from(start).ok()?), samples })
}

const SAMPLE_SIZE: usize = 16;

fn read_sample(mut sample: &[u8]) -> Option<Sample> {
    const NOT_SYNC: u32 = 0x1_0000;
    let (duration, size) = (sample.try_get_u32().ok()?, sample.try_get_u32().ok()?);
    let (flags, offset) = (sample.try_get_u32().ok()?, sample.try_get_i32().ok()?);
    let plausible = (1..=i32::MAX as u32).contains(&duration) && size <= i32::MAX as u32;
    plausible.then_some(Sample {
        duration: MediaTime(duration.into()),
        offset: MediaTime(offset.into()),
        key: flags & NOT_SYNC == 0,
        size,
    })
}

/// The inside of the box at the beginning of `data`, if it has that name; `data` goes on behind it.
pub fn take_child<'a>(data: &mut &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut end = 0;
    let inside = child(data, name, &mut end)?;
    *data = data.get(end..)?;
    Some(inside)
}

fn child<'a>(data: &'a [u8], name: &[u8; 4], end: &mut usize) -> Option<&'a [u8]> {
    let mut head = data.get(..8)?;
    *end = head.get_u32() as usize;
    (head == name).then_some(())?;
    data.get(8..*end)
}
