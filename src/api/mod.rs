//! The HTTP surface: one table of calls ([`table`]), one normalising step in front of it
//! ([`normalise`]), and thin handlers, one file per chapter of the manual.
//!
//! Tasks: one per connection ([`http`]), one per call that changes something (so that a client that
//! goes away cannot stop it halfway), one per open socket. Memory is bounded by
//! `http.max_connections` times the head and body limits in [`http`] and [`router`].

pub mod alarms;
pub mod calls;
pub mod docs;
pub mod events;
pub mod exports;
pub mod hls;
pub mod http;
pub mod lapse;
pub mod line;
pub mod media;
pub mod mediastore;
pub mod normalise;
pub mod onvif;
pub mod onvif_device;
pub mod onvif_search;
pub mod opening;
pub mod pages;
pub mod params;
pub mod playback;
pub mod ptz;
pub mod records;
pub mod reply;
pub mod request;
pub mod router;
pub mod rtsp;
pub mod search;
pub mod session;
pub mod snapshots;
pub mod sources;
pub mod spec;
mod storage;
pub mod streams;
pub mod system;
pub mod table;
pub mod tls;
pub mod whep;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::alarms::Alarms;
pub use self::docs::docs;
use self::events::EventHub;
pub use self::http::{Listeners, serve};
use self::onvif_device::OnvifDevice;
use crate::auth::Auth;
use crate::base::config::Config;
use crate::play::hls::Hls;
use crate::play::webrtc::Rtc;
use crate::play::ws::Ws;
use crate::record::Recorder;
use crate::snapshot::Snapshots;
use crate::source::Sources;
use crate::store::Store;
use crate::system::Sampler;

/// What the handlers work on. Made once by `main`, shared by all connections.
pub struct Context {
    pub config: Config,
    /// Folders that a file source may lie in: `config.sources.roots(data_dir)`.
    pub file_roots: Vec<PathBuf>,
    pub auth: Arc<Auth>,
    pub store: Arc<Store>,
    pub sources: Arc<Sources>,
    pub recorder: Arc<Recorder>,
    pub sampler: Sampler,
    pub ws: Ws,
    pub rtc: Rtc,
    pub hls: Hls,
    pub snapshots: Snapshots,
    pub events: EventHub,
    pub alarms: Alarms,
    pub device: OnvifDevice,
    /// Cancelled when the daemon stops; sockets end on it.
    pub shutdown: CancellationToken,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
