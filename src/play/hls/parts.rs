//! Cuts fragmented MP4 into parts and segments for low-latency HLS.
//!
//! A frame's duration is the distance to the next one, so each track is one frame behind. A part is
//! one fragment with the video of its span and the sound that has come in for it; sound that is
//! late goes into the next part, where its own decoding time puts it right.
//!
//! RFC 8216bis 4.4.4.9 wants each part but a segment's last between 85 % and 100 % of the part
//! target. The target is therefore made from the frame rate: a whole number of frames that lasts
//! what the settings ask for, and 7 % of room for jitter.
//!
//! Memory: the frames of one part, and at most [`MAX_AUDIO`] audio frames.

use std::collections::VecDeque;
use std::sync::Arc;

use super::cut::{Cut, Cutter, MAX_SEGMENT_BYTES, Part};
use crate::base::time::MediaTime;
use crate::media::fmp4::{Run, Sample, fragment_head};
use crate::media::frame::{Frame, Track};

/// Audio frames that wait for video to go with; beyond that the oldest is dropped.
const MAX_AUDIO: usize = 1024;
/// The first segment after a start is cut at this length without waiting for a key frame, so that
/// the first playlist does not wait for the camera's GOP.
const OPENING: MediaTime = MediaTime::from_secs(1);
/// Frame distances from which the frame rate is judged.
const DISTANCES: usize = 32;

/// Lengths that the settings ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    /// Shortest segment.
    pub segment: MediaTime,
    /// Shortest full part.
    pub part: MediaTime,
}

/// Cuts fMP4 fragments.
pub(super) struct PartCutter {
    lengths: Lengths,
    /// Video of the open part; the last one's duration is not known yet.
    video: Vec<Arc<Frame>>,
    audio: VecDeque<Arc<Frame>>,
    distances: VecDeque<i64>,
    target: Option<MediaTime>,
    segment_start: Option<MediaTime>,
    segment_bytes: usize,
    /// The open segment is the first, or the one after it: the key frame rule does not hold yet.
    opening: Opening,
    sequence: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// Cut when long enough to be shown.
    First,
    /// Cut at the next key frame, however short.
    Second,
    Over,
}

impl PartCutter {
    /// With `opening` the first segment is cut early.
    pub fn new(lengths: Lengths, opening: bool) -> Self {
        Self {
            lengths,
            video: Vec::new(),
            audio: VecDeque::new(),
            distances: VecDeque::with_capacity(DISTANCES),
            target: None,
            segment_start: None,
            segment_bytes: 0,
            opening: if opening { Opening::First } else { Opening::Over },
            sequence: 0,
        }
    }

    fn push_video(&mut self, frame: &Arc<Frame>) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if let (Some(first), Some(last)) = (self.video.first(), self.video.last()) {
            let part_length = frame.dts - first.dts;
            self.note_distance((frame.dts - last.dts).0);
            let segment_due = self.segment_is_due(frame);
            if segment_due || self.part_is_due(part_length) {
                cuts.extend(self.emit(frame.dts));
                if segment_due || self.opening_is_due(frame.dts) {
                    self.close(&mut cuts);
                }
            }
        }
        self.segment_start.get_or_insert(frame.dts);
        self.video.push(frame.clone());
        cuts
    }

    fn segment_is_due(&self, frame: &Frame) -> bool {
        let length = frame.dts - self.segment_start.unwrap_or(frame.dts);
        let long_enough = length >= self.lengths.segment || self.opening == Opening::Second;
        frame.key && long_enough || self.segment_bytes > MAX_SEGMENT_BYTES
    }

    fn opening_is_due(&self, now: MediaTime) -> bool {
        self.opening == Opening::First && now - self.segment_start.unwrap_or(now) >= OPENING
    }

    fn part_is_due(&mut self, length: MediaTime) -> bool {
        if self.target.is_none() && length.0 >= self.lengths.part.0 * 95 / 100 {
            self.retarget();
        }
        self.target.is_some_and(|target| length.0 * 100 >= target.0 * 85)
    }

    fn close(&mut self, cuts: &mut Vec<Cut>) {
        cuts.push(Cut::Close);
        self.segment_start = None;
        self.segment_bytes = 0;
        self.opening = if self.opening == Opening::First { Opening::Second } else { Opening::Over };
        self.retarget();
    }

    fn note_distance(&mut self, distance: i64) {
        if self.distances.len() == DISTANCES {
            self.distances.pop_front();
        }
        self.distances.push_back(distance);
    }

    /// Sets the part target from the usual frame distance.
    fn retarget(&mut self) {
        let mut sorted: Vec<i64> = self.distances.iter().copied().collect();
        sorted.sort_unstable();
        let Some(&usual) = sorted.get(sorted.len() / 2).filter(|&&d| d > 0) else { return };
        let frames = (self.lengths.part.0 * 95 / 100 + usual - 1) / usual;
        let with_room = frames.max(1) * usual * 107 / 100;
        self.target = Some(MediaTime::from_millis((with_room + 89) / 90));
    }

    /// Makes a part of the video at hand, which ends at `end`, and the sound up to there.
    fn emit(&mut self, end: MediaTime) -> Option<Cut> {
        let video = std::mem::take(&mut self.video);
        let first = video.first()?.clone();
        let audio = self.take_audio(end);
        let video_samples = samples(&video, end);
        let audio_end = self.audio.front().map_or(end, |next| next.dts);
        let audio_samples = samples(&audio, audio_end);
        let mut runs = vec![Run { track: Track::Video, start: first.dts, samples: &video_samples }];
        if let Some(sound) = audio.first() {
            runs.push(Run { track: Track::Audio, start: sound.dts, samples: &audio_samples });
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut body = fragment_head(self.sequence, &runs);
        body.reserve_exact(video.iter().chain(&audio).map(|f| f.data.len()).sum());
        video.iter().chain(&audio).for_each(|frame| body.extend_from_slice(&frame.data));
        self.segment_bytes += body.len();
        Some(Cut::Part(Part {
            start: first.dts,
            duration: end - first.dts,
            independent: first.key,
            body: body.into(),
        }))
    }

    /// Audio before `end` whose duration is known, which the newest frame's is not.
    fn take_audio(&mut self, end: MediaTime) -> Vec<Arc<Frame>> {
        let known = self.audio.len().saturating_sub(1);
        let count = self.audio.iter().take(known).take_while(|f| f.dts < end).count();
        self.audio.drain(..count).collect()
    }
}

