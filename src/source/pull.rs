//! The life of one stream of a source, run by one task: wait until somebody wants it, connect, watch that frames
//! keep coming, and after a failure wait as [`super::backoff`] says.
//!
//! A connection ends in this order: pipeline stopped, epoch ended, state shown. So a new connection
//! never meets the frames of the one before, and the hub's epochs follow each other.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, FLOOR, HEALTHY};
use super::feed::Feed;
use super::onvif::{Origin, Profile};
use super::pipeline::{Failure, Outlet, Pipeline, Report, Reporter};
use super::{Settings, container, reach, rtsp};
use crate::base::spec::{Connect, RtspTransport, SourceKind, SourceSpec};
use crate::base::time::Clock;
use crate::base::{Error, Result};
use crate::media::stream::{OfflineReason, Status, Stream};

/// How long a connection may take until its first frame. Long enough for a camera that sends a key
/// frame every 8 s and none on request.
const FIRST_FRAME: Duration = Duration::from_secs(12);
/// How often the watchdog looks.
const WATCH: Duration = Duration::from_millis(500);

/// What is pulled, and where to.
#[derive(Debug)]
pub struct Job {
    pub spec: Arc<SourceSpec>,
    pub stream: Arc<Stream>,
    /// Who is asked for the address at each connection; without, it is the one in `spec`.
    pub origin: Option<Arc<Origin>>,
    /// A sub profile is pulled while somebody watches it and never else.
    pub profile: Profile,
}

/// Keeps a source delivering until `stop`.
pub async fn run(job: Job, settings: Settings, clock: Clock, stop: CancellationToken) {
    let mut puller = Puller::new(job, settings, clock);
    let mut backoff = Backoff::default();
    let unstopped = async {
        // A source is opened without being asked until it has delivered once, also after a failure, so
        // that the list always tells which cameras answer, and has their pictures.
        let mut answered = false;
        loop {
            if answered || puller.profile == Profile::Sub {
                puller.wanted(true).await;
            }
            puller.stream.set_status(Status::Connecting);
            let (healthy, failure) = puller.connection().await;
            puller.stream.hub.end();
            answered = failure.is_none();
            let Some(failure) = failure else {
                puller.stream.set_status(Status::Idle);
                backoff.reset();
                continue;
            };
            if healthy {
                backoff.reset();
            }
            let wait = backoff.after(failure.reason);
            // TCP was refused, which says nothing about UDP.
            let wait = if puller.turns_to_udp(&failure) { FLOOR } else { wait };
            tracing::warn!(source = %puller.stream.token, reason = failure.reason.as_str(), "offline: {}", failure.text);
            let Failure { reason, text, .. } = failure;
            puller.stream.set_status(Status::Offline { reason, text });
            sleep(wait).await;
        }
    };
    tokio::select! {
        () = unstopped => {}
        () = stop.cancelled() => {}
    }
    puller.stream.hub.end();
    puller.stream.set_status(Status::Idle);
}

/// One connection as [`run`] makes it, and a second one where that would go over UDP next. Returns when it has
/// delivered and nobody views the stream for the warm time; its epoch goes on, so that it can be looked at.
///
/// # Errors
/// Why a source would be offline.
pub async fn once(job: Job, settings: Settings, clock: Clock) -> std::result::Result<(), Failure> {
    let mut puller = Puller::new(job, settings, clock);
    loop {
        match puller.connection().await.1 {
            None => return Ok(()),
            Some(failure) if puller.turns_to_udp(&failure) => sleep(FLOOR).await,
            Some(failure) => return Err(failure),
        }
    }
}

struct Puller {
    spec: Arc<SourceSpec>,
    stream: Arc<Stream>,
    origin: Option<Arc<Origin>>,
    profile: Profile,
    settings: Settings,
    clock: Clock,
    /// The next RTSP connection goes over UDP.
    udp: bool,
}

impl Puller {
    fn new(job: Job, settings: Settings, clock: Clock) -> Self {
        let Job { spec, stream, origin, profile } = job;
        let mut puller = Self { spec, stream, origin, profile, settings, clock, udp: false };
        puller.udp = puller.transport() == RtspTransport::Udp;
        puller
    }

    /// Takes the other transport where the camera refused this one, and says whether that is UDP.
    fn turns_to_udp(&mut self, failure: &Failure) -> bool {
        let refused = failure.transport && self.transport() == RtspTransport::Auto;
        self.udp ^= refused;
        refused && self.udp
    }

    fn transport(&self) -> RtspTransport {
        match self.spec.transport {
            RtspTransport::Auto => self.settings.default_transport,
            chosen => chosen,
        }
    }

    fn always(&self) -> bool {
        if self.profile == Profile::Sub {
            return false;
        }
        match self.spec.connect {
            Connect::Auto => self.settings.default_connect == Connect::Always,
            chosen => chosen == Connect::Always,
        }
    }

    /// Waits until the source is wanted, or for `false` until nobody wanted it for the warm time.
    async fn wanted(&self, wanted: bool) {
        if self.always() {
            if !wanted {
                std::future::pending::<()>().await;
            }
            return;
        }
        let mut viewers = self.stream.watch_viewers();
        loop {
            // The sender lives in the stream that we hold, so this cannot fail.
            let _ = viewers.wait_for(|&n| (n > 0) == wanted).await;
            if wanted || timeout(self.settings.warm, viewers.wait_for(|&n| n > 0)).await.is_err() {
                return;
            }
        }
    }

