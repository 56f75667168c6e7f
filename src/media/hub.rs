//! The hub: one per stream, between the source that pushes frames and everyone who reads them.
//!
//! Invariants:
//! - The ring is the only queue. A viewer is a [`Cursor`], a position in it; no frame is copied or
//!   queued per viewer, and no viewer can hold up the source.
//! - Memory: at most `cap_bytes` of frame data, and no more whole GOPs than are needed to reach back
//!   `keep` from the newest frame. A GOP larger than the cap loses its head; a ring without a key frame
//!   lets new viewers wait for the next one.
//! - The last [`TAIL`] of the epoch before stay for readers that asked for them
//!   ([`Cursor::to_the_end`]).
//! - An epoch is a span with one set of parameters and one unbroken time line. A new epoch empties
//!   the ring, and every cursor of the old one ends.
//!
//! Threads: [`Hub::push`] runs on a GStreamer streaming thread, cursors on tokio workers. The one
//! mutex is held for a few list operations, never across an await or a system call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::frame::{Frame, Track};
use super::params::Params;
use crate::base::time::MediaTime;

/// How far the ring reaches back at least, so that a viewer that is a little late when the next GOP
/// begins need not skip.
pub const DEFAULT_KEEP: MediaTime = MediaTime::from_millis(500);

/// How much of an epoch outlives it. A recording that looks into the ring now and then loses nothing of it.
const TAIL: MediaTime = MediaTime::from_secs(1);

/// Fan-out point of one stream.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
    /// Counts pushes and epoch changes; a change wakes every waiting cursor.
    changed: watch::Sender<u64>,
    cap_bytes: usize,
    keep: MediaTime,
}

#[derive(Debug, Default)]
struct State {
    /// Number of the current epoch; 0 before the first.
    epoch: u64,
    /// `None` between epochs: the source is not connected.
    params: Option<Arc<Params>>,
    ring: VecDeque<Arc<Frame>>,
    /// Sequence number of `ring[0]`.
    first: u64,
    bytes: usize,
    /// Sequence numbers of the entry frames in the ring.
    keys: VecDeque<u64>,
    tail: Tail,
    /// Outlives its epoch, for the picture of a source that went away.
    last_picture: Option<Picture>,
}

/// The end of an epoch that is over.
#[derive(Debug, Default)]
struct Tail {
    epoch: u64,
    frames: VecDeque<Arc<Frame>>,
    /// Sequence number of `frames[0]`.
    first: u64,
}

/// A key frame with what is needed to decode it.
#[derive(Clone, Debug)]
pub struct Picture {
    pub params: Arc<Params>,
    pub frame: Arc<Frame>,
    /// Distinguishes key frames of one hub: equal stamps are the same picture.
    pub stamp: (u64, u64),
}

/// Where a new cursor begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the newest key frame in the ring; the rest of the GOP follows at once.
    NewestKey,
    /// At the newest key frame that lies at least so far behind the newest frame; at the oldest in the
    /// ring if that does not reach back so far.
    Back(MediaTime),
    /// At the first key frame that is pushed from now on.
    NextKey,
}

/// What a cursor yields.
#[derive(Clone, Debug)]
pub enum Event {
    /// The next frame. `lag` is how much media lies in the ring behind it, zero at the live edge.
    Frame { frame: Arc<Frame>, lag: MediaTime },
    /// The reader was too slow: frames before the next one were lost. The next event is an entry frame.
    Skipped,
    /// The epoch is over: the source went away or its parameters changed.
    Ended,
}

