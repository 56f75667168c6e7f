//! Counting of repeated lines. Holds no clock and writes nothing: the caller gives the time and gets
//! the lines to write.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::time::MonoTime;

/// Lines that are watched for repetition at a time; beyond that the oldest is let go.
const MAX_LINES: usize = 128;
/// Longer lines are never collapsed. With [`MAX_LINES`] this bounds the memory to 256 KiB.
const MAX_BYTES: usize = 2048;

/// A line to write, and for how many occurrences it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub line: String,
    pub times: u32,
}

/// The first of several equal lines is told at once. Those that follow are counted and told in one
/// line at the end of the window, and so on for as long as they keep coming.
pub struct Collapse {
    window: Duration,
    seen: HashMap<String, Seen>,
}

struct Seen {
    since: MonoTime,
    untold: u32,
}

impl Collapse {
    /// A `window` of zero collapses nothing.
    pub fn new(window: Duration) -> Self {
        Self { window, seen: HashMap::new() }
    }

    /// Takes a line, and returns what to write now, in order.
    pub fn line(&mut self, now: MonoTime, line: &str) -> Vec<Told> {
        let new = || Told { line: line.to_owned(), times: 1 };
        if self.window.is_zero() || line.len() > MAX_BYTES {
            return vec![new()];
        }
        if let Some(seen) = self.seen.get_mut(line)
            && now.since(seen.since) < self.window
        {
            seen.untold += 1;
            return Vec::new();
        }
        let mut told = self.due(now);
        if let Some(seen) = self.seen.get_mut(line) {
            seen.untold += 1;
            return told;
        }
        if self.seen.len() >= MAX_LINES {
            told.extend(self.forget_oldest());
        }
        self.seen.insert(line.to_owned(), Seen { since: now, untold: 0 });
        told.push(new());
        told
    }

    /// What is due at `now`.
    pub fn due(&mut self, now: MonoTime) -> Vec<Told> {
        let window = self.window;
        let mut told = Vec::new();
        self.seen.retain(|line, seen| {
            if now.since(seen.since) < window {
                return true;
            }
            let repeated = seen.untold > 0;
            if repeated {
                told.push(Told { line: line.clone(), times: seen.untold });
                *seen = Seen { since: now, untold: 0 };
            }
            repeated
        });
        told
    }

    /// How long after `now` the next summary is due; `None` while nothing is being counted.
    pub fn next_due(&self, now: MonoTime) -> Option<Duration> {
        let counted = self.seen.values().filter(|seen| seen.untold > 0);
        counted.map(|seen| self.window.saturating_sub(now.since(seen.since))).min()
    }

    /// Ends all counting, for the end of the program.
    pub fn all(&mut self) -> Vec<Told> {
        self.seen.drain().filter_map(|(line, seen)| summary(line, &seen)).collect()
    }

    fn forget_oldest(&mut self) -> Option<Told> {
        let line = self.seen.iter().min_by_key(|(_, seen)| seen.since)?.0.clone();
        let seen = self.seen.remove(&line)?;
        summary(line, &seen)
    }
}

fn summary(line: String, seen: &Seen) -> Option<Told> {
    (seen.untold > 0).then_some(Told { line, times: seen.untold })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> MonoTime {
        MonoTime::default() + Duration::from_secs(seconds)
    }

    fn told(line: &str, times: u32) -> Told {
        Told { line: line.to_owned(), times }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_window() {
        let mut collapse = Collapse::new(WINDOW);
        assert_eq!(collapse.line(at(0), "a"), [told("a", 1)]);
        assert_eq!(collapse.next_due(at(0)), None);
        for second in 1..=4 {
            assert_eq!(collapse.line(at(second), "a"), []);
        }
        assert_eq!(collapse.line(at(4), "b"), [told("b", 1)]);
        assert_eq!(collapse.next_due(at(4)), Some(Duration::from_secs(6)));
        assert_eq!(collapse.due(at(9)), []);
        assert_eq!(collapse.due(at(10)), [told("a", 4)]);
        // Still coming: counted on, not told as new.
        assert_eq!(collapse.line(at(12), "a"), []);
        assert_eq!(collapse.due(at(20)), [told("a", 1)]);
        // Silent for a whole window: new again.
        assert_eq!(collapse.due(at(30)), []);
        assert_eq!(collapse.line(at(31), "a"), [told("a", 1)]);
    }

    #[test]
    fn a_line_after_the_window_brings_the_summary_with_it() {
        let mut collapse = Collapse::new(WINDOW);
        collapse.line(at(0), "a");
        collapse.line(at(1), "a");
        assert_eq!(collapse.line(at(15), "b"), [told("a", 1), told("b", 1)]);
    }

    #[test]
    fn memory_is_bounded_and_nothing_counted_is_lost() {
        let mut collapse = Collapse::new(WINDOW);
        collapse.line(at(0), "first");
        collapse.line(at(0), "first");
        let mut out = Vec::new();
        for n in 0..1000 {
            out.extend(collapse.line(at(1), &n.to_string()));
        }
        assert_eq!(collapse.seen.len(), MAX_LINES);
        assert!(out.contains(&told("first", 1)));
        let long = "x".repeat(MAX_BYTES + 1);
        assert_eq!(collapse.line(at(1), &long), [told(&long, 1)]);
        assert_eq!(collapse.line(at(1), &long), [told(&long, 1)]);
    }

    #[test]
    fn the_end_tells_what_was_counted_and_zero_counts_nothing() {
        let mut collapse = Collapse::new(WINDOW);
        collapse.line(at(0), "a");
        collapse.line(at(1), "a");
        assert_eq!(collapse.all(), [told("a", 1)]);

        let mut off = Collapse::new(Duration::ZERO);
        assert_eq!(off.line(at(0), "a"), [told("a", 1)]);
        assert_eq!(off.line(at(0), "a"), [told("a", 1)]);
    }
}
