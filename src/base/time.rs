//! The three kinds of time, as three types that cannot be mixed: media time (from the camera),
//! monotonic time (for deadlines and pace) and wall time (for people and files).

use std::ops::{Add, AddAssign, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Ticks of [`MediaTime`] in one second: the RTP and MPEG clock for video, and the timescale of
/// every track that we write.
pub const TICKS_PER_SECOND: i64 = 90_000;

/// A point on a stream's own time line, or a distance on it, in 90 kHz ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(pub i64);

impl MediaTime {
    /// The start of a stream.
    pub const ZERO: Self = Self(0);

    /// Rounded down to a tick. Exact for all frame rates whose period is a whole number of ticks.
    pub fn from_nanos(nanos: i64) -> Self {
        Self((i128::from(nanos) * 9).div_euclid(100_000) as i64)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * TICKS_PER_SECOND)
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * (TICKS_PER_SECOND / 1000))
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }

    /// The same distance as a [`Duration`]; a negative one becomes zero.
    pub fn to_duration(self) -> Duration {
        Duration::from_nanos((i128::from(self.0.max(0)) * 100_000 / 9) as u64)
    }
}

impl From<Duration> for MediaTime {
    fn from(d: Duration) -> Self {
        Self::from_nanos(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Add for MediaTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for MediaTime {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// Monotonic time since the clock was made. Never jumps; says nothing about the date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonoTime(Duration);

impl MonoTime {
    /// Time passed since `earlier`, zero if that lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for MonoTime {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0 + d)
    }
}

/// Where code gets its time from: the machine, or a test that turns the hands itself.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real(Instant),
    Simulated { mono_ns: Arc<AtomicU64>, wall_start: SystemTime },
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

impl Clock {
    /// The machine's clocks.
    pub fn real() -> Self {
        Self(Source::Real(Instant::now()))
    }

    /// A clock that stands still until [`Clock::advance`] is called; wall time starts at `wall`.
    pub fn simulated(wall: SystemTime) -> Self {
        Self(Source::Simulated { mono_ns: Arc::default(), wall_start: wall })
    }

    /// Monotonic time now.
    pub fn mono(&self) -> MonoTime {
        match &self.0 {
            Source::Real(start) => MonoTime(start.elapsed()),
            Source::Simulated { mono_ns, .. } => {
                MonoTime(Duration::from_nanos(mono_ns.load(Ordering::Relaxed)))
            }
        }
    }

    /// Wall time now.
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::Real(_) => SystemTime::now(),
            Source::Simulated { wall_start, .. } => *wall_start + self.mono().since(MonoTime::default()),
        }
    }

    /// Turns a simulated clock on by `d`; the real one takes no orders.
    pub fn advance(&self, d: Duration) {
        if let Source::Simulated { mono_ns, .. } = &self.0 {
            mono_ns.fetch_add(d.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_convert_both_ways() {
        assert_eq!(MediaTime::from_nanos(40_000_000), MediaTime(3600));
        assert_eq!(MediaTime(3600).to_duration(), Duration::from_millis(40));
        assert_eq!(MediaTime::from_nanos(-40_000_000), MediaTime(-3600));
        assert_eq!(MediaTime(-1).to_duration(), Duration::ZERO);
    }

    #[test]
    fn a_simulated_clock_moves_only_when_told() {
        let clock = Clock::simulated(SystemTime::UNIX_EPOCH);
        let start = clock.mono();
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.mono().since(start), Duration::from_secs(3));
        assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + Duration::from_secs(3));
    }
}
