//! The segments of one stream that clients can have now.
//!
//! Memory: [`KEPT_BEYOND`] segments more than the playlist lists, and at most [`CAP_BYTES`] of data
//! in complete segments, besides the open one (see [`super::cut::MAX_SEGMENT_BYTES`]).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::cut::{Cut, Part};
use crate::base::time::MediaTime;

/// Segments that stay available after they left the playlist, for players that are behind.
const KEPT_BEYOND: usize = 6;
/// Beyond this, old segments leave early.
const CAP_BYTES: usize = 32 << 20;
/// How far the dates may be off the wall clock before they jump to it.
const DATE_SLACK: Duration = Duration::from_millis(500);

/// One epoch of the source, as HLS sees it: what lies between two discontinuities.
#[derive(Debug)]
pub(super) struct Epoch {
    /// Counts from 0: the discontinuity sequence number of its segments.
    pub number: u64,
    /// Its first segment, after which the init segment is named.
    pub first_msn: u64,
    /// Init segment; empty for TS.
    pub init: Bytes,
}

/// A segment: complete, or the open one that still grows by parts.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Media sequence number.
    pub msn: u64,
    pub epoch: Arc<Epoch>,
    /// Wall time of its first frame.
    pub date: SystemTime,
    pub duration: MediaTime,
    pub parts: Vec<Part>,
    /// All parts in a row; the parts' bodies are slices of it. Empty while the segment is open.
    pub body: Bytes,
}

/// The sliding window.
#[derive(Debug)]
pub(super) struct Window {
    /// How many complete segments a playlist lists.
    listed: usize,
    /// Target duration in whole seconds; grows to the longest segment.
    target_secs: u64,
    part_target: Option<MediaTime>,
    segments: VecDeque<Segment>,
    open: Option<Segment>,
    /// `None` before the first epoch and while the source is away.
    epoch: Option<Arc<Epoch>>,
    epochs: u64,
    next_msn: u64,
}

impl Window {
    /// An empty window whose first segment gets the number `first_msn`.
    pub fn new(listed: usize, target_secs: u64, first_msn: u64) -> Self {
        Self {
            listed,
            target_secs,
            part_target: None,
            segments: VecDeque::new(),
            open: None,
            epoch: None,
            epochs: 0,
            next_msn: first_msn,
        }
    }

    /// Segments from now on belong to a new epoch.
    pub fn begin_epoch(&mut self, init: Bytes) {
        let epoch = Epoch { number: self.epochs, first_msn: self.next_msn, init };
        self.epochs += 1;
        self.epoch = Some(Arc::new(epoch));
    }

    /// The source is gone; nothing more comes until the next epoch.
    pub fn end_epoch(&mut self) {
        self.epoch = None;
    }

    /// Applies a cutter's output. `wall` says at which wall time a frame of this decoding time came.
    pub fn apply(
        &mut self,
        cut: Cut,
        part_target: Option<MediaTime>,
        wall: impl Fn(MediaTime) -> SystemTime,
    ) {
        self.part_target = part_target;
        match cut {
            Cut::Part(part) => self.add(part, wall),
            Cut::Close => self.close(),
        }
    }

    fn add(&mut self, part: Part, wall: impl Fn(MediaTime) -> SystemTime) {
        let Some(epoch) = self.epoch.clone() else { return };
        if self.open.is_none() {
            let date = self.date(wall(part.start));
            self.open = Some(Segment {
                msn: self.next_msn,
                epoch,
                date,
                duration: MediaTime::ZERO,
                parts: Vec::new(),
                body: Bytes::new(),
            });
        }
        if let Some(open) = &mut self.open {
            open.duration += part.duration;
            open.parts.push(part);
        }
    }

    /// Dates follow media time, so that they are even, unless they drift off the wall clock.
    fn date(&self, measured: SystemTime) -> SystemTime {
        let Some(last) = self.segments.back() else { return measured };
        let expected = last.date + last.duration.to_duration();
        let ahead = expected.duration_since(measured).unwrap_or_default();
        let behind = measured.duration_since(expected).unwrap_or_default();
        if ahead.max(behind) > DATE_SLACK { measured } else { expected }
    }

    fn close(&mut self) {
        let Some(mut segment) = self.open.take() else { return };
        segment.join();
        self.next_msn += 1;
        self.target_secs = self.target_secs.max(segment.rounded_secs());
        self.segments.push_back(segment);
        let mut bytes: usize = self.segments.iter().map(|s| s.body.len()).sum();
        while self.segments.len() > self.listed + KEPT_BEYOND || bytes > CAP_BYTES && self.segments.len() > 1
        {
            bytes -= self.segments.pop_front().map_or(0, |s| s.body.len());
        }
    }

    /// Complete segments that the playlist lists now.
    pub fn listed(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.segments.iter().skip(self.segments.len().saturating_sub(self.listed))
    }

    /// The segment that still grows.
    pub fn open(&self) -> Option<&Segment> {
        self.open.as_ref()
    }

    /// The epoch that runs.
    pub fn epoch(&self) -> Option<&Arc<Epoch>> {
        self.epoch.as_ref()
    }

    /// `EXT-X-TARGETDURATION`
    pub fn target_secs(&self) -> u64 {
        self.target_secs
    }

    pub fn target(&self) -> Duration {
        Duration::from_secs(self.target_secs)
    }

