//! Playback over WebRTC: a recording becomes a stream of its own, which the WebRTC session of one
//! viewer reads like a live one.
//!
//! Run by the task that serves the viewer's signalling. Memory: the [`Feed`]'s, and the running GOP in
//! the stream's ring, at most [`RING`].

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::{Feed, Item, Order, Pace, Recordings, Request, fault_notice, time_notice};
use crate::base::Result;
use crate::base::time::MediaTime;
use crate::base::wall::Offset;
use crate::media::frame::Frame;
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::params::Params;
use crate::media::stream::Stream;
use crate::play::webrtc::b_frames;

/// Frame data kept for a viewer that lost a picture.
const RING: usize = 4 << 20;
/// Browsers show what arrives at once, so nothing is sent ahead.
const PACE: Pace = Pace { lead: MediaTime::ZERO, slack: MediaTime::from_millis(200), sound: false };
/// How far the stream's line may fall behind the clock before it is brought up: a receiver takes what
/// comes later than its stamp says for a slow network. The line stands still while playback is paused.
const LATE: MediaTime = MediaTime::from_millis(300);

/// See the module.
pub struct Player {
    feed: Feed,
    stream: Arc<Stream>,
    offset: Offset,
    params: Option<Arc<Params>>,
    /// When the first frame was sent.
    started: Option<Instant>,
    /// Put on all stamps.
    shift: MediaTime,
}

impl Player {
    /// # Errors
    /// As for [`Feed::open`]; `Unsupported` when WebRTC cannot carry the recording.
    pub async fn open(recordings: Recordings, request: Request) -> Result<Self> {
        let (token, offset) = (request.token.clone(), request.offset);
        let feed = Feed::open(recordings, request, PACE).await?;
        if feed.reorders() {
            return Err(b_frames());
        }
        let hub = Hub::new(RING, DEFAULT_KEEP);
        hub.begin(Params::clone(feed.params()));
        let stream = Stream::new(token, hub);
        Ok(Self { feed, stream, offset, params: None, started: None, shift: MediaTime::ZERO })
    }

    /// What the viewer's session reads.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Plays until the page is to be told something. Cancel-safe.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.feed.next().await {
                Item::Params(params) => {
                    // The stream began with the first.
                    if self.params.replace(params.clone()).is_some() {
                        self.stream.hub.begin(Params::clone(&params));
                    }
                }
                Item::Frame(frame) => self.push(frame),
                Item::Time(at) => return time_notice(at, self.offset),
                Item::Fault(error) => return fault_notice(&error),
            }
        }
    }

    /// Does what `text` orders; what is wrong with it otherwise.
    pub fn obey(&mut self, text: &str) -> Option<Value> {
        match Order::parse(text) {
            Ok(order) => {
                order.into_iter().for_each(|order| self.feed.order(order));
                None
            }
            Err(error) => Some(fault_notice(&error)),
        }
    }

    fn push(&mut self, mut frame: Frame) {
        let now = Instant::now();
        let passed = MediaTime::from(now - *self.started.get_or_insert(now));
        let late = passed - (frame.dts + self.shift);
        if late > LATE {
            self.shift += late;
        }
        frame.dts += self.shift;
        frame.pts += self.shift;
        self.stream.hub.push(frame);
    }
}
