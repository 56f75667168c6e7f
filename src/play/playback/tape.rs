//! One recording file, read piece by piece. Blocking: runs on threads that may.
//!
//! Memory: the file's index (12 bytes per sample, [`crate::media::hybrid::Index`]), and what
//! [`Tape::read`] gives away: [`MAX_BYTES`] or one frame.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use crate::base::time::{MediaTime, MonoTime};
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hybrid::{self, Index, Sample};
use crate::media::params::Params;
use crate::media::recorded::{Library, Piece, Reading};

/// Frame data read at once, give or take a frame.
const MAX_BYTES: u64 = 1 << 20;
/// Media read at once; less is thrown away when the viewer seeks.
const MAX_SPAN: MediaTime = MediaTime::from_secs(2);
/// Key frames read at once where only those are wanted.
const MAX_KEYS: usize = 8;
/// Samples so close to each other in the file are read in one go.
const BRIDGE: u64 = 16 << 10;
/// No frame of ours is larger; a size beyond is a broken file.
const MAX_FRAME: u32 = 32 << 20;

/// What is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Only key frames, each lasting until the next.
    pub keys: bool,
    pub sound: bool,
}

/// See the module.
pub struct Tape {
    piece: Piece,
    reading: Reading,
    params: Arc<Params>,
    index: Index,
    /// Decoding time of the next video frame, at least.
    next: MediaTime,
    next_sound: MediaTime,
}

impl Tape {
    /// Positioned at the first picture.
    ///
    /// # Errors
    /// The library's, or `BadInput` when the file is none of ours.
    pub fn open(library: &dyn Library, piece: Piece) -> Result<Self> {
        let reading = library.open(piece.id)?;
        let scan = hybrid::scan(&mut &reading.file, reading.bytes, false)
            .map_err(|error| error.context(&piece.url))?;
        Ok(Self {
            piece,
            reading,
            params: scan.params,
            index: scan.index,
            next: MediaTime::ZERO,
            next_sound: MediaTime::ZERO,
        })
    }

    /// Takes in what has been recorded since; whether that was anything.
    ///
    /// # Errors
    /// As for [`Tape::open`].
    pub fn grow(&mut self, library: &dyn Library) -> Result<bool> {
        let reading = library.open(self.piece.id)?;
        let before = (self.reading.bytes, self.end());
        if reading.bytes > before.0 {
            self.index = hybrid::scan(&mut &reading.file, reading.bytes, false)?.index;
        }
        self.reading = reading;
        Ok(self.end() > before.1)
    }

    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// It was still being written when last looked at.
    pub fn is_open(&self) -> bool {
        self.reading.open
    }

    pub fn id(&self) -> i64 {
        self.piece.id
    }

    /// Wall time of the file's time 0.
    pub fn start(&self) -> Wall {
        self.piece.start
    }

    /// Wall time of the end of the last picture.
    pub fn end(&self) -> Wall {
        wall(self.piece.start, self.index.duration())
    }

    /// Up to where no other file is needed: a closed one stands for its time even where it is broken.
    pub fn covered(&self) -> Wall {
        if self.is_open() { self.end() } else { self.end().max(self.piece.end) }
    }

    /// To the key frame that is shown at `to` or before.
    pub fn seek(&mut self, to: Wall) {
        let key = self.index.key_at(media(self.piece.start, to));
        self.go(key.map_or(MediaTime::ZERO, |key| key.dts));
    }

    /// To the first key frame at `to` or later; whether there is one.
    pub fn seek_forward(&mut self, to: Wall) -> bool {
        let from = media(self.piece.start, to);
        let key = self.index.samples_from(Track::Video, from).find(|sample| sample.key);
        if let Some(key) = key {
            self.go(key.dts);
        }
        key.is_some()
    }

    /// To the first frame at this time of the file or later, which the reader can decode.
    pub fn go(&mut self, to: MediaTime) {
        (self.next, self.next_sound) = (to, to);
    }