impl Hub {
    /// A hub whose ring holds at most `cap_bytes` of frames and reaches back `keep` as far as that
    /// allows.
    pub fn new(cap_bytes: usize, keep: MediaTime) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), changed: watch::Sender::new(0), cap_bytes, keep })
    }

    /// Begins a new epoch, ending all cursors of the one before.
    pub fn begin(&self, params: Params) {
        let mut state = self.lock();
        state.clear();
        state.epoch += 1;
        state.params = Some(Arc::new(params));
        drop(state);
        self.wake();
    }

    /// Ends the epoch: the source is gone. The last picture stays.
    pub fn end(&self) {
        let mut state = self.lock();
        state.clear();
        state.params = None;
        drop(state);
        self.wake();
    }

    /// Forgets the last picture: what comes next may be another camera's.
    pub fn forget(&self) {
        self.lock().last_picture = None;
    }

    /// Adds a frame of the current epoch; ignored between epochs.
    pub fn push(&self, frame: Frame) {
        let mut state = self.lock();
        let Some(params) = state.params.clone() else { return };
        let frame = Arc::new(frame);
        if frame.is_entry() {
            let seq = state.end();
            state.keys.push_back(seq);
            state.last_picture = Some(Picture { params, frame: frame.clone(), stamp: (state.epoch, seq) });
        }
        state.bytes += frame.data.len();
        state.ring.push_back(frame);
        state.trim(self.cap_bytes, self.keep);
        drop(state);
        self.wake();
    }

    /// Parameters of the running epoch, `None` while the source is away.
    pub fn params(&self) -> Option<Arc<Params>> {
        self.lock().params.clone()
    }

    /// The newest key frame, of a past epoch too.
    pub fn picture(&self) -> Option<Picture> {
        self.lock().last_picture.clone()
    }

    /// A reader of the running epoch, with its parameters; `None` while the source is away.
    pub fn cursor(self: &Arc<Self>, start: Start) -> Option<(Arc<Params>, Cursor)> {
        let state = self.lock();
        let params = state.params.clone()?;
        let next = match start {
            Start::NewestKey => state.newest_key(),
            Start::Back(back) => state.key_before(back),
            Start::NextKey => None,
        };
        let next = next.unwrap_or_else(|| state.end());
        let cursor = Cursor {
            epoch: state.epoch,
            next,
            need_key: true,
            to_the_end: false,
            changed: self.changed.subscribe(),
            hub: self.clone(),
        };
        drop(state);
        Some((params, cursor))
    }

    /// Yields at each push, begin and end. For those who wait for a source to come up.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn wake(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock means that a reader panicked between two list operations that leave the
        // ring valid; a camera must not die of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    fn get(&self, seq: u64) -> Option<&Arc<Frame>> {
        self.ring.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    fn clear(&mut self) {
        let end = self.end();
        if let Some(newest) = self.ring.back() {
            let horizon = newest.dts - TAIL;
            let old = self.ring.iter().take_while(|frame| frame.dts < horizon).count();
            let frames = self.ring.split_off(old);
            self.tail = Tail { epoch: self.epoch, frames, first: self.first + old as u64 };
        }
        self.first = end;
        self.ring.clear();
        self.bytes = 0;
        self.keys.clear();
    }

    fn newest_key(&self) -> Option<u64> {
        self.keys.back().copied()
    }

    /// See [`Start::Back`].
    fn key_before(&self, back: MediaTime) -> Option<u64> {
        let limit = self.ring.back()?.dts - back;
        let far = |&&key: &&u64| self.get(key).is_some_and(|frame| frame.dts <= limit);
        self.keys.iter().rev().find(far).or(self.keys.front()).copied()
    }

    fn trim(&mut self, cap_bytes: usize, keep: MediaTime) {
        let horizon = self.ring.back().map_or(MediaTime::ZERO, |newest| newest.dts - keep);
        while let Some(front) = self.ring.front() {
            let next_gop = self.keys.iter().find(|&&key| key > self.first).and_then(|&key| self.get(key));
            let old = next_gop.is_some_and(|key| key.dts <= horizon);
            if !old && self.bytes <= cap_bytes {
                break;
            }
            self.bytes -= front.data.len();
            if self.keys.front() == Some(&self.first) {
                self.keys.pop_front();
            }
            self.first += 1;
            self.ring.pop_front();
        }
    }
}

impl Tail {
    fn get(&self, epoch: u64, seq: u64) -> Option<&Arc<Frame>> {
        if epoch != self.epoch {
            return None;
        }
        self.frames.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }
}

/// One reader's place in a hub's ring.
#[derive(Debug)]
pub struct Cursor {
    hub: Arc<Hub>,
    changed: watch::Receiver<u64>,
    epoch: u64,
    next: u64,
    /// Frames are withheld until an entry frame: at the start, and after a loss.
    need_key: bool,
    to_the_end: bool,
}

impl Cursor {
    /// Before it says that the epoch is over, it yields what it had not read of its last second.
    #[must_use]
    pub fn to_the_end(mut self) -> Self {
        self.to_the_end = true;
        self
    }

