//! One camera: where it is, how it wants to be spoken to, and the calls themselves.
//!
//! Everything runs on the caller's task; calls wait for each other. Kept is what the camera told about
//! itself (`session`): its clock, its way of logging in, its services.

mod clock;
mod login;
mod question;
mod reply;
mod services;
mod session;
mod target;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use question::Question;
use session::Session;
use target::Target;

use super::http::place;
use super::ptz::Steering;
use super::xml::Element;
use super::{Failure, Service, Why};
use crate::base::secret::Secret;
use crate::base::spec::{OnvifSpec, Trust};

/// How long a call may take, waiting for earlier ones, connecting and logging in included.
pub const CALL: Duration = Duration::from_secs(8);

/// Where a camera is and who we are there.
#[derive(Clone, Debug)]
pub struct Address {
    pub at: OnvifSpec,
    /// Empty: we log in as nobody.
    pub user: String,
    pub password: Secret,
}

/// A camera. Calls on it wait for each other: cameras have few connections to give.
#[derive(Debug)]
pub struct Camera {
    pub address: Address,
    pin: Arc<OnceLock<String>>,
    session: Mutex<Session>,
    /// What is remembered to steer it.
    pub(super) steering: Steering,
}

impl Camera {
    /// Nothing is sent yet.
    pub fn new(address: Address) -> Arc<Self> {
        let pin = Arc::<OnceLock<String>>::default();
        let session = Mutex::new(Session::new(&address.at, Arc::clone(&pin)));
        Arc::new(Self { address, pin, session, steering: Steering::default() })
    }

    /// Calls `operation` of `service` and gives its answer, the element `<operation>Response`.
    ///
    /// `arguments` is XML in the service's namespace as default, with `tt:` bound to
    /// [`super::service::SCHEMA`]; texts in it are escaped by the caller ([`super::xml::escape`]).
    ///
    /// # Errors
    /// [`super::Why`] says which; `Unsupported` where the camera lacks the service.
    pub async fn call(&self, service: Service, operation: &str, arguments: &str) -> Result<Element, Failure> {
        self.in_time(async {
            let mut session = self.session.lock().await;
            let Some(to) = session.service(&self.address, service).await? else {
                let text = format!("{} has no {} service", self.place(), service.name());
                return Err(Failure::new(Why::Unsupported, text));
            };
            session.ask(&self.address, &to, &Question::new(service, operation, arguments)).await
        })
        .await
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
        self.in_time(async {
            let Some(to) = Target::of(address, &self.address.at) else {
                let text = format!("{} names an address that is none", self.place());
                return Err(Failure::new(Why::NotOnvif, text));
            };
            let question =
                Question { to: address, headers: parameters, ..Question::new(service, operation, arguments) };
            let mut session = self.session.lock().await;
            session.greet(&self.address).await?;
            session.ask(&self.address, &to, &question).await
        })
        .await
    }

    /// Whether the camera says that it has this service.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn has(&self, service: Service) -> Result<bool, Failure> {
        let found = async { self.session.lock().await.service(&self.address, service).await };
        Ok(self.in_time(found).await?.is_some())
    }

    /// The certificate that was pinned at the first connection, where the address said
    /// [`Trust::FirstUse`]: SHA-256 of its DER in hex.
    pub fn pin(&self) -> Option<String> {
        match &self.address.at.trust {
            Trust::Pinned(pin) => Some(pin.clone()),
            Trust::FirstUse => self.pin.get().cloned(),
            Trust::Plain | Trust::Any => None,
        }
    }

    fn place(&self) -> String {
        place(&self.address.at.host, self.address.at.port)
    }

    /// What is cut off in the middle leaves nothing behind but a closed connection.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        timeout(CALL, work).await.unwrap_or_else(|_| {
            let text = format!("{} did not answer within {} s", self.place(), CALL.as_secs());
            Err(Failure::new(Why::Unreachable, text))
        })
    }
}
