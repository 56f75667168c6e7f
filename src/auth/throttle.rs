//! The brake on guessing passwords. Holds no clock: the caller gives the time.
//!
//! Wrong passwords are counted in three ways, each over a window that starts with the first:
//!
//! - by **address and user**: at `attempts` the pair is locked. This is what a person who forgot a
//!   password meets, and it touches nobody else.
//! - by **address**: at four times as many the address is locked, whatever user it tries next. Four,
//!   because many people can share one address behind a proxy.
//! - by **user**: past ten times as many, from anywhere, one try a second is let through. A pace and no
//!   lock, or else a stranger could lock out the administrator by guessing; and addresses from which
//!   the user has logged in before are not held to it. At a try a second, and with ten or more
//!   addresses locked on the way, guessing is hopeless all the same.
//!
//! A lock is refused without looking at the password, and ends after its time: tries during it do not
//! lengthen it. An IPv6 address stands for its /64, which is what one customer has to choose from.
//!
//! Memory: [`MAX_ENTRIES`] counters of about 120 bytes, 1.2 MB; the longest untouched is let go first.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::base::time::MonoTime;

/// Counters that are kept.
pub const MAX_ENTRIES: usize = 10_000;

const ADDRESS_FACTOR: u32 = 4;
const USER_FACTOR: u32 = 10;
/// Between two tries for a user whom many guess at.
const PACE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Pair(IpAddr, String),
    Address(IpAddr),
    User(String),
    /// The user has logged in from here.
    Known(IpAddr, String),
}

#[derive(Debug)]
struct Entry {
    faults: u32,
    window_start: MonoTime,
    locked_until: Option<MonoTime>,
    touched: MonoTime,
}

impl Entry {
    fn new(now: MonoTime) -> Self {
        Self { faults: 0, window_start: now, locked_until: None, touched: now }
    }
}

/// What [`Throttle::begin`] has to say: tries so far, and how long to wait if this one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub faults: u32,
    pub locked_for: Option<Duration>,
}

pub struct Throttle {
    attempts: u32,
    window: Duration,
    lock: Duration,
    entries: HashMap<Key, Entry>,
}

impl Throttle {
    pub fn new(attempts: u32, window: Duration, lock: Duration) -> Self {
        Self { attempts, window, lock, entries: HashMap::new() }
    }

    /// Asks leave to try a password. If it is given, the try counts as a fault from here on, and
    /// [`Throttle::succeeded`] takes that back: a client that hangs up while its password is checked
    /// has not tried for free, and a thousand tries at once are counted before the first is checked.
    pub fn begin(&mut self, now: MonoTime, peer: IpAddr, user: &str) -> Standing {
        let peer = network(peer);
        let counted = self.counted(peer, user);
        let locked_for = counted.iter().filter_map(|key| self.locked_for(now, key)).max();
        if locked_for.is_none() {
            for key in counted {
                self.count(now, key);
            }
        }
        Standing { faults: self.faults(peer, user), locked_for }
    }

    /// Counts a try that another node let through, whatever is locked here.
    pub fn begun_elsewhere(&mut self, now: MonoTime, peer: IpAddr, user: &str) {
        for key in self.counted(network(peer), user) {
            self.count(now, key);
        }
    }

    /// Where user and address stand after a wrong password.
    pub fn standing(&self, now: MonoTime, peer: IpAddr, user: &str) -> Standing {
        let peer = network(peer);
        let [pair, address, _] = keys(peer, user);
        let locked_for = self.locked_for(now, &pair).max(self.locked_for(now, &address));
        Standing { faults: self.faults(peer, user), locked_for }
    }

    /// The try that [`Throttle::begin`] allowed had the right password.
    pub fn succeeded(&mut self, now: MonoTime, peer: IpAddr, user: &str) {
        self.forgive(peer, user);
        let peer = network(peer);
        self.entries.remove(&Key::Pair(peer, user.to_owned()));
        self.entry(now, Key::Known(peer, user.to_owned())).touched = now;
    }

