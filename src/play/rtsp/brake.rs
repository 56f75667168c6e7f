//! Slows down whoever tries passwords: after [`TRIES`] wrong ones within [`WINDOW`] an address is
//! answered no more for [`LOCK`], with the right one neither.
//!
//! Pure; the caller brings the time. Memory: [`MAX_ADDRESSES`] entries; when they are full of fresh
//! ones, the oldest goes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Wrong passwords until the lock.
pub const TRIES: u32 = 5;
/// Wrong passwords that lie further apart do not add up.
pub const WINDOW: Duration = Duration::from_secs(60);
/// How long the lock holds.
pub const LOCK: Duration = Duration::from_secs(60);
const MAX_ADDRESSES: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct Brake(HashMap<IpAddr, Count>);

#[derive(Debug)]
struct Count {
    wrong: u32,
    since: Instant,
    locked_until: Option<Instant>,
}

impl Count {
    fn is_over(&self, now: Instant) -> bool {
        match self.locked_until {
            Some(until) => until <= now,
            None => now.saturating_duration_since(self.since) > WINDOW,
        }
    }
}

impl Brake {
    pub fn is_locked(&self, address: IpAddr, now: Instant) -> bool {
        self.0.get(&address).and_then(|count| count.locked_until).is_some_and(|until| now < until)
    }

    /// A wrong password came from there; whether that locked the address.
    pub fn wrong(&mut self, address: IpAddr, now: Instant) -> bool {
        self.0.retain(|_, count| !count.is_over(now));
        if self.0.len() >= MAX_ADDRESSES && !self.0.contains_key(&address) {
            let oldest = self.0.iter().min_by_key(|(_, count)| count.since).map(|(address, _)| *address);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let count = self.0.entry(address).or_insert(Count { wrong: 0, since: now, locked_until: None });
        count.wrong += 1;
        if count.wrong >= TRIES && count.locked_until.is_none() {
            count.locked_until = Some(now + LOCK);
            return true;
        }
        false
    }

    /// The right one came from there.
    pub fn right(&mut self, address: IpAddr) {
        self.0.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn the_fifth_wrong_password_in_a_minute_locks_for_a_minute() {
        let (mut brake, start) = (Brake::default(), Instant::now());
        for n in 1..TRIES {
            assert!(!brake.wrong(address(1), start), "{n}");
        }
        assert!(!brake.is_locked(address(1), start));
        assert!(brake.wrong(address(1), start));
        assert!(brake.is_locked(address(1), start + LOCK - Duration::from_secs(1)));
        assert!(!brake.is_locked(address(2), start), "another address");
        assert!(!brake.is_locked(address(1), start + LOCK));
        assert!(!brake.wrong(address(1), start + LOCK), "counted from the beginning");
    }

    #[test]
    fn the_right_password_and_time_forgive() {
        let (mut brake, start) = (Brake::default(), Instant::now());
        assert!((1..TRIES).all(|_| !brake.wrong(address(1), start)));
        brake.right(address(1));
        assert!(!brake.wrong(address(1), start));
        assert!((2..TRIES).all(|_| !brake.wrong(address(1), start)));
        assert!(!brake.wrong(address(1), start + WINDOW + Duration::from_secs(1)));
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut brake, start) = (Brake::default(), Instant::now());
        for n in 0..3 * MAX_ADDRESSES as u32 {
            brake.wrong(address(n), start + Duration::from_micros(n.into()));
        }
        assert_eq!(brake.0.len(), MAX_ADDRESSES);
    }
}
