//! Why something that was asked of a camera did not work.

use std::fmt;

use crate::base::Error;

/// The class of a failure; the API gives its name as `strReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Nobody answers there, or not in time.
    Unreachable,
    /// User or password is wrong or missing, or the camera has locked us out.
    Unauthorised,
    /// Something answers, but no ONVIF device: no SOAP, garbage, too much.
    NotOnvif,
    /// The certificate is not the pinned one, or TLS itself fails.
    Tls,
    /// The camera understood and refused: a SOAP fault.
    Refused,
    /// The camera does not have the service or the operation.
    Unsupported,
}

impl Why {
    /// Machine-readable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unauthorised => "unauthorised",
            Self::NotOnvif => "not_onvif",
            Self::Tls => "tls",
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
        }
    }
}

/// A failure with its class and a text that is fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub why: Why,
    pub text: String,
}

impl Failure {
    pub fn new(why: Why, text: impl Into<String>) -> Self {
        Self { why, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let text = failure.text;
        match failure.why {
            Why::Unreachable => Self::timeout(text),
            Why::Unauthorised => Self::unauthorised(text),
            Why::NotOnvif => Self::bad_input(text),
            Why::Tls | Why::Refused => Self::refused(text),
            Why::Unsupported => Self::unsupported(text),
        }
    }
}
