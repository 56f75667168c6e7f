//! The timestamp stage: one per epoch, between a source's pipeline and its hub. It makes the time
//! stamps of any camera fit this contract:
//!
//! 1. Decoding times start at 0 with the first video frame and increase strictly per track.
//! 2. A frame is never presented before it is decoded, and its duration is positive.
//! 3. A missing time stamp is extrapolated from the frames before it.
//! 4. A jump, back by more than [`BACKWARDS`] or ahead by more than [`AHEAD`] beyond the time that
//!    really passed, does not show: the track goes on as if the frame had followed in its place.
//!    The other track takes over the same correction, so that sound and picture stay together.
//! 5. Media time keeps pace with monotonic time: it never leads or lags by more than [`DRIFT`].
//!
//! Smaller irregularities (a late or doubled stamp) are kept where they are true and otherwise moved
//! by the least that restores the order. Called by one thread; holds a few numbers.

use std::time::Duration;

use super::frame::Track;
use super::reorder::Reorder;
use crate::base::time::{MediaTime, MonoTime};

/// A step back that is more than disorder.
pub const BACKWARDS: MediaTime = MediaTime::from_millis(500);
/// How far a stamp may run ahead of the time that passed since the frame before.
pub const AHEAD: MediaTime = MediaTime::from_secs(2);
/// A wait before a jump that is shown as such. A shorter one is how long a file takes to start over, and
/// its frames make up for it.
const QUIET: MediaTime = MediaTime::from_millis(500);
/// How far media time may be from monotonic time; cameras that send their own GOP cache at the
/// start lead by up to a GOP.
pub const DRIFT: MediaTime = MediaTime::from_secs(5);

/// Assumed until two frames were seen: 25 per second.
const DEFAULT_INTERVAL: MediaTime = MediaTime::from_millis(40);

/// The sanitised times of one frame, as in [`super::frame::Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub dts: MediaTime,
    pub pts: MediaTime,
    pub duration: MediaTime,
}

/// See the module's contract.
#[derive(Debug)]
pub struct Stage {
    reorder: Reorder,
    video: Line,
    audio: Line,
    /// Monotonic time of media time 0.
    start: Option<MonoTime>,
}

/// One track's time line.
#[derive(Debug)]
struct Line {
    /// Added to the camera's time.
    offset: Option<MediaTime>,
    /// Smoothed distance between frames.
    interval: MediaTime,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    input: MediaTime,
    output: MediaTime,
    at: MonoTime,
}

impl Stage {
    /// `reorder` as in [`super::params::VideoParams::reorder`]; `audio_interval` is the length of one
    /// audio frame.
    pub fn new(reorder: Option<u8>, audio_interval: MediaTime) -> Self {
        Self {
            reorder: Reorder::new(reorder),
            video: Line::new(DEFAULT_INTERVAL),
            audio: Line::new(audio_interval),
            start: None,
        }
    }

    /// Times of the next video frame in decoding order. `dts` is given by containers that have it.
    pub fn video(&mut self, pts: Option<MediaTime>, dts: Option<MediaTime>, now: MonoTime) -> Stamp {
        let start = *self.start.get_or_insert(now);
        let pts_in = pts.or(dts).unwrap_or_else(|| self.video.expected_input());
        let dts_in = dts.unwrap_or_else(|| self.reorder.dts(pts_in, self.video.interval));
        let dts_out = self.video.place(dts_in, now.since(start).into(), now, self.audio.offset);
        Stamp {
            dts: dts_out,
            pts: MediaTime(dts_out.0 + (pts_in - dts_in).0.clamp(0, AHEAD.0)),
            duration: self.video.interval,
        }
    }

