//! The running recordings of all sources, and the commands that start, extend and stop them.
//!
//! A source has at most one recording by schedule, one by hand and one for alarms, which are made longer
//! when they are asked for again, and up to [`MAX_EXTRA`] that were asked for apart. Each is one task
//! ([`super::session`]). The lock is held for list operations only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::Recorder;
use super::control::{Control, Phase};
use super::housekeeping;
use super::place::{FileName, Folders, named_path};
use super::session::{Naming, Session};
use crate::base::footage::{Cause, What};
use crate::base::{Error, Result};
use crate::media::stream::Stream;

/// Most recordings of one source that are asked for apart from the running one.
pub const MAX_EXTRA: usize = 8;
/// How long somebody who starts a recording waits for its first picture.
const FIRST_PICTURE: Duration = Duration::from_secs(10);

/// A recording that is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// `Manual` or `Alarm`.
    pub cause: Cause,
    /// From now on; `None`: until it is stopped.
    pub duration: Option<Duration>,
    /// A running one lasts at least `duration` from now on, instead of so much longer.
    pub at_least: bool,
    pub name: Option<FileName>,
    /// Only with a name.
    pub folders: Option<Folders>,
    /// A recording of its own, also when one is running.
    pub apart: bool,
}

/// A recording that was started or made longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Of the file that it is writing: below `/mediastore/`.
    pub path: String,
    /// It was running before.
    pub extended: bool,
}

/// All recordings by source.
#[derive(Default)]
pub struct Sessions {
    sources: Mutex<HashMap<String, Attached>>,
    pub(super) tasks: TaskTracker,
}

struct Attached {
    stream: Arc<Stream>,
    running: Vec<Running>,
}

pub(super) struct Running {
    slot: Slot,
    control: Arc<Control>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// One for each cause.
    Of(Cause),
    Apart,
}

/// What became of a request.
enum Taken {
    New(Arc<Control>),
    Extended(Arc<Control>),
    /// The running one is just ending.
    Ending(Arc<Control>),
}

impl Recorder {
    /// A source is there now: it can be recorded, and is if its schedule says so.
    pub fn attach(self: &Arc<Self>, stream: Arc<Stream>) {
        let token = stream.token.clone();
        self.sessions.lock().insert(token, Attached { stream, running: Vec::new() });
        self.schedules.look();
    }

    /// A source goes away: its recordings are closed. Called before the source stops.
    pub async fn detach(&self, token: &str) {
        let attached = self.sessions.lock().remove(token);
        let running = attached.map(|attached| attached.running).unwrap_or_default();
        stop(running.into_iter().map(|running| running.control)).await;
    }

    /// Returns when all recordings are closed; called after `shutdown` was cancelled.
    pub async fn stopped(&self) {
        self.sessions.tasks.close();
        self.sessions.tasks.wait().await;
        housekeeping::stopped(self).await;
    }

    /// Starts a recording, or makes the running one longer, and waits until it has a file.
    ///
    /// # Errors
    /// `NotFound` for an unknown source, `Refused` for a name that is used, `Full` for too many recordings,
    /// `Timeout` with the source's reason when it sends no picture, or what the volume says. Nothing is
    /// left of a recording that could not begin.
    pub async fn record(self: &Arc<Self>, token: &str, request: Request) -> Result<Started> {
        loop {
            let taken = match self.extend(token, &request) {
                Some(taken) => taken,
                None => {
                    self.check_name(token, &request).await?;
                    self.begin(token, &request)?
                }
            };
            let (control, extended) = match taken {
                Taken::New(control) => (control, false),
                Taken::Extended(control) => (control, true),
                Taken::Ending(control) => {
                    control.ended().await;
                    continue;
                }
            };
            let path = first_path(&control).await;
            if path.is_err() && !extended {
                control.stop();
                control.ended().await;
            }
            return path.map(|path| Started { path, extended });
        }
    }

    /// Ends all recordings of a source that were asked for by hand, also those with a time, and waits until
    /// their files are closed.
    ///
    /// # Errors
    /// `Refused` when there is none.
    pub async fn stop_manual(&self, token: &str) -> Result<()> {
        let manual: Vec<_> = self.controls(token, |running| running.control.cause == Cause::Manual);
        if manual.is_empty() {
            return Err(Error::refused(format!(
                "parameter token: no manual recording of {token:.64} is running"
            )));
        }
        stop(manual).await;
        Ok(())
    }

    /// All sources that can be recorded.
    pub(super) fn tokens(&self) -> Vec<String> {
        self.sessions.lock().keys().cloned().collect()
    }

    /// Starts or stops the recording by schedule; nothing happens where it is so already.
    pub(super) fn follow_schedule(self: &Arc<Self>, token: &str, wanted: bool) {
        let mut sources = self.sessions.lock();
        let Some(attached) = sources.get_mut(token) else { return };
        let slot = Slot::Of(Cause::Schedule);
        match attached.running.iter().find(|running| running.slot == slot) {
            Some(running) if !wanted => running.control.stop(),
            None if wanted => {
                let request = Request {
                    cause: Cause::Schedule,
                    duration: None,
                    at_least: false,
                    name: None,
                    folders: None,
                    apart: false,
                };
                self.spawn(attached, slot, &request);
            }
            _ => {}
        }
    }

