//! The samples of a file: what the final `moov` and playback are made from. Memory: 12 bytes per sample
//! and 120 per fragment (a 10 minute file at 25 frames per second with sound: 0.6 MB).

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;

use super::fragment::checksum;
use super::movie::{Movie, Tables};
use super::{Fragment, Label};
use crate::base::time::MediaTime;
use crate::media::fmp4::{self, fragment_head};
use crate::media::frame::{Frame, Track};
use crate::media::params::Params;

/// One sample as a reader needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Offset in the file.
    pub at: u64,
    pub size: u32,
    /// On the file's own line, which starts at 0 with the first video frame.
    pub dts: MediaTime,
    pub pts: MediaTime,
    pub duration: MediaTime,
    pub key: bool,
}

/// Where a fragment lies, for those who serve ranges of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub at: u64,
    /// With its checksum, so that fragments follow each other without a gap.
    pub bytes: u64,
    /// Decoding time of its first video frame; of its first sound if it has no video.
    pub start: MediaTime,
    /// Its video begins with a key frame.
    pub key: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Index {
    with_sound: bool,
    /// What is time 0, on the stream's line; known from the first fragment on.
    origin: Option<MediaTime>,
    parts: Vec<Part>,
    video: Reach,
    audio: Reach,
    samples: usize,
}

/// How far a track is.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    /// Number of the last part that has samples of it, and decoding time of the last of them.
    last: Option<(usize, MediaTime)>,
    /// Where that one ends.
    end: MediaTime,
}

/// The samples of one fragment.
#[derive(Clone, Debug)]
struct Part {
    at: u64,
    bytes: u64,
    video: Run,
    audio: Run,
}

/// Samples of one track, in decoding order; their data follows each other.
#[derive(Clone, Debug, Default)]
struct Run {
    /// Offset of the first.
    at: u64,
    /// Decoding time of the first.
    start: MediaTime,
    samples: Box<[Packed]>,
}

#[derive(Clone, Copy, Debug)]
struct Packed {
    /// The highest bit says that it is a key frame.
    size: u32,
    duration: u32,
    offset: i32,
}

const KEY: u32 = 1 << 31;

impl Packed {
    fn new(sample: &fmp4::Sample) -> Self {
        let key = if sample.key { KEY } else { 0 };
        Self {
            size: sample.size & !KEY | key,
            duration: sample.duration.0 as u32,
            offset: sample.offset.0 as i32,
        }
    }

    fn key(self) -> bool {
        self.size & KEY != 0
    }

    fn size(self) -> u32 {
        self.size & !KEY
    }
}

impl Run {
    fn new(at: u64, start: MediaTime, samples: &[fmp4::Sample]) -> Self {
        Self { at, start, samples: samples.iter().map(Packed::new).collect() }
    }

    fn bytes(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.size())).sum()
    }

    /// How far this brings its track as part number `part`.
    fn reach(&self, part: usize) -> Reach {
        match self.samples().last() {
            Some(last) => Reach { last: Some((part, last.dts)), end: last.dts + last.duration },
            None => Reach::default(),
        }
    }

    fn samples(&self) -> impl Iterator<Item = Sample> + '_ {
        let mut at = self.at;
        let mut dts = self.start;
        self.samples.iter().map(move |packed| {
            let duration = MediaTime(packed.duration.into());
            let pts = MediaTime(dts.0 + i64::from(packed.offset));
            let sample = Sample { at, size: packed.size(), dts, pts, duration, key: packed.key() };
            at += u64::from(sample.size);
            dts += duration;
            sample
        })
    }
}

impl Part {
    fn run(&self, track: Track) -> &Run {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }

