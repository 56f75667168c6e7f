//! The time line of one RTSP client: from the newest key frame on, of which all that is older than the
//! live edge is squeezed into [`BURST`], so that a player which takes its first packet for the clock is
//! not behind for ever by the age of the group of pictures. From the edge on it runs with the camera.
//!
//! Pure; two numbers per client.

use gstreamer::ClockTime;

use crate::base::time::MediaTime;
use crate::media::live::BURST;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Stream time of the first frame.
    entry: MediaTime,
    /// Stream time from which on the line runs at normal speed.
    edge: MediaTime,
    /// The pipeline's running time at `entry`.
    origin: ClockTime,
}

impl Line {
    /// For a client whose first frame is at `entry` while the newest, at `edge`, is to be shown at `now`
    /// of its pipeline's running time.
    pub fn new(entry: MediaTime, edge: MediaTime, now: ClockTime) -> Self {
        let burst = BURST.min(edge - entry).to_duration();
        Self { entry, edge: edge.max(entry), origin: now.saturating_sub(clock_time(burst)) }
    }

    /// The pipeline's running time for a stream time that is not before the first frame's.
    pub fn place(&self, time: MediaTime) -> ClockTime {
        let age = (self.edge - self.entry).0;
        let burst = age.min(BURST.0);
        let since = (time - self.entry).0.max(0);
        let mapped = if since < age { since * burst / age } else { since - age + burst };
        self.origin + clock_time(MediaTime(mapped).to_duration())
    }

    /// Sound of the burst is not worth squeezing.
    pub fn is_burst(&self, time: MediaTime) -> bool {
        time < self.edge
    }
}

fn clock_time(duration: std::time::Duration) -> ClockTime {
    ClockTime::from_nseconds(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX >> 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &Line, ms: i64) -> u64 {
        line.place(MediaTime::from_millis(ms)).mseconds()
    }

    #[test]
    fn the_burst_is_squeezed_and_the_edge_is_now() {
        let line = Line::new(
            MediaTime::from_millis(10_000),
            MediaTime::from_millis(12_000),
            ClockTime::from_mseconds(500),
        );
        assert_eq!(
            [10_000, 11_000, 12_000, 12_040, 15_000].map(|ms| place(&line, ms)),
            [300, 400, 500, 540, 3500]
        );
        assert!(
            line.is_burst(MediaTime::from_millis(11_999)) && !line.is_burst(MediaTime::from_millis(12_000))
        );
    }

    #[test]
    fn a_fresh_key_frame_is_not_moved() {
        let at = MediaTime::from_millis(700);
        let line = Line::new(at, at, ClockTime::ZERO);
        assert_eq!([700, 740].map(|ms| place(&line, ms)), [0, 40]);
        let line = Line::new(at, at + MediaTime::from_millis(80), ClockTime::ZERO);
        assert_eq!([700, 740, 780, 820].map(|ms| place(&line, ms)), [0, 40, 80, 120]);
    }
}
