//! What cameras report: one pull-point subscription per camera.

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    Motion,
    DigitalInput,
}

impl EventKind {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::DigitalInput => "digital_input",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Motion, Self::DigitalInput].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One change that a camera reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraEvent {
    pub kind: EventKind,
    /// Which input, rule or video source of the camera; empty where it does not say.
    pub item: String,
    /// Began, or ended.
    pub active: bool,
}
