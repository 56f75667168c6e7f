//! What a source is, as the API takes it, the store keeps it and `source` opens it.

use super::secret::{Secret, redact_url};

/// Longest token and name that are accepted, in bytes.
pub const MAX_TOKEN: usize = 64;
pub const MAX_NAME: usize = 256;
/// Longest URL or file path that is accepted, in bytes.
pub const MAX_URL: usize = 2048;

/// The manual's `nType` (5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// `H5_FILE`: a file on the device, looped.
    File,
    /// `H5_STREAM`: an RTSP, RTSPS or RTMP address.
    Stream,
}

/// The manual's `nConnectType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Connect {
    /// `H5_AUTO`: as the configuration's default says.
    #[default]
    Auto,
    /// `H5_ONDEMAND`: pulled while somebody watches, and 15 s longer.
    OnDemand,
    /// `H5_ALWAYS`: pulled from start to stop.
    Always,
}

/// The manual's `nRTSPType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RtspTransport {
    /// `H5_RTSP_AUTO`: TCP, and UDP where the camera refuses that.
    #[default]
    Auto,
    /// `H5_RTSP_TCP`
    Tcp,
    /// `H5_RTSP_UDP`
    Udp,
}

macro_rules! names {
    ($type:ident: $($variant:ident = $name:literal),*) => {
        impl $type {
            /// The name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The reverse of [`Self::as_str`].
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

names!(SourceKind: File = "H5_FILE", Stream = "H5_STREAM");
names!(Connect: Auto = "H5_AUTO", OnDemand = "H5_ONDEMAND", Always = "H5_ALWAYS");
names!(RtspTransport: Auto = "H5_RTSP_AUTO", Tcp = "H5_RTSP_TCP", Udp = "H5_RTSP_UDP");

/// One source. Checked before it is made: see `api::sources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    /// Unique; 1 to [`MAX_TOKEN`] of `A-Z a-z 0-9 . _ -`, not starting with a dot.
    pub token: String,
    pub name: String,
    pub kind: SourceKind,
    /// URL without user and password, or an absolute file path.
    pub url: String,
    pub user: String,
    pub password: Secret,
    /// Whether sound is carried along (`bEnableAudio`).
    pub audio: bool,
    pub connect: Connect,
    pub transport: RtspTransport,
}

impl SourceSpec {
    /// The address without passwords, as lists and the database show it.
    pub fn shown_url(&self) -> String {
        match self.kind {
            SourceKind::File => self.url.clone(),
            SourceKind::Stream => redact_url(&self.url),
        }
    }
}
