//! Exports: the recordings of a time span as one plain MP4 of its own, `archive/<token>/<name>.mp4` on the
//! source's volume.
//!
//! One task per export and, while it works, one thread that may block: [`AT_ONCE`] work, at most
//! [`WAITING`] wait. What an export reads is pinned from the moment it was asked for. A file stands under
//! its name only when it is whole. What was under way when the daemon stopped has failed at the next
//! start. Memory: see [`plan`] and [`write`].

mod plan;
mod write;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Recorder;
use super::pins::Pin;
use super::place::{self, FileName};
use super::volume::Volume;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::recorded::{Library, Reading};
use crate::store::{Export, ExportState};
use plan::Plan;

/// How many are written at the same time.
pub const AT_ONCE: usize = 2;

/// How many may wait for that.
pub const WAITING: usize = 16;

/// Longest time that is exported into one file, all spans together.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How often exports are looked through for those that are too old.
const AGE_CHECK: Duration = Duration::from_secs(60 * 60);

/// How long a deletion waits for an export to let go of its file.
const CANCEL_PATIENCE: Duration = Duration::from_secs(10);

/// Exports that ended and that whoever watches has not looked at yet.
const ENDED: usize = 64;

const INTERRUPTED: &str = "interrupted by a restart";

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Wall,
    pub to: Wall,
}

/// What is going on.
#[derive(Debug)]
pub(super) struct Exports {
    /// By id of the row: what works or waits.
    jobs: Mutex<HashMap<i64, Arc<Job>>>,
    turns: Semaphore,
    /// Tells of those that are done or have failed.
    ended: broadcast::Sender<Status>,
}

/// An export that works or waits.
#[derive(Debug)]
struct Job {
    export: Export,
    /// Ends it before its time.
    stop: CancellationToken,
    /// It is to be forgotten, not to have failed.
    deleted: CancellationToken,
    over: CancellationToken,
    written: AtomicU64,
    /// 0 while it is not known.
    total: AtomicU64,
}

/// An export as it is now.
#[derive(Clone, Debug)]
pub struct Status {
    pub export: Export,
    /// 0 to 100.
    pub percentage: u64,
}

impl Default for Exports {
    fn default() -> Self {
        Self { jobs: Mutex::default(), turns: Semaphore::new(AT_ONCE), ended: broadcast::Sender::new(ENDED) }
    }
}

