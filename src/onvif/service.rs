//! The services of ONVIF and their XML namespaces.

/// The schema that all services share (`tt:`).
pub const SCHEMA: &str = "http://www.onvif.org/ver10/schema";

/// A web service of a camera, or of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    Device,
    Media,
    Media2,
    Ptz,
    Imaging,
    Events,
    DeviceIo,
    Recording,
    Search,
    Replay,
}

impl Service {
    pub const ALL: [Self; 10] = [
        Self::Device,
        Self::Media,
        Self::Media2,
        Self::Ptz,
        Self::Imaging,
        Self::Events,
        Self::DeviceIo,
        Self::Recording,
        Self::Search,
        Self::Replay,
    ];

    /// The target namespace of its WSDL.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Device => "http://www.onvif.org/ver10/device/wsdl",
            Self::Media => "http://www.onvif.org/ver10/media/wsdl",
            Self::Media2 => "http://www.onvif.org/ver20/media/wsdl",
            Self::Ptz => "http://www.onvif.org/ver20/ptz/wsdl",
            Self::Imaging => "http://www.onvif.org/ver20/imaging/wsdl",
            Self::Events => "http://www.onvif.org/ver10/events/wsdl",
            Self::DeviceIo => "http://www.onvif.org/ver10/deviceIO/wsdl",
            Self::Recording => "http://www.onvif.org/ver10/recording/wsdl",
            Self::Search => "http://www.onvif.org/ver10/search/wsdl",
            Self::Replay => "http://www.onvif.org/ver10/replay/wsdl",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Media => "media",
            Self::Media2 => "media2",
            Self::Ptz => "PTZ",
            Self::Imaging => "imaging",
            Self::Events => "events",
            Self::DeviceIo => "device I/O",
            Self::Recording => "recording",
            Self::Search => "search",
            Self::Replay => "replay",
        }
    }

    /// The service with this namespace.
    pub fn of(namespace: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.namespace() == namespace)
    }
}