    /// The next event; waits at the live edge. Cancel-safe.
    pub async fn next(&mut self) -> Event {
        loop {
            // Marked as seen before the look, so that a push in between wakes us again.
            self.changed.borrow_and_update();
            if let Some(event) = self.poll() {
                return event;
            }
            if self.changed.changed().await.is_err() {
                return Event::Ended;
            }
        }
    }

    /// The next event if there is one now.
    pub fn poll(&mut self) -> Option<Event> {
        let state = self.hub.lock();
        let over = state.epoch != self.epoch || state.params.is_none();
        if !over && self.next < state.first {
            self.next = state.newest_key().unwrap_or_else(|| state.end());
            self.need_key = true;
            return Some(Event::Skipped);
        }
        let get = |seq| match over {
            false => state.get(seq),
            true if self.to_the_end => state.tail.get(self.epoch, seq),
            true => None,
        };
        while let Some(frame) = get(self.next) {
            self.next += 1;
            if self.need_key && !frame.is_entry() {
                continue;
            }
            self.need_key = false;
            let newest = state.ring.back().filter(|_| !over);
            let lag = newest.map_or(MediaTime::ZERO, |newest| (newest.dts - frame.dts).max(MediaTime::ZERO));
            return Some(Event::Frame { frame: frame.clone(), lag });
        }
        over.then_some(Event::Ended)
    }

    /// If an entry frame newer than the next frame is in the ring: its decoding time, without
    /// moving. What lies between can be given up with [`Cursor::skip_to_newest_key`].
    pub fn newer_key(&self) -> Option<MediaTime> {
        let state = self.hub.lock();
        let key = state.newest_key().filter(|&key| state.epoch == self.epoch && key > self.next)?;
        state.get(key).map(|frame| frame.dts)
    }

    /// Moves back or forth to the newest key frame in the ring; to the next one that comes if the
    /// ring has none. For a decoder that lost its reference, or a reader that is late.
    pub fn skip_to_newest_key(&mut self) {
        let state = self.hub.lock();
        self.next = state.newest_key().unwrap_or_else(|| state.end());
        self.need_key = true;
    }

