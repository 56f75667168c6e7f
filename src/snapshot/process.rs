//! The daemon's side of the decoding: one tokio task that owns the child, gives it one key frame at a
//! time, kills it when it does not answer, tries again with software where hardware failed, and ends it
//! when it has been idle.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::child::{Failure, Fate, Request, Worker};
use super::choice::{Choice, CodecReport, Recipe};
use super::probe::Prober;
use super::{CodecSettings, verdicts};
use crate::base::{Error, Result};
use crate::media::hub::Picture;

/// How long software may take over one key frame.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long hardware may: somebody waits, and software is there.
const HARDWARE_DEADLINE: Duration = Duration::from_secs(1);
/// An unused child ends after this time.
const IDLE: Duration = Duration::from_secs(60);
/// Key frames that wait; further ones are refused.
const QUEUE: usize = 32;

/// A JPEG to come; all clones give the same one.
pub(super) type Pending = Shared<BoxFuture<'static, Result<Bytes>>>;

/// Handle of the task; dropping the last one ends task and child.
#[derive(Clone, Debug)]
pub(super) struct Process {
    jobs: mpsc::Sender<Job>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    decodes: AtomicU64,
    /// 0 while there is no child.
    pid: AtomicU32,
    choice: Arc<Mutex<Choice>>,
}

#[derive(Debug)]
enum Job {
    Picture {
        picture: Picture,
        width: Option<u32>,
        answer: oneshot::Sender<Result<Bytes>>,
    },
    /// Finds out what there is to decode with.
    Look {
        answer: oneshot::Sender<Result<()>>,
    },
}

impl Process {
    /// Starts the task; the child itself comes with the first job.
    pub fn start(exe: PathBuf, settings: CodecSettings, shutdown: CancellationToken) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let file = settings.data_dir.as_ref().map(|dir| dir.join(verdicts::FILE));
        let choice = Arc::new(Mutex::new(Choice::new(settings)));
        let prober = Prober::new(exe.clone(), file, choice.clone(), shutdown.clone());
        let state = Arc::new(State { decodes: AtomicU64::new(0), pid: AtomicU32::new(0), choice });
        let task = Task { exe, state: state.clone(), worker: None, prober };
        tokio::spawn(task.run(queue, shutdown));
        Self { jobs, state }
    }

    /// Queues a key frame.
    ///
    /// # Errors
    /// `Full` when [`QUEUE`] frames wait, `Refused` after shutdown.
    pub fn decode(&self, picture: &Picture, width: Option<u32>) -> Result<Pending> {
        let (answer, result) = oneshot::channel();
        self.queue(Job::Picture { picture: picture.clone(), width, answer })?;
        Ok(async { result.await.unwrap_or_else(|_| Err(shutting_down())) }.boxed().shared())
    }

    /// How each element stands; a child is started if there was none yet to ask.
    ///
    /// # Errors
    /// As [`Process::decode`], and when the child does not start.
    pub async fn report(&self) -> Result<Vec<CodecReport>> {
        let (answer, result) = oneshot::channel();
        self.queue(Job::Look { answer })?;
        result.await.unwrap_or_else(|_| Err(shutting_down()))?;
        Ok(lock(&self.state.choice).report(Instant::now()))
    }

    fn queue(&self, job: Job) -> Result<()> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::full("snapshot: too many pictures wait"),
            mpsc::error::TrySendError::Closed(_) => shutting_down(),
        })
    }

    pub fn decodes(&self) -> u64 {
        self.state.decodes.load(Ordering::Relaxed)
    }

    pub fn pid(&self) -> Option<u32> {
        Some(self.state.pid.load(Ordering::Relaxed)).filter(|&pid| pid > 0)
    }
}

/// For as long as it takes to look something up.
pub(super) fn lock(choice: &Mutex<Choice>) -> MutexGuard<'_, Choice> {
    // No method leaves it half changed.
    choice.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shutting_down() -> Error {
    Error::refused("snapshot: shutting down")
}