    /// Takes back what [`Throttle::begin`] counted. Earlier faults stay: somebody with one password of
    /// his own cannot wash his address clean with it.
    pub fn forgive(&mut self, peer: IpAddr, user: &str) {
        for key in keys(network(peer), user) {
            let (limit, _) = self.rule(&key);
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.faults = entry.faults.saturating_sub(1);
                if entry.faults < limit {
                    entry.locked_until = None;
                }
            }
        }
    }

    /// What a try from this network counts against.
    fn counted(&self, peer: IpAddr, user: &str) -> Vec<Key> {
        let known = self.entries.contains_key(&Key::Known(peer, user.to_owned()));
        keys(peer, user).into_iter().filter(|key| !(known && matches!(key, Key::User(_)))).collect()
    }

    /// Faults until a lock, and how long it lasts.
    fn rule(&self, key: &Key) -> (u32, Duration) {
        match key {
            Key::Pair(..) | Key::Known(..) => (self.attempts, self.lock),
            Key::Address(_) => (self.attempts.saturating_mul(ADDRESS_FACTOR), self.lock),
            Key::User(_) => (self.attempts.saturating_mul(USER_FACTOR), PACE),
        }
    }

    fn faults(&self, peer: IpAddr, user: &str) -> u32 {
        self.entries.get(&Key::Pair(peer, user.to_owned())).map_or(0, |entry| entry.faults)
    }

    fn locked_for(&self, now: MonoTime, key: &Key) -> Option<Duration> {
        let left = self.entries.get(key)?.locked_until?.since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Only the end of the window clears a counter. Where a lock is shorter than the window, each
    /// fault after it locks again.
    fn count(&mut self, now: MonoTime, key: Key) {
        let (window, (limit, lock)) = (self.window, self.rule(&key));
        let entry = self.entry(now, key);
        if now.since(entry.window_start) >= window {
            *entry = Entry::new(now);
        }
        entry.faults = entry.faults.saturating_add(1);
        entry.touched = now;
        if entry.faults >= limit {
            entry.locked_until = Some(now + lock);
        }
    }

    fn entry(&mut self, now: MonoTime, key: Key) -> &mut Entry {
        if self.entries.len() >= MAX_ENTRIES && !self.entries.contains_key(&key) {
            self.make_room(now);
        }
        self.entries.entry(key).or_insert_with(|| Entry::new(now))
    }

    /// Drops what has run out, and if that was nothing, the entry that was untouched for longest.
    fn make_room(&mut self, now: MonoTime) {
        let window = self.window;
        self.entries.retain(|key, entry| {
            matches!(key, Key::Known(..))
                || entry.locked_until.is_some_and(|until| until > now)
                || now.since(entry.window_start) < window
        });
        if self.entries.len() >= MAX_ENTRIES
            && let Some(key) =
                self.entries.iter().min_by_key(|(_, entry)| entry.touched).map(|(key, _)| key.clone())
        {
            self.entries.remove(&key);
        }
    }
}

/// What a try counts against.
fn keys(peer: IpAddr, user: &str) -> [Key; 3] {
    [Key::Pair(peer, user.to_owned()), Key::Address(peer), Key::User(user.to_owned())]
}