    /// Times of the next audio frame; `None` before the first video frame, which starts the time line.
    pub fn audio(&mut self, pts: Option<MediaTime>, now: MonoTime) -> Option<Stamp> {
        let start = self.start?;
        let input = match (pts, self.audio.last) {
            (Some(pts), _) => pts,
            (None, Some(_)) => self.audio.expected_input(),
            (None, None) => return None,
        };
        let elapsed = MediaTime::from(now.since(start));
        if self.audio.last.is_none() {
            let shared = self.video.offset?;
            if input + shared < MediaTime::ZERO && (input + shared - elapsed).0 > -DRIFT.0 {
                // Sound from just before the picture would need a negative time.
                return None;
            }
            let plausible = (input + shared - elapsed).0.abs() <= DRIFT.0;
            self.audio.offset = Some(if plausible { shared } else { elapsed - input });
        }
        let dts = self.audio.place(input, elapsed, now, self.video.offset);
        Some(Stamp { dts, pts: dts, duration: self.audio.interval })
    }

    /// How long ago the time line began.
    pub fn age(&self, now: MonoTime) -> Duration {
        self.start.map_or(Duration::ZERO, |start| now.since(start))
    }

    /// How long ago the given track had its last frame; `None` before its first.
    pub fn quiet(&self, track: Track, now: MonoTime) -> Option<Duration> {
        let line = match track {
            Track::Video => &self.video,
            Track::Audio => &self.audio,
        };
        line.last.map(|last| now.since(last.at))
    }
}

impl Line {
    fn new(interval: MediaTime) -> Self {
        Self { offset: None, interval, last: None }
    }

    fn expected_input(&self) -> MediaTime {
        self.last.map_or(MediaTime::ZERO, |last| last.input + self.interval)
    }

    /// Puts `input` on the output line; `elapsed` is monotonic time since the line's start and
    /// `sibling` the other track's offset.
    fn place(
        &mut self,
        input: MediaTime,
        elapsed: MediaTime,
        now: MonoTime,
        sibling: Option<MediaTime>,
    ) -> MediaTime {
        let Some(last) = self.last else {
            let offset = *self.offset.get_or_insert(MediaTime::ZERO - input);
            let output = input + offset;
            self.last = Some(Last { input, output, at: now });
            return output;
        };
        let passed = MediaTime::from(now.since(last.at));
        let fits = |offset: MediaTime| {
            let step = input + offset - last.output;
            let lead = input + offset - elapsed;
            -BACKWARDS.0 <= step.0 && step <= passed + AHEAD && lead.0.abs() <= DRIFT.0
        };
        let mut offset = self.offset.unwrap_or_default();
        let jumped = !fits(offset);
        if jumped {
            offset = sibling.filter(|&other| fits(other)).unwrap_or_else(|| {
                let drifted = (last.output - elapsed).0.abs() > DRIFT.0 / 2;
                let step = if passed > QUIET { passed } else { self.interval };
                let place = if drifted { elapsed } else { last.output + step };
                place - input
            });
            self.offset = Some(offset);
        }
        let output = (input + offset).max(MediaTime(last.output.0 + 1));
        if !jumped {
            self.learn(output - last.output);
        }
        self.last = Some(Last { input, output, at: now });
        output
    }

