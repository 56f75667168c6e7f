//! The `moov` of a plain MP4 (ISO/IEC 14496-12 8.2 to 8.7): what a completed file ends with and an
//! export begins with. Memory: about 5 bytes per sample at a steady frame rate, 20 at worst, and the
//! same again for the encoded box.

use bytes::BufMut;

use super::Sample;
use crate::base::time::MediaTime;
use crate::base::wall::Wall;
use crate::media::fmp4::{TrackTimes, put_box, put_file_type, put_full_box, put_movie_header, put_track};
use crate::media::frame::Track;
use crate::media::params::Params;

/// Length of an `mdat`'s head with a 64-bit size.
const MDAT_HEAD: usize = 16;

/// The sample tables of one track, as they are filled in.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// How many samples, and how long each lasts: until the next; the last is not among them.
    durations: Vec<(u32, u32)>,
    /// How many samples, and presentation minus decoding time.
    offsets: Vec<(u32, i32)>,
    /// Numbers of the key samples, from 1 on.
    keys: Vec<u32>,
    sizes: Vec<u32>,
    chunks: Vec<Chunk>,
    /// Decoding and presentation time of the first sample.
    first: Option<(MediaTime, MediaTime)>,
    last: Option<Sample>,
    /// Presentation time at which the last picture that is shown ends.
    end: MediaTime,
}

/// Samples whose data follow each other.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    at: u64,
    samples: u32,
}

/// A whole `moov`.
#[derive(Clone, Debug)]
pub struct Movie {
    /// Of the first picture.
    pub created: Wall,
    pub video: Tables,
    pub audio: Option<Tables>,
}

impl Tables {
    /// Adds samples, in decoding order, whose data follow each other in the file. Each lasts until the
    /// next one's decoding time, which must be later.
    pub fn chunk(&mut self, samples: impl IntoIterator<Item = Sample>) {
        let mut chunk: Option<Chunk> = None;
        for sample in samples {
            chunk.get_or_insert(Chunk { at: sample.at, samples: 0 }).samples += 1;
            self.add(&sample);
        }
        self.chunks.extend(chunk);
    }

    fn add(&mut self, sample: &Sample) {
        self.first.get_or_insert((sample.dts, sample.pts));
        self.end = self.end.max(sample.pts + sample.duration);
        self.sizes.push(sample.size);
        if sample.key {
            self.keys.push(self.sizes.len() as u32);
        }
        if let Some(last) = self.last.replace(*sample) {
            count(&mut self.durations, (sample.dts - last.dts).0 as u32);
        }
        count(&mut self.offsets, (sample.pts - sample.dts).0 as i32);
    }

    /// Decoding time of the last sample.
    pub fn last(&self) -> Option<MediaTime> {
        self.last.map(|last| last.dts)
    }

    /// Of all samples, in ticks.
    fn duration(&self) -> u64 {
        let first = self.first.map(|(dts, _)| dts);
        first.zip(self.last).map_or(0, |(first, last)| (last.dts + last.duration - first).0.unsigned_abs())
    }

    fn put(&self, out: &mut Vec<u8>, shift: u64) {
        let last = self.last.map(|last| (1, last.duration.0 as u32));
        put_full_box(out, b"stts", 0, 0, |out| {
            out.put_u32((self.durations.len() + usize::from(last.is_some())) as u32);
            for (samples, duration) in self.durations.iter().chain(&last) {
                out.put_u32(*samples);
                out.put_u32(*duration);
            }
        });
        self.put_offsets(out);
        // Without this box all are key samples.
        if self.keys.len() < self.sizes.len() {
            put_full_box(out, b"stss", 0, 0, |out| {
                out.put_u32(self.keys.len() as u32);
                self.keys.iter().for_each(|key| out.put_u32(*key));
            });
        }
        put_full_box(out, b"stsz", 0, 0, |out| {
            // No size that all share.
            out.put_u32(0);
            out.put_u32(self.sizes.len() as u32);
            self.sizes.iter().for_each(|size| out.put_u32(*size));
        });
        self.put_chunks(out, shift);
    }

    fn put_offsets(&self, out: &mut Vec<u8>) {
        if self.offsets.iter().all(|(_, offset)| *offset == 0) {
            return;
        }
        let version = u8::from(self.offsets.iter().any(|(_, offset)| *offset < 0));
        put_full_box(out, b"ctts", version, 0, |out| {
            out.put_u32(self.offsets.len() as u32);
            for (samples, offset) in &self.offsets {
                out.put_u32(*samples);
                out.put_i32(*offset);
            }
        });
    }

