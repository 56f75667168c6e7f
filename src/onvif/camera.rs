//! One camera: where it is, how it wants to be spoken to, and the calls themselves.

use std::sync::Arc;

use super::ptz::Steering;
use super::xml::Element;
use super::{Failure, Service};
use crate::base::secret::Secret;
use crate::base::spec::{OnvifSpec, Trust};

/// Where a camera is and who we are there.
#[derive(Clone, Debug)]
pub struct Address {
    pub at: OnvifSpec,
    pub user: String,
    pub password: Secret,
}

/// A camera. Calls on it wait for each other: cameras have few connections to give.
#[derive(Debug)]
pub struct Camera {
    pub address: Address,
    /// What is remembered to steer it.
    pub(super) steering: Steering,
}

impl Camera {
    /// Nothing is sent yet.
    pub fn new(address: Address) -> Arc<Self> {
        Arc::new(Self { address, steering: Steering::default() })
    }

    /// Calls `operation` of `service` and gives its answer, the element `<operation>Response`.
    ///
    /// `arguments` is XML in the service's namespace as default, with `tt:` bound to
    /// [`super::service::SCHEMA`]; texts in it are escaped by the caller ([`super::xml::escape`]).
    ///
    /// # Errors
    /// [`super::Why`] says which; `Unsupported` where the camera lacks the service.
    pub async fn call(&self, service: Service, operation: &str, arguments: &str) -> Result<Element, Failure> {
        let _ = (service, operation, arguments);
        unimplemented!()
    }

    /// As [`Self::call`], at the address of a subscription, which a camera gave us. Of the address path
    /// and query count; the host is always the camera's own. `parameters` are the reference parameters of
    /// that address, XML that goes back as headers.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_at(
        &self,
        address: &str,
        parameters: &str,
        service: Service,
        operation: &str,
        arguments: &str,
    ) -> Result<Element, Failure> {
        let _ = (address, parameters, service, operation, arguments);
        unimplemented!()
    }

    /// Whether the camera says that it has this service.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn has(&self, service: Service) -> Result<bool, Failure> {
        let _ = service;
        unimplemented!()
    }

    /// The certificate that was pinned at the first connection, where the address said
    /// [`Trust::FirstUse`]: SHA-256 of its DER in hex.
    pub fn pin(&self) -> Option<String> {
        match &self.address.at.trust {
            Trust::Pinned(pin) => Some(pin.clone()),
            _ => None,
        }
    }
}
