//! One running recording: the task that takes frames from a hub and puts them into files.
//!
//! It looks into the ring a few times a second instead of waking for each frame; the ring reaches back
//! further than that. What it holds itself is one fragment, by reference. Disk work runs on threads that may
//! block, one call at a time, and whoever is too slow for the ring skips to a key frame and says so.
//!
//! A recording goes on until it is stopped or its time is over. A camera that goes away, other parameters, a
//! clock that was set and a volume that cannot be written to end the file, not the recording.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Recorder;
use super::cut::{Cut, Cutter};
use super::file::{Opening, RecordingFile};
use super::place::{FileName, Folders, named_path, own_path};
use super::volume::State;
use crate::base::footage::{Cause, What};
use crate::base::time::{MediaTime, MonoTime, TICKS_PER_SECOND};
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::frame::Frame;
use crate::media::hub::{Cursor, Event, Start};
use crate::media::params::Params;
use crate::media::stream::{Stream, Viewing};

/// How often the ring is looked into; well below how far it reaches back.
const LOOK: Duration = Duration::from_millis(200);
/// How far the wall clock may be from where the file's pictures say it is, before that is taken for a clock
/// that was set.
const CLOCK_JUMP_MS: i64 = 5000;
/// A volume that says that it is well, and fails, is tried again after this time.
const RETRY: Duration = Duration::from_secs(5);
/// A source that does not come is asked again, and its reason shown anew, after this time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Files whose name was given are not cut into smaller ones than this.
const NAMED_ROLLOVER: Duration = Duration::from_secs(60 * 60);
/// A frame may come into the ring so much later than its time of arrival.
const STRAGGLING: Duration = Duration::from_millis(100);

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

/// How its files are called.
#[derive(Clone, Debug)]
pub enum Naming {
    /// In the folders of their first picture, with a name of our own.
    Own,
    /// As asked for, in the folders asked for, or those of the first file's first picture.
    Given { name: FileName, folders: Option<Folders> },
}

/// Until when it goes on.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// `None`: until it is stopped.
    until: Option<MonoTime>,
    /// It was reached; it cannot be put off any more.
    over: bool,
}

/// What others see of a recording, and how they steer it.
#[derive(Debug)]
pub struct Control {
    pub cause: Cause,
    limit: watch::Sender<Limit>,
    phase: watch::Sender<Phase>,
    /// How often frames were lost because the disk was too slow.
    skips: AtomicU64,
    stop: CancellationToken,
}

