//! What a source is, as the API takes it, the store keeps it and `source` opens it.

use super::secret::{Secret, redact_url};

/// Longest token and name that are accepted, in bytes.
pub const MAX_TOKEN: usize = 64;
pub const MAX_NAME: usize = 256;
/// What the token of a sub stream has behind its source's.
pub const SUB: &str = "$$sub";
/// Longest URL or file path that is accepted, in bytes.
pub const MAX_URL: usize = 2048;
/// Longest name of a host (RFC 1035 2.3.4), in bytes.
pub const MAX_HOST: usize = 253;
/// Longest path of an ONVIF device service, in bytes.
pub const MAX_ONVIF_PATH: usize = 256;
/// Longest token of a camera's profile, in bytes. ONVIF has 64 characters, of up to four bytes.
pub const MAX_PROFILE: usize = 256;

/// The manual's `nType` (5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// `H5_FILE`: a file on the device, looped.
    File,
    /// `H5_STREAM`: an RTSP, RTSPS or RTMP address.
    Stream,
    /// `H5_ONVIF`: a camera that is asked for its addresses.
    Onvif,
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

names!(SourceKind: File = "H5_FILE", Stream = "H5_STREAM", Onvif = "H5_ONVIF");
names!(Connect: Auto = "H5_AUTO", OnDemand = "H5_ONDEMAND", Always = "H5_ALWAYS");
names!(RtspTransport: Auto = "H5_RTSP_AUTO", Tcp = "H5_RTSP_TCP", Udp = "H5_RTSP_UDP");

/// One source. Checked before it is made: see `api::sources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    /// Unique; 1 to [`MAX_TOKEN`] of `A-Z a-z 0-9 . _ -`, not starting with a dot.
    pub token: String,
    pub name: String,
    pub kind: SourceKind,
    /// URL without user and password, or an absolute file path. Of an ONVIF camera: the stream address
    /// that it gave last, empty before.
    pub url: String,
    /// URL of the small picture of the same lens, without user and password, which are the same; only for
    /// [`SourceKind::Stream`].
    pub sub_url: Option<String>,
    pub user: String,
    pub password: Secret,
    /// Whether sound is carried along (`bEnableAudio`).
    pub audio: bool,
    pub connect: Connect,
    pub transport: RtspTransport,
    /// Present for [`SourceKind::Onvif`] only.
    pub onvif: Option<OnvifSpec>,
}

/// Where an ONVIF camera is, and which of its profiles are shown (manual 5.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnvifSpec {
    /// Address or name, an IPv6 address without brackets.
    pub host: String,
    pub port: u16,
    /// Path of the device service, `/onvif/device_service` mostly.
    pub path: String,
    pub trust: Trust,
    /// Token of the main profile; `None`: chosen from what the camera has (`bOnvifProfileAuto`).
    pub main: Option<String>,
    /// Token of the sub profile; `None`: chosen, or there is none.
    pub sub: Option<String>,
}

/// How the camera's web service is reached, and whose certificate is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Plain HTTP.
    #[default]
    Plain,
    /// HTTPS; the certificate of the first connection is pinned, and `Pinned` from then on.
    FirstUse,
    /// HTTPS with this certificate only: SHA-256 of its DER, 64 hex digits in lower case.
    Pinned(String),
    /// HTTPS with any certificate.
    Any,
}

impl SourceSpec {
    /// The address without passwords, as lists and the database show it.
    pub fn shown_url(&self) -> String {
        match self.kind {
            SourceKind::File => self.url.clone(),
            SourceKind::Stream | SourceKind::Onvif => redact_url(&self.url),
        }
    }

    /// The same for the small picture; empty where there is no address of one.
    pub fn shown_sub_url(&self) -> String {
        self.sub_url.as_deref().map(redact_url).unwrap_or_default()
    }

    /// Whether `other` is the same source, by another name at most: nothing has to be restarted then.
    pub fn is_same_but_for_name(&self, other: &Self) -> bool {
        Self { name: other.name.clone(), ..self.clone() } == *other
    }
}
