//! One child process, seen from the daemon: started, asked for pictures, killed.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::choice::{Part, Recipe};
use super::inventory::Inventory;
use super::protocol::{ANSWER_HEAD, AnswerHead, REQUEST_HEAD, RequestHead, Status};
use crate::base::{Error, Result};
use crate::media::params::VideoParams;

/// How long it may take to start: GStreamer looks through its plugins when they have changed.
const START: Duration = Duration::from_secs(10);
/// How long it may take to die. One that takes longer hangs in the kernel, and may do so for ever.
const DEATH: Duration = Duration::from_secs(2);
/// Environment that the child gets if the daemon has it, besides `GST_…`.
const ENVIRONMENT: [&str; 4] = ["HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "PATH"];

/// A running child; dropping it kills it.
pub(super) struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

/// A key frame, and how it becomes a picture.
pub(super) struct Request<'a> {
    pub recipe: &'a Recipe,
    pub video: &'a VideoParams,
    pub unit: &'a [u8],
    pub width: Option<u32>,
    /// Whether a decoder that gives another size than the stream's has failed.
    pub check_size: bool,
}

/// Why there is no picture, and which half of the work it was.
#[derive(Debug)]
pub(super) struct Failure {
    pub fate: Fate,
    pub part: Part,
    pub error: Error,
}

/// What became of the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is well: frame or element is at fault.
    Well,
    /// It is gone or talks nonsense.
    Died,
    /// It does not answer.
    Hung,
}

impl Request<'_> {
    fn head(&self, names: usize) -> Result<[u8; REQUEST_HEAD]> {
        let Self { video, unit, width, check_size, .. } = *self;
        let head = RequestHead {
            codec: video.codec,
            width,
            size: check_size.then_some((video.width, video.height)),
            names,
            config: video.config.len(),
            unit: unit.len(),
        };
        head.encode()
    }
}

impl Worker {
    /// Starts `exe snapshot-worker`; what it found is its first word.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(exe: &Path) -> Result<(Self, Inventory)> {
        let starting = |error: Error| error.context("snapshot worker does not start");
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
        let first = timeout(START, worker.answer()).await;
        let first = first.unwrap_or_else(|_| Err(Error::timeout("no word from it"))).map_err(starting)?;
        let inventory = match first {
            (Status::Ready, text) => std::str::from_utf8(&text).ok().and_then(Inventory::decode),
            _ => None,
        };
        match inventory {
            Some(inventory) => Ok((worker, inventory)),
            None => Err(starting(Error::internal("it did not say what it found"))),
        }
    }

    /// Its process id, while it has one.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Has it make a picture within `patience`. After a fate other than [`Fate::Well`] it is good for
    /// nothing but [`Worker::end`].
    pub async fn picture(
        &mut self,
        request: &Request<'_>,
        patience: Duration,
    ) -> std::result::Result<Bytes, Failure> {
        let Recipe { decoder, encoder } = request.recipe;
        let mut part = decoder;
        let names = format!("{}\n{}", decoder.element, encoder.element);
        let head = request.head(names.len());
        let head = head.map_err(|error| Failure { fate: Fate::Well, part: part.clone(), error })?;
        let exchange = async {
            for piece in [head.as_slice(), names.as_bytes(), &request.video.config, request.unit] {
                self.input.write_all(piece).await?;
            }
            loop {
                match self.answer().await? {
                    (Status::Decoded, _) => part = encoder,
                    (Status::Picture, jpeg) => return Ok(Ok(jpeg)),
                    (Status::Failed, text) => return Ok(Err(String::from_utf8_lossy(&text).into_owned())),
                    (Status::Ready, _) => return Err(Error::internal("snapshot worker: out of step")),
                }
            }
        };
        let (fate, error) = match timeout(patience, exchange).await {
            Ok(Ok(Ok(jpeg))) => return Ok(jpeg),
            Ok(Ok(Err(text))) => (Fate::Well, Error::bad_input(text)),
            Ok(Err(error)) => (Fate::Died, error.context(format!("snapshot worker, in {}", part.element))),
            Err(_) => {
                let text = format!("snapshot: {} does not answer within {patience:?}", part.element);
                (Fate::Hung, Error::timeout(text))
            }
        };
        Err(Failure { fate, part: part.clone(), error })
    }

    async fn answer(&mut self) -> Result<(Status, Bytes)> {
        let mut head = [0; ANSWER_HEAD];
        self.output.read_exact(&mut head).await.map_err(|error| Error::internal(error.to_string()))?;
        let head = AnswerHead::decode(&head)?;
        let mut body = vec![0; head.length];
        self.output.read_exact(&mut body).await?;
        Ok((head.status, body.into()))
    }

    /// Kills it; it has nothing to save. False if it did not die of that.
    pub async fn end(mut self) -> bool {
        // That it is gone already is as good.
        let _ = self.child.start_kill();
        timeout(DEATH, self.child.wait()).await.is_ok()
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
