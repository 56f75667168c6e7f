//! The HTTP surface: one table of calls ([`table`]), one normalising step in front of it
//! ([`normalise`]), and thin handlers, one file per chapter of the manual.
//!
//! Tasks: one per connection ([`http`]), one per call that changes something (so that a client that
//! goes away cannot stop it halfway), one per open socket. Memory is bounded by
//! `http.max_connections` times the head and body limits in [`http`] and [`router`].

pub mod alarms;
pub mod audit;
pub mod board;
pub mod calls;
mod certificate;
pub mod cloud;
mod conversation;
pub mod docs;
pub mod events;
pub mod exports;
pub mod frames;
mod health;
pub mod hls;
pub mod http;
pub mod lapse;
pub mod line;
mod maintenance;
pub mod media;
pub mod mediastore;
mod network;
pub mod normalise;
pub mod onvif;
pub mod onvif_device;
pub mod onvif_search;
pub mod openapi;
pub mod opening;
pub mod pages;
pub mod params;
pub mod playback;
mod proxied;
pub mod ptz;
pub mod records;
pub mod reply;
pub mod request;
pub mod router;
mod rtsp;
pub mod search;
pub mod session;
pub mod setup;
pub mod snapshots;
pub mod sources;
pub mod spec;
mod ssh;
mod storage;
pub mod streams;
pub mod system;
pub mod table;
mod time;
pub mod tls;
pub mod update;
mod upload;
mod users;
mod views;
pub mod whep;

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::alarms::Alarms;
use self::board::Board;
use self::cloud::Cloud;
pub use self::docs::docs;
use self::events::EventHub;
use self::frames::Frames;
pub use self::http::{Listeners, serve};
use self::onvif_device::OnvifDevice;
use self::tls::Certificate;
use self::update::Updates;
use crate::auth::Auth;
use crate::base::config::Config;
use crate::play::hls::Hls;
use crate::play::webrtc::Rtc;
use crate::play::ws::Ws;
use crate::record::Recorder;
use crate::snapshot::Snapshots;
use crate::source::Sources;
use crate::store::Store;
use crate::system::{Appliance, Sampler};

/// What the handlers work on. Made once by `main`, shared by all connections.
pub struct Context {
    pub config: Config,
    pub data_dir: PathBuf,
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
    pub board: Board,
    pub alarms: Alarms,
    pub device: OnvifDevice,
    /// The box that this runs on, if it is one.
    pub appliance: Appliance,
    pub updates: Updates,
    /// `None` where HTTPS is off.
    pub certificate: Option<Arc<Certificate>>,
    pub frames: Frames,
    pub cloud: Cloud,
    /// Held by who reads the box's journal, which takes memory.
    pub journal: tokio::sync::Mutex<()>,
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
