//! The configuration: one TOML file, read once at start. `config/h5edge.sample.toml` explains every
//! key with its default, unit and bounds, and a test holds it to the types here.
//!
//! Everything is checked while it is read, so that an unknown key or a bad value is refused with
//! file, line, column and key path; a [`Config`] that exists is a valid one. Error texts never quote
//! the line, which may hold a password.

mod appliance;
mod checks;
mod cloud;
mod onvif;
mod recording;
mod rtsp;
mod snapshot;
mod source;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::appliance::Appliance;
pub use self::cloud::{Cloud, CloudClient, CloudServer, Database, GRANTS};
pub use self::onvif::Onvif;
pub use self::recording::{Recording, VolumeEntry};
pub use self::rtsp::Rtsp;
pub use self::snapshot::Snapshot;
pub use self::source::SourceEntry;
use super::secret::Secret;
use super::spec::{Connect, RtspTransport};
use super::{Error, Result};

/// The whole file. Every section and key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    #[serde(deserialize_with = "checks::http")]
    pub http: Http,
    pub auth: Auth,
    pub webrtc: WebRtc,
    pub hls: Hls,
    pub sources: Sources,
    pub recording: Recording,
    /// Where recordings lie; without any, `<data-dir>/mediastore`.
    #[serde(deserialize_with = "recording::volumes")]
    pub volume: Vec<VolumeEntry>,
    pub snapshot: Snapshot,
    pub rtsp: Rtsp,
    pub onvif: Onvif,
    pub cloud: Cloud,
    pub appliance: Appliance,
    pub log: Log,
    /// Sources that are put into the database at start where their token is not there yet.
    #[serde(deserialize_with = "source::unique")]
    pub source: Vec<SourceEntry>,
}

/// `[http]`: pages, API, WebSocket and HLS.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub bind: IpAddr,
    #[serde(deserialize_with = "checks::within::<1, 65535, _, _>")]
    pub port: u16,
    /// 0 turns HTTPS off.
    pub https_port: u16,
    /// Origins (`https://host[:port]`) whose pages may call the API; `*` stands for all.
    #[serde(deserialize_with = "checks::origins")]
    pub cors_origins: Vec<String>,
    /// Open connections over both ports; more are turned away.
    #[serde(deserialize_with = "checks::within::<16, 65535, _, _>")]
    pub max_connections: usize,
    /// Balancers that pass connections on: those that come from them begin with a PROXY header.
    #[serde(deserialize_with = "checks::addresses")]
    pub proxies: Vec<IpAddr>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 8080,
            https_port: 8443,
            cors_origins: Vec::new(),
            max_connections: 1024,
            proxies: Vec::new(),
        }
    }
}

/// `[auth]`: who may do what without a session, and how long one lasts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    pub require_session: bool,
    pub anonymous_view: bool,
    #[serde(deserialize_with = "checks::within::<5, 86_400, _, _>")]
    pub session_seconds: u64,
    pub require_password_change: bool,
    /// Wrong passwords per address and user within `login_window_seconds` until a lock.
    #[serde(deserialize_with = "checks::within::<1, 1000, _, _>")]
    pub login_attempts: u32,
    #[serde(deserialize_with = "checks::within::<1, 86_400, _, _>")]
    pub login_window_seconds: u64,
    #[serde(deserialize_with = "checks::within::<1, 86_400, _, _>")]
    pub lock_seconds: u64,
    /// What `admin` gets where there is no user yet; empty: that is asked for on the page.
    #[serde(deserialize_with = "checks::password")]
    pub initial_password: Secret,
    /// How long after the start it may be asked for.
    #[serde(deserialize_with = "checks::within::<1, 86_400, _, _>")]
    pub setup_window_seconds: u64,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            require_session: true,
            anonymous_view: false,
            session_seconds: 600,
            require_password_change: false,
            login_attempts: 5,
            login_window_seconds: 60,
            lock_seconds: 60,
            initial_password: Secret::default(),
            setup_window_seconds: 3600,
        }
    }
}