impl Control {
    /// `stop` ends it, and so does the monotonic time `until`.
    pub fn new(cause: Cause, until: Option<MonoTime>, stop: CancellationToken) -> Arc<Self> {
        let limit = watch::Sender::new(Limit { until, over: false });
        let phase = watch::Sender::new(Phase::Waiting(String::new()));
        Arc::new(Self { cause, limit, phase, skips: AtomicU64::new(0), stop })
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

    fn set(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Whether `at` is the end, or so long after it; from then on it is over.
    fn is_over(&self, at: MonoTime, after: Duration) -> bool {
        let reached = |limit: &Limit| limit.until.is_some_and(|end| at >= end + after);
        if !reached(&self.limit.borrow()) {
            return false;
        }
        self.limit.send_modify(|limit| limit.over |= reached(limit));
        self.limit.borrow().over
    }

    /// Returns when it was stopped or its time is over.
    async fn finished(&self, now: impl Fn() -> MonoTime) {
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

/// What a session is made of.
pub struct Session {
    pub recorder: Arc<Recorder>,
    pub control: Arc<Control>,
    pub stream: Arc<Stream>,
    pub naming: Naming,
    /// Whether it ends when its first file cannot be begun, instead of waiting.
    pub now_or_never: bool,
}

/// Why the frames that can be read came to an end.
enum End {
    /// The source is gone or has changed.
    Epoch,
    /// The volume takes nothing.
    Trouble(Error),
    Finished,
}

impl Session {
    /// Runs until it is stopped or its time is over; then everything is closed.
    pub async fn run(self) {
        let control = self.control.clone();
        let viewing = self.stream.view();
        let mut work = Work { session: self, file: None, unfinished: None, next_part: 1 };
        let ended = work.run(&viewing).await;
        work.close().await;
        work.retry_unfinished().await;
        control.set(Phase::Ended(ended.err()));
    }
}

/// The task's own state.
struct Work {
    session: Session,
    file: Option<Current>,
    /// One that could not be completed when its volume failed.
    unfinished: Option<RecordingFile>,
    /// Number of the next file.
    next_part: u32,
}

/// The open file and where it lies on the epoch's time line.
struct Current {
    file: RecordingFile,
    first: MediaTime,
}

impl Work {
    async fn run(&mut self, viewing: &Viewing) -> Result<()> {
        while let Some((params, mut cursor)) = self.source(viewing).await? {
            loop {
                let end = self.frames(&params, &mut cursor).await;
                self.close().await;
                match end {
                    End::Epoch => break,
                    End::Finished => return Ok(()),
                    End::Trouble(error) if self.gives_up() => return Err(error),
                    End::Trouble(error) => self.trouble(error).await,
                }
            }
        }
        Ok(())
    }

    /// Waits for the source; `None` when the recording is over before it comes.
    async fn source(&self, viewing: &Viewing) -> Result<Option<(Arc<Params>, Cursor)>> {
        let Session { recorder, control, .. } = &self.session;
        let start = Start::Back(MediaTime::from(recorder.settings.pre_roll));
        control.set(Phase::Waiting(String::new()));
        loop {
            let found = tokio::select! {
                found = viewing.cursor(start, PATIENCE) => found,
                () = control.finished(|| recorder.clock.mono()) => return Ok(None),
            };
            match found {
                Ok(found) => return Ok(Some(found)),
                Err(error) if self.gives_up() => return Err(error),
                Err(error) => control.set(Phase::Waiting(error.to_string())),
            }
        }
    }

    fn gives_up(&self) -> bool {
        self.session.now_or_never && self.next_part == 1
    }

    /// Records what the cursor yields, from the next key frame on.
    async fn frames(&mut self, params: &Arc<Params>, cursor: &mut Cursor) -> End {
        let control = self.session.control.clone();
        let mut cutter = Cutter::new(params.audio.is_some());
        loop {
            // Before the look: what came until now is in the ring.
            let now = self.session.recorder.clock.mono();
            let stopped = control.stop.is_cancelled();
            while let Some(event) = cursor.poll() {
                let done = match event {
                    Event::Frame { frame, .. } if control.is_over(frame.arrived, Duration::ZERO) => {
                        return self.rest(params, cutter, End::Finished).await;
                    }
                    Event::Ended => return self.rest(params, cutter, End::Epoch).await,
                    Event::Frame { frame, .. } => self.frame(params, &mut cutter, &frame).await,
                    Event::Skipped => self.skipped(params, &mut cutter).await,
                };
                if let Err(error) = done {
                    return End::Trouble(error);
                }
            }
            if stopped || control.is_over(now, STRAGGLING) {
                return self.rest(params, cutter, End::Finished).await;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = control.stop.cancelled() => {}
            }
        }
    }

    async fn frame(&mut self, params: &Arc<Params>, cutter: &mut Cutter, frame: &Arc<Frame>) -> Result<()> {
        let roll = match &self.file {
            None if !frame.is_entry() => return Ok(()),
            None => {
                let start = self.moment(frame);
                self.open(params, frame, start).await?;
                false
            }
            Some(current) => frame.is_entry() && self.is_due(current, frame),
        };
        match cutter.push(frame, roll) {
            Some(cut) => self.write(params, cut).await,
            None => Ok(()),
        }
    }

    /// Frames were lost in front of the next key frame: that one begins another file.
    async fn skipped(&mut self, params: &Arc<Params>, cutter: &mut Cutter) -> Result<()> {
        let Session { control, stream, .. } = &self.session;
        if self.file.is_none() {
            return Ok(());
        }
        control.skips.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(token = stream.token, "recording: the disk is too slow, frames were lost");
        let sound = params.audio.is_some();
        let flushed = self.flush(params, std::mem::replace(cutter, Cutter::new(sound))).await;
        self.close().await;
        self.session.control.set(Phase::Waiting(String::new()));
        flushed
    }

    /// Writes what was collected.
    async fn rest(&mut self, params: &Arc<Params>, cutter: Cutter, end: End) -> End {
        match self.flush(params, cutter).await {
            // What is over needs no volume any more.
            Err(error) if !matches!(end, End::Finished) => End::Trouble(error),
            _ => end,
        }
    }

    async fn flush(&mut self, params: &Arc<Params>, mut cutter: Cutter) -> Result<()> {
        while let Some(cut) = cutter.flush() {
            self.write(params, cut).await?;
        }
        Ok(())
    }

    /// Wall time of a frame.
    fn moment(&self, frame: &Frame) -> Wall {
        let clock = &self.session.recorder.clock;
        let ago = clock.mono().since(frame.arrived).as_millis();
        Wall::from(clock.wall()).plus_millis(-i64::try_from(ago).unwrap_or(0))
    }

    /// Whether the file ends before this key frame.
    fn is_due(&self, current: &Current, key: &Frame) -> bool {
        let rollover = match self.session.naming {
            Naming::Own => self.session.recorder.settings.rollover,
            Naming::Given { .. } => NAMED_ROLLOVER,
        };
        key.dts - current.first >= rollover.into() || is_jump(current.moment(key.dts), self.moment(key))
    }

    /// Begins a file with `key`, whose wall time is `start`.
    async fn open(&mut self, params: &Arc<Params>, key: &Frame, start: Wall) -> Result<()> {
        let Session { recorder, control, stream, naming, .. } = &self.session;
        let recorder = recorder.clone();
        let volume = recorder.volumes.of_source(&stream.token);
        let (token, cause, params) = (stream.token.clone(), control.cause, params.clone());
        let (naming, mut part) = (naming.clone(), self.next_part);
        let (part, folders, opened) = blocking(move || {
            let folders = match &naming {
                Naming::Given { folders: Some(folders), .. } => folders.clone(),
                _ => Folders::at(start),
            };
            let path = naming.path(&recorder, &folders, &token, &mut part);
            let opened = path.and_then(|path| {
                let opening = Opening { token, cause, path, start, offset: folders.offset, params };
                RecordingFile::open(recorder, volume, opening)
            });
            (part, folders, opened)
        })
        .await?;
        let file = opened?;
        self.next_part = part + 1;
        if let Naming::Given { folders: kept, .. } = &mut self.session.naming {
            kept.get_or_insert(folders);
        }
        self.session.control.set(Phase::Recording { path: file.path().to_owned(), since: file.start() });
        self.file = Some(Current { file, first: key.dts });
        Ok(())
    }

    async fn write(&mut self, params: &Arc<Params>, cut: Cut) -> Result<()> {
        let Some(Current { mut file, first }) = self.file.take() else { return Ok(()) };
        let Cut { frames, until, next_file } = cut;
        let (file, done) = blocking(move || {
            let done = file.append(&frames, until);
            (file, done)
        })
        .await?;
        let current = self.file.insert(Current { file, first });
        done?;
        let Some(key) = next_file else { return Ok(()) };
        let expected = current.moment(key.dts);
        let shown = self.moment(&key);
        self.close().await;
        self.open(params, &key, if is_jump(expected, shown) { shown } else { expected }).await
    }

    async fn close(&mut self) {
        if let Some(current) = self.file.take() {
            self.unfinished = complete(current.file).await.or(self.unfinished.take());
        }
    }

    async fn retry_unfinished(&mut self) {
        if let Some(file) = self.unfinished.take() {
            self.unfinished = complete(file).await;
        }
    }

    /// Waits until the volume can be written to again, or the recording is over.
    async fn trouble(&mut self, error: Error) {
        let Session { recorder, control, stream, .. } = &self.session;
        tracing::error!(token = stream.token, "recording interrupted: {error}");
        control.set(Phase::Trouble(error));
        let volume = recorder.volumes.of_source(&stream.token);
        let usable = async {
            if volume.writable().is_ok() {
                return tokio::time::sleep(RETRY).await;
            }
            // The sender lives in the volume that we hold, so this cannot fail.
            let _ = volume.watch().wait_for(|state| *state == State::Online).await;
        };
        tokio::select! {
            () = usable => {}
            () = control.finished(|| recorder.clock.mono()) => return,
        }
        tracing::info!(token = stream.token, "recording goes on");
        control.set(Phase::Waiting(String::new()));
        self.retry_unfinished().await;
    }
}

impl Current {
    /// Wall time of a point on the epoch's line, as this file has it.
    fn moment(&self, at: MediaTime) -> Wall {
        self.file.start().plus_millis((at - self.first).0 * 1000 / TICKS_PER_SECOND)
    }
}

impl Naming {
    /// A path for file number `part`, or for a later one if that is used.
    fn path(&self, recorder: &Recorder, folders: &Folders, token: &str, part: &mut u32) -> Result<String> {
        let Self::Given { name, .. } = self else {
            return own_path(&recorder.store, folders, What::Record, token);
        };
        if *part == 1 {
            return named_path(&recorder.store, folders, What::Record, token, name);
        }
        loop {
            let path = folders.path(What::Record, token, &format!("{}-{part}", name.as_str()));
            if recorder.store.footage_by_path(&path)?.is_none() {
                return Ok(path);
            }
            *part += 1;
        }
    }
}

/// Whether the clock was set between the two, or the camera's runs away from it.
fn is_jump(expected: Wall, shown: Wall) -> bool {
    expected.0.abs_diff(shown.0) > CLOCK_JUMP_MS
}

/// Closes a file; gives it back if that did not work.
async fn complete(mut file: RecordingFile) -> Option<RecordingFile> {
    let closed = blocking(move || file.close().map_err(|error| (file, error))).await;
    match closed {
        Ok(Ok(())) => None,
        Ok(Err((file, error))) => {
            tracing::error!(path = file.path(), "recording not completed: {error}");
            Some(file)
        }
        Err(error) => {
            tracing::error!("recording not completed: {error}");
            None
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(format!("disk work: {error}")))
}
