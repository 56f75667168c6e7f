//! Reads a file's own structure back, whole or cut off anywhere.
//!
//! Bounded whatever the file says: boxes beyond [`MAX_BOX`], samples beyond [`MAX_SAMPLES`] and fragments
//! beyond [`MAX_FRAGMENTS`] end the walk, so that a file takes 40 MB at most to index. One read of a few kilobytes per fragment.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::fragment::{CHECKSUM_HEAD, CHECKSUM_SIZE, Run, checksum_box, read_moof, take_child};
use super::{COVER_AT, COVER_SIZE, Index, Label, Position, cover, label};
use crate::base::{Error, Result};
use crate::media::fmp4;
use crate::media::params::{Params, VideoCodec};
use crate::media::{aac, h264, h265};

/// Largest `moov` or `moof` that is looked at: 60 000 samples in a fragment.
const MAX_BOX: u32 = 1 << 20;

/// Two hours at 120 pictures and 94 audio frames per second are 1.5 million.
const MAX_SAMPLES: usize = 2 << 20;

/// Two hours at one a second are 7200.
const MAX_FRAGMENTS: usize = 1 << 16;

/// Covers the `moof` of an ordinary fragment together with the checksum before it.
const READ_AHEAD: usize = 4096;

/// What a file turned out to hold.
#[derive(Clone, Debug)]
pub struct Scan {
    pub label: Label,
    pub params: Arc<Params>,
    pub index: Index,
    /// Offset behind the last whole fragment.
    pub end: u64,
    /// The final `moov` and the covering `mdat` are there: nothing is left to do.
    pub complete: bool,
}

/// Walks the boxes of a file of `length` bytes up to the first that is not whole. With `verify`, the
/// checksum of the last fragment is compared, and further back until one is right: what is before that
/// was synced before it was written. A complete file was synced as a whole.
///
/// # Errors
/// `BadInput` when its beginning is not one that [`head`](super::head) wrote; then nothing in it can be
/// trusted. Others when reading fails.
pub fn scan(file: &mut (impl Read + Seek), length: u64, verify: bool) -> Result<Scan> {
    let mut window = Window { file, length, at: 0, data: Vec::new() };
    let found = walk(&mut window)?;
    if found.complete || !verify {
        return Ok(found);
    }
    let mut end = found.end;
    for fragment in found.index.fragments().rev() {
        if window.is_right(&fragment)? {
            break;
        }
        end = fragment.at;
    }
    if end == found.end {
        return Ok(found);
    }
    window.length = end;
    walk(&mut window)
}

fn walk<F: Read + Seek>(window: &mut Window<'_, F>) -> Result<Scan> {
    let (label, params, start) = read_head(window)?;
    let mut index = Index::new(&params);
    let mut end = start;
    while let Some(after) = read_fragment(window, end, &mut index)? {
        end = after;
    }
    let complete = is_complete(window, end)?;
    Ok(Scan { label, params: Arc::new(params), index, end, complete })
}

/// Label, parameters and the offset of the first fragment.
fn read_head<F: Read + Seek>(window: &mut Window<'_, F>) -> Result<(Label, Params, u64)> {
    const MOVIE_AT: u64 = COVER_AT + label::BOX_SIZE as u64;
    let foreign = || Error::bad_input("its beginning is not that of a recording");
    let label_box = window.bytes(COVER_AT, label::BOX_SIZE)?.ok_or_else(foreign)?.to_vec();
    let label = label::read(&label_box).ok_or_else(foreign)?;
    let size = window.head(MOVIE_AT, b"moov")?.ok_or_else(foreign)?;
    let movie = window.bytes(MOVIE_AT, size as usize)?.ok_or_else(foreign)?;
    if !label::agrees(&label_box, movie) {
        return Err(foreign());
    }
    let params = read_params(movie).ok_or_else(foreign)?;
    Ok((label, params, MOVIE_AT + u64::from(size)))
}

/// The offset behind the fragment at `at`, which `index` takes in; `None` when no whole one is there.
fn read_fragment<F: Read + Seek>(
    window: &mut Window<'_, F>,
    at: u64,
    index: &mut Index,
) -> Result<Option<u64>> {
    const MDAT_HEAD: usize = 8;
    let Some(size) = window.head(at, b"moof")? else { return Ok(None) };
    let Some(boxes) = window.bytes(at, size as usize + MDAT_HEAD)? else { return Ok(None) };
    let (moof, mdat) = boxes.split_at(size as usize);
    let Some((runs, data)) = read_moof(moof) else { return Ok(None) };
    let announced = mdat.strip_suffix(b"mdat").map(|mut head| head.get_u32());
    if announced.map(u64::from) != Some(data + MDAT_HEAD as u64) || !fits(index, &runs) {
        return Ok(None);
    }
    let data_at = at + boxes.len() as u64;
    let tail = window.bytes(data_at + data, CHECKSUM_SIZE)?;
    if !tail.is_some_and(|tail| tail.starts_with(CHECKSUM_HEAD)) {
        return Ok(None);
    }
    let end = data_at + data + CHECKSUM_SIZE as u64;
    let runs: Vec<_> = runs.iter().map(Run::as_written).collect();
    index.push(at, data_at, end - at, &runs);
    Ok(Some(end))
}

impl Run {
    fn as_written(&self) -> fmp4::Run<'_> {
        fmp4::Run { track: self.track, start: self.start, samples: &self.samples }
    }
}

/// Whether the runs can follow what is there.
fn fits(index: &Index, runs: &[Run]) -> bool {
    let added: usize = runs.iter().map(|run| run.samples.len()).sum();
    index.len() + added <= MAX_SAMPLES
        && index.fragments().len() < MAX_FRAGMENTS
        && runs
            .iter()
            .all(|run| index.takes(run.track) && index.allowed_starts(run.track).contains(&run.start))
}