    /// Decoding time of the newest video frame: the live edge of this epoch.
    pub fn edge(&self) -> Option<MediaTime> {
        let state = self.hub.lock();
        state.ring.iter().rev().find(|f| f.track == Track::Video).map(|f| f.dts)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::time::MonoTime;

    fn frame(number: i64, key: bool) -> Frame {
        Frame {
            track: Track::Video,
            dts: MediaTime(number * 3600),
            pts: MediaTime(number * 3600),
            duration: MediaTime(3600),
            key,
            data: Bytes::from(vec![0; 100]),
            arrived: MonoTime::default(),
        }
    }

    fn numbers(cursor: &mut Cursor) -> Vec<i64> {
        std::iter::from_fn(|| match cursor.poll() {
            Some(Event::Frame { frame, .. }) => Some(frame.dts.0 / 3600),
            Some(Event::Skipped) => Some(-1),
            Some(Event::Ended) => Some(-2),
            None => None,
        })
        .take(1000)
        .take_while(|&n| n != -2)
        .collect()
    }

    #[test]
    fn a_new_reader_starts_at_the_newest_key_frame() {
        let hub = Hub::new(1 << 20, DEFAULT_KEEP);
        hub.begin(Params::bare());
        (0..8).for_each(|n| hub.push(frame(n, n % 5 == 0)));
        let (_, mut burst) = hub.cursor(Start::NewestKey).unwrap();
        let (_, mut fresh) = hub.cursor(Start::NextKey).unwrap();
        assert_eq!(numbers(&mut burst), [5, 6, 7]);
        (8..12).for_each(|n| hub.push(frame(n, n % 5 == 0)));
        assert_eq!(numbers(&mut burst), [8, 9, 10, 11]);
        assert_eq!(numbers(&mut fresh), [10, 11]);
    }

    #[test]
    fn a_reader_that_was_overtaken_skips_to_a_key_frame() {
        let hub = Hub::new(1000, DEFAULT_KEEP);
        hub.begin(Params::bare());
        (0..6).for_each(|n| hub.push(frame(n, n % 5 == 0)));
        let (_, mut cursor) = hub.cursor(Start::NewestKey).unwrap();
        assert_eq!(numbers(&mut cursor), [5]);
        (6..26).for_each(|n| hub.push(frame(n, n % 5 == 0)));
        assert_eq!(numbers(&mut cursor), [-1, 25]);
    }

    #[test]
    fn a_gop_beyond_the_cap_loses_its_head_but_readers_at_the_edge_go_on() {
        let hub = Hub::new(1000, DEFAULT_KEEP);
        hub.begin(Params::bare());
        hub.push(frame(0, true));
        let (_, mut cursor) = hub.cursor(Start::NewestKey).unwrap();
        for n in 1..30 {
            hub.push(frame(n, false));
            assert_eq!(numbers(&mut cursor).last(), Some(&n));
        }
        let (_, mut late) = hub.cursor(Start::NewestKey).unwrap();
        assert!(numbers(&mut late).is_empty());
        hub.push(frame(30, true));
        assert_eq!(numbers(&mut late), [30]);
    }

    #[test]
    fn whole_gops_leave_when_the_newer_ones_reach_back_far_enough() {
        let hub = Hub::new(1 << 20, MediaTime(3600 * 2));
        hub.begin(Params::bare());
        let front = |hub: &Hub| hub.lock().ring.front().map(|f| f.dts.0 / 3600);
        (0..12).for_each(|n| hub.push(frame(n, n % 5 == 0)));
        assert_eq!(front(&hub), Some(5));
        hub.push(frame(12, false));
        assert_eq!((front(&hub), hub.lock().bytes), (Some(10), 300));
    }

    #[test]
    fn a_recorder_starts_in_the_past() {
        let hub = Hub::new(1 << 20, MediaTime(3600 * 12));
        hub.begin(Params::bare());
        (0..33).for_each(|n| hub.push(frame(n, n % 5 == 0)));
        let first = |back: i64| numbers(&mut hub.cursor(Start::Back(MediaTime(3600 * back))).unwrap().1)[0];
        assert_eq!([first(0), first(2), first(3), first(12), first(50)], [30, 30, 25, 20, 20]);
    }

    #[test]
    fn a_new_epoch_ends_readers_and_the_last_picture_outlives_it() {
        let hub = Hub::new(1 << 20, DEFAULT_KEEP);
        hub.begin(Params::bare());
        hub.push(frame(0, true));
        let (_, mut cursor) = hub.cursor(Start::NewestKey).unwrap();
        hub.end();
        assert!(matches!(cursor.poll(), Some(Event::Ended)));
        assert!(hub.cursor(Start::NewestKey).is_none());
        assert_eq!(hub.picture().map(|p| p.frame.dts), Some(MediaTime(0)));
        hub.begin(Params::bare());
        assert!(matches!(cursor.poll(), Some(Event::Ended)));
    }

    #[test]
    fn a_reader_that_asked_for_it_gets_the_rest_of_an_epoch() {
        let hub = Hub::new(1 << 20, DEFAULT_KEEP);
        hub.begin(Params::bare());
        hub.push(frame(0, true));
        let cursor = || hub.cursor(Start::NewestKey).unwrap().1;
        let (mut live, mut late, mut prompt) = (cursor(), cursor().to_the_end(), cursor().to_the_end());
        assert_eq!(numbers(&mut prompt), [0]);
        (1..60).for_each(|n| hub.push(frame(n, n % 10 == 0)));
        assert_eq!(numbers(&mut prompt).last(), Some(&59));
        (60..65).for_each(|n| hub.push(frame(n, n % 10 == 0)));
        hub.end();
        hub.begin(Params::bare());
        hub.push(frame(0, true));
        assert_eq!(numbers(&mut prompt), [60, 61, 62, 63, 64]);
        assert!(matches!(prompt.poll(), Some(Event::Ended)));
        // With a hole there is no rest.
        assert!(matches!(late.poll(), Some(Event::Ended)));
        assert!(matches!(live.poll(), Some(Event::Ended)));
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken_by_a_push() {
        let hub = Hub::new(1 << 20, DEFAULT_KEEP);
        hub.begin(Params::bare());
        let (_, mut cursor) = hub.cursor(Start::NewestKey).unwrap();
        let reader = tokio::spawn(async move { cursor.next().await });
        hub.push(frame(0, true));
        assert!(matches!(reader.await.unwrap(), Event::Frame { .. }));
    }
}
