//! Sources of edges while they are watched here: one stream from the edge, fanned out by a hub of this central.
//!
//! One task per source and profile that is watched ([`pull`]); it ends some time after the last viewer. Memory: the
//! ring of each, at most `ring_bytes`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, UPGRADE};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};

use super::{Asker, Central};
use crate::base::time::MediaTime;
use crate::base::{Error, Kind, Result};
use crate::cloud::edge::Io;
use crate::cloud::live::record::{Record, read};
use crate::cloud::live::send::ACK;
use crate::media::frame::{Frame, Track};
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::stream::{OfflineReason, Status, Stream};

/// Where an edge serves live frames; the token follows.
pub const PATH: &str = "/cloud/live/";
/// What the connection becomes.
pub const PROTOCOL: &str = "h5edge-live";
/// How long a source is pulled after its last viewer, so that a page that is loaded anew finds it.
const WARM: Duration = Duration::from_secs(5);
/// How long one that nobody watches is remembered.
const FORGET: Duration = Duration::from_secs(60);
/// Between tries of one that is watched; the return of its site ends it early.
const REST: Duration = Duration::from_secs(2);
/// An edge that sends neither frames nor words for this long hangs.
const SILENCE: Duration = Duration::from_secs(20);

/// The sources of edges that are watched, by mapped token and whether it is the small picture.
#[derive(Debug, Default)]
pub struct Lives(Mutex<HashMap<(String, bool), Arc<Stream>>>);

impl Central {
    /// The stream of an edge's source, by its mapped token.
    ///
    /// # Errors
    /// `NotFound` where there is no such site or source.
    pub fn stream(self: &Arc<Self>, mapped: &str, small: bool) -> Result<Arc<Stream>> {
        let none = || Error::not_found(format!("parameter token: there is no source {mapped:.128}"));
        let (site, original) = self.split(mapped).ok_or_else(none)?;
        let found = self.site(site)?;
        let source = found.source(original).ok_or_else(none)?;
        // Who asks for the small picture of a source without one gets its only one.
        let small = small && source["bEnableUrlSub"] == true;
        let mut lives = self.lives.lock();
        let key = (mapped.to_owned(), small);
        if let Some(stream) = lives.get(&key) {
            return Ok(stream.clone());
        }
        let hub = Hub::new(self.settings.ring_bytes, DEFAULT_KEEP);
        let stream = Stream::new(mapped, hub);
        lives.insert(key.clone(), stream.clone());
        let puller = Puller {
            central: self.clone(),
            site: site.to_owned(),
            original: original.to_owned(),
            key,
            stream: stream.clone(),
        };
        tokio::spawn(puller.run());
        Ok(stream)
    }
}

impl Lives {
    /// How many are there now, watched or not long ago.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many watch a source here.
    pub fn viewers(&self, mapped: &str) -> usize {
        let lives = self.lock();
        let of = |small| lives.get(&(mapped.to_owned(), small)).map_or(0, |stream| stream.viewers());
        if lives.is_empty() { 0 } else { of(false) + of(true) }
    }

    /// The mapped tokens of what is there now.
    pub fn tokens(&self) -> Vec<String> {
        self.lock().keys().map(|(mapped, _)| mapped.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, bool), Arc<Stream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a stream out, unless somebody has it in hand.
    fn forget(&self, key: &(String, bool), stream: &Arc<Stream>) -> bool {
        let mut lives = self.lock();
        // The map's and the task's own.
        let unused = Arc::strong_count(stream) <= 2;
        if unused {
            lives.remove(key);
        }
        unused
    }
}

struct Puller {
    central: Arc<Central>,
    site: String,
    original: String,
    key: (String, bool),
    stream: Arc<Stream>,
}

impl Puller {
    async fn run(self) {
        loop {
            if !self.wanted().await {
                if self.central.lives.forget(&self.key, &self.stream) {
                    return;
                }
                continue;
            }
            // What is offline stays that until it is there again: viewers get the reason meanwhile.
            if !matches!(self.stream.status(), Status::Offline { .. }) {
                self.stream.set_status(Status::Connecting);
            }
            let mut changes = self.central.changes();
            let ended = tokio::select! {
                ended = self.pull() => ended,
                () = self.unwanted() => Ok(()),
            };
            self.stream.hub.end();
            let Err(error) = ended else {
                self.stream.set_status(Status::Idle);
                continue;
            };
            let reason = match error.kind() {
                Kind::NotFound => OfflineReason::NotFound,
                Kind::Refused | Kind::Full => OfflineReason::Refused,
                Kind::Unsupported | Kind::BadInput => OfflineReason::Unsupported,
                _ => OfflineReason::NoRoute,
            };
            self.stream.set_status(Status::Offline { reason, text: error.to_string() });
            tokio::select! {
                () = sleep(REST) => {}
                () = self.returned(&mut changes) => {}
            }
        }
    }

    /// Whether somebody wants it before it is to be forgotten.
    async fn wanted(&self) -> bool {
        let mut viewers = self.stream.watch_viewers();
        timeout(FORGET, viewers.wait_for(|&count| count > 0)).await.is_ok()
    }

    /// Returns when nobody wanted it for a while.
    async fn unwanted(&self) {
        let mut viewers = self.stream.watch_viewers();
        loop {
            // The sender lives in the stream that we hold, so this cannot fail.
            let _ = viewers.wait_for(|&count| count == 0).await;
            if timeout(WARM, viewers.wait_for(|&count| count > 0)).await.is_err() {
                return;
            }
        }
    }

