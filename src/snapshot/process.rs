//! The daemon's side of the child: one tokio task that starts it, gives it one key frame at a time,
//! kills it when it does not answer, and ends it when it has been idle.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::protocol::{ANSWER_HEAD, AnswerHead, RequestHead, Status};
use crate::base::{Error, Result};
use crate::media::hub::Picture;

/// How long the child may take over one key frame.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long it may take to start: GStreamer looks through its plugins when they have changed.
const START: Duration = Duration::from_secs(10);
/// An unused child ends after this time.
const IDLE: Duration = Duration::from_secs(60);
/// Key frames that wait; further ones are refused.
const QUEUE: usize = 32;
/// Environment that the child gets if the daemon has it, besides `GST_…`.
const ENVIRONMENT: [&str; 4] = ["HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "PATH"];

/// A JPEG to come; all clones give the same one.
pub(super) type Pending = Shared<BoxFuture<'static, Result<Bytes>>>;

/// Handle of the task; dropping it ends task and child.
#[derive(Debug)]
pub(super) struct Process {
    jobs: mpsc::Sender<Job>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    decodes: AtomicU64,
    /// 0 while there is no child.
    pid: AtomicU32,
}

#[derive(Debug)]
struct Job {
    picture: Picture,
    width: Option<u32>,
    answer: oneshot::Sender<Result<Bytes>>,
}

impl Process {
    /// Starts the task; the child itself comes with the first job.
    pub fn start(exe: PathBuf, shutdown: CancellationToken) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let state = Arc::<State>::default();
        let task = Task { exe, state: state.clone(), worker: None };
        tokio::spawn(task.run(queue, shutdown));
        Self { jobs, state }
    }

    /// Queues a key frame.
    ///
    /// # Errors
    /// `Full` when [`QUEUE`] frames wait, `Refused` after shutdown.
    pub fn decode(&self, picture: &Picture, width: Option<u32>) -> Result<Pending> {
        let (answer, result) = oneshot::channel();
        self.jobs.try_send(Job { picture: picture.clone(), width, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::full("snapshot: too many pictures wait"),
            mpsc::error::TrySendError::Closed(_) => shutting_down(),
        })?;
        Ok(async { result.await.unwrap_or_else(|_| Err(shutting_down())) }.boxed().shared())
    }

    pub fn decodes(&self) -> u64 {
        self.state.decodes.load(Ordering::Relaxed)
    }

    pub fn pid(&self) -> Option<u32> {
        Some(self.state.pid.load(Ordering::Relaxed)).filter(|&pid| pid > 0)
    }
}

fn shutting_down() -> Error {
    Error::refused("snapshot: shutting down")
}

struct Task {
    exe: PathBuf,
    state: Arc<State>,
    worker: Option<Worker>,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>, shutdown: CancellationToken) {
        loop {
            let job = tokio::select! {
                job = queue.recv() => job,
                () = shutdown.cancelled() => None,
                () = tokio::time::sleep(IDLE), if self.worker.is_some() => {
                    self.end_worker();
                    continue;
                }
            };
            let Some(job) = job else { break };
            let result = tokio::select! {
                result = self.work(&job) => result,
                () = shutdown.cancelled() => Err(shutting_down()),
            };
            // Whoever asked may be gone.
            let _ = job.answer.send(result);
        }
        self.end_worker();
    }

    /// Does a job; a child that died while it was idle is replaced first.
    async fn work(&mut self, job: &Job) -> Result<Bytes> {
        self.state.decodes.fetch_add(1, Ordering::Relaxed);
        let was_idle = self.worker.is_some();
        match self.attempt(job).await {
            Err(Failure::Died(_)) if was_idle => self.attempt(job).await,
            outcome => outcome,
        }
        .map_err(|failure| match failure {
            Failure::Frame(error) | Failure::Died(error) | Failure::Hung(error) => error,
        })
    }

    async fn attempt(&mut self, job: &Job) -> std::result::Result<Bytes, Failure> {
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.exe).await?,
        };
        self.state.pid.store(worker.child.id().unwrap_or(0), Ordering::Relaxed);
        let outcome = match timeout(DEADLINE, worker.ask(job)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Hung(Error::timeout("snapshot: the decoder does not answer"))),
        };
        match &outcome {
            Ok(_) | Err(Failure::Frame(_)) => self.worker = Some(worker),
            Err(Failure::Died(error) | Failure::Hung(error)) => {
                tracing::warn!("snapshot worker is replaced: {error}");
                drop(worker);
                self.end_worker();
            }
        }
        outcome
    }

    /// Kills the child, which has nothing to save.
    fn end_worker(&mut self) {
        self.worker = None;
        self.state.pid.store(0, Ordering::Relaxed);
    }
}

/// Why there is no picture.
enum Failure {
    /// The frame is at fault; the child is well.
    Frame(Error),
    /// The child is gone or talks nonsense.
    Died(Error),
    /// The child does not answer.
    Hung(Error),
}

/// A running child; dropping it kills it.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Worker {
    async fn start(exe: &Path) -> std::result::Result<Self, Failure> {
        let starting = |error: Error| Failure::Died(error.context("snapshot worker does not start"));
        let mut child = Command::new(exe)
            .arg("snapshot-worker")
            .env_clear()
            .envs(environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| starting(error.into()))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(log)) = pipes else {
            return Err(starting(Error::internal("no pipes")));
        };
        tokio::spawn(pass_on(log));
        let mut worker = Self { child, input, output };
        match timeout(START, worker.answer()).await {
            Ok(Ok((Status::Ready, _))) => Ok(worker),
            Ok(Ok(_)) => Err(starting(Error::internal("it did not say that it is ready"))),
            Ok(Err(error)) => Err(starting(error)),
            Err(_) => Err(starting(Error::timeout("no word from it"))),
        }
    }

    async fn ask(&mut self, job: &Job) -> std::result::Result<Bytes, Failure> {
        let (video, unit) = (&job.picture.params.video, &job.picture.frame.data);
        let head = RequestHead {
            codec: video.codec,
            width: job.width,
            config: video.config.len(),
            unit: unit.len(),
        };
        let head = head.encode().map_err(Failure::Frame)?;
        for piece in [head.as_slice(), &video.config, unit] {
            self.input.write_all(piece).await.map_err(|error| Failure::Died(error.into()))?;
        }
        match self.answer().await.map_err(Failure::Died)? {
            (Status::Picture, jpeg) => Ok(jpeg),
            (Status::Failed, text) => {
                Err(Failure::Frame(Error::bad_input(String::from_utf8_lossy(&text).into_owned())))
            }
            (Status::Ready, _) => Err(Failure::Died(Error::internal("snapshot worker: out of step"))),
        }
    }

    async fn answer(&mut self) -> Result<(Status, Bytes)> {
        let mut head = [0; ANSWER_HEAD];
        self.output.read_exact(&mut head).await.map_err(|error| Error::internal(error.to_string()))?;
        let head = AnswerHead::decode(&head)?;
        let mut body = vec![0; head.length];
        self.output.read_exact(&mut body).await?;
        Ok((head.status, body.into()))
    }
}

/// The part of the daemon's environment that GStreamer needs to find its plugins and their cache.
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| ENVIRONMENT.contains(&name) || name.starts_with("GST_"))
    })
}

/// Passes what the child complains about to our log.
async fn pass_on(log: ChildStderr) {
    /// Longest line that is passed on whole.
    const LINE: u64 = 1024;
    let mut reader = BufReader::new(log);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => tracing::warn!("snapshot worker: {}", String::from_utf8_lossy(&line).trim_end()),
        }
    }
}
