//! Inputs: one file per kind ([`rtsp`], [`container`] for files and RTMP), one task per source, and
//! the one reconnect policy ([`backoff`]).
//!
//! [`Sources`] is the table of all of them. It is bounded by `max_sources`.

mod backoff;
mod container;
mod feed;
mod pipeline;
mod pull;
mod reach;
mod rtsp;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::base::spec::{Connect, RtspTransport, SourceSpec};
use crate::base::time::Clock;
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::hub::Hub;
use crate::media::stream::Stream;
use crate::onvif::{Address, Camera, Cameras};

/// What all sources have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `H5_AUTO` means: `OnDemand` or `Always`.
    pub default_connect: Connect,
    /// What `H5_RTSP_AUTO` means; `Auto` itself is TCP, and UDP where that is refused.
    pub default_transport: RtspTransport,
    /// How long a source stays up after its last viewer.
    pub warm: Duration,
    /// No frame for this long means that the camera hangs.
    pub stall: Duration,
    /// Bound of each source's ring, in bytes.
    pub ring_bytes: usize,
    /// How far each source's ring reaches back: what recordings begin with.
    pub keep: MediaTime,
    /// Bound of the table.
    pub max_sources: usize,
}

/// One source: what it is, and where its frames are.
#[derive(Debug)]
pub struct Source {
    pub spec: Arc<SourceSpec>,
    pub stream: Arc<Stream>,
    /// The smaller stream of the same lens, pulled only while somebody watches it; its token is the
    /// source's with `$$sub` behind.
    pub sub: Option<Arc<Stream>>,
    stop: CancellationToken,
}

/// All sources by token, in the order in which they were added.
#[derive(Debug)]
pub struct Sources {
    /// The cameras behind the ONVIF sources.
    pub cameras: Arc<Cameras>,
    settings: Settings,
    clock: Clock,
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    order: Vec<Arc<Source>>,
    tasks: HashMap<String, JoinHandle<()>>,
}

impl Sources {
    pub fn new(settings: Settings, clock: Clock) -> Arc<Self> {
        Arc::new(Self { cameras: Arc::default(), settings, clock, table: RwLock::default() })
    }

    /// Starts a source. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// `Refused` if the token is in use, `Full` if there are `max_sources`.
    pub fn add(&self, spec: SourceSpec) -> Result<()> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.order.iter().any(|source| source.spec.token == spec.token) {
            return Err(Error::refused(format!("token {} is already in use", spec.token)));
        }
        if table.order.len() >= self.settings.max_sources {
            return Err(Error::full(format!("there are {} sources already", table.order.len())));
        }
        let spec = Arc::new(spec);
        let stream = Stream::new(&*spec.token, Hub::new(self.settings.ring_bytes, self.settings.keep));
        let stop = CancellationToken::new();
        let task = tokio::spawn(pull::run(
            spec.clone(),
            stream.clone(),
            self.settings.clone(),
            self.clock.clone(),
            stop.clone(),
        ));
        if let Some(at) = spec.onvif.clone() {
            let address = Address { at, user: spec.user.clone(), password: spec.password.clone() };
            self.cameras.insert(&spec.token, Camera::new(address));
        }
        table.tasks.insert(spec.token.clone(), task);
        table.order.push(Arc::new(Source { spec, stream, sub: None, stop }));
        Ok(())
    }

    /// Takes a source out and waits until its pipeline is told to stop and all its viewers see the end.
    ///
    /// # Errors
    /// `NotFound` for an unknown token.
    pub async fn remove(&self, token: &str) -> Result<()> {
        let (source, task) = {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            let at = table.order.iter().position(|source| source.spec.token == token);
            let at = at.ok_or_else(|| Error::not_found(format!("token {token} is unknown")))?;
            (table.order.remove(at), table.tasks.remove(token))
        };
        self.cameras.remove(token);
        source.stop.cancel();
        if let Some(task) = task {
            // A task that panicked is as ended as one that returned.
            let _ = task.await;
        }
        Ok(())
    }

    /// The source with this token.
    pub fn get(&self, token: &str) -> Option<Arc<Source>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.order.iter().find(|source| source.spec.token == token).cloned()
    }

    /// All sources, in the order in which they were added.
    pub fn list(&self) -> Vec<Arc<Source>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).order.clone()
    }

    /// Stops all sources.
    pub async fn stop(&self) {
        let tokens: Vec<_> = self.list().iter().map(|source| source.spec.token.clone()).collect();
        let stops = tokens.iter().map(|token| self.remove(token));
        futures_util::future::join_all(stops).await;
    }
}