/// Samples of consecutive frames of one track, the last of which lasts until `end`.
fn samples(frames: &[Arc<Frame>], end: MediaTime) -> Vec<Sample> {
    let ends = frames.iter().skip(1).map(|next| next.dts).chain([end]);
    let sample = |(frame, end): (&Arc<Frame>, MediaTime)| Sample {
        duration: (end - frame.dts).max(MediaTime(1)),
        offset: frame.pts - frame.dts,
        key: frame.key,
        size: u32::try_from(frame.data.len()).unwrap_or(u32::MAX),
    };
    frames.iter().zip(ends).map(sample).collect()
}

impl Cutter for PartCutter {
    fn push(&mut self, frame: &Arc<Frame>) -> Vec<Cut> {
        if frame.track == Track::Video {
            return self.push_video(frame);
        }
        if self.audio.len() == MAX_AUDIO {
            self.audio.pop_front();
        }
        self.audio.push_back(frame.clone());
        Vec::new()
    }

    fn finish(&mut self) -> Vec<Cut> {
        let end = self.video.last().map(|last| last.dts + last.duration);
        let mut cuts: Vec<Cut> = end.and_then(|end| self.emit(end)).into_iter().collect();
        if self.segment_start.is_some() {
            self.close(&mut cuts);
        }
        cuts
    }

    fn part_target(&self) -> Option<MediaTime> {
        self.target
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::time::MonoTime;

    fn frame(dts: i64, key: bool) -> Arc<Frame> {
        Arc::new(Frame {
            track: Track::Video,
            dts: MediaTime(dts),
            pts: MediaTime(dts),
            duration: MediaTime(3600),
            key,
            data: Bytes::from_static(b"....."),
            arrived: MonoTime::default(),
        })
    }

    /// What comes out of frames at these times with a key frame each `gop` of them.
    fn cut(times: impl IntoIterator<Item = i64>, gop: usize) -> (Vec<Vec<Part>>, MediaTime) {
        let lengths = Lengths { segment: MediaTime::from_secs(2), part: MediaTime::from_millis(200) };
        let mut cutter = PartCutter::new(lengths, false);
        let mut segments = vec![Vec::new()];
        for (index, dts) in times.into_iter().enumerate() {
            for cut in cutter.push(&frame(dts, index % gop == 0)) {
                match cut {
                    Cut::Part(part) => segments.last_mut().unwrap().push(part),
                    Cut::Close => segments.push(Vec::new()),
                }
            }
        }
        segments.pop();
        (segments, cutter.part_target().unwrap())
    }

    fn check(segments: &[Vec<Part>], target: MediaTime) {
        assert!(segments.len() > 3);
        for parts in segments {
            assert!(parts[0].independent);
            assert!(parts.iter().all(|p| p.duration <= target), "{parts:?} for {target:?}");
            let (_, others) = parts.split_last().unwrap();
            assert!(others.iter().all(|p| p.duration.0 * 100 >= target.0 * 85), "{parts:?} for {target:?}");
        }
    }

    #[test]
    fn part_lengths_fit_the_target_at_any_frame_rate() {
        for fps in 1..=60 {
            let step = 90_000 / fps;
            let (segments, target) = cut((0..fps * 20).map(|n| n * step), 2 * fps as usize);
            check(&segments, target);
            assert!(target.0 <= (step.max(18_000) + step) * 108 / 100, "{fps} per second: {target:?}");
        }
    }

    #[test]
    fn part_lengths_fit_the_target_with_jitter() {
        for fps in [10, 12, 15, 20, 25, 30, 50] {
            let step = 90_000 / fps;
            let late = |n: i64| n * step + (n * 7919 % 11 - 5) * step / 100;
            let (segments, target) = cut((1..fps * 20).map(late), fps as usize);
            check(&segments, target);
        }
    }

    #[test]
    fn a_camera_that_slows_down_gets_a_target_that_fits() {
        let day = (0..250).map(|n| n * 3600);
        let night = (0..200).map(|n| 250 * 3600 + n * 7500);
        let (segments, target) = cut(day.chain(night), 25);
        assert_eq!(target, MediaTime::from_millis(268));
        check(&segments[segments.len() - 4..], target);
    }
}