    fn put_chunks(&self, out: &mut Vec<u8>, shift: u64) {
        const FIRST_DESCRIPTION: u32 = 1;
        // An entry counts for all chunks up to the next entry's.
        let mut entries: Vec<(u32, u32)> = Vec::new();
        for (number, chunk) in (1..).zip(&self.chunks) {
            if entries.last().is_none_or(|(_, samples)| *samples != chunk.samples) {
                entries.push((number, chunk.samples));
            }
        }
        put_full_box(out, b"stsc", 0, 0, |out| {
            out.put_u32(entries.len() as u32);
            for (first, samples) in &entries {
                out.put_u32(*first);
                out.put_u32(*samples);
                out.put_u32(FIRST_DESCRIPTION);
            }
        });
        let offsets = self.chunks.iter().map(|chunk| chunk.at + shift);
        let long = offsets.clone().any(|offset| offset > u64::from(u32::MAX));
        put_full_box(out, if long { b"co64" } else { b"stco" }, 0, 0, |out| {
            out.put_u32(self.chunks.len() as u32);
            for offset in offsets {
                if long { out.put_u64(offset) } else { out.put_u32(offset as u32) }
            }
        });
    }
}

/// Adds one to a run of equal values, or begins the next run.
fn count<T: PartialEq>(runs: &mut Vec<(u32, T)>, value: T) {
    match runs.last_mut() {
        Some((count, last)) if *last == value => *count += 1,
        _ => runs.push((1, value)),
    }
}

impl Movie {
    /// The box. Samples stand `shift` bytes behind where their `at` says.
    pub fn encode(&self, params: &Params, shift: u64) -> Vec<u8> {
        let created = self.created_since_1904();
        let (video, audio) = self.times(created);
        let duration = video.end().max(audio.end());
        let mut out = Vec::new();
        put_box(&mut out, b"moov", |out| {
            put_movie_header(out, created, duration);
            put_track(out, params, Track::Video, &video, |out| self.video.put(out, shift));
            if let Some(tables) = self.audio.as_ref().filter(|tables| !tables.sizes.is_empty()) {
                put_track(out, params, Track::Audio, &audio, |out| tables.put(out, shift));
            }
        });
        out
    }

    /// The box for a file in which it stands in front: behind it and `others` more bytes comes what is
    /// at 0 by the samples.
    fn encode_in_front(&self, params: &Params, others: u64) -> Vec<u8> {
        let mut shift = 0;
        loop {
            let encoded = self.encode(params, shift);
            // Only the step to 64-bit offsets changes the length, so this ends with the third.
            match others + encoded.len() as u64 {
                right if right == shift => return encoded,
                right => shift = right,
            }
        }
    }

    /// The beginning of a plain file, up to its `data` bytes of media: `ftyp`, this `moov`, and the head
    /// of the `mdat`.
    pub fn plain_head(&self, params: &Params, data: u64) -> Vec<u8> {
        const SIZE_FOLLOWS: u32 = 1;
        let mut out = Vec::new();
        put_file_type(&mut out);
        let movie = self.encode_in_front(params, (out.len() + MDAT_HEAD) as u64);
        out.put_slice(&movie);
        out.put_u32(SIZE_FOLLOWS);
        out.put_slice(b"mdat");
        out.put_u64(data + MDAT_HEAD as u64);
        out
    }

    /// Video's first picture is shown at 0, and the sound with it as it was on the line.
    fn times(&self, created: u64) -> (TrackTimes, TrackTimes) {
        let (start, zero) = self.video.first.unwrap_or_default();
        let duration = self.video.duration();
        let begin = (zero - start).0.max(0).unsigned_abs();
        // With B-frames and an end within a GOP more than the duration: nothing is left out for that.
        let shown = (self.video.end - zero).0.max(0).unsigned_abs();
        let video = TrackTimes { created, duration, wait: 0, begin, shown };
        let sound = self.audio.as_ref().and_then(|audio| Some((audio.first?.0 - zero, audio.duration())));
        let audio = sound.map_or(TrackTimes::default(), |(start, duration)| {
            let begin = start.0.min(0).unsigned_abs().min(duration);
            TrackTimes {
                created,
                duration,
                wait: start.0.max(0).unsigned_abs(),
                begin,
                shown: duration - begin,
            }
        });
        (video, audio)
    }

    fn created_since_1904(&self) -> u64 {
        const UNTIL_1970: i64 = 2_082_844_800;
        u64::try_from(self.created.0.div_euclid(1000).saturating_add(UNTIL_1970)).unwrap_or(0)
    }
}
