//! HLS out of memory: v1 is MPEG-TS for any player, v2 fragmented MP4 with parts (low-latency HLS,
//! RFC 8216bis).
//!
//! Each stream and version that somebody asks for has one [`segmenter`] task, which cuts frames
//! ([`cut`], [`parts`]) into a sliding [`window`] of segments; requests write [`playlist`]s of it
//! and hand out its data by reference. Lock order: registry, then a segmenter's own. Memory per
//! segmenter: see [`window`].

mod cut;
mod names;
mod parts;
mod playlist;
mod segmenter;
pub mod vod;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::names::{HlsQuery, Version};

use self::names::File;
use self::parts::Lengths;
use self::segmenter::Segmenter;
use self::window::Window;
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::stream::Stream;

/// A key frame may close a segment this much before its time: cameras whose GOP lasts as long as a segment
/// are sometimes a frame early, and would get segments of two GOPs.
const EARLY: MediaTime = MediaTime::from_millis(100);
/// How long the first playlist request waits for a source to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lengths that HLS is cut to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HlsSettings {
    /// Shortest segment in seconds, at least 1; segments end at the next key frame.
    pub segment_seconds: u64,
    /// Segments in a playlist, at least 3.
    pub segment_count: usize,
    /// Shortest full part in milliseconds, at least 50.
    pub part_millis: u64,
}

impl Default for HlsSettings {
    fn default() -> Self {
        Self { segment_seconds: 2, segment_count: 4, part_millis: 200 }
    }
}

impl HlsSettings {
    fn lengths(&self) -> Lengths {
        Lengths {
            segment: MediaTime::from(Duration::from_secs(self.segment_seconds.max(1))) - EARLY,
            part: MediaTime::from(Duration::from_millis(self.part_millis.max(50))),
        }
    }
}

/// How long an answer may be kept by the client and by caches on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Not at all: playlists.
    NoStore,
    /// The name never gets another content. A minute is longer than anybody needs a live segment.
    Immutable,
}

impl Cache {
    /// Value of the `Cache-Control` header.
    pub fn header(self) -> &'static str {
        match self {
            Self::NoStore => "no-store",
            Self::Immutable => "public, max-age=60, immutable",
        }
    }
}

/// An answer of status 200.
#[derive(Clone, Debug)]
pub struct HlsReply {
    pub content_type: &'static str,
    pub cache: Cache,
    pub body: Bytes,
}

/// All HLS of this process.
#[derive(Debug)]
pub struct Hls {
    settings: HlsSettings,
    shutdown: CancellationToken,
    running: Arc<Registry>,
}

/// The running segmenters by token and version; each has its task, so there are no more than twice
/// as many as streams.
#[derive(Debug, Default)]
struct Registry(Mutex<HashMap<(String, Version), Arc<Segmenter>>>);

impl Hls {
    /// Segmenters end when `shutdown` is cancelled.
    pub fn new(settings: HlsSettings, shutdown: CancellationToken) -> Self {
        Self { settings, shutdown, running: Arc::default() }
    }

    /// How many segmenters run: streams that somebody watches over HLS, per version.
    pub fn connect_count(&self) -> usize {
        self.running.lock().len()
    }

    /// One file of a stream. A playlist starts the stream's segmenter and waits for the first
    /// segment; `query` counts for v2 playlists only.
    ///
    /// # Errors
    /// `NotFound` for names that do not exist (any more); `BadInput` for directives that lie too far
    /// ahead; `Timeout` when the source does not deliver in time (HTTP 503, RFC 8216bis 6.2.5.2).
    pub async fn get(
        &self,
        stream: Arc<Stream>,
        version: Version,
        file: &str,
        query: HlsQuery,
    ) -> Result<HlsReply> {
        let missing = || Error::not_found(format!("hls: no file {:.40}", file.escape_default().to_string()));
        let file = File::parse(version, file).ok_or_else(missing)?;
        if file == File::Playlist {
            let segmenter = self.start(stream, version);
            return self.playlist(&segmenter, query).await;
        }
        let segmenter = self.running.find(&stream, version).ok_or_else(missing)?;
        let body = match file {
            File::Part(msn, part) => part_body(&segmenter, msn, part).await?,
            File::Segment(msn) => segmenter.window().segment(msn).map(|s| s.body.clone()),
            File::Init(msn) => segmenter.window().init(msn),
            File::Playlist => None,
        };
        let content_type = if version == Version::V1 { "video/mp2t" } else { "video/mp4" };
        Ok(HlsReply { content_type, cache: Cache::Immutable, body: body.ok_or_else(missing)? })
    }