/// The address, or for IPv6 its /64. An IPv4 address in IPv6 clothes is an IPv4 address.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn throttle() -> Throttle {
        Throttle::new(5, 60 * SECOND, 60 * SECOND)
    }

    fn at(seconds: u32) -> MonoTime {
        MonoTime::default() + seconds * SECOND
    }

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    /// How many of `n` tries at `now` were heard.
    fn heard(throttle: &mut Throttle, now: MonoTime, n: u32, peer: IpAddr, user: &str) -> u32 {
        (0..n).filter(|_| throttle.begin(now, peer, user).locked_for.is_none()).count() as u32
    }

    #[test]
    fn the_pair_is_locked_and_nobody_else() {
        let mut t = throttle();
        assert_eq!(heard(&mut t, at(0), 9, v4(1), "admin"), 5);
        let refused = t.begin(at(20), v4(1), "admin");
        assert_eq!(refused, Standing { faults: 5, locked_for: Some(40 * SECOND) });
        assert_eq!(t.begin(at(20), v4(1), "guest").locked_for, None);
        assert_eq!(t.begin(at(20), v4(2), "admin").locked_for, None);
        assert_eq!(t.begin(at(60), v4(1), "admin"), Standing { faults: 1, locked_for: None });
    }

    #[test]
    fn tries_at_another_node_count_as_those_here() {
        let mut t = throttle();
        (0..4).for_each(|_| t.begun_elsewhere(at(0), v4(1), "admin"));
        assert_eq!(heard(&mut t, at(1), 3, v4(1), "admin"), 1);
        // The one that was right there opens it again here.
        t.succeeded(at(2), v4(1), "admin");
        assert_eq!(t.begin(at(2), v4(1), "admin"), Standing { faults: 1, locked_for: None });
        (0..9).for_each(|_| t.begun_elsewhere(at(3), v4(1), "guest"));
        assert!(t.begin(at(3), v4(1), "guest").locked_for.is_some());
    }

    #[test]
    fn the_window_forgets() {
        let mut t = throttle();
        assert_eq!(heard(&mut t, at(0), 4, v4(1), "admin"), 4);
        assert_eq!(heard(&mut t, at(60), 4, v4(1), "admin"), 4);
        assert_eq!(t.standing(at(60), v4(1), "admin"), Standing { faults: 4, locked_for: None });
    }

    #[test]
    fn a_short_lock_in_a_long_window_allows_one_try_each_time() {
        let mut t = Throttle::new(5, 600 * SECOND, 10 * SECOND);
        assert_eq!(heard(&mut t, at(0), 9, v4(1), "admin"), 5);
        assert_eq!(heard(&mut t, at(10), 9, v4(1), "admin"), 1);
        assert_eq!(heard(&mut t, at(20), 9, v4(1), "admin"), 1);
    }

    #[test]
    fn an_address_that_goes_through_user_names_is_locked() {
        let mut t = throttle();
        let total: u32 = (0..10).map(|n| heard(&mut t, at(0), 4, v4(1), &format!("user{n}"))).sum();
        assert_eq!(total, 20);
        assert_eq!(t.begin(at(1), v4(1), "fresh").locked_for, Some(59 * SECOND));
    }

    #[test]
    fn success_takes_back_its_own_try_only() {
        let mut t = throttle();
        for n in 0..19 {
            t.begin(at(0), v4(1), &format!("user{n}"));
        }
        for _ in 0..3 {
            assert_eq!(t.begin(at(1), v4(1), "viewer").locked_for, None);
            t.succeeded(at(1), v4(1), "viewer");
        }
        assert_eq!(heard(&mut t, at(2), 2, v4(1), "admin"), 1);
    }

    #[test]
    fn many_addresses_slow_one_user_down_but_not_at_a_known_address() {
        let mut t = throttle();
        t.begin(at(0), v4(250), "admin");
        t.succeeded(at(0), v4(250), "admin");
        let heard_of = |t: &mut Throttle, now, from: u8| -> u32 {
            (from..from + 20).map(|n| heard(t, now, 5, v4(n), "admin")).sum()
        };
        assert_eq!(heard_of(&mut t, at(1), 1), 50);
        assert_eq!(heard_of(&mut t, at(2), 30), 1);
        assert_eq!(heard_of(&mut t, at(3), 60), 1);
        assert_eq!(t.begin(at(3), v4(250), "admin").locked_for, None);
        assert_eq!(t.begin(at(3), v4(251), "guest").locked_for, None);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_mapped_ipv4_as_itself() {
        let mut t = throttle();
        let v6 = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(heard(&mut t, at(0), 5, v6("2001:db8::1"), "admin"), 5);
        assert_eq!(heard(&mut t, at(0), 1, v6("2001:db8::ffff:2"), "admin"), 0);
        assert_eq!(heard(&mut t, at(0), 1, v6("2001:db8:0:1::1"), "admin"), 1);
        assert_eq!(heard(&mut t, at(0), 5, v4(1), "guest"), 5);
        assert_eq!(heard(&mut t, at(0), 1, v6("::ffff:10.0.0.1"), "guest"), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut t = throttle();
        for n in 0..2 * MAX_ENTRIES as u32 {
            t.begin(at(0), IpAddr::from(n.to_be_bytes()), "admin");
        }
        assert!(t.entries.len() <= MAX_ENTRIES);
    }
}