    fn run_mut(&mut self, track: Track) -> &mut Run {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

impl Index {
    pub fn new(params: &Params) -> Self {
        Self {
            with_sound: params.audio.is_some(),
            origin: None,
            parts: Vec::new(),
            video: Reach::default(),
            audio: Reach::default(),
            samples: 0,
        }
    }

    /// Takes in the next frames, in decoding order, and encodes them as the fragment that will stand at
    /// offset `at`. The first key frame of the first call becomes time 0; what is before it is left out.
    /// `until` is the decoding time of the video frame that follows, or where the last one ends: it
    /// closes the last sample's duration, so that the line has no hole.
    pub fn fragment(&mut self, frames: &[Arc<Frame>], until: MediaTime, at: u64) -> Fragment {
        let first = || frames.iter().find(|frame| frame.is_entry()).map(|frame| frame.dts);
        let Some(origin) = self.origin.or_else(first) else {
            return Fragment { pieces: Vec::new(), bytes: 0 };
        };
        self.origin = Some(origin);
        let of = |track| -> Vec<&Frame> {
            let wanted = |frame: &&Frame| frame.track == track && frame.dts >= origin;
            frames.iter().map(Arc::as_ref).filter(wanted).collect()
        };
        let video = of(Track::Video);
        let audio = if self.with_sound { of(Track::Audio) } else { Vec::new() };
        self.encode(&video, &audio, until, at)
    }

    fn encode(&mut self, video: &[&Frame], audio: &[&Frame], until: MediaTime, at: u64) -> Fragment {
        // Sound has no `until`: how long the last one lasts shows with the next fragment.
        let audio_end = audio.last().map_or(MediaTime::ZERO, |last| last.dts + last.duration);
        let tracks = [(Track::Video, video, until), (Track::Audio, audio, audio_end)];
        let tracks =
            tracks.map(|(track, frames, end)| (track, self.start(track, frames), samples(frames, end)));
        let runs: Vec<_> = tracks
            .iter()
            .filter(|(_, _, samples)| !samples.is_empty())
            .map(|(track, start, samples)| fmp4::Run { track: *track, start: *start, samples })
            .collect();
        if runs.is_empty() {
            return Fragment { pieces: Vec::new(), bytes: 0 };
        }
        let head = fragment_head(self.parts.len() as u32 + 1, &runs);
        let data_at = at + head.len() as u64;
        let mut pieces = vec![Bytes::from(head)];
        pieces.extend(video.iter().chain(audio).map(|frame| frame.data.clone()));
        pieces.push(checksum(&pieces));
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
        self.push(at, data_at, bytes, &runs);
        Fragment { pieces, bytes }
    }

    /// Where the run that begins with these frames starts: never before the end of what is there.
    fn start(&self, track: Track, frames: &[&Frame]) -> MediaTime {
        let (Some(first), Some(origin)) = (frames.first(), self.origin) else { return MediaTime::ZERO };
        let allowed = self.allowed_starts(track);
        (first.dts - origin).clamp(*allowed.start(), *allowed.end())
    }

    /// Where a track can go on: behind its last sample, and not later than a duration can say.
    pub(super) fn allowed_starts(&self, track: Track) -> RangeInclusive<MediaTime> {
        let (earliest, from) = self.reach(track).last.map_or((0, 0), |(_, last)| (last.0 + 1, last.0));
        MediaTime(earliest)..=MediaTime(from + LONGEST)
    }

    /// Whether samples of the track belong in it.
    pub(super) fn takes(&self, track: Track) -> bool {
        track == Track::Video || self.with_sound
    }

    /// Adds a fragment at `at` of `bytes` bytes, whose data starts at `data_at`, run by run.
    pub(super) fn push(&mut self, at: u64, data_at: u64, bytes: u64, runs: &[fmp4::Run<'_>]) {
        // A track without samples here gets the place where it stands, so that starts only grow.
        let pause = |track| Run { start: self.reach(track).end, ..Run::default() };
        let mut part = Part { at, bytes, video: pause(Track::Video), audio: pause(Track::Audio) };
        let mut run_at = data_at;
        for run in runs {
            self.settle(run.track, run.start);
            let added = Run::new(run_at, run.start, run.samples);
            run_at += added.bytes();
            self.samples += added.samples.len();
            *self.reach_mut(run.track) = added.reach(self.parts.len());
            *part.run_mut(run.track) = added;
        }
        self.parts.push(part);
    }

    /// The track goes on at `start`: its last sample so far lasts until there.
    fn settle(&mut self, track: Track, start: MediaTime) {
        let Some((part, last)) = self.reach(track).last else { return };
        let run = self.parts.get_mut(part).map(|part| part.run_mut(track));
        if let Some(sample) = run.and_then(|run| run.samples.last_mut()) {
            sample.duration = (start - last).0 as u32;
        }
    }

    fn reach(&self, track: Track) -> &Reach {
        match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        }
    }

    fn reach_mut(&mut self, track: Track) -> &mut Reach {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }

    /// From the first video frame to the end of the last.
    pub fn duration(&self) -> MediaTime {
        self.video.end
    }

    /// No sample is in it.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many samples both tracks have together.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// All samples of a track, in decoding order.
    pub fn samples(&self, track: Track) -> impl Iterator<Item = Sample> + '_ {
        self.parts.iter().flat_map(move |part| part.run(track).samples())
    }

    /// Those that are decoded at `from` or later; finds the place without going through all.
    pub fn samples_from(&self, track: Track, from: MediaTime) -> impl Iterator<Item = Sample> + '_ {
        let first = self.parts.partition_point(|part| part.run(track).start < from).saturating_sub(1);
        let rest = self.parts.get(first..).unwrap_or_default();
        rest.iter()
            .flat_map(move |part| part.run(track).samples())
            .skip_while(move |sample| sample.dts < from)
    }

