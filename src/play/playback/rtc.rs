//! Playback over WebRTC: a recording becomes a stream of its own, which the WebRTC session of one
//! viewer reads like a live one.
//!
//! Run by the task that serves the viewer's signalling. Memory: the [`Reel`]'s, and the running GOP in
//! the stream's ring, at most [`RING`].

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::reel::{Piece, Reel};
use crate::base::Result;
use crate::base::time::MediaTime;
use crate::media::frame::Frame;
use crate::media::hub::{DEFAULT_KEEP, Hub};
use crate::media::params::Params;
use crate::media::stream::Stream;

/// Frame data kept for a viewer that lost a picture, and for one that seeks: all from the key frame to what
/// is sought comes at once and is sent in its time.
const RING: usize = 32 << 20;
/// How far the stream's line may fall behind the clock before it is brought up: a receiver takes what
/// comes later than its stamp says for a slow network. The line stands still while playback is paused.
const LATE: MediaTime = MediaTime::from_millis(300);

/// See the module.
pub struct Player {
    reel: Reel,
    stream: Arc<Stream>,
    params: Option<Arc<Params>>,
    /// When the first frame was sent.
    started: Option<Instant>,
    /// Put on all stamps.
    shift: MediaTime,
}

impl Player {
    pub fn new(reel: Reel) -> Self {
        let hub = Hub::new(RING, DEFAULT_KEEP);
        hub.begin(reel.params.clone());
        let stream = Stream::new(reel.token.clone(), hub);
        Self { reel, stream, params: None, started: None, shift: MediaTime::ZERO }
    }

    /// What the viewer's session reads.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Plays until the page is to be told something. Cancel-safe.
    ///
    /// # Errors
    /// Why nothing will come any more.
    pub async fn next(&mut self) -> Result<Value> {
        loop {
            match self.reel.next().await? {
                Piece::Params(params) => {
                    // The stream began with the first.
                    if self.params.replace(params.clone()).is_some() {
                        self.stream.hub.begin(Params::clone(&params));
                    }
                }
                Piece::Frame(frame) => self.push(frame),
                Piece::Text(text) => return Ok(text),
            }
        }
    }

    /// Does what `text` orders; what is wrong with it otherwise.
    pub fn obey(&mut self, text: &str) -> Option<Value> {
        self.reel.obey(text)
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
