//! How fast packets may leave, and which RTP timestamps a replayed GOP gets. Pure: no clock, no
//! socket.

use std::time::{Duration, Instant};

use crate::base::time::MediaTime;

/// Bytes per second that one viewer gets at most: 40 Mbit/s. A GOP of 2 s at 4 Mbit/s is replayed
/// in 0.2 s; sent at once it loses packets in the receiver (measured, docs/decisions/0003).
const RATE: u64 = 5_000_000;
/// What may leave at once after a pause: small key frames and every delta frame go unpaced.
const BURST: i64 = 64 * 1024;
/// How much must be allowed before sending goes on, so that a timer tick moves several packets.
const RESUME: i64 = 12 * 1024;

/// A token bucket: may go into debt by one packet.
#[derive(Debug)]
pub struct Pace {
    allowance: i64,
    at: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { allowance: BURST, at: now }
    }

    /// Whether a packet may be sent now.
    pub fn allows(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_micros() as u64 * RATE / 1_000_000;
        if gained > 0 {
            self.at = now;
            self.allowance = self.allowance.saturating_add_unsigned(gained).min(BURST);
        }
        self.allowance > 0
    }

    /// Accounts for a packet of `bytes`.
    pub fn spend(&mut self, bytes: usize) {
        self.allowance -= bytes as i64;
    }

    /// When it is worth to try again, after [`Pace::allows`] said no.
    pub fn resume_at(&self) -> Instant {
        let missing = u64::try_from(RESUME - self.allowance).unwrap_or(0);
        self.at + Duration::from_micros(missing * 1_000_000 / RATE)
    }
}

/// A replayed frame's timestamp lies at `1/SQUEEZE` of its true distance before the live edge, so
/// that a receiver plays the backlog at once instead of staying behind by it.
const SQUEEZE: i64 = 16;
/// Least distance of two timestamps: 1 ms.
const STEP: i64 = 90;

/// Maps decoding times to RTP timestamps that rise strictly and equal the decoding time at the live
/// edge.
#[derive(Debug)]
pub struct Stamps {
    base: u32,
    last: i64,
}

impl Stamps {
    /// `base` is the random first timestamp that RFC 3550 5.1 asks for.
    pub fn new(base: u32) -> Self {
        Self { base, last: -1 }
    }

    /// The timestamp of the frame at `dts`, which is being replayed while the live edge is at
    /// `edge`, or is the live edge itself (`None`).
    pub fn stamp(&mut self, dts: MediaTime, edge: Option<MediaTime>) -> u32 {
        let due = match edge {
            Some(edge) => edge.0 - (edge.0 - dts.0).max(0) / SQUEEZE,
            None => dts.0,
        };
        self.last = if self.last < 0 { due } else { due.max(self.last + STEP) };
        // RTP timestamps wrap by design.
        self.base.wrapping_add(self.last as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut sent = 0u64;
        let mut now = start;
        while sent < 2_000_000 {
            while pace.allows(now) {
                pace.spend(1200);
                sent += 1200;
            }
            assert!(pace.resume_at() > now);
            now = pace.resume_at();
        }
        let took = (now - start).as_secs_f64();
        let rate = (sent as f64 - BURST as f64) / took;
        assert!((rate - RATE as f64).abs() < 0.05 * RATE as f64, "{rate} bytes/s");
    }

    #[test]
    fn replayed_stamps_rise_and_end_at_the_live_edge() {
        let mut stamps = Stamps::new(u32::MAX - 1000);
        let edge = MediaTime(100 * 3600);
        let mut last = None;
        for n in 50..=100 {
            let stamp = stamps.stamp(MediaTime(n * 3600), Some(edge));
            let step = last.map(|l| stamp.wrapping_sub(l));
            assert!(step.is_none_or(|s| (STEP as u32..1000).contains(&s)), "{step:?}");
            last = Some(stamp);
        }
        assert_eq!(last, Some((u32::MAX - 1000).wrapping_add(100 * 3600)));
        assert_eq!(stamps.stamp(MediaTime(101 * 3600), None), last.unwrap().wrapping_add(3600));
    }

    #[test]
    fn a_second_replay_never_goes_back() {
        let mut stamps = Stamps::new(0);
        let live = stamps.stamp(MediaTime(3600 * 100), None);
        let first = stamps.stamp(MediaTime(3600 * 60), Some(MediaTime(3600 * 100)));
        assert_eq!(first, live + STEP as u32);
    }
}