    /// Waits until the connection has delivered and is not wanted any more. One that was given up before
    /// its first frame would say nothing about the camera.
    async fn seen_and_unwanted(&self) {
        // The sender lives in the stream that we hold, so this cannot fail.
        let _ = self.stream.watch_status().wait_for(|status| *status == Status::Online).await;
        self.wanted(false).await;
    }

    /// One connection from start to end: whether it delivered for [`HEALTHY`], and why it failed, or
    /// `None` when it ended because nobody wants it any more.
    async fn connection(&mut self) -> (bool, Option<Failure>) {
        let (reporter, mut reports) = Reporter::new();
        let feed = Feed::new(self.stream.hub.clone(), self.clock.clone());
        let _closing = Closing(feed.clone());
        let outlet = Outlet { feed: feed.clone(), reporter, paced: false };
        let spec = match self.located().await {
            Ok(spec) => spec,
            Err(failure) => return (false, Some(failure)),
        };
        let running = match self.start(spec.clone(), outlet).await {
            Ok(running) => running,
            Err(error) => return (false, Some(error.into())),
        };
        let mut online_since = None;
        let end = tokio::select! {
            failure = self.watch(&feed, &mut reports, &running, &mut online_since) => Some(failure),
            () = self.seen_and_unwanted() => None,
        };
        let healthy = online_since.is_some_and(|since: Instant| since.elapsed() >= HEALTHY);
        running.stop().await;
        let end = match end {
            Some(failure) if online_since.is_none() && failure.reason == OfflineReason::Lost => {
                Some(reach::failure(&spec.url).await.unwrap_or(failure))
            }
            end => end,
        };
        (healthy, end)
    }

    /// The source with the address of now.
    async fn located(&self) -> std::result::Result<Arc<SourceSpec>, Failure> {
        let Some(origin) = &self.origin else { return Ok(self.spec.clone()) };
        let url = origin.address(self.profile).await?;
        Ok(Arc::new(SourceSpec { url, ..(*self.spec).clone() }))
    }

    async fn start(&self, spec: Arc<SourceSpec>, outlet: Outlet) -> Result<Running> {
        let tcp = !self.udp;
        Running::start(move || match spec.kind {
            SourceKind::File => container::build_file(&spec, outlet),
            SourceKind::Stream if spec.url.starts_with("rtmp") => container::build_rtmp(&spec, outlet),
            SourceKind::Stream | SourceKind::Onvif => rtsp::build(&spec, tcp, outlet),
        })
        .await
    }

    /// Returns when the connection failed.
    async fn watch(
        &self,
        feed: &Feed,
        reports: &mut mpsc::Receiver<Report>,
        running: &Running,
        online_since: &mut Option<Instant>,
    ) -> Failure {
        let mut seen = 0;
        let mut last_frame = Instant::now();
        let mut patience = FIRST_FRAME.max(self.settings.stall);
        // Frames at the last rewind; a file that gives none would be rewound for ever.
        let mut rewound_at = None;
        loop {
            match timeout(WATCH, reports.recv()).await {
                Ok(Some(Report::Failed(failure))) => return failure,
                Ok(Some(Report::Ended))
                    if self.spec.kind == SourceKind::File && rewound_at != Some(feed.frames()) =>
                {
                    rewound_at = Some(feed.frames());
                    if let Err(error) = running.rewind().await {
                        return error.into();
                    }
                }
                Ok(Some(Report::Ended) | None) => {
                    return Failure::new(OfflineReason::Lost, "the stream ended");
                }
                Err(_) => {}
            }
            let frames = feed.frames();
            if frames != seen {
                seen = frames;
                last_frame = Instant::now();
                online_since.get_or_insert(last_frame);
                patience = self.settings.stall;
                self.stream.set_status(Status::Online);
            } else if last_frame.elapsed() > patience {
                let text = format!("no frame for {} s", patience.as_secs());
                return Failure::new(OfflineReason::Stalled, text);
            }
        }
    }
}

/// Closes the feed of a connection that is over, or was given up half-way.
struct Closing(Arc<Feed>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A running pipeline, whose stop can be waited for; stopped in the background when dropped.
pub struct Running(Option<Arc<Pipeline>>);

impl Running {
    /// Builds and starts a pipeline.
    pub async fn start(build: impl FnOnce() -> Result<Pipeline> + Send + 'static) -> Result<Self> {
        let pipeline = blocking(move || {
            let pipeline = build()?;
            pipeline.play()?;
            Ok(pipeline)
        })
        .await?;
        Ok(Self(Some(Arc::new(pipeline))))
    }

    async fn rewind(&self) -> Result<()> {
        match self.0.clone() {
            Some(pipeline) => blocking(move || pipeline.rewind()).await,
            None => Ok(()),
        }
    }

    async fn stop(mut self) {
        let pipeline = self.0.take();
        // Fails only when the runtime is going down, which drops the pipeline as well.
        let _ = tokio::task::spawn_blocking(move || drop(pipeline)).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pipeline) = self.0.take() {
            tokio::task::spawn_blocking(move || drop(pipeline));
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::internal("pipeline work was interrupted")))
}
