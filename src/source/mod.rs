//! Inputs: one file per kind ([`rtsp`], [`container`] for files and RTMP, [`onvif`] for cameras that are
//! asked for their address), one task per stream (an ONVIF source has two), and the one reconnect
//! policy ([`backoff`]).
//!
//! [`Sources`] is the table of all of them. It is bounded by `max_sources`.

mod backoff;
mod container;
mod feed;
mod look;
mod onvif;
mod pipeline;
mod pull;
mod reach;
mod rtsp;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::look::look;
pub use self::onvif::{Known, Profile};

use self::onvif::Origin;
use self::pull::Job;
use crate::base::spec::{Connect, RtspTransport, SourceSpec};
use crate::base::time::{Clock, MediaTime};
use crate::base::{Error, Result};
use crate::media::hub::{DEFAULT_KEEP, Hub};
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
    /// source's with `$$sub` behind. Every ONVIF source has it here, also while nobody knows whether
    /// the camera does: [`Source::shown`] tells.
    pub sub: Option<Arc<Stream>>,
    origin: Option<Arc<Origin>>,
    stop: CancellationToken,
}

impl Source {
    /// The stream of this profile; main for a source without sub.
    pub fn shown(&self, profile: Profile) -> &Arc<Stream> {
        match (profile, &self.sub) {
            (Profile::Sub, Some(sub)) if self.may_have_sub() => sub,
            _ => &self.stream,
        }
    }

    /// What the camera of an ONVIF source said last.
    pub fn known(&self) -> Known {
        self.origin.as_ref().map(|origin| origin.known()).unwrap_or_default()
    }

    /// A camera that was not reached yet may have one.
    fn may_have_sub(&self) -> bool {
        self.known().choice.is_none_or(|choice| choice.sub.is_some())
    }
}

/// All sources by token, in the order in which they were added.
#[derive(Debug)]
pub struct Sources {
    /// The cameras behind the ONVIF sources.
    pub cameras: Arc<Cameras>,
    answered: Arc<Notify>,
    settings: Settings,
    clock: Clock,
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    order: Vec<Arc<Source>>,
    tasks: HashMap<String, Vec<JoinHandle<()>>>,
}

impl Sources {
    pub fn new(settings: Settings, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            cameras: Arc::default(),
            answered: Arc::default(),
            settings,
            clock,
            table: RwLock::default(),
        })
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
        let source = Arc::new(self.source(spec));
        let job = |stream: &Arc<Stream>, profile| Job {
            spec: source.spec.clone(),
            stream: stream.clone(),
            origin: source.origin.clone(),
            profile,
        };
        let sub = source.sub.as_ref().map(|sub| job(sub, Profile::Sub));
        let jobs = [Some(job(&source.stream, Profile::Main)), sub].into_iter().flatten();
        let start = |job| {
            tokio::spawn(pull::run(job, self.settings.clone(), self.clock.clone(), source.stop.clone()))
        };
        table.tasks.insert(source.spec.token.clone(), jobs.map(start).collect());
        table.order.push(source);
        Ok(())
    }

    /// The source of `spec`, not started; its camera is put among the others.
    fn source(&self, spec: SourceSpec) -> Source {
        let stream = Stream::new(&*spec.token, Hub::new(self.settings.ring_bytes, self.settings.keep));
        let (mut sub, mut origin) = (None, None);
        if let Some(at) = spec.onvif.clone() {
            let address = Address { at, user: spec.user.clone(), password: spec.password.clone() };
            let camera = Camera::new(address);
            self.cameras.insert(&spec.token, camera.clone());
            origin = Some(Origin::new(camera, self.answered.clone()));
            // Never recorded, so that its ring need not reach back.
            let hub = Hub::new(self.settings.ring_bytes, DEFAULT_KEEP);
            sub = Some(Stream::new(format!("{}$$sub", spec.token), hub));
        }
        Source { spec: Arc::new(spec), stream, sub, origin, stop: CancellationToken::new() }
    }

    /// Returns when an ONVIF camera was asked something since the last time: its certificate may be
    /// known now. For one task only.
    pub async fn answered(&self) {
        self.answered.notified().await;
    }

    /// Takes a source out and waits until its pipeline is told to stop and all its viewers see the end.
    ///
    /// # Errors
    /// `NotFound` for an unknown token.
    pub async fn remove(&self, token: &str) -> Result<()> {
        let (source, tasks) = {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            let at = table.order.iter().position(|source| source.spec.token == token);
            let at = at.ok_or_else(|| Error::not_found(format!("token {token} is unknown")))?;
            (table.order.remove(at), table.tasks.remove(token))
        };
        self.cameras.remove(token);
        source.stop.cancel();
        // A task that panicked is as ended as one that returned.
        let _ = futures_util::future::join_all(tasks.into_iter().flatten()).await;
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
