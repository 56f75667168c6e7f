//! Playback over WebSocket: as live ([`crate::play::ws`]) with the MIME type first, then the init
//! segment, then fragments; beside them only texts of JSON. A viewer that takes the media slowly slows
//! its playback down and loses nothing.
//!
//! One task per viewer. Memory: the [`Feed`]'s and [`BATCH`] bytes on their way out.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Feed, Item, Order, Pace, Recordings, Request, time_notice};
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::fmp4::{Run, Sample, fragment_head, init_segment};
use crate::media::frame::Frame;
use crate::play::socket::{Heard, Socket};
use crate::play::ws::{Io, close, shorten};

/// Bytes that may wait for a slow viewer, give or take a frame.
const BATCH: usize = 256 << 10;
/// Clients send something every second, but hidden tabs only once a minute.
const SILENCE: Duration = Duration::from_secs(120);
/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(20);
/// What players need in hand to play smoothly over a network that stutters.
const PACE: Pace = Pace { lead: MediaTime::from_secs(1), slack: MediaTime::ZERO, sound: true };

/// Serves one viewer to its end. What is wrong with the request is told on the socket.
pub async fn serve(mut socket: Socket<impl Io>, recordings: Recordings, request: Result<Request>) {
    let shown = match request {
        Ok(request) => show(&mut socket, recordings, request).await,
        Err(error) => Err(error),
    };
    let Err(error) = shown else { return };
    tracing::debug!("playback ended: {error}");
    socket.queue_text(&json!({"type": "error", "strCode": error.to_string()}).to_string());
    // The viewer may be gone already, which is what this is about to say.
    let _ = timeout(FAREWELL, socket.close(close::OFFLINE, shorten(&error.to_string()))).await;
}

/// `Ok` when the viewer has left.
async fn show(socket: &mut Socket<impl Io>, recordings: Recordings, request: Request) -> Result<()> {
    let offset = request.offset;
    let mut feed = Feed::open(recordings, request, PACE).await?;
    socket.queue(feed.params().mime().into(), Bytes::new());
    let mut sequence = 0;
    let mut last_word = Instant::now();
    loop {
        let waits = socket.queued() >= BATCH;
        tokio::select! {
            heard = socket.turn() => match heard {
                Err(_) => return Ok(()),
                Ok(None) => {}
                Ok(Some(heard)) => {
                    last_word = Instant::now();
                    obey(socket, &mut feed, heard);
                }
            },
            item = feed.next(), if !waits => match item {
                Item::Params(params) => socket.queue(Vec::new(), init_segment(&params)),
                Item::Frame(frame) => {
                    sequence += 1;
                    socket.queue(head(&frame, sequence), frame.data);
                }
                Item::Time(seen) => socket.queue_text(&time_notice(seen, offset).to_string()),
                Item::Fault(error) => say_fault(socket, &error),
            },
            () = sleep_until(last_word + SILENCE) => return Err(Error::timeout("viewer is silent")),
        }
    }
}

fn obey(socket: &mut Socket<impl Io>, feed: &mut Feed, heard: Heard) {
    let Heard::Text(text) = heard else { return };
    match Order::parse(&text) {
        Ok(Some(order)) => feed.order(order),
        Ok(None) => {}
        Err(error) => say_fault(socket, &error),
    }
}

/// Unlike an error, after which the connection ends.
fn say_fault(socket: &mut Socket<impl Io>, error: &Error) {
    socket.queue_text(&super::fault_notice(error).to_string());
}

fn head(frame: &Frame, sequence: u32) -> Vec<u8> {
    let sample = Sample {
        duration: frame.duration,
        offset: frame.pts - frame.dts,
        key: frame.key,
        size: frame.data.len() as u32,
    };
    fragment_head(sequence, &[Run { track: frame.track, start: frame.dts, samples: &[sample] }])
}