    pub(super) fn controls(&self, token: &str, wanted: impl Fn(&Running) -> bool) -> Vec<Arc<Control>> {
        let sources = self.sessions.lock();
        let running = sources.get(token).into_iter().flat_map(|attached| &attached.running);
        running.filter(|running| wanted(running)).map(|running| running.control.clone()).collect()
    }

    /// The running recording that the request makes longer, if there is one.
    fn extend(&self, token: &str, request: &Request) -> Option<Taken> {
        if request.apart {
            return None;
        }
        let slot = Slot::Of(request.cause);
        let control = self.controls(token, |running| running.slot == slot).pop()?;
        Some(self.prolong(control, request))
    }

    fn prolong(&self, control: Arc<Control>, request: &Request) -> Taken {
        let goes_on = match request.duration {
            Some(duration) if request.at_least => control.last(self.clock.mono() + duration),
            by => control.extend(by),
        };
        match goes_on {
            true => Taken::Extended(control),
            false => Taken::Ending(control),
        }
    }

    /// A name is refused before anything is begun.
    async fn check_name(&self, token: &str, request: &Request) -> Result<()> {
        let (Some(name), Some(folders)) = (request.name.clone(), request.folders.clone()) else {
            return Ok(());
        };
        let token = token.to_owned();
        let check = move |store: &_| named_path(store, &folders, What::Record, &token, &name);
        self.store.run(check).await.map(drop)
    }

    fn begin(self: &Arc<Self>, token: &str, request: &Request) -> Result<Taken> {
        if self.shutdown.is_cancelled() {
            return Err(Error::refused("the device is stopping"));
        }
        let mut sources = self.sessions.lock();
        let attached = sources
            .get_mut(token)
            .ok_or_else(|| Error::not_found(format!("parameter token: there is no source {token:.64}")))?;
        let slot = if request.apart { Slot::Apart } else { Slot::Of(request.cause) };
        let mut same = attached.running.iter().filter(|running| running.slot == slot);
        if request.apart && same.clone().count() >= MAX_EXTRA {
            let text = format!("parameter alwayscreate: {MAX_EXTRA} recordings of {token} are running");
            return Err(Error::full(text));
        }
        match same.next() {
            // Somebody was faster since the look before.
            Some(running) if !request.apart => Ok(self.prolong(running.control.clone(), request)),
            _ => Ok(Taken::New(self.spawn(attached, slot, request))),
        }
    }

    /// Starts a recording's task, which takes itself off the list when it has ended.
    fn spawn(self: &Arc<Self>, attached: &mut Attached, slot: Slot, request: &Request) -> Arc<Control> {
        let until = request.duration.map(|duration| self.clock.mono() + duration);
        let control = Control::new(request.cause, until, self.shutdown.child_token());
        attached.running.push(Running { slot, control: control.clone() });
        let session = Session {
            recorder: self.clone(),
            control: control.clone(),
            stream: attached.stream.clone(),
            naming: match request.name.clone() {
                Some(name) => Naming::Given { name, folders: request.folders.clone() },
                None => Naming::Own,
            },
            now_or_never: request.cause != Cause::Schedule,
        };
        let (recorder, token) = (self.clone(), attached.stream.token.clone());
        let (done, again) = (control.clone(), slot == Slot::Of(Cause::Schedule));
        self.sessions.tasks.spawn(async move {
            let ended = session.run().await;
            if let Some(attached) = recorder.sessions.lock().get_mut(&token) {
                attached.running.retain(|running| !Arc::ptr_eq(&running.control, &done));
            }
            // Last: who waits for the end finds its place free.
            done.set(Phase::Ended(ended.err()));
            if again {
                // It may be wanted again since it was told to stop.
                recorder.schedules.look();
            }
        });
        control
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Attached>> {
        // List operations leave the table valid.
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn stop(controls: impl IntoIterator<Item = Arc<Control>>) {
    let controls: Vec<_> = controls.into_iter().collect();
    controls.iter().for_each(|control| control.stop());
    for control in controls {
        control.ended().await;
    }
}

/// Waits for the recording's first file: its path, or why there is none, or why nothing is written to it.
async fn first_path(control: &Control) -> Result<String> {
    if let (Phase::Waiting(_), Some(path)) = (control.phase(), control.files().newest) {
        return Ok(path);
    }
    let mut phases = control.watch();
    let found =
        |phase: &Phase| matches!(phase, Phase::Recording { .. } | Phase::Ended(_) | Phase::Trouble(_));
    let waited = tokio::time::timeout(FIRST_PICTURE, phases.wait_for(found)).await;
    let phase = waited.ok().and_then(|found| found.ok().map(|phase| phase.clone()));
    match phase.unwrap_or_else(|| control.phase()) {
        Phase::Recording { path, .. } => Ok(path),
        Phase::Trouble(error) | Phase::Ended(Some(error)) => Err(error),
        Phase::Ended(None) => Err(Error::refused("the recording was stopped before its first picture")),
        Phase::Waiting(text) if text.is_empty() => {
            Err(Error::timeout("the source sent no key frame in time"))
        }
        Phase::Waiting(text) => Err(Error::timeout(text)),
    }
}