    fn learn(&mut self, step: MediaTime) {
        let step = step.0.clamp(1, MediaTime::from_secs(1).0);
        // Rounded away from zero, so that the estimate can reach the true interval.
        let error = step - self.interval.0;
        self.interval.0 += error / 8 + error.signum();
        if error.abs() <= 1 {
            self.interval.0 = step;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::base::time::Clock;

    struct Rig {
        clock: Clock,
        stage: Stage,
    }

    impl Rig {
        fn new() -> Self {
            Self {
                clock: Clock::simulated(SystemTime::UNIX_EPOCH),
                stage: Stage::new(Some(0), MediaTime(1920)),
            }
        }

        /// A video frame with camera time `ms` arriving 40 ms after the one before.
        fn video(&mut self, ms: Option<i64>) -> i64 {
            self.clock.advance(Duration::from_millis(40));
            self.stage.video(ms.map(MediaTime::from_millis), None, self.clock.mono()).dts.0 / 90
        }
    }

    #[test]
    fn a_regular_camera_starts_at_zero_and_keeps_its_intervals() {
        let mut rig = Rig::new();
        let out: Vec<_> = (0..5).map(|n| rig.video(Some(7000 + n * 40))).collect();
        assert_eq!(out, [0, 40, 80, 120, 160]);
    }

    #[test]
    fn a_missing_stamp_is_extrapolated() {
        let mut rig = Rig::new();
        let out: Vec<_> =
            [Some(0), Some(40), None, Some(120), None].into_iter().map(|ms| rig.video(ms)).collect();
        assert_eq!(out, [0, 40, 80, 120, 160]);
    }

    #[test]
    fn jumps_both_ways_do_not_show() {
        for jump in [3_600_000, -3_600_000, 90_000_000] {
            let mut rig = Rig::new();
            let before: Vec<_> = (0..50).map(|n| rig.video(Some(5_000_000 + n * 40))).collect();
            assert_eq!(before[49], 1960);
            assert_eq!(rig.video(Some(5_002_000 + jump)), 2000);
            assert_eq!(rig.video(Some(5_002_040 + jump)), 2040);
        }
    }

    #[test]
    fn a_small_step_back_does_not_look_like_b_frames() {
        let mut rig = Rig::new();
        for ms in [Some(0), Some(40), Some(80), Some(50), Some(90), None, Some(128), Some(170)] {
            rig.clock.advance(Duration::from_millis(40));
            let stamp = rig.stage.video(ms.map(MediaTime::from_millis), None, rig.clock.mono());
            assert_eq!(stamp.pts, stamp.dts);
        }
    }

    #[test]
    fn sound_follows_the_picture_over_a_jump() {
        let mut rig = Rig::new();
        for n in 0..50 {
            rig.video(Some(n * 40));
            rig.stage.audio(Some(MediaTime::from_millis(n * 40 + 10)), rig.clock.mono());
        }
        rig.video(Some(90_000));
        let sound = rig.stage.audio(Some(MediaTime::from_millis(90_010)), rig.clock.mono()).unwrap();
        assert_eq!(sound.dts, MediaTime::from_millis(2010));
    }

    #[test]
    fn a_dropped_frame_leaves_its_place_empty() {
        let mut rig = Rig::new();
        rig.video(Some(0));
        rig.clock.advance(Duration::from_millis(160));
        assert_eq!(rig.video(Some(200)), 200);
    }

    #[test]
    fn a_clock_that_runs_too_fast_is_pulled_back() {
        let mut rig = Rig::new();
        let last = (0..10_000).map(|n| rig.video(Some(n * 44))).last().unwrap();
        let real = 10_000 * 40;
        assert!((last - real).abs() <= DRIFT.0 / 90, "{last} against {real}");
    }

    proptest! {
        #[test]
        fn the_contract_holds_for_any_input(
            depth in prop::option::of(0u8..20),
            frames in prop::collection::vec((any::<bool>(), prop::option::of(-(1i64 << 40)..1i64 << 40), prop::option::of(0i64..4000), 0u64..3000), 1..200),
            walk in any::<bool>(),
        ) {
            let clock = Clock::simulated(SystemTime::UNIX_EPOCH);
            let mut stage = Stage::new(depth, MediaTime(1920));
            let mut last = [None, None];
            let mut camera = 0i64;
            let mut start = None;
            for (is_video, wild, step, wait) in frames {
                clock.advance(Duration::from_millis(wait));
                camera += step.unwrap_or(0);
                let pts = if walk { step.map(|_| MediaTime(camera)) } else { wild.map(MediaTime) };
                let now = clock.mono();
                let stamp = if is_video {
                    start.get_or_insert(now);
                    Some(stage.video(pts, None, now))
                } else {
                    stage.audio(pts, now)
                };
                let Some(stamp) = stamp else { continue };
                prop_assert!(stamp.pts >= stamp.dts && stamp.duration.0 > 0);
                if let Some(previous) = last[usize::from(is_video)] {
                    prop_assert!(stamp.dts > previous, "{:?} after {:?}", stamp, previous);
                } else if is_video {
                    prop_assert_eq!(stamp.dts, MediaTime::ZERO);
                }
                let lead = stamp.dts - MediaTime::from(now.since(start.unwrap()));
                // The order of rule 1 may cost a tick a frame beyond the bound of rule 5.
                prop_assert!(lead.0.abs() <= DRIFT.0 + AHEAD.0 + 200, "leads by {:?}", lead);
                last[usize::from(is_video)] = Some(stamp.dts);
            }
        }
    }
}
