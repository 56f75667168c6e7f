//! What the device shows: plain facts, given by the caller's [`Site`]. No references to what they
//! describe, so that an answer is made of one moment.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use crate::base::secret::Secret;
use crate::base::wall::Wall;
use crate::onvif::Camera;

/// Who the device is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub manufacturer: String,
    pub model: String,
    pub firmware: String,
    /// Unique; clients tell devices apart by it.
    pub serial: String,
    pub hardware: String,
    /// For people; from the configuration.
    pub name: String,
    pub location: String,
    /// `urn:uuid:…`, the same for ever.
    pub endpoint: String,
}

/// One source, which is one video source of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Token of the source.
    pub source: String,
    pub name: String,
    pub main: Video,
    /// `None` where there is no sub stream.
    pub sub: Option<Video>,
    /// Whether the camera behind can be steered.
    pub ptz: bool,
}

/// Facts of a stream; `None` while it was never seen.
pub type Video = Option<Picture>;

/// What a stream consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    pub codec: Codec,
    pub width: u32,
    pub height: u32,
    /// Frames a second, rounded; at least 1.
    pub fps: u32,
    /// Kilobits a second; at least 1.
    pub kbps: u32,
    /// Frames from one key frame to the next; at least 1.
    pub gop: u32,
    pub profile: CodecProfile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    H264,
    H265,
}

impl Codec {
    /// The name in Media2, which is that of the RTP payload format (RFC 6184, RFC 7798).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "H264",
            Self::H265 => "H265",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::H264, Self::H265].into_iter().find(|codec| codec.as_str() == name)
    }
}

/// The profile of a codec (not of ONVIF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecProfile {
    Baseline,
    Main,
    Main10,
    Extended,
    High,
}

impl CodecProfile {
    const ALL: [Self; 5] = [Self::Baseline, Self::Main, Self::Main10, Self::Extended, Self::High];

    /// The name in Media1 and Media2 (`tt:H264Profile`, `tt:VideoEncodingProfiles`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "Baseline",
            Self::Main => "Main",
            Self::Main10 => "Main10",
            Self::Extended => "Extended",
            Self::High => "High",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }
}

/// What a user may do, the least first (ONVIF Core, user levels).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    User,
    Operator,
    Administrator,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::User, Self::Operator, Self::Administrator];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Operator => "Operator",
            Self::Administrator => "Administrator",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// Who may use the device. The password is plain, as the digests of ONVIF need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub password: Secret,
    pub level: Level,
}

/// How a look at a password went, where it was not wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    /// Nothing is known of the password: what came with it was too old.
    Undecided,
}

/// The machine's network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    pub hostname: String,
    /// Without the loop-back.
    pub interfaces: Vec<Interface>,
    pub dns: Vec<IpAddr>,
    pub search_domains: Vec<String>,
    pub gateways: Vec<IpAddr>,
    pub http: u16,
    pub https: Option<u16>,
    pub rtsp: u16,
}

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    /// `00:11:22:33:44:55`
    pub mac: String,
    pub mtu: u32,
    pub up: bool,
    /// Addresses with the lengths of their prefixes.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// A time of which everything is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: Wall,
    /// As far as is known.
    pub end: Wall,
    /// It goes on.
    pub open: bool,
}

/// What the device shows, and what it is allowed to.
pub trait Site: Send + Sync + 'static {
    fn identity(&self) -> Identity;

    /// The sources in the order in which they were added; new ones come last.
    fn channels(&self) -> Vec<Channel>;

    /// The camera behind a source, for steering.
    fn camera(&self, source: &str) -> Option<Arc<Camera>>;

    /// Those who may use the device.
    fn users(&self) -> Vec<User>;

    /// Whether a password of `user` from this address may be looked at; it counts as a wrong one until
    /// [`Self::tried`] says otherwise.
    fn may_try(&self, peer: IpAddr, user: &str) -> bool;

    /// How a try that was allowed went.
    fn tried(&self, peer: IpAddr, user: &str, outcome: Outcome);

    fn network(&self) -> impl Future<Output = Network> + Send;

    /// What is recorded of a source between two moments, by start; what joins is one span.
    fn recorded(&self, source: &str, from: Wall, to: Wall) -> impl Future<Output = Vec<Span>> + Send;

    /// Port of the RTSP server.
    fn rtsp_port(&self) -> u16;

    /// Whether others may find the device by WS-Discovery.
    fn discoverable(&self) -> bool;

    /// Whether Media1, which has no word for H.265, calls it H264 where there is no other stream;
    /// else such a stream is in Media2 only.
    fn h265_as_h264(&self) -> bool;
}