struct Task {
    exe: PathBuf,
    state: Arc<State>,
    worker: Option<Worker>,
    prober: Prober,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>, shutdown: CancellationToken) {
        loop {
            let job = tokio::select! {
                job = queue.recv() => job,
                () = shutdown.cancelled() => None,
                () = tokio::time::sleep(IDLE), if self.worker.is_some() => {
                    self.keep(None);
                    continue;
                }
            };
            let Some(job) = job else { break };
            tokio::select! {
                () = self.work(job) => {}
                () = shutdown.cancelled() => break,
            }
        }
        self.keep(None);
    }

    async fn work(&mut self, job: Job) {
        // Whoever asked may be gone.
        match job {
            Job::Picture { picture, width, answer } => {
                self.state.decodes.fetch_add(1, Ordering::Relaxed);
                let _ = answer.send(self.picture(&picture, width).await);
            }
            Job::Look { answer } => {
                let _ = answer.send(self.look().await);
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        let worker = self.ready().await?;
        self.keep(Some(worker));
        Ok(())
    }

    /// Makes the picture by the first recipe that can. Hardware that failed at what software can do gets
    /// a strike; a frame that nobody can decode is its own fault.
    async fn picture(&mut self, picture: &Picture, width: Option<u32>) -> Result<Bytes> {
        self.look().await?;
        let codec = picture.params.video.codec;
        let plan = lock(&self.state.choice).plan(codec, Instant::now());
        let mut outcome = Err(Error::unsupported(format!("no decoder for {codec:?} is installed")));
        let mut suspect = None;
        for recipe in &plan {
            match self.attempt(recipe, picture, width).await {
                Ok(jpeg) => {
                    outcome = Ok(jpeg);
                    break;
                }
                Err(failure) => {
                    let Failure { fate, part, error } = failure;
                    if part.hardware {
                        suspect = Some((part, error.to_string()));
                    }
                    let last_word = fate != Fate::Well && !recipe.has_hardware();
                    outcome = Err(error);
                    if last_word {
                        break;
                    }
                }
            }
        }
        if let (Ok(_), Some((part, why))) = (&outcome, suspect) {
            lock(&self.state.choice).strike(&part, &why, Instant::now());
        }
        outcome
    }

    /// One try; with software, a second one if the child had died before its time.
    async fn attempt(
        &mut self,
        recipe: &Recipe,
        picture: &Picture,
        width: Option<u32>,
    ) -> std::result::Result<Bytes, Failure> {
        let was_idle = self.worker.is_some();
        match self.try_once(recipe, picture, width).await {
            Err(Failure { fate: Fate::Died, .. }) if was_idle && !recipe.has_hardware() => {
                self.try_once(recipe, picture, width).await
            }
            outcome => outcome,
        }
    }

    async fn try_once(
        &mut self,
        recipe: &Recipe,
        picture: &Picture,
        width: Option<u32>,
    ) -> std::result::Result<Bytes, Failure> {
        let died = |error| Failure { fate: Fate::Died, part: recipe.decoder.clone(), error };
        let mut worker = self.ready().await.map_err(died)?;
        let request = Request {
            recipe,
            video: &picture.params.video,
            unit: &picture.frame.data,
            width,
            check_size: recipe.decoder.hardware,
        };
        let patience = if recipe.has_hardware() { HARDWARE_DEADLINE } else { DEADLINE };
        let outcome = worker.picture(&request, patience).await;
        match &outcome {
            Ok(_) => self.keep(Some(worker)),
            Err(Failure { fate: Fate::Well, part, error }) => {
                if part.hardware {
                    tracing::warn!("{}: {error}", part.element);
                }
                self.keep(Some(worker));
            }
            Err(Failure { part, error, .. }) => {
                tracing::warn!("snapshot worker is replaced: {error}");
                self.keep(None);
                if !worker.end().await && part.hardware {
                    lock(&self.state.choice).poison(&part.element);
                }
            }
        }
        outcome
    }

    /// The child, or a new one if it is gone.
    async fn ready(&mut self) -> Result<Worker> {
        if let Some(mut worker) = self.worker.take()
            && !worker.is_gone()
        {
            return Ok(worker);
        }
        let (worker, inventory) = Worker::start(&self.exe).await?;
        self.state.pid.store(worker.pid().unwrap_or(0), Ordering::Relaxed);
        self.prober.found(inventory).await;
        Ok(worker)
    }

    /// Keeps the child for the next job; without one, the old one is killed: it has nothing to save.
    fn keep(&mut self, worker: Option<Worker>) {
        let pid = worker.as_ref().and_then(Worker::pid).unwrap_or(0);
        self.state.pid.store(pid, Ordering::Relaxed);
        self.worker = worker;
    }
}