impl Exports {
    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Arc<Job>>> {
        // Map operations leave the map valid.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn new(export: Export, shutdown: &CancellationToken) -> Self {
        Self {
            export,
            stop: shutdown.child_token(),
            deleted: CancellationToken::new(),
            over: CancellationToken::new(),
            written: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// `Err` when it is to end.
    fn check(&self) -> Result<()> {
        if self.stop.is_cancelled() { Err(Error::refused(INTERRUPTED)) } else { Ok(()) }
    }

    fn begin_writing(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    /// 100 only when it is over.
    fn percentage(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed);
        (self.written.load(Ordering::Relaxed) * 100).checked_div(total).unwrap_or(0).min(99)
    }
}

impl Recorder {
    /// Begins an export and gives its row. Blocks; must be called on a thread of a tokio runtime.
    ///
    /// # Errors
    /// `BadInput` when the spans are too long, `Refused` when nothing was recorded in them, there is an
    /// export of that name or the volume takes nothing, `Full` when too many wait.
    pub fn export(self: &Arc<Self>, token: &str, spans: Vec<Span>, name: Option<FileName>) -> Result<Export> {
        let length: i64 = spans.iter().map(|span| span.to.0 - span.from.0).sum();
        if length > LONGEST.as_millis() as i64 {
            return Err(Error::bad_input("the span is longer than 24 hours"));
        }
        let volume = self.volumes.of_source(token);
        volume.ready()?;
        let pins = self.pin_pieces(token, &spans)?;
        let stem = name.map_or_else(|| place::own_name(token), |name| name.as_str().to_owned());
        let name = format!("{stem}.mp4");
        let mut export = Export {
            id: 0,
            token: token.to_owned(),
            path: format!("archive/{token}/{name}"),
            name,
            volume: volume.name.clone(),
            made: self.clock.wall().into(),
            bytes: 0,
            state: ExportState::Working,
        };
        let job = {
            let mut jobs = self.exports.lock();
            if jobs.len() >= AT_ONCE + WAITING {
                return Err(Error::full(format!("{} exports are under way or waiting already", jobs.len())));
            }
            let taken = |error: Error| error.context("parameter filename");
            export.id = self.store.insert_export(&export).map_err(taken)?;
            let job = Arc::new(Job::new(export.clone(), &self.shutdown));
            jobs.insert(export.id, job.clone());
            job
        };
        let (recorder, begun) = (self.clone(), export.clone());
        self.sessions.tasks.spawn(async move { recorder.run_export(begun, spans, volume, job, pins).await });
        Ok(export)
    }

    /// Pins what lies in the spans.
    fn pin_pieces(&self, token: &str, spans: &[Span]) -> Result<Vec<Pin>> {
        let mut pins = Vec::new();
        for span in spans {
            pins.extend(self.pieces(token, span.from, span.to)?.iter().map(|piece| self.pins.pin(piece.id)));
        }
        match pins.is_empty() {
            true => Err(Error::refused(format!("nothing of {token} was recorded in that time"))),
            false => Ok(pins),
        }
    }

    async fn run_export(
        self: Arc<Self>,
        export: Export,
        spans: Vec<Span>,
        volume: Arc<Volume>,
        job: Arc<Job>,
        pins: Vec<Pin>,
    ) {
        let turn = tokio::select! {
            turn = self.exports.turns.acquire() => turn.ok(),
            () = job.stop.cancelled() => None,
        };
        let (recorder, id) = (self.clone(), export.id);
        let work = move || {
            let made = job.check().and_then(|()| {
                let plan = Plan::make(&*recorder, &export.token, &spans, &job)?;
                write::write(&plan, &*recorder, &volume, &export.path, &job)
            });
            recorder.end_export(&export, &volume, &job, made);
        };
        if tokio::task::spawn_blocking(work).await.is_err() {
            // It panicked; the next start finds its row.
            self.exports.lock().remove(&id);
        }
        drop((turn, pins));
    }

    /// Blocks.
    fn end_export(&self, export: &Export, volume: &Volume, job: &Job, made: Result<u64>) {
        // Under the lock, so that nobody sees a job that has ended but whose row has not.
        let mut jobs = self.exports.lock();
        let deleted = job.deleted.is_cancelled();
        let ended = match (deleted, made) {
            (true, _) => remove_files(volume, export).and_then(|()| self.store.delete_export(export.id)),
            (false, Ok(bytes)) => {
                tracing::info!(token = export.token, path = export.path, bytes, "exported");
                self.settle_export(export, ExportState::Done, bytes)
            }
            (false, Err(error)) => {
                tracing::warn!(token = export.token, path = export.path, "export failed: {error}");
                let state = ExportState::Failed(error.to_string());
                remove_files(volume, export).and(self.settle_export(export, state, 0))
            }
        };
        if let Err(error) = ended {
            tracing::warn!(path = export.path, "after an export: {error}");
        }
        jobs.remove(&export.id);
        job.over.cancel();
    }

    fn settle_export(&self, export: &Export, state: ExportState, bytes: u64) -> Result<()> {
        self.store.end_export(export.id, &state, bytes)?;
        // Nobody may watch.
        let _ = self.exports.ended.send(self.with_progress(Export { state, bytes, ..export.clone() }));
        Ok(())
    }

    /// Those that work or wait now, as they were asked for.
    pub fn exports_under_way(&self) -> Vec<Status> {
        let jobs = self.exports.lock();
        let status = |job: &Arc<Job>| Status { export: job.export.clone(), percentage: job.percentage() };
        let mut under_way: Vec<_> = jobs.values().map(status).collect();
        under_way.sort_unstable_by_key(|status| status.export.id);
        under_way
    }

    /// Tells of exports that are done or have failed from now on.
    pub fn ended_exports(&self) -> broadcast::Receiver<Status> {
        self.exports.ended.subscribe()
    }

    /// An export by its name, with or without `.mp4`. Blocks.
    ///
    /// # Errors
    /// `NotFound` naming the parameter.
    pub fn export_status(&self, token: &str, name: &str) -> Result<Status> {
        let name = format!("{}.mp4", name.strip_suffix(".mp4").unwrap_or(name));
        let export = self.store.export(token, &name)?.ok_or_else(|| {
            let shown: String = name.chars().take(100).collect();
            Error::not_found(format!("parameter filename: there is no export {shown} of {token}"))
        })?;
        Ok(self.with_progress(export))
    }

    /// All exports of a source, oldest first. Blocks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn exports(&self, token: &str) -> Result<Vec<Status>> {
        Ok(self.store.exports(Some(token))?.into_iter().map(|export| self.with_progress(export)).collect())
    }

    fn with_progress(&self, export: Export) -> Status {
        let percentage = match export.state {
            ExportState::Done => 100,
            ExportState::Failed(_) => 0,
            ExportState::Working => self.exports.lock().get(&export.id).map_or(0, |job| job.percentage()),
        };
        Status { export, percentage }
    }

    /// Ends an export that is under way, and deletes row and file.
    ///
    /// # Errors
    /// `NotFound` naming the parameter; `Timeout` when the disk does not let go of the file.
    pub async fn delete_export(self: &Arc<Self>, token: &str, name: &str) -> Result<()> {
        let (recorder, token, name) = (self.clone(), token.to_owned(), name.to_owned());
        let begun = tokio::task::spawn_blocking(move || recorder.begin_deleting(&token, &name)).await;
        let Some(job) = begun.map_err(|_| Error::internal("the deletion was given up"))?? else {
            return Ok(());
        };
        tokio::time::timeout(CANCEL_PATIENCE, job.over.cancelled())
            .await
            .map_err(|_| Error::timeout("the export does not end in time; it is deleted as soon as it does"))
    }

    /// `Some` when a job has to end first, which then deletes it.
    fn begin_deleting(&self, token: &str, name: &str) -> Result<Option<Arc<Job>>> {
        let export = self.export_status(token, name)?.export;
        let jobs = self.exports.lock();
        if let Some(job) = jobs.get(&export.id) {
            job.deleted.cancel();
            job.stop.cancel();
            return Ok(Some(job.clone()));
        }
        self.forget(&export)?;
        Ok(None)
    }

    fn forget(&self, export: &Export) -> Result<()> {
        if let Some(volume) = self.volumes.get(&export.volume) {
            volume.readable()?;
            remove_files(volume, export)?;
        }
        self.store.delete_export(export.id)
    }

    /// Opens a finished export at its path below `/mediastore/`, for serving; with when it was made.
    /// Blocks.
    ///
    /// # Errors
    /// `NotFound`; `Refused` when its volume is not there.
    pub fn open_export(&self, path: &str) -> Result<(Export, Reading)> {
        let nothing =
            || Error::not_found(format!("there is no {}", path.chars().take(200).collect::<String>()));
        let export = self.store.export_by_path(path)?.ok_or_else(nothing)?;
        if export.state != ExportState::Done {
            return Err(nothing());
        }
        let volume = self.volumes.get(&export.volume).ok_or_else(nothing)?;
        volume.readable()?;
        let file = File::open(volume.file(&export.path))?;
        let bytes = file.metadata()?.len();
        let token = export.token.clone();
        Ok((export, Reading { token, file, bytes, open: false, hold: Box::new(()) }))
    }

    /// At start: what was under way has failed. Blocks.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn fail_interrupted_exports(&self) -> Result<()> {
        for export in self.store.exports(None)?.into_iter().filter(|e| e.state == ExportState::Working) {
            if let Some(volume) = self.volumes.get(&export.volume)
                && let Err(error) = remove_files(volume, &export)
            {
                tracing::warn!(path = export.path, "half an export stays: {error}");
            }
            self.store.end_export(export.id, &ExportState::Failed(INTERRUPTED.into()), 0)?;
        }
        Ok(())
    }

