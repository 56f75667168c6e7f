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
mod trial;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::look::look;
pub use self::onvif::{Known, Profile};
pub use self::pipeline::Failure;
pub use self::trial::Trial;

use self::onvif::Origin;
use self::pull::Job;
use crate::base::spec::{Connect, RtspTransport, SUB, SourceSpec};
use crate::base::time::{Clock, MediaTime};
use crate::base::{Error, Result};
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::stream::{Status, Stream};
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
    /// the camera does: [`Source::has_sub`] tells. Others have it where they have its address.
    pub sub: Option<Arc<Stream>>,
    origin: Option<Arc<Origin>>,
    stop: CancellationToken,
}

impl Source {
    /// The stream of this profile; main for a source without sub.
    pub fn shown(&self, profile: Profile) -> &Arc<Stream> {
        match (profile, &self.sub) {
            // A camera that was not reached yet may have one.
            (Profile::Sub, Some(sub)) if self.has_sub() != Some(false) => sub,
            _ => &self.stream,
        }
    }

    /// What the camera of an ONVIF source said last.
    pub fn known(&self) -> Known {
        self.origin.as_ref().map(|origin| origin.known()).unwrap_or_default()
    }

    /// Whether there is a sub stream; `None` for an ONVIF camera that was not reached yet.
    pub fn has_sub(&self) -> Option<bool> {
        match &self.origin {
            Some(origin) => origin.known().choice.map(|choice| choice.sub.is_some()),
            None => Some(self.sub.is_some()),
        }
    }

    /// Stops it, and waits until its viewers see the end.
    async fn halt(&self, tasks: Option<Vec<JoinHandle<()>>>) {
        self.stop.cancel();
        // A task that panicked is as ended as one that returned.
        let _ = futures_util::future::join_all(tasks.into_iter().flatten()).await;
    }

    /// The same by another name.
    fn renamed(&self, spec: SourceSpec) -> Self {
        let Self { stream, sub, origin, stop, .. } = self;
        let (stream, sub, origin) = (stream.clone(), sub.clone(), origin.clone());
        Self { spec: Arc::new(spec), stream, sub, origin, stop: stop.clone() }
    }
}

/// The source as it is pulled for this profile, as far as that is known without asking.
fn at_profile(spec: &Arc<SourceSpec>, profile: Profile) -> Arc<SourceSpec> {
    match (profile, &spec.sub_url) {
        (Profile::Sub, Some(url)) => Arc::new(SourceSpec { url: url.clone(), ..(**spec).clone() }),
        _ => spec.clone(),
    }
}

/// Who is asked for the addresses of an ONVIF source.
fn camera(spec: &SourceSpec) -> Option<Arc<Camera>> {
    let at = spec.onvif.clone()?;
    Some(Camera::new(Address { at, user: spec.user.clone(), password: spec.password.clone() }))
}

fn unknown(token: &str) -> Error {
    Error::not_found(format!("token {token} is unknown"))
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
    changing: Mutex<()>,
    trials: Semaphore,
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
            changing: Mutex::default(),
            trials: Semaphore::new(trial::MAX),
        })
    }

    /// Starts a source. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// `Refused` if the token is in use, `Full` if there are `max_sources`.
    pub fn add(&self, spec: SourceSpec) -> Result<()> {
        let mut table = self.write();
        if table.order.iter().any(|source| source.spec.token == spec.token) {
            return Err(Error::refused(format!("token {} is already in use", spec.token)));
        }
        if table.order.len() >= self.settings.max_sources {
            return Err(Error::full(format!("there are {} sources already", table.order.len())));
        }
        let stream = Stream::new(&*spec.token, Hub::new(self.settings.ring_bytes, self.settings.keep));
        let source = Arc::new(self.source(spec, stream, None));
        table.tasks.insert(source.spec.token.clone(), self.start(&source));
        table.order.push(source);
        Ok(())
    }

    /// Makes a source what `spec` says. It is stopped and started again with the streams that it had, so that
    /// whoever watches or records it waits as for a camera that went away. By another name it just goes on.
    ///
    /// # Errors
    /// `NotFound` for an unknown token.
    pub async fn update(&self, spec: SourceSpec) -> Result<()> {
        let old = self.get(&spec.token).ok_or_else(|| unknown(&spec.token))?;
        let renamed = old.spec.is_same_but_for_name(&spec);
        if !renamed {
            let tasks = self.write().tasks.remove(&spec.token);
            old.halt(tasks).await;
            for stream in [Some(&old.stream), old.sub.as_ref()].into_iter().flatten() {
                stream.hub.forget();
            }
            old.stream.set_status(Status::Connecting);
            // As between any two connections to a camera: many serve the next one only when they have let go of this.
            tokio::time::sleep(backoff::FLOOR).await;
        }
        let mut table = self.write();
        // Where it is gone, all sources were stopped meanwhile.
        let Some(place) = table.order.iter().position(|source| Arc::ptr_eq(source, &old)) else {
            return Ok(());
        };
        let source = Arc::new(match renamed {
            true => old.renamed(spec),
            false => self.source(spec, old.stream.clone(), old.sub.clone()),
        });
        if !renamed {
            table.tasks.insert(source.spec.token.clone(), self.start(&source));
        }
        table.order[place] = source;
        Ok(())
    }

    /// The source of `spec`, not started; its camera is put among the others. It takes `sub` for its small
    /// picture if it has one.
    fn source(&self, spec: SourceSpec, stream: Arc<Stream>, sub: Option<Arc<Stream>>) -> Source {
        let origin = camera(&spec).map(|camera| {
            self.cameras.insert(&spec.token, camera.clone());
            Origin::new(camera, self.answered.clone())
        });
        let sub = (origin.is_some() || spec.sub_url.is_some()).then(|| {
            sub.unwrap_or_else(|| {
                // Never recorded, so that its ring need not reach back.
                let hub = Hub::new(self.settings.ring_bytes, DEFAULT_KEEP);
                Stream::new(format!("{}{SUB}", spec.token), hub)
            })
        });
        Source { spec: Arc::new(spec), stream, sub, origin, stop: CancellationToken::new() }
    }

    /// Starts the tasks of a source.
    fn start(&self, source: &Source) -> Vec<JoinHandle<()>> {
        let main = (Profile::Main, &source.stream);
        let streams = [Some(main), source.sub.as_ref().map(|sub| (Profile::Sub, sub))];
        let start = |(profile, stream): (Profile, &Arc<Stream>)| {
            let (spec, origin) = (at_profile(&source.spec, profile), source.origin.clone());
            let job = Job { spec, stream: stream.clone(), origin, profile };
            tokio::spawn(pull::run(job, self.settings.clone(), self.clock.clone(), source.stop.clone()))
        };
        streams.into_iter().flatten().map(start).collect()
    }

    /// Held by who changes a source here and in the database, so that both stay the same.
    pub async fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().await
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
            let mut table = self.write();
            let at = table.order.iter().position(|source| source.spec.token == token);
            let at = at.ok_or_else(|| unknown(token))?;
            (table.order.remove(at), table.tasks.remove(token))
        };
        self.cameras.remove(token);
        source.halt(tasks).await;
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

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all sources.
    pub async fn stop(&self) {
        let tokens: Vec<_> = self.list().iter().map(|source| source.spec.token.clone()).collect();
        let stops = tokens.iter().map(|token| self.remove(token));
        futures_util::future::join_all(stops).await;
    }
}
