//! How often we answer: so that nobody can use us to flood somebody else (UDP sources are easily forged),
//! nor keep us busy with questions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Questions of one source that are looked at in one go; a thorough search sends nine on each interface.
const SOURCE_BURST: f64 = 20.0;
/// Questions a second of one source beyond that.
const SOURCE_RATE: f64 = 5.0;
/// The same for all sources together. At 1.5 kB an answer, 75 kB/s is the most we send for long.
const BURST: f64 = 100.0;
const RATE: f64 = 50.0;
/// Sources that are kept in mind; when all have asked lately, a new one has to wait.
const MOST: usize = 256;
/// After this long a source is as good as new.
const FORGET: Duration = Duration::from_secs(5);

/// A bucket that fills with time and gives one for each question.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant, burst: f64, rate: f64) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * rate).min(burst);
        self.at = now;
        let enough = self.level >= 1.0;
        if enough {
            self.level -= 1.0;
        }
        enough
    }
}

/// The limit for each source and for all.
#[derive(Debug)]
pub struct Limit {
    all: Bucket,
    sources: HashMap<IpAddr, Bucket>,
}

impl Limit {
    pub fn new(now: Instant) -> Self {
        Self { all: Bucket { level: BURST, at: now }, sources: HashMap::new() }
    }

    /// Whether a question of `source` is looked at.
    pub fn admits(&mut self, source: IpAddr, now: Instant) -> bool {
        if self.sources.len() >= MOST && !self.sources.contains_key(&source) {
            self.sources.retain(|_, bucket| now.saturating_duration_since(bucket.at) < FORGET);
            if self.sources.len() >= MOST {
                return false;
            }
        }
        let full = Bucket { level: SOURCE_BURST, at: now };
        let own = self.sources.entry(source).or_insert(full);
        own.take(now, SOURCE_BURST, SOURCE_RATE) && self.all.take(now, BURST, RATE)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0xc633_6400 + number).into()
    }

    fn admitted(limit: &mut Limit, number: u32, now: Instant, questions: usize) -> usize {
        (0..questions).filter(|_| limit.admits(source(number), now)).count()
    }

    #[test]
    fn one_source_gets_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut limit = Limit::new(start);
        assert_eq!(admitted(&mut limit, 1, start, 100), 20);
        assert_eq!(admitted(&mut limit, 1, start + Duration::from_secs(2), 100), 10);
        assert_eq!(admitted(&mut limit, 2, start + Duration::from_secs(2), 9), 9, "another is not held up");
    }

    #[test]
    fn all_together_are_limited_as_well() {
        let start = Instant::now();
        let mut limit = Limit::new(start);
        let all: usize = (0..50).map(|number| admitted(&mut limit, number, start, 10)).sum();
        assert_eq!(all, 100);
        let later = start + Duration::from_secs(1);
        let all: usize = (0..50).map(|number| admitted(&mut limit, number, later, 10)).sum();
        assert_eq!(all, 50);
    }

    #[test]
    fn forged_sources_do_not_fill_the_memory() {
        let start = Instant::now();
        let mut limit = Limit::new(start);
        for number in 0..10_000 {
            limit.admits(source(number), start);
        }
        assert!(limit.sources.len() <= MOST);
        assert!(!limit.admits(source(20_000), start));
        assert!(limit.admits(source(20_000), start + FORGET));
    }
}