    /// Deletes exports that are older than recordings may become, every hour; for ever.
    pub(super) async fn age_exports(self: Arc<Self>) {
        let mut hours = tokio::time::interval(AGE_CHECK);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.shutdown.run_until_cancelled(hours.tick()).await.is_some() {
            let Some(keep) = self.retention().keep else { continue };
            let recorder = self.clone();
            let oldest = Wall::from(self.clock.wall()).plus_millis(-(keep.as_millis() as i64));
            let work = move || recorder.delete_exports_before(oldest);
            if let Ok(Err(error)) = tokio::task::spawn_blocking(work).await {
                tracing::warn!("old exports: {error}");
            }
        }
    }

    fn delete_exports_before(&self, oldest: Wall) -> Result<()> {
        let old = |export: &Export| export.made < oldest && export.state != ExportState::Working;
        for export in self.store.exports(None)?.into_iter().filter(old) {
            // Its volume may be back in an hour.
            if let Err(error) = self.forget(&export) {
                tracing::warn!(path = export.path, "an old export stays: {error}");
            }
        }
        Ok(())
    }
}

/// The file, whole or half; no error when there is none.
fn remove_files(volume: &Volume, export: &Export) -> Result<()> {
    let path = volume.file(&export.path);
    for path in [write::hidden(&path), path] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::from(error).context(&export.path));
            }
            _ => {}
        }
    }
    Ok(())
}
