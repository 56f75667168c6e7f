//! What others see of a running recording, and how they steer it: shared by its task and whoever holds it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::base::Error;
use crate::base::footage::Cause;
use crate::base::time::MonoTime;
use crate::base::wall::Wall;

/// What a recording is doing.
#[derive(Clone, Debug)]
pub enum Phase {
    /// For the source, or its next key frame; the text is the source's reason, if it has one.
    Waiting(String),
    /// A file is open: its path, and the time of its first picture.
    Recording { path: String, since: Wall },
    /// The volume takes nothing; the text says why.
    Trouble(Error),
    /// Over; with why it never began, if so.
    Ended(Option<Error>),
}

/// Until when it goes on.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// `None`: until it is stopped.
    until: Option<MonoTime>,
    /// It was reached; it cannot be put off any more.
    over: bool,
}

/// What a recording has written so far.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Path of the newest one, which may be closed.
    pub newest: Option<String>,
    /// Time of the first picture of the first one.
    pub began: Option<Wall>,
}

/// What others see of a recording, and how they steer it.
#[derive(Debug)]
pub struct Control {
    pub cause: Cause,
    limit: watch::Sender<Limit>,
    phase: watch::Sender<Phase>,
    files: Mutex<Files>,
    /// How often frames were lost because the disk was too slow.
    skips: AtomicU64,
    stop: CancellationToken,
}

impl Control {
    /// `stop` ends it, and so does the monotonic time `until`.
    pub fn new(cause: Cause, until: Option<MonoTime>, stop: CancellationToken) -> Arc<Self> {
        let limit = watch::Sender::new(Limit { until, over: false });
        let phase = watch::Sender::new(Phase::Waiting(String::new()));
        let files = Mutex::default();
        Arc::new(Self { cause, limit, phase, files, skips: AtomicU64::new(0), stop })
    }

    /// Makes it `by` longer, or open-ended with `None`. `false` when it is over already.
    pub fn extend(&self, by: Option<Duration>) -> bool {
        self.limit.send_if_modified(|limit| {
            if !limit.over {
                limit.until = limit.until.zip(by).map(|(until, by)| until + by);
            }
            !limit.over
        }) && !self.stop.is_cancelled()
    }

    /// Makes it last until `end` at least. `false` when it is over already.
    pub fn last(&self, end: MonoTime) -> bool {
        self.limit.send_if_modified(|limit| {
            if !limit.over {
                limit.until = limit.until.map(|until| until.max(end));
            }
            !limit.over
        }) && !self.stop.is_cancelled()
    }

    /// Ends it in order; see [`Control::ended`].
    pub fn stop(&self) {
        self.stop.cancel();
    }

    pub fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }

    /// How often frames were lost because the disk was too slow.
    pub fn skips(&self) -> u64 {
        self.skips.load(Ordering::Relaxed)
    }

    pub fn watch(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Waits until its last file is closed.
    pub async fn ended(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.watch().wait_for(|phase| matches!(phase, Phase::Ended(_))).await;
    }

    pub fn files(&self) -> Files {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, phase: Phase) {
        if let Phase::Recording { path, since } = &phase {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.newest = Some(path.clone());
            files.began.get_or_insert(*since);
        }
        self.phase.send_replace(phase);
    }

    pub fn count_skip(&self) {
        self.skips.fetch_add(1, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Returns when it is told to stop.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Whether `at` is the end, or so long after it; from then on it is over.
    pub fn is_over(&self, at: MonoTime, after: Duration) -> bool {
        let reached = |limit: &Limit| limit.until.is_some_and(|end| at >= end + after);
        if !reached(&self.limit.borrow()) {
            return false;
        }
        self.limit.send_modify(|limit| limit.over |= reached(limit));
        self.limit.borrow().over
    }

    /// Returns when it was stopped or its time is over.
    pub async fn finished(&self, now: impl Fn() -> MonoTime) {
        let mut limits = self.limit.subscribe();
        let over = async {
            while !self.is_over(now(), Duration::ZERO) {
                let until = limits.borrow_and_update().until;
                let changed = limits.changed();
                match until {
                    Some(until) => drop(tokio::time::timeout(until.since(now()), changed).await),
                    None => drop(changed.await),
                }
            }
        };
        tokio::select! {
            () = over => {}
            () = self.stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lasting_at_least_so_long_never_shortens_and_comes_too_late_at_the_end() {
        let at = |seconds| MonoTime::default() + Duration::from_secs(seconds);
        let over = |control: &Control, seconds| control.is_over(at(seconds), Duration::ZERO);
        let control = Control::new(Cause::Alarm, Some(at(5)), CancellationToken::new());
        assert!(control.last(at(3)) && !over(&control, 4));
        assert!(control.last(at(10)) && !over(&control, 9));
        assert!(over(&control, 10) && !control.last(at(20)) && over(&control, 10));
        let endless = Control::new(Cause::Alarm, None, CancellationToken::new());
        assert!(endless.last(at(3)) && !over(&endless, 4));
    }

    #[test]
    fn it_began_with_its_first_file() {
        let control = Control::new(Cause::Manual, None, CancellationToken::new());
        assert!(control.files().began.is_none());
        for (path, since) in [("a", Wall(1000)), ("b", Wall(2000))] {
            control.set(Phase::Recording { path: path.to_owned(), since });
        }
        let files = control.files();
        assert_eq!((files.newest.as_deref(), files.began), (Some("b"), Some(Wall(1000))));
    }
}