    /// `PART-TARGET`: what the cutter aims at, or the longest listed part if that was longer (the
    /// camera skipped frames, or slowed down).
    pub fn part_target(&self) -> MediaTime {
        let parts = self.listed().chain(self.open()).flat_map(|s| &s.parts);
        let longest = parts.map(|p| p.duration).max().unwrap_or_default();
        // Whole milliseconds, as the playlist writes it.
        let longest = MediaTime::from_millis((longest.0 + 89) / 90);
        self.part_target.unwrap_or(longest).max(longest)
    }

    /// Where the next part will appear, if the source is there to bring it.
    pub fn next_part(&self) -> Option<(u64, usize)> {
        self.epoch.as_ref()?;
        Some((self.next_msn, self.open.as_ref().map_or(0, |open| open.parts.len())))
    }

    /// Number of the segment that is open or comes next.
    pub fn next_msn(&self) -> u64 {
        self.next_msn
    }

    /// Whether a playlist with this part, or this whole segment, can be written now. A part beyond
    /// the end of its segment means the first of the next one.
    pub fn reached(&self, msn: u64, part: Option<usize>) -> bool {
        if msn < self.next_msn {
            let last = self.segments.back().filter(|s| s.msn == msn);
            let beyond = part.is_some_and(|part| last.is_some_and(|s| part >= s.parts.len()));
            return !beyond || self.open.is_some();
        }
        msn == self.next_msn
            && part.is_some_and(|part| self.open.as_ref().is_some_and(|open| open.parts.len() > part))
    }

    /// A complete segment.
    pub fn segment(&self, msn: u64) -> Option<&Segment> {
        self.segments.iter().rev().find(|s| s.msn == msn)
    }

    /// A part of a complete segment or of the open one.
    pub fn part(&self, msn: u64, part: usize) -> Option<Bytes> {
        let segment = self.open.as_ref().filter(|s| s.msn == msn).or_else(|| self.segment(msn))?;
        segment.parts.get(part).map(|p| p.body.clone())
    }

    /// The init segment of the epoch that begins with this segment.
    pub fn init(&self, first_msn: u64) -> Option<Bytes> {
        let epochs = self.segments.iter().map(|s| &s.epoch).chain(&self.epoch);
        epochs.into_iter().find(|e| e.first_msn == first_msn).map(|e| e.init.clone())
    }
}

impl Segment {
    /// Puts the parts into one buffer of which they become slices.
    fn join(&mut self) {
        if let [only] = self.parts.as_slice() {
            self.body = only.body.clone();
            return;
        }
        let mut joined = Vec::with_capacity(self.parts.iter().map(|p| p.body.len()).sum());
        self.parts.iter().for_each(|part| joined.extend_from_slice(&part.body));
        self.body = joined.into();
        let mut rest = self.body.clone();
        for part in &mut self.parts {
            part.body = rest.split_to(part.body.len());
        }
    }

    fn rounded_secs(&self) -> u64 {
        let half_up = self.duration + MediaTime::from_millis(500);
        half_up.to_duration().as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window of four listed segments, the first of which is number 100.
    fn window(segments: u64, seconds: i64, bytes: usize) -> Window {
        let mut window = Window::new(4, 2, 100);
        window.begin_epoch(Bytes::new());
        for n in 0..segments as i64 {
            for half in [0, 1] {
                let part = Part {
                    start: MediaTime::from_millis((2 * n + half) * seconds * 500),
                    duration: MediaTime::from_millis(seconds * 500),
                    independent: half == 0,
                    body: vec![half as u8; bytes / 2].into(),
                };
                window.apply(Cut::Part(part), None, |start| SystemTime::UNIX_EPOCH + start.to_duration());
            }
            window.apply(Cut::Close, None, |_| SystemTime::UNIX_EPOCH);
        }
        window
    }

    #[test]
    fn old_segments_leave_by_number_and_by_size() {
        let small = window(30, 2, 100);
        assert_eq!(small.segments.len(), 10);
        assert_eq!(small.listed().map(|s| s.msn).collect::<Vec<_>>(), [126, 127, 128, 129]);
        assert!(small.segment(120).is_some() && small.segment(119).is_none());
        let large = window(30, 2, 10 << 20);
        assert_eq!(large.segments.len(), 3);
    }

    #[test]
    fn parts_are_slices_of_their_segment() {
        let window = window(1, 2, 100);
        let body = &window.segment(100).unwrap().body;
        let second = window.part(100, 1).unwrap();
        assert_eq!(second.as_ptr(), body[50..].as_ptr());
        assert_eq!(second, vec![1; 50]);
        assert_eq!(window.part(100, 2), None);
    }

    #[test]
    fn the_target_duration_grows_to_the_longest_segment() {
        assert_eq!(window(2, 2, 10).target_secs(), 2);
        assert_eq!(window(2, 10, 10).target_secs(), 10);
    }

    #[test]
    fn what_is_reached() {
        let window = window(2, 2, 100);
        assert_eq!(window.next_part(), Some((102, 0)));
        assert!(window.reached(100, None) && window.reached(101, Some(1)) && window.reached(7, Some(9)));
        assert!(!window.reached(102, None) && !window.reached(102, Some(0)) && !window.reached(101, Some(2)));
        assert!(window.reached(100, Some(2)));
    }
}
