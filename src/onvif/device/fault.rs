//! SOAP 1.2 faults with ONVIF's subcodes (ONVIF Core 5.9).

use super::{Response, write};
use crate::onvif::xml::escape;
use crate::onvif::{Failure, Why};

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether the request is at fault (`s:Sender`), or we are (`s:Receiver`).
    sender: bool,
    /// From the outer to the inner, with prefix.
    subcodes: &'static [&'static str],
    reason: String,
}

impl Fault {
    fn new(sender: bool, subcodes: &'static [&'static str], reason: impl Into<String>) -> Self {
        Self { sender, subcodes, reason: reason.into() }
    }

    /// No XML, or no SOAP.
    pub fn malformed(reason: impl Into<String>) -> Self {
        Self::new(true, &["ter:WellFormed"], reason)
    }

    /// An operation that we don't have.
    pub fn unknown(operation: &str) -> Self {
        Self::new(false, &["ter:ActionNotSupported"], format!("{operation:.64} is not supported"))
    }

    /// An operation that we have no use for letting others do: they must not change the appliance.
    pub fn prohibited(operation: &str) -> Self {
        Self::new(true, &["ter:OperationProhibited"], format!("{operation:.64} is not allowed over ONVIF"))
    }

    /// Wrong credentials, or too low a level.
    pub fn not_authorized(reason: impl Into<String>) -> Self {
        Self::new(true, &["ter:NotAuthorized"], reason)
    }

    /// An argument that is missing or means nothing.
    pub fn argument(reason: impl Into<String>) -> Self {
        Self::new(true, &["ter:InvalidArgVal"], reason)
    }

    /// An argument with a fault that has a name of its own, such as `ter:NoProfile`.
    pub fn named(subcodes: &'static [&'static str], reason: impl Into<String>) -> Self {
        Self::new(true, subcodes, reason)
    }

    /// We, or the camera behind, could not do it.
    pub fn receiver(subcodes: &'static [&'static str], reason: impl Into<String>) -> Self {
        Self::new(false, subcodes, reason)
    }

    /// The whole answer, without challenges.
    pub fn response(&self) -> Response {
        let mut subcode = String::new();
        for code in self.subcodes.iter().rev() {
            subcode = format!("<s:Subcode><s:Value>{code}</s:Value>{subcode}</s:Subcode>");
        }
        let code = if self.sender { "s:Sender" } else { "s:Receiver" };
        let body = write::body(&format!(
            "<s:Fault><s:Code><s:Value>{code}</s:Value>{subcode}</s:Code>\
             <s:Reason><s:Text xml:lang=\"en\">{}</s:Text></s:Reason></s:Fault>",
            escape(&self.reason)
        ));
        // SOAP 1.2 part 2, table 20.
        let status = if self.sender { 400 } else { 500 };
        Response { status, challenges: Vec::new(), body }
    }
}

/// What the camera behind did not do.
impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let subcodes: &'static [&'static str] = match failure.why {
            Why::Unsupported => &["ter:ActionNotSupported"],
            _ => &["ter:Action"],
        };
        Self::receiver(subcodes, format!("the camera: {failure}"))
    }
}
