//! Who asks: WS-UsernameToken in the SOAP header, or HTTP Digest.

use super::fault::Fault;
use super::site::{Level, Site};
use super::Request;
use crate::onvif::xml::Element;

/// Checks credentials.
#[derive(Debug)]
pub struct Guard;

impl Guard {
    pub fn new() -> Self {
        Self
    }

    /// One header `WWW-Authenticate` each.
    pub fn challenges(&self) -> Vec<String> {
        Vec::new()
    }

    /// Lets pass who has `needed`; everybody where that is `None`.
    ///
    /// # Errors
    /// The fault to answer with.
    pub fn admit<S: Site>(
        &self,
        _: &S,
        _: &Request,
        _: Option<&Element>,
        needed: Option<Level>,
    ) -> Result<(), Fault> {
        match needed {
            None => Ok(()),
            Some(_) => Err(Fault::unauthenticated()),
        }
    }
}
