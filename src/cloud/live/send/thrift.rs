//! Which level an up-link can carry, judged by how late frames leave.
//!
//! Late frames at a stretch are one *episode*. One alone is a hiccup; a second one soon after it, or one that does not
//! end, shows that the link is too thin for what is sent.

use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::live::record::Level;

/// Late again so soon after the last episode: the link is too thin.
const AGAIN: Duration = Duration::from_secs(15);
/// So is it when an episode lasts longer.
const LASTING: Duration = Duration::from_secs(3);
/// Without being late, before more is tried; doubled by each try that fails, up to [`LONGEST_REST`].
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Chooses what is sent.
#[derive(Debug)]
pub struct Thrift {
    pub level: Level,
    has_small: bool,
    /// When the episode that runs began.
    since: Option<Instant>,
    /// When a frame was late last on this level.
    late: Option<Instant>,
    /// When a frame was late last, or this level began.
    quiet_since: Instant,
    rest: Duration,
}

impl Thrift {
    pub fn new(has_small: bool, now: Instant) -> Self {
        Self { level: Level::Full, has_small, since: None, late: None, quiet_since: now, rest: REST }
    }

    /// Whether the small picture is what is sent, all of it or its key frames.
    pub fn wants_small(&self) -> bool {
        self.has_small && self.level > Level::Full
    }

    /// The small picture does not come: key frames of the other one instead.
    pub fn no_small(&mut self) {
        self.has_small = false;
        self.level = Level::Keys;
    }

    /// Takes in whether a frame was late, and says whether the level is another one now.
    pub fn note(&mut self, late: bool, now: Instant) -> bool {
        let before = self.level;
        if late {
            let since = *self.since.get_or_insert(now);
            let again = since == now && self.late.is_some_and(|last| now - last < AGAIN);
            self.late = Some(now);
            self.quiet_since = now;
            if (again || now - since > LASTING) && before < Level::Keys {
                self.level = if before == Level::Full && self.has_small { Level::Small } else { Level::Keys };
                self.rest = (self.rest * 2).min(LONGEST_REST);
            }
        } else {
            self.since = None;
            let quiet = now - self.quiet_since;
            if before > Level::Full && quiet > self.rest {
                self.level = if before == Level::Keys && self.has_small { Level::Small } else { Level::Full };
            } else if before == Level::Full && quiet > LONGEST_REST {
                self.rest = REST;
            }
        }
        if self.level != before {
            (self.since, self.late, self.quiet_since) = (None, None, now);
        }
        self.level != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thin_link_gets_less_and_more_is_tried_later() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut thrift = Thrift::new(true, start);
        let episode = |thrift: &mut Thrift, second| {
            let less = thrift.note(true, at(second));
            less || thrift.note(false, at(second))
        };
        assert!(!episode(&mut thrift, 1));
        assert!(!episode(&mut thrift, 20), "once in a while is no thin link");
        assert!(episode(&mut thrift, 22));
        assert_eq!(thrift.level, Level::Small);
        assert!(!episode(&mut thrift, 23));
        assert!(episode(&mut thrift, 24));
        assert_eq!(thrift.level, Level::Keys);
        assert!(!thrift.note(false, at(60)), "each failure doubles the wait");
        assert!(thrift.note(false, at(24 + 121)));
        assert_eq!(thrift.level, Level::Small);
        assert!(thrift.note(false, at(24 + 2 * 121 + 1)));
        assert_eq!(thrift.level, Level::Full);
    }

    #[test]
    fn one_hiccup_is_forgiven_however_many_frames_it_makes_late() {
        let start = Instant::now();
        let mut thrift = Thrift::new(true, start);
        assert!((0..50).all(|n| !thrift.note(true, start + Duration::from_millis(n * 40))));
        assert!(!thrift.note(false, start + Duration::from_secs(3)));
        assert_eq!(thrift.level, Level::Full);
    }

    #[test]
    fn lateness_that_does_not_end_is_a_thin_link() {
        let start = Instant::now();
        let mut thrift = Thrift::new(true, start);
        let fell = (0..500).find(|&n| thrift.note(true, start + Duration::from_millis(n * 40)));
        assert_eq!((fell, thrift.level), (Some(76), Level::Small));
    }

    #[test]
    fn without_a_small_picture_key_frames_are_sent() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut thrift = Thrift::new(true, start);
        thrift.note(true, at(0));
        thrift.note(false, at(0));
        assert!(thrift.note(true, at(1)));
        assert_eq!(thrift.level, Level::Small);
        assert!(thrift.wants_small());
        thrift.no_small();
        assert_eq!((thrift.level, thrift.wants_small()), (Level::Keys, false));
        assert!(thrift.note(false, at(62)));
        assert_eq!(thrift.level, Level::Full);
    }

    #[test]
    fn a_long_time_without_trouble_is_a_new_start() {
        let start = Instant::now();
        let mut thrift = Thrift::new(false, start);
        thrift.rest = LONGEST_REST;
        thrift.note(false, start + LONGEST_REST + Duration::from_secs(1));
        assert_eq!(thrift.rest, REST);
    }
}
