//! One running recording: the task that takes frames from a hub and puts them into files.
//!
//! It looks into the ring twice a second instead of waking for each frame; the ring reaches back further
//! than that. What it holds itself is one fragment, by reference. Disk work runs on threads that may
//! block, one call at a time, and whoever is too slow for the ring skips to a key frame and says so.
//!
//! A recording goes on until it is stopped or its time is over. A camera that goes away, other parameters, a
//! clock that was set and a volume that cannot be written to end the file, not the recording.

use std::sync::Arc;
use std::time::Duration;

use super::Recorder;
use super::control::{Control, Phase};
use super::cut::{Cut, Cutter};
use super::file::{Opening, RecordingFile};
use super::place::{FileName, Folders, named_path, own_path};
use super::volume::State;
use crate::base::footage::What;
use crate::base::time::{MediaTime, TICKS_PER_SECOND};
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::frame::Frame;
use crate::media::hub::{Cursor, Event, Start};
use crate::media::params::Params;
use crate::media::stream::{Stream, Viewing};

/// How often the ring is looked into; well below how far it reaches back, and how long the end of an epoch
/// can be read.
const LOOK: Duration = Duration::from_millis(500);
/// Shortest time between two looks: some frames.
const GRAIN: Duration = Duration::from_millis(60);
/// How far the wall clock may be from where the file's pictures say it is, before that is taken for a clock
/// that was set.
const CLOCK_JUMP_MS: u64 = 5000;
/// A volume that says that it is well, and fails, is tried again after this time.
const RETRY: Duration = Duration::from_secs(5);
/// A source that does not come is asked again, and its reason shown anew, after this time.
const PATIENCE: Duration = Duration::from_secs(30);
/// Files whose name was given are not cut into smaller ones than this.
const NAMED_ROLLOVER: Duration = Duration::from_secs(60 * 60);
/// A frame may come into the ring so much later than its time of arrival.
const STRAGGLING: Duration = Duration::from_millis(100);

/// How its files are called.
#[derive(Clone, Debug)]
pub enum Naming {
    /// In the folders of their first picture, with a name of our own.
    Own,
    /// As asked for, in the folders asked for, or those of the first file's first picture.
    Given { name: FileName, folders: Option<Folders> },
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
    /// Runs until it is stopped or its time is over, and everything is closed.
    ///
    /// # Errors
    /// Why it could not begin, if it had to do so at once.
    pub async fn run(self) -> Result<()> {
        let viewing = self.stream.view();
        let mut work = Work { session: self, file: None, unfinished: None, next_part: 1 };
        let ended = work.run(&viewing).await;
        work.close().await;
        work.retry_unfinished().await;
        ended
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
                Ok((params, cursor)) => return Ok(Some((params, cursor.to_the_end()))),
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
            let stopped = control.is_stopped();
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
                // Not later than the fragment is full: what is full and not written is lost in a power cut.
                () = tokio::time::sleep(LOOK.min(cutter.room().to_duration() + GRAIN)) => {}
                () = control.stopped() => {}
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
        control.count_skip();
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
        self.session.recorder.wall_at(frame.arrived)
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
        let volume = recorder.volumes.of_source(&stream.token);
        if matches!(volume.state(), State::Checking(_)) {
            control.set(Phase::Waiting(error.to_string()));
        } else {
            tracing::error!(token = stream.token, "recording interrupted: {error}");
            control.set(Phase::Trouble(error));
        }
        let wait = async {
            if volume.writable().is_ok() {
                return tokio::time::sleep(RETRY).await;
            }
            let mut states = volume.watch();
            // The sender lives in the volume that we hold, so this cannot fail.
            let changed = states.wait_for(|state| matches!(state, State::Online | State::Gone(_))).await;
            if changed.is_ok_and(|state| *state != State::Online) {
                self.unfinished = None;
                let _ = states.wait_for(|state| *state == State::Online).await;
            }
        };
        tokio::select! {
            () = wait => {}
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

/// Closes a file; gives it back if that did not work and may later. When a volume comes back, what is
/// unfinished on it and not being written is completed by those who look after it.
async fn complete(mut file: RecordingFile) -> Option<RecordingFile> {
    if file.volume().readable().is_err() {
        tracing::warn!(path = file.path(), "recording not completed: its volume is gone");
        return None;
    }
    let closed = blocking(move || (file.close(), file)).await;
    match closed {
        Ok((Ok(()), _)) => None,
        Ok((Err(error), file)) => {
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

#[cfg(test)]
mod tests;
