//! The live time line of one viewer: what stands in the `moof` of each frame that is sent to it.
//!
//! Browsers want a line that starts at 0, never has a hole and keeps pace with the wall clock, and
//! old client pages never seek: what they lag behind at the start, they lag behind for ever. So
//! - the GOP that a new viewer is given at once is squeezed into [`BURST`] of media time, whatever
//!   its real length, and its sound is left out: the viewer is at the live edge right away;
//! - each frame begins where the one before ended. As the next frame's time is not known when one is
//!   sent, its duration is chosen so that it ends where the next is expected; an error is corrected
//!   by the next frame's duration and never adds up;
//! - a pause of the camera longer than [`PAUSE`] is closed up; frames given up for a slow viewer are
//!   bridged by stretching the last one that it gets.
//!
//! A few numbers per viewer; no threads, no clock.

use super::fmp4::{Run, Sample, fragment_head};
use super::frame::{Frame, Track};
use crate::base::time::MediaTime;

/// Length on the viewer's line of the burst it starts with.
pub const BURST: MediaTime = MediaTime::from_millis(200);
/// A hole in the camera's time line that is closed up instead of being shown as a still picture: the
/// viewer's player stood still meanwhile, and showing the hole would leave it late by as much.
pub const PAUSE: MediaTime = MediaTime::from_secs(1);

/// See the module's text.
#[derive(Debug)]
pub struct Live {
    /// Source time of the first frame, which is at 0 on the viewer's line.
    entry: MediaTime,
    /// Source time from which on the line runs at normal speed.
    edge: MediaTime,
    /// Pauses closed up so far.
    closed: MediaTime,
    video_end: MediaTime,
    audio_end: Option<MediaTime>,
    sequence: u32,
}

impl Live {
    /// A line for a viewer whose first frame is at `entry` while the newest is at `edge`.
    pub fn new(entry: MediaTime, edge: MediaTime) -> Self {
        Self {
            entry,
            edge: edge.max(entry),
            closed: MediaTime::ZERO,
            video_end: MediaTime::ZERO,
            audio_end: None,
            sequence: 0,
        }
    }

    /// The fragment head for `frame`, to be followed by its data; `None` if the frame is to be left
    /// out (sound of the burst). `until` is the source time of the frame that will be sent next, where
    /// the caller knows it to be another than the one that follows in the stream.
    pub fn fragment(&mut self, frame: &Frame, until: Option<MediaTime>) -> Option<Vec<u8>> {
        let start = match frame.track {
            Track::Video => self.video_end,
            Track::Audio if frame.dts < self.edge => return None,
            Track::Audio => self.audio_end.unwrap_or_else(|| self.map(frame.dts)),
        };
        let hole = self.map(frame.dts) - start;
        if hole > PAUSE && frame.track == Track::Video {
            self.closed += hole;
        }
        let end = self.map(until.unwrap_or(frame.dts + frame.duration));
        let duration = (end - start).max(MediaTime(1));
        let sample = Sample {
            duration,
            offset: match frame.track {
                Track::Video => self.map(frame.pts) - self.map(frame.dts),
                Track::Audio => MediaTime::ZERO,
            },
            key: frame.key,
            size: u32::try_from(frame.data.len()).ok()?,
        };
        match frame.track {
            Track::Video => self.video_end = start + duration,
            Track::Audio => self.audio_end = Some(start + duration),
        }
        self.sequence = self.sequence.wrapping_add(1);
        Some(fragment_head(self.sequence, &[Run { track: frame.track, start, samples: &[sample] }]))
    }

    /// Where a source time lies on the viewer's line: steep up to the edge, then one to one.
    fn map(&self, time: MediaTime) -> MediaTime {
        let real = (self.edge - self.entry).0;
        let burst = real.min(BURST.0);
        let since_entry = (time - self.entry).0;
        let mapped = if real > 0 && since_entry < real {
            (i128::from(since_entry) * i128::from(burst)).div_euclid(i128::from(real)) as i64
        } else {
            since_entry - real + burst
        };
        MediaTime(mapped) - self.closed
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::MonoTime;

    fn frame(track: Track, ms: i64) -> Frame {
        Frame {
            track,
            dts: MediaTime::from_millis(ms),
            pts: MediaTime::from_millis(ms),
            duration: MediaTime::from_millis(40),
            key: false,
            data: Bytes::from_static(b"x"),
            arrived: MonoTime::default(),
        }
    }

    /// Start and end on the viewer's line, in milliseconds.
    fn send(live: &mut Live, ms: i64) -> (i64, i64) {
        let start = live.video_end.0 / 90;
        live.fragment(&frame(Track::Video, ms), None).unwrap();
        (start, live.video_end.0 / 90)
    }

    #[test]
    fn the_burst_is_squeezed_and_live_frames_are_not() {
        let mut live = Live::new(MediaTime::from_millis(10_000), MediaTime::from_millis(12_000));
        let mut last = (0, 0);
        for ms in (10_000..12_000).step_by(40) {
            last = send(&mut live, ms);
        }
        assert_eq!(last, (196, 200));
        assert_eq!(send(&mut live, 12_000), (200, 240));
        assert_eq!(send(&mut live, 12_040), (240, 280));
    }

    #[test]
    fn sound_of_the_burst_is_left_out() {
        let mut live = Live::new(MediaTime::ZERO, MediaTime::from_millis(1000));
        assert!(live.fragment(&frame(Track::Audio, 990), None).is_none());
        assert!(live.fragment(&frame(Track::Audio, 1010), None).is_some());
        assert_eq!(live.audio_end, Some(MediaTime::from_millis(200 + 50)));
    }

    #[test]
    fn a_late_frame_does_not_leave_a_hole_and_the_pace_is_kept() {
        let mut live = Live::new(MediaTime::ZERO, MediaTime::ZERO);
        assert_eq!(send(&mut live, 0), (0, 40));
        assert_eq!(send(&mut live, 240), (40, 280));
        assert_eq!(send(&mut live, 280), (280, 320));
        assert_eq!(send(&mut live, 310), (320, 350));
    }

    #[test]
    fn a_long_pause_is_closed_up() {
        let mut live = Live::new(MediaTime::ZERO, MediaTime::ZERO);
        send(&mut live, 0);
        assert_eq!(send(&mut live, 3040), (40, 80));
        assert_eq!(send(&mut live, 3080), (80, 120));
    }

    #[test]
    fn skipped_frames_are_bridged_by_the_last_one() {
        let mut live = Live::new(MediaTime::ZERO, MediaTime::ZERO);
        send(&mut live, 0);
        live.fragment(&frame(Track::Video, 40), Some(MediaTime::from_millis(4000))).unwrap();
        assert_eq!(send(&mut live, 4000), (4000, 4040));
    }

    proptest! {
        #[test]
        fn any_stream_gives_a_line_without_holes_that_keeps_pace(
            steps in prop::collection::vec(1i64..3000, 1..200),
            edge in 0i64..100_000,
        ) {
            let mut live = Live::new(MediaTime::ZERO, MediaTime::from_millis(edge));
            let mut time = 0;
            for step in steps {
                let before = live.video_end;
                let frame = frame(Track::Video, time);
                live.fragment(&frame, None).unwrap();
                prop_assert!(live.video_end > before);
                let late = live.map(frame.dts + frame.duration) - live.video_end;
                prop_assert!(late.0 <= 0 && late.0 > -MediaTime::from_millis(80).0, "late by {:?}", late);
                time += step;
            }
        }
    }
}