/// `[webrtc]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct WebRtc {
    /// UDP for all viewers, and ICE-TCP on the same number.
    #[serde(deserialize_with = "checks::within::<1, 65535, _, _>")]
    pub port: u16,
    /// Addresses offered besides those of the machine's interfaces.
    pub public_addresses: Vec<IpAddr>,
    pub ice_servers: Vec<IceServer>,
    #[serde(deserialize_with = "checks::within::<1, 10_000, _, _>")]
    pub max_viewers: usize,
}

impl Default for WebRtc {
    fn default() -> Self {
        Self { port: 8189, public_addresses: Vec::new(), ice_servers: Vec::new(), max_viewers: 100 }
    }
}

/// One of `[[webrtc.ice_servers]]`, handed to the browser as it is (`RTCIceServer`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    #[serde(deserialize_with = "checks::ice_urls")]
    pub urls: Vec<String>,
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub credential: Secret,
}

/// `[hls]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Hls {
    #[serde(deserialize_with = "checks::within::<1, 30, _, _>")]
    pub segment_seconds: u64,
    #[serde(deserialize_with = "checks::within::<3, 20, _, _>")]
    pub segment_count: usize,
    #[serde(deserialize_with = "checks::within::<100, 1000, _, _>")]
    pub part_millis: u64,
}

impl Default for Hls {
    fn default() -> Self {
        Self { segment_seconds: 2, segment_count: 4, part_millis: 200 }
    }
}

/// `[sources]`: what holds for all of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// What `H5_AUTO` means: [`Connect::OnDemand`] or [`Connect::Always`].
    #[serde(deserialize_with = "checks::default_connect")]
    #[cfg_attr(test, serde(serialize_with = "checks::show_connect"))]
    pub default_connect: Connect,
    /// What `H5_RTSP_AUTO` means; [`RtspTransport::Auto`] is TCP first, then UDP.
    #[serde(deserialize_with = "checks::transport")]
    #[cfg_attr(test, serde(serialize_with = "checks::show_transport"))]
    pub default_transport: RtspTransport,
    #[serde(deserialize_with = "checks::within::<0, 3600, _, _>")]
    pub warm_seconds: u64,
    #[serde(deserialize_with = "checks::within::<1, 300, _, _>")]
    pub stall_seconds: u64,
    /// Cap of the GOP ring of each source.
    #[serde(deserialize_with = "checks::within::<1_048_576, 1_073_741_824, _, _>")]
    pub ring_bytes: usize,
    /// Folders that files may be played from, besides the data directory's own: see [`Sources::roots`].
    #[serde(deserialize_with = "checks::absolute_paths")]
    pub file_roots: Vec<PathBuf>,
    #[serde(deserialize_with = "checks::within::<1, 4096, _, _>")]
    pub max_sources: usize,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            default_connect: Connect::OnDemand,
            default_transport: RtspTransport::Auto,
            warm_seconds: 15,
            stall_seconds: 5,
            ring_bytes: 32 << 20,
            file_roots: vec![PathBuf::from("/mediastore")],
            max_sources: 256,
        }
    }
}

impl Sources {
    /// All folders that files may be played from: `<data_dir>/files`, then `file_roots`.
    pub fn roots(&self, data_dir: &Path) -> Vec<PathBuf> {
        std::iter::once(data_dir.join("files")).chain(self.file_roots.iter().cloned()).collect()
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub level: Level,
    pub format: Format,
    /// Levels by module path, such as `h5edge::source`; the longest match counts.
    pub modules: BTreeMap<String, Level>,
    /// How long repetitions of a line are counted before they are told in one; 0 shows each.
    #[serde(deserialize_with = "checks::within::<0, 3600, _, _>")]
    pub collapse_seconds: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: Level::Info, format: Format::Text, modules: BTreeMap::new(), collapse_seconds: 10 }
    }
}

/// What is logged: this and everything graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Text,
    Json,
}

impl Config {
    /// Reads and checks `path`; the defaults without one.
    ///
    /// Errors: `BadInput` with `file:line:column: key path: what was wrong`, or why the file could
    /// not be read.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text =
            std::fs::read_to_string(path).map_err(|error| Error::from(error).context(path.display()))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// [`Config::load`] for text; `file` is its name in error texts.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| checks::explain(error, text, file))
    }
}

#[cfg(test)]
mod tests;
