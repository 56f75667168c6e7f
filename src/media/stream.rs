//! A stream: the meeting point of one source and its viewers. The source publishes frames and its
//! state here and sees whether anybody wants them; a viewer holds a [`Viewing`] while it watches.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::hub::{Cursor, Hub, Start};
use super::params::Params;
use crate::base::{Error, Result};

/// How long somebody waits for a source that is offline. Long enough that pages which retry at once do
/// not spin, short enough that they learn the reason.
pub const OFFLINE_PATIENCE: Duration = Duration::from_millis(2500);

/// Why a source is not delivering. The class decides how long its source waits before the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfflineReason {
    /// Something is there but refuses the connection or the request.
    Refused,
    /// User or password is missing or wrong.
    Unauthorised,
    /// Nobody answers at the address.
    NoRoute,
    /// Connected, but no frame for the stall time.
    Stalled,
    /// The stream ended or broke off.
    Lost,
    /// The file or path does not exist.
    NotFound,
    /// It answers, but with nothing that can be shown (no H.264 or H.265 video).
    Unsupported,
}

impl OfflineReason {
    /// Machine-readable name for the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unauthorised => "unauthorised",
            Self::NoRoute => "no_route",
            Self::Stalled => "stalled",
            Self::Lost => "lost",
            Self::NotFound => "not_found",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What the source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// On demand, and nobody asks. The source answered when it was last tried.
    Idle,
    /// Opening, no frame yet.
    Connecting,
    /// Frames arrive.
    Online,
    /// Not delivering; `text` says why in words, without secrets. The source keeps trying.
    Offline { reason: OfflineReason, text: String },
}

impl Status {
    /// Whether somebody who asks for the stream now can expect to get it.
    pub fn is_online(&self) -> bool {
        matches!(self, Self::Online | Self::Idle)
    }
}

/// One source's stream, shared by the source, all viewers and the API.
#[derive(Debug)]
pub struct Stream {
    pub token: String,
    pub hub: Arc<Hub>,
    status: watch::Sender<Status>,
    viewers: watch::Sender<usize>,
}

impl Stream {
    pub fn new(token: impl Into<String>, hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self {
            token: token.into(),
            hub,
            status: watch::Sender::new(Status::Idle),
            viewers: watch::Sender::new(0),
        })
    }

    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Sets the state; only the source calls this.
    pub fn set_status(&self, status: Status) {
        self.status.send_if_modified(|old| {
            let changed = *old != status;
            *old = status;
            changed
        });
    }

    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// How many viewers (and recorders) hold the stream open.
    pub fn viewers(&self) -> usize {
        *self.viewers.borrow()
    }

    pub fn watch_viewers(&self) -> watch::Receiver<usize> {
        self.viewers.subscribe()
    }

    /// Declares interest: an on-demand source runs while any [`Viewing`] lives, and a little longer.
    pub fn view(self: &Arc<Self>) -> Viewing {
        self.viewers.send_modify(|n| *n += 1);
        Viewing { stream: self.clone() }
    }
}

/// Interest in a stream; dropping it ends the interest.
#[derive(Debug)]
pub struct Viewing {
    pub stream: Arc<Stream>,
}

impl Viewing {
    /// Waits until the source delivers, at most `patience`, and gives a cursor with the parameters. A
    /// source that is known to be offline gets [`OFFLINE_PATIENCE`] only.
    ///
    /// # Errors
    /// `Timeout` with the source's own reason when it does not come up in time.
    pub async fn cursor(&self, start: Start, patience: Duration) -> Result<(Arc<Params>, Cursor)> {
        let mut changes = self.stream.hub.watch();
        let ready = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = self.stream.hub.cursor(start) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        tokio::select! {
            found = ready => return Ok(found),
            () = tokio::time::sleep(patience) => {}
            () = self.offline() => {}
        }
        Err(match self.stream.status() {
            Status::Offline { text, .. } => Error::timeout(format!("source is offline: {text}")),
            _ => Error::timeout("source did not start in time"),
        })
    }

    /// Returns when the source is offline, but not before it had the chance of another try.
    async fn offline(&self) {
        tokio::time::sleep(OFFLINE_PATIENCE).await;
        let mut status = self.stream.watch_status();
        // The sender lives in the stream that we hold, so this cannot fail.
        let _ = status.wait_for(|status| matches!(status, Status::Offline { .. })).await;
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.stream.viewers.send_modify(|n| *n -= 1);
    }
}