    async fn playlist(&self, segmenter: &Segmenter, query: HlsQuery) -> Result<HlsReply> {
        segmenter.wait(PATIENCE, |window| window.listed().next().map(|_| ())).await?;
        if let (Version::V2, Some(msn)) = (segmenter.version, query.msn) {
            let limit = check_ahead(&segmenter.window(), msn, query.part)?;
            segmenter.wait(limit, |window| window.reached(msn, query.part).then_some(())).await?;
        }
        let body = playlist::write(&segmenter.window(), segmenter.version);
        Ok(HlsReply {
            content_type: "application/vnd.apple.mpegurl",
            cache: Cache::NoStore,
            body: body.into(),
        })
    }

    /// The segmenter of this stream, started if it does not run.
    fn start(&self, stream: Arc<Stream>, version: Version) -> Arc<Segmenter> {
        let mut running = self.running.lock();
        let key = (stream.token.clone(), version);
        if let Some(found) = running.get(&key) {
            if Arc::ptr_eq(&found.stream, &stream) {
                found.touch();
                return found.clone();
            }
            // The source was deleted and made again.
            found.stop.cancel();
        }
        let segmenter = Segmenter::new(stream, version, &self.settings, self.shutdown.child_token());
        running.insert(key, segmenter.clone());
        drop(running);
        tokio::spawn(drive(segmenter.clone(), self.settings, self.running.clone()));
        segmenter
    }
}

/// Runs a segmenter until it is stopped or nobody asks any more.
async fn drive(segmenter: Arc<Segmenter>, settings: HlsSettings, running: Arc<Registry>) {
    let work = segmenter.run(&settings);
    tokio::pin!(work);
    loop {
        tokio::select! {
            never = &mut work => match never {},
            () = segmenter.stop.cancelled() => {}
            () = tokio::time::sleep_until(segmenter.expires()) => {}
        }
        if running.remove(&segmenter) {
            segmenter.stop.cancel();
            return;
        }
    }
}

/// Waits for the part that was announced; other parts are there or not.
async fn part_body(segmenter: &Segmenter, msn: u64, part: usize) -> Result<Option<Bytes>> {
    let (hinted, limit) = {
        let window = segmenter.window();
        (window.next_part() == Some((msn, part)), window.target() * 3)
    };
    if !hinted {
        return Ok(segmenter.window().part(msn, part));
    }
    segmenter.wait(limit, |window| window.part(msn, part)).await.map(Some)
}

/// How long a request for this segment and part may wait.
fn check_ahead(window: &Window, msn: u64, part: Option<usize>) -> Result<Duration> {
    let next = window.next_msn();
    if msn > next + 1 {
        return Err(Error::bad_input(format!("_HLS_msn: {msn} is too far ahead, next is {next}")));
    }
    let there = window.open().map_or(0, |open| open.parts.len());
    let target = window.part_target().as_secs_f64();
    let advance = if target > 0.0 && target < 1.0 { (3.0 / target).ceil() as usize } else { 3 };
    let far = part.filter(|&part| msn == next && part >= there + advance);
    match far {
        Some(part) => Err(Error::bad_input(format!("_HLS_part: {part} is too far ahead, next is {there}"))),
        None => Ok(window.target() * 3),
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, Version), Arc<Segmenter>>> {
        // Map operations leave the map valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, stream: &Arc<Stream>, version: Version) -> Option<Arc<Segmenter>> {
        let running = self.lock();
        let found = running.get(&(stream.token.clone(), version))?;
        found.touch();
        Arc::ptr_eq(&found.stream, stream).then(|| found.clone())
    }

    /// Takes a segmenter off the list if it was stopped or has expired: decided under the lock, so
    /// that no request can find one that is about to end.
    fn remove(&self, segmenter: &Arc<Segmenter>) -> bool {
        let mut running = self.lock();
        if !segmenter.stop.is_cancelled() && segmenter.expires() > Instant::now() {
            return false;
        }
        running.retain(|_, other| !Arc::ptr_eq(other, segmenter));
        true
    }
}