    /// For each fragment, its video and its sound that are decoded at `from` or later and before `to`.
    pub fn between(&self, from: MediaTime, to: MediaTime) -> impl Iterator<Item = [Vec<Sample>; 2]> + '_ {
        self.parts.iter().map(move |part| {
            [Track::Video, Track::Audio].map(|track| {
                part.run(track).samples().filter(|sample| (from..to).contains(&sample.dts)).collect()
            })
        })
    }

    /// The last key frame that is shown at `time` or before; the first of all if `time` is before it.
    pub fn key_at(&self, time: MediaTime) -> Option<Sample> {
        let later = self.parts.partition_point(|part| part.video.start <= time);
        let before = self.parts.get(..later).unwrap_or_default().iter().rev();
        let found = before
            .filter_map(|part| part.video.samples().filter(|sample| sample.key && sample.pts <= time).last())
            .next();
        found.or_else(|| self.samples(Track::Video).find(|sample| sample.key))
    }

    /// The fragments, in order, without a gap between them.
    pub fn fragments(&self) -> impl DoubleEndedIterator<Item = Position> + ExactSizeIterator + '_ {
        self.parts.iter().map(|part| {
            let lead = if part.video.samples.is_empty() { &part.audio } else { &part.video };
            let key = part.video.samples.first().is_some_and(|first| first.key());
            Position { at: part.at, bytes: part.bytes, start: lead.start, key }
        })
    }

    /// The `moov` of the completed file: goes to the end of the last fragment.
    pub fn moov(&self, params: &Params, label: &Label) -> Vec<u8> {
        let tables = |track| {
            let mut tables = Tables::default();
            for run in self.parts.iter().map(|part| part.run(track)) {
                tables.chunk(run.samples());
            }
            tables
        };
        let audio = self.with_sound.then(|| tables(Track::Audio));
        Movie { created: label.start, video: tables(Track::Video), audio }.encode(params, 0)
    }
}

/// As `trun` lists them: each lasts until the next, the last until `end`.
fn samples(frames: &[&Frame], end: MediaTime) -> Vec<fmp4::Sample> {
    let ends = frames.iter().skip(1).map(|next| next.dts).chain([end]);
    frames
        .iter()
        .zip(ends)
        .map(|(frame, end)| fmp4::Sample {
            duration: MediaTime((end - frame.dts).0.clamp(1, LONGEST)),
            offset: MediaTime((frame.pts - frame.dts).0.clamp(-LONGEST, LONGEST)),
            key: frame.key,
            size: frame.data.len() as u32,
        })
        .collect()
}

/// Longest duration and offset of a sample in ticks; there are players that take both as signed.
const LONGEST: i64 = i32::MAX as i64;