    /// Returns when the site is there again.
    async fn returned(&self, changes: &mut tokio::sync::broadcast::Receiver<String>) {
        loop {
            match changes.recv().await {
                Ok(site) if site != self.site => {}
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    if self.central.site(&self.site).is_ok_and(|site| self.central.is_online(&site)) {
                        return;
                    }
                }
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Returns when the edge ends it.
    async fn pull(&self) -> Result<()> {
        let here = self.central.site(&self.site)?.link.is_some();
        let io = match self.central.elsewhere(&self.site).filter(|_| !here) {
            Some(node) => {
                let opening = json!({ "site": self.site, "live": self.key.0, "small": self.key.1 });
                self.central.through(&node, opening).await?
            }
            None => self.ask().await?,
        };
        let (mut from, mut to) = tokio::io::split(io);
        let clock = &self.central.clock;
        let mut line = Line::default();
        loop {
            let silent = |_| Error::timeout("the site sends nothing");
            let record = timeout(SILENCE, read(&mut from, || clock.mono())).await.map_err(silent)??;
            match record {
                None => return Err(Error::timeout("the connection to the site broke off")),
                Some(Record::Params(params)) => {
                    line = Line::default();
                    self.stream.hub.begin(params);
                }
                Some(Record::Frame(frame)) => {
                    let video = frame.track == Track::Video;
                    if let Some(frame) = line.place(frame)? {
                        self.stream.hub.push(frame);
                        self.stream.set_status(Status::Online);
                    }
                    if video {
                        to.write_all(&[ACK]).await?;
                        to.flush().await?;
                    }
                }
                Some(Record::Ended(text)) => {
                    self.stream.hub.end();
                    if !text.is_empty() {
                        self.stream.set_status(Status::Offline { reason: OfflineReason::Lost, text });
                    }
                }
                Some(Record::Text(_)) => return Err(Error::bad_input("the site sends what it should not")),
                Some(Record::Level(level)) => {
                    tracing::debug!(
                        source = self.stream.token,
                        level = level.as_str(),
                        "what the site sends"
                    );
                }
            }
        }
    }

    /// The stream of frames from the edge itself.
    async fn ask(&self) -> Result<Box<dyn Io>> {
        let token = utf8_percent_encode(&self.original, NON_ALPHANUMERIC);
        let profile = if self.key.1 { "?profile=sub" } else { "" };
        let request = Request::get(format!("{PATH}{token}{profile}"))
            .header(CONNECTION, "upgrade")
            .header(UPGRADE, PROTOCOL)
            .body(Full::<Bytes>::default())
            .map_err(|error| Error::internal(error.to_string()))?;
        let answer = self.central.send(&self.site, &Asker::central(), request).await?;
        match answer.status() {
            StatusCode::SWITCHING_PROTOCOLS => {}
            StatusCode::NOT_FOUND => {
                return Err(Error::not_found("the site does not have this source any more"));
            }
            status => return Err(Error::refused(format!("the site does not show it (HTTP {status})"))),
        }
        let upgraded = hyper::upgrade::on(answer).await;
        Ok(Box::new(TokioIo::new(upgraded.map_err(|error| Error::timeout(error.to_string()))?)))
    }
}

/// The time line of an epoch: it begins with its first frame that a viewer can start at.
#[derive(Debug, Default)]
pub struct Line {
    begin: Option<MediaTime>,
    video: Option<MediaTime>,
    audio: Option<MediaTime>,
}

impl Line {
    /// The frame at its place; `None` for one from before the beginning.
    ///
    /// # Errors
    /// `BadInput` where it breaks what a [`Frame`] promises: an edge is not trusted with that.
    pub fn place(&mut self, mut frame: Frame) -> Result<Option<Frame>> {
        if self.begin.is_none() && !frame.is_entry() {
            return Ok(None);
        }
        let begin = *self.begin.get_or_insert(frame.dts);
        let last = if frame.track == Track::Video { &mut self.video } else { &mut self.audio };
        if last.is_some_and(|last| frame.dts <= last) {
            return Err(Error::bad_input("the site sends frames in a wrong order"));
        }
        *last = Some(frame.dts);
        if frame.dts < begin {
            // Sound from before the first picture.
            return Ok(None);
        }
        frame.dts = frame.dts - begin;
        frame.pts = frame.pts - begin;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::MonoTime;

    fn frame(track: Track, at: i64, key: bool) -> Frame {
        let [dts, duration] = [at, 3600].map(MediaTime);
        Frame {
            track,
            dts,
            pts: dts,
            duration,
            key,
            data: Bytes::from_static(b"x"),
            arrived: MonoTime::default(),
        }
    }

    #[test]
    fn an_epoch_begins_at_its_first_key_frame() {
        let mut line = Line::default();
        let mut place = |track, at, key| line.place(frame(track, at, key)).unwrap().map(|frame| frame.dts.0);
        assert_eq!(place(Track::Audio, 880, true), None);
        assert_eq!(place(Track::Video, 900, false), None);
        assert_eq!(place(Track::Video, 1000, true), Some(0));
        assert_eq!(place(Track::Audio, 990, true), None);
        assert_eq!(place(Track::Audio, 1010, true), Some(10));
        assert_eq!(place(Track::Video, 1001, false), Some(1));
    }

    #[test]
    fn an_edge_is_not_trusted_with_the_order_of_frames() {
        let mut line = Line::default();
        line.place(frame(Track::Video, 1000, true)).unwrap();
        assert!(line.place(frame(Track::Video, 1000, false)).is_err());
        assert!(line.place(frame(Track::Video, 0, true)).is_err());
    }
}