    /// The next frames by decoding time, on the file's own line, up to `until`; none at the end of
    /// what is there.
    ///
    /// # Errors
    /// When the file cannot be read or its sizes make no sense.
    pub fn read(&mut self, until: Wall, mode: Mode) -> Result<Vec<Frame>> {
        let limit = media(self.piece.start, until);
        let mut picked = if mode.keys { self.pick_keys(limit) } else { self.pick_all(limit) };
        let Some(end) = picked.last().map(|last| last.dts + last.duration) else { return Ok(Vec::new()) };
        let video = picked.len();
        if mode.sound {
            let sound = self.index.samples_from(Track::Audio, self.next_sound);
            picked.extend(sound.take_while(|sample| sample.dts < end));
        }
        self.next = picked.get(video - 1).map_or(end, |last| MediaTime(last.dts.0 + 1));
        self.next_sound = picked
            .get(video..)
            .and_then(<[_]>::last)
            .map_or(self.next_sound, |last| MediaTime(last.dts.0 + 1));
        let data = self.fetch(&picked)?;
        let tracks = (0..picked.len()).map(|n| if n < video { Track::Video } else { Track::Audio });
        let mut frames: Vec<Frame> = picked
            .iter()
            .zip(tracks)
            .zip(data)
            .map(|((sample, track), data)| frame(sample, track, data))
            .collect();
        // Stable: the picture before the sound of the same moment.
        frames.sort_by_key(|frame| frame.dts);
        Ok(frames)
    }

    fn pick_all(&self, limit: MediaTime) -> Vec<Sample> {
        let mut bytes = 0;
        let mut picked: Vec<Sample> = Vec::new();
        for sample in self.index.samples_from(Track::Video, self.next).take_while(|s| s.dts < limit) {
            let span = picked.first().map_or(MediaTime::ZERO, |first| sample.dts - first.dts);
            if !picked.is_empty() && (bytes + u64::from(sample.size) > MAX_BYTES || span >= MAX_SPAN) {
                break;
            }
            bytes += u64::from(sample.size);
            picked.push(sample);
        }
        picked
    }

    fn pick_keys(&self, limit: MediaTime) -> Vec<Sample> {
        let mut bytes = 0;
        let mut picked: Vec<Sample> = Vec::new();
        let mut end = limit.min(self.index.duration());
        let video = self.index.samples_from(Track::Video, self.next);
        for sample in video.take_while(|s| s.dts < limit).filter(|s| s.key) {
            bytes += u64::from(sample.size);
            if picked.len() == MAX_KEYS || (bytes > MAX_BYTES && !picked.is_empty()) {
                end = sample.dts;
                break;
            }
            picked.push(sample);
        }
        for sample in picked.iter_mut().rev() {
            sample.duration = MediaTime((end - sample.dts).0.max(1));
            end = sample.dts;
        }
        picked
    }

    /// The data of each sample, in the samples' order, with as few reads as their places allow.
    fn fetch(&self, samples: &[Sample]) -> Result<Vec<Bytes>> {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_key(|&n| samples.get(n).map(|sample| sample.at));
        let mut extents: BTreeMap<u64, u64> = BTreeMap::new();
        for sample in order.iter().filter_map(|&n| samples.get(n)) {
            let end = sample.at.saturating_add(sample.size.into());
            if end > self.reading.bytes || sample.size > MAX_FRAME {
                return Err(Error::bad_input(format!("{} is broken", self.piece.url)));
            }
            match extents.last_entry() {
                Some(mut last) if sample.at <= *last.get() + BRIDGE => {
                    let known = *last.get();
                    last.insert(end.max(known));
                }
                _ => drop(extents.insert(sample.at, end)),
            }
        }
        let mut read = BTreeMap::new();
        for (start, end) in extents {
            let mut data = vec![0; usize::try_from(end - start).unwrap_or_default()];
            let got = self.reading.file.read_exact_at(&mut data, start);
            got.map_err(|error| Error::from(error).context(&self.piece.url))?;
            read.insert(start, Bytes::from(data));
        }
        let cut = |sample: &Sample| {
            let (start, data) = read.range(..=sample.at).next_back()?;
            let from = usize::try_from(sample.at - start).ok()?;
            let to = from.checked_add(sample.size as usize).filter(|&to| to <= data.len())?;
            Some(data.slice(from..to))
        };
        let broken = || Error::bad_input(format!("{} is broken", self.piece.url));
        samples.iter().map(|sample| cut(sample).ok_or_else(broken)).collect()
    }
}

fn frame(sample: &Sample, track: Track, data: Bytes) -> Frame {
    Frame {
        track,
        dts: sample.dts,
        pts: sample.pts,
        duration: sample.duration,
        key: sample.key,
        data,
        arrived: MonoTime::default(),
    }
}

/// `at` on the line of a file that begins at `start`.
pub fn media(start: Wall, at: Wall) -> MediaTime {
    const TICKS_PER_MS: i64 = 90;
    MediaTime(at.0.saturating_sub(start.0).saturating_mul(TICKS_PER_MS))
}

/// The other way round.
pub fn wall(start: Wall, at: MediaTime) -> Wall {
    start.plus_millis(at.0 / 90)
}