fn is_complete<F: Read + Seek>(window: &mut Window<'_, F>, end: u64) -> Result<bool> {
    if window.bytes(COVER_AT, COVER_SIZE)? != Some(&cover(end)) {
        return Ok(false);
    }
    let Some(mut head) = window.bytes(end, 8)? else { return Ok(false) };
    let size = u64::from(head.get_u32());
    Ok(head == b"moov" && end + size == window.length)
}

/// Parameters from a `moov` with the boxes in the order in which we write them.
fn read_params(movie: &[u8]) -> Option<Params> {
    let mut rest = movie.get(8..)?;
    let mut video = None;
    let mut audio = None;
    while !rest.is_empty() {
        let (name, inside) = take_any(&mut rest)?;
        if name != b"trak" {
            continue;
        }
        let entry =
            ["mdia", "minf", "stbl", "stsd"].iter().try_fold(inside, |inside, name| find(inside, name))?;
        let (name, entry) = take_any(&mut entry.get(8..)?)?;
        match name {
            b"avc1" => video = Some(read_video(entry, VideoCodec::H264)?),
            b"hvc1" => video = Some(read_video(entry, VideoCodec::H265)?),
            b"mp4a" => audio = Some(aac::from_config(&read_sound(entry)?).ok()?),
            _ => return None,
        }
    }
    Some(Params { video: video?, audio })
}

fn read_video(entry: &[u8], codec: VideoCodec) -> Option<crate::media::params::VideoParams> {
    /// Of the sample entry's own fields (12.1.3).
    const FIELDS: usize = 78;
    let mut boxes = entry.get(FIELDS..)?;
    match codec {
        VideoCodec::H264 => h264::from_avcc(&Bytes::copy_from_slice(take_child(&mut boxes, b"avcC")?)).ok(),
        VideoCodec::H265 => h265::from_hvcc(&Bytes::copy_from_slice(take_child(&mut boxes, b"hvcC")?)).ok(),
    }
}

/// The AudioSpecificConfig in an `mp4a` entry.
fn read_sound(entry: &[u8]) -> Option<Bytes> {
    /// Of the sample entry's own fields (12.2.3).
    const FIELDS: usize = 28;
    /// Version, and ES_Descriptor and DecoderConfigDescriptor up to the next descriptor.
    const BEFORE: usize = 4 + 5 + 3 + 5 + 13;
    const SPECIFIC: u8 = 5;
    let descriptor = take_child(&mut entry.get(FIELDS..)?, b"esds")?.get(BEFORE..)?;
    let (head, rest) = descriptor.split_first_chunk::<5>()?;
    let [SPECIFIC, septets @ ..] = head else { return None };
    let size = septets.iter().fold(0, |size, septet| size << 7 | usize::from(septet & 0x7f));
    rest.get(..size).map(Bytes::copy_from_slice)
}

/// Name and inside of the first box.
fn take_any<'a>(data: &mut &'a [u8]) -> Option<(&'a [u8; 4], &'a [u8])> {
    let name = data.get(4..8)?.first_chunk::<4>()?;
    Some((name, take_child(data, name)?))
}

/// The inside of the first child with that name.
fn find<'a>(mut data: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    loop {
        let (name, inside) = take_any(&mut data)?;
        if name == wanted.as_bytes() {
            return Some(inside);
        }
    }
}

/// A few kilobytes of the file, moved along.
struct Window<'f, F> {
    file: &'f mut F,
    length: u64,
    /// Offset of `data`.
    at: u64,
    data: Vec<u8>,
}

impl<F: Read + Seek> Window<'_, F> {
    /// `count` bytes from `at` on; `None` when the file ends before.
    fn bytes(&mut self, at: u64, count: usize) -> Result<Option<&[u8]>> {
        if at.checked_add(count as u64).is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        let held = at >= self.at && at + count as u64 <= self.at + self.data.len() as u64;
        if !held {
            self.read(at, count.max(READ_AHEAD))?;
        }
        let from = (at - self.at) as usize;
        Ok(self.data.get(from..from + count))
    }

    /// Fills the window with up to `count` bytes from `at` on; fewer where the file ends.
    fn read(&mut self, at: u64, count: usize) -> Result<()> {
        self.at = at;
        self.data.clear();
        self.file.seek(SeekFrom::Start(at))?;
        let count = (count as u64).min(self.length - at);
        (&mut *self.file).take(count).read_to_end(&mut self.data)?;
        Ok(())
    }

    /// Size of the box at `at` if it has that name and all of it may be read at once.
    fn head(&mut self, at: u64, wanted: &[u8; 4]) -> Result<Option<u32>> {
        let Some(mut head) = self.bytes(at, 8)? else { return Ok(None) };
        let size = head.get_u32();
        Ok((head == wanted && (8..=MAX_BOX).contains(&size)).then_some(size))
    }

    /// Whether the checksum of a fragment is that of its bytes.
    fn is_right(&mut self, fragment: &Position) -> Result<bool> {
        const STEP: u64 = 64 << 10;
        let mut sum = crc32fast::Hasher::new();
        let mut at = fragment.at;
        let end = fragment.at + fragment.bytes - CHECKSUM_SIZE as u64;
        while at < end {
            let Some(bytes) = self.bytes(at, (end - at).min(STEP) as usize)? else { return Ok(false) };
            sum.update(bytes);
            at += bytes.len() as u64;
        }
        let tail = self.bytes(end, CHECKSUM_SIZE)?;
        Ok(tail == Some(&checksum_box(sum.finalize())))
    }
}
