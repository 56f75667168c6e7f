//! One stream's segmenter: the task that reads frames and the window that requests read from.
//!
//! One tokio task per stream and version. It holds a `Viewing`, so that an on-demand source runs
//! while somebody asks, and ends when nobody has for [`IDLE`] or three target durations. The
//! window's mutex is held for list operations and for writing a playlist, never across an await.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::HlsSettings;
use super::cut::{Cutter, TsCutter};
use super::names::Version;
use super::parts::PartCutter;
use super::window::Window;
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::fmp4;
use crate::media::frame::Frame;
use crate::media::hub::{Cursor, Event, Start};
use crate::media::params::Params;
use crate::media::stream::{Status, Stream};

/// A segmenter that nobody asked for so long (or for three target durations) ends.
const IDLE: Duration = Duration::from_secs(20);
/// How often an unwatched source is looked at again.
const RETRY: Duration = Duration::from_secs(2);

/// What the task and the requests share.
#[derive(Debug)]
pub(super) struct Segmenter {
    pub stream: Arc<Stream>,
    pub version: Version,
    /// Ends the task, and the requests that wait for it.
    pub stop: CancellationToken,
    window: Mutex<Window>,
    changed: watch::Sender<u64>,
    last_request: Mutex<Instant>,
}

impl Segmenter {
    pub fn new(
        stream: Arc<Stream>,
        version: Version,
        settings: &HlsSettings,
        stop: CancellationToken,
    ) -> Arc<Self> {
        // Numbers start at the wall time in seconds, so that a segmenter that starts again does not
        // give new data to a name that some cache still knows.
        let first = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let window = Window::new(settings.segment_count, settings.segment_seconds, first);
        Arc::new(Self {
            stream,
            version,
            stop,
            window: Mutex::new(window),
            changed: watch::Sender::new(0),
            last_request: Mutex::new(Instant::now()),
        })
    }

    /// The window; the guard must not be held across an await.
    pub fn window(&self) -> MutexGuard<'_, Window> {
        // Each change leaves the window valid, so one that panicked may be passed over.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody is interested.
    pub fn touch(&self) {
        *self.last_request.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When the task may end if nobody asks again.
    pub fn expires(&self) -> Instant {
        let last = *self.last_request.lock().unwrap_or_else(PoisonError::into_inner);
        last + IDLE.max(self.window().target() * 3)
    }

    /// Waits until `probe` finds something in the window.
    ///
    /// # Errors
    /// `Timeout` after `limit`, with the source's reason if it has one; `Refused` at shutdown.
    pub async fn wait<T>(&self, limit: Duration, mut probe: impl FnMut(&Window) -> Option<T>) -> Result<T> {
        let mut changes = self.changed.subscribe();
        let found = async {
            loop {
                changes.borrow_and_update();
                let found = probe(&self.window());
                if found.is_some() {
                    return found;
                }
                changes.changed().await.ok()?;
            }
        };
        let found = tokio::select! {
            found = tokio::time::timeout(limit, found) => found.ok().flatten(),
            () = self.stop.cancelled() => return Err(Error::refused("hls: shutting down")),
        };
        found.ok_or_else(|| match self.stream.status() {
            Status::Offline { text, .. } => Error::timeout(format!("source is offline: {text}")),
            _ => Error::timeout("hls: no new media in time"),
        })
    }

    fn change(&self, change: impl FnOnce(&mut Window)) {
        change(&mut self.window());
        self.changed.send_modify(|n| *n += 1);
    }

    /// Segments the stream, epoch after epoch, until the returned future is dropped.
    pub async fn run(&self, settings: &HlsSettings) -> Infallible {
        let viewing = self.stream.view();
        let mut opening = true;
        loop {
            // The wait ends with an error while the source is away; the requests say so, not we.
            if let Ok((params, cursor)) = viewing.cursor(Start::NewestKey, RETRY).await {
                opening &= !self.run_epoch(&params, cursor, self.cutter(&params, settings, opening)).await;
            }
        }
    }

    fn cutter(&self, params: &Params, settings: &HlsSettings, opening: bool) -> Box<dyn Cutter> {
        let lengths = settings.lengths();
        match self.version {
            Version::V1 => Box::new(TsCutter::new(params, lengths.segment)),
            Version::V2 => Box::new(PartCutter::new(lengths, opening)),
        }
    }

    /// Segments one epoch; true if it brought anything.
    async fn run_epoch(&self, params: &Params, mut cursor: Cursor, mut cutter: Box<dyn Cutter>) -> bool {
        let mut begun = false;
        loop {
            match cursor.next().await {
                Event::Frame { frame, lag } => {
                    if !begun {
                        self.change(|window| window.begin_epoch(self.init(params)));
                        begun = true;
                    }
                    self.take(cutter.as_mut(), &frame, lag);
                }
                // The cursor goes on at a key frame, and the last frame before it lasts until then.
                Event::Skipped => {}
                Event::Ended => break,
            }
        }
        if begun {
            let rest = cutter.finish();
            let target = cutter.part_target();
            self.change(|window| {
                rest.into_iter().for_each(|cut| window.apply(cut, target, |_| SystemTime::now()));
                window.end_epoch();
            });
        }
        begun
    }

    fn init(&self, params: &Params) -> Bytes {
        match self.version {
            Version::V1 => Bytes::new(),
            Version::V2 => fmp4::init_segment(params),
        }
    }

    fn take(&self, cutter: &mut dyn Cutter, frame: &Arc<Frame>, lag: MediaTime) {
        let cuts = cutter.push(frame);
        if cuts.is_empty() {
            return;
        }
        let target = cutter.part_target();
        let now = SystemTime::now();
        // A frame that has media behind it in the ring came that much earlier.
        let wall = |dts: MediaTime| now - (lag + frame.dts - dts).to_duration();
        self.change(|window| cuts.into_iter().for_each(|cut| window.apply(cut, target, wall)));
    }
}
