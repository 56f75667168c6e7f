//! Live fMP4 over WebSocket, as the h5stream player pages expect it: the MIME type first and binary,
//! then the init segment, then one fragment per frame, on a time line that starts at 0 and has no
//! holes ([`crate::media::live`]).
//!
//! One task per viewer. Its only queue is the hub's ring plus at most [`BATCH`] bytes on their way
//! into the socket, which are references into the ring's frames; a viewer that cannot keep up skips to the newest key frame, and one that takes
//! nothing for [`WRITE_PATIENCE`] or says nothing for [`SILENCE`] is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use super::socket::Socket;
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::fmp4::init_segment;
use crate::media::frame::Track;
use crate::media::hub::{Event, Start};
use crate::media::live::Live;
use crate::media::stream::{Stream, Viewing};

/// Bytes handed to the socket before it is flushed, give or take a frame.
const BATCH: usize = 256 << 10;
/// A viewer later than this gives up frames where a newer key frame is there.
const MAX_LAG: MediaTime = MediaTime::from_millis(1500);
/// How long a source may take to come up. Client pages give up at 10 s.
const START_PATIENCE: Duration = Duration::from_secs(9);
/// How long a write may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// Clients send something every second, but hidden tabs only once a minute.
const SILENCE: Duration = Duration::from_secs(120);
/// How often a viewer that lags is listened to.
const BUSY_LISTEN: Duration = Duration::from_secs(5);

/// Close codes of this way out, from the range for applications (RFC 6455 7.4.2).
pub(super) mod close {
    /// The stream ended or changed; connecting again gives the new one.
    pub const CHANGED: u16 = 4000;
    /// The source does not deliver; the reason says why.
    pub const OFFLINE: u16 = 4001;
}

/// Serves live viewers and counts them.
#[derive(Clone, Debug, Default)]
pub struct Ws {
    viewers: Arc<AtomicUsize>,
}

impl Ws {
    /// Viewers connected now (manual 5.7.1).
    pub fn connect_count(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Serves one viewer to its end.
    pub async fn serve(&self, mut socket: Socket<impl Io>, stream: Arc<Stream>) {
        let _counted = Counted::new(&self.viewers);
        let viewing = stream.view();
        let (code, reason) = match show(&mut socket, &viewing).await {
            Ok(End::Gone) => return,
            Ok(End::Changed) => (close::CHANGED, "stream changed".to_owned()),
            Err(error) => {
                tracing::debug!(source = %stream.token, "viewer dropped: {error}");
                (close::OFFLINE, error.to_string())
            }
        };
        // The viewer may be gone already, which is what this is about to say.
        let _ = timeout(WRITE_PATIENCE, socket.close(code, shorten(&reason))).await;
    }
}

/// What carries a viewer's bytes.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A close frame has room for 123 bytes of reason (RFC 6455 5.5).
pub(super) fn shorten(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(123)).unwrap_or_default()
}

enum End {
    /// The viewer left or is not reachable.
    Gone,
    /// The epoch is over.
    Changed,
}

async fn show(socket: &mut Socket<impl Io>, viewing: &Viewing) -> Result<End> {
    let (params, mut cursor) = tokio::select! {
        start = viewing.cursor(Start::NewestKey, START_PATIENCE) => start?,
        () = until_gone(socket) => return Ok(End::Gone),
    };
    socket.queue(params.mime().into(), Bytes::new());
    socket.queue(Vec::new(), init_segment(&params));

    let mut live: Option<Live> = None;
    let mut last_word = Instant::now();
    loop {
        let event = match cursor.poll() {
            Some(event) => event,
            None => {
                flush(socket).await?;
                tokio::select! {
                    event = cursor.next() => event,
                    heard = socket.hear() => {
                        if heard.is_err() {
                            return Ok(End::Gone);
                        }
                        last_word = Instant::now();
                        continue;
                    }
                }
            }
        };
        match event {
            Event::Frame { frame, lag } => {
                if last_word.elapsed() > SILENCE {
                    return Err(Error::timeout("viewer is silent"));
                }
                let live = live.get_or_insert_with(|| Live::new(frame.dts, frame.dts + lag));
                let late = lag > MAX_LAG && frame.track == Track::Video;
                let skip_to = if late { cursor.newer_key() } else { None };
                if let Some(head) = live.fragment(&frame, skip_to) {
                    socket.queue(head, frame.data.clone());
                    if socket.queued() >= BATCH {
                        flush(socket).await?;
                    }
                }
                if skip_to.is_some() {
                    cursor.skip_to_newest_key();
                }
                if lag > MAX_LAG && last_word.elapsed() > BUSY_LISTEN {
                    // A viewer that is never caught up with still has to be heard.
                    match socket.hear().now_or_never() {
                        Some(Ok(_)) => last_word = Instant::now(),
                        Some(Err(_)) => return Ok(End::Gone),
                        None => {}
                    }
                }
            }
            Event::Skipped => {}
            Event::Ended => {
                flush(socket).await?;
                return Ok(End::Changed);
            }
        }
    }
}

/// Waits until the viewer left. What live viewers say (keepalives, playback commands) needs no answer.
async fn until_gone(socket: &mut Socket<impl Io>) {
    while socket.hear().await.is_ok() {}
}

async fn flush(socket: &mut Socket<impl Io>) -> Result<()> {
    match timeout(WRITE_PATIENCE, socket.flush()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Error::timeout(format!("viewer is gone: {error}"))),
        Err(_) => Err(Error::timeout("viewer takes nothing")),
    }
}
