//! The one error type. Everything that differs between failures follows from its [`Kind`]:
//! the HTTP status, the back-off class and the level at which it is logged.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The named thing (source, session, file) does not exist.
    NotFound,
    /// A parameter, message, file or stream is malformed; the text names it.
    BadInput,
    /// Credentials are missing or wrong, or the role does not suffice.
    Unauthorised,
    /// Understood and well-formed, but not allowed now (token in use, folder not allowed, rate limit).
    Refused,
    /// A peer did not answer in time.
    Timeout,
    /// Valid, but this build or this stream cannot do it.
    Unsupported,
    /// A bounded resource (queue, cache, disk, viewer limit) has no room.
    Full,
    /// Our own fault or the operating system's.
    Internal,
}

/// An error with its kind and a text that is fit to be shown: it names what was wrong and never
/// holds a secret.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    text: String,
}

/// Shorthand used all over the crate.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! constructors {
    ($($name:ident $kind:ident)*) => {$(
        #[doc = concat!("An error of kind [`Kind::", stringify!($kind), "`].")]
        pub fn $name(text: impl Into<String>) -> Self {
            Self { kind: Kind::$kind, text: text.into() }
        }
    )*};
}

impl Error {
    /// An error of `kind`, for one that comes from another process.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    constructors! {
        not_found NotFound
        bad_input BadInput
        unauthorised Unauthorised
        refused Refused
        timeout Timeout
        unsupported Unsupported
        full Full
        internal Internal
    }

    /// The kind, from which status, back-off and log level follow.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same error with `what` put in front, to say where it happened.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.text = format!("{what}: {}", self.text);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            std::io::ErrorKind::TimedOut => Kind::Timeout,
            std::io::ErrorKind::PermissionDenied => Kind::Refused,
            _ => Kind::Internal,
        };
        Self { kind, text: error.to_string() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        // Told in the same words wherever it is met first.
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::internal(format!("the database is damaged: {error}"))
            }
            _ => Self::internal(format!("database: {error}")),
        }
    }
}
