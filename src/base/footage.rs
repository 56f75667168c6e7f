//! What is kept of a camera: recordings and snapshots, as the database, the recorder and the API name
//! them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::wall::{Offset, Wall};

/// What needs no encoding in the path of an address (RFC 3986 3.3), as far as names have it.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'_')
    .remove(b'-')
    .remove(b'(')
    .remove(b')')
    .remove(b'+');

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Record,
    Snapshot,
}

impl What {
    /// As in `Search`'s `type`, in the path below `/mediastore`, and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Snapshot => "snapshot",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Record, Self::Snapshot].into_iter().find(|what| what.as_str() == name)
    }

    /// Of its files, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Record => "mp4",
            Self::Snapshot => "jpg",
        }
    }
}

/// Why it was made (`nType`, docs/protocol.md 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    Manual,
    Schedule,
    Alarm,
}

impl Cause {
    pub const ALL: [Self; 3] = [Self::Manual, Self::Schedule, Self::Alarm];

    /// As in `nType` and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "H5_REC_MANUAL",
            Self::Schedule => "H5_REC_SCHEDULE",
            Self::Alarm => "H5_REC_ALARM",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// One recording or snapshot: a file on a volume and its row in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footage {
    /// 0 before it is in the database.
    pub id: i64,
    pub what: What,
    /// Of the source, which may be gone.
    pub token: String,
    pub cause: Cause,
    /// Name of the volume.
    pub volume: String,
    /// Below the volume's root and below `/mediastore/`: `record/token1/2018-3-29TZ8/20-3-29/name.mp4`.
    pub path: String,
    /// Of the first picture.
    pub start: Wall,
    /// Of the end of the last picture; of an open recording as far as is known in the database: its start.
    pub end: Wall,
    /// The zone that its folders are named in.
    pub offset: Offset,
    pub bytes: u64,
    /// It is being written, or was when the power went.
    pub open: bool,
    /// Deleted last, and not for its age.
    pub locked: bool,
}

impl Footage {
    /// See [`place`].
    pub fn place(&self) -> String {
        place(&self.path)
    }

    /// See [`url`].
    pub fn url(&self) -> String {
        url(&self.path)
    }
}

/// Where footage is served, as people read it (`strPath`): `/mediastore/…`.
pub fn place(path: &str) -> String {
    format!("/mediastore/{path}")
}

/// The same as it stands in an address (`strUrl`): percent-encoded where a name needs it.
pub fn url(path: &str) -> String {
    format!("/mediastore/{}", utf8_percent_encode(path, IN_PATH))
}
