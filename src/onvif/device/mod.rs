//! The device that we are for other people's software: SOAP requests in, answers out. No sockets: the
//! HTTP server hands requests in, and what is shown comes from a [`Site`].
//!
//! One device with a video source for each of our sources, and a main and a sub profile for each of
//! them. What a request asks for is told by namespace and name of the first element in its body, and by
//! nothing else: many clients send no action, and some post everything to one address. One file for
//! each service, with one function `operation` that knows its operations by name.
//!
//! Runs on the task of the connection. Memory: [`subscriptions`] and [`searches`] are bounded in number and
//! length.

mod access;
pub mod capabilities;
mod credentials;
mod deviceio;
mod devicemgmt;
mod events;
pub mod fault;
mod imaging;
mod media;
mod media2;
pub mod names;
mod network;
mod ptz;
mod recorded;
mod recording;
mod replay;
mod scopes;
mod search;
mod searches;
mod shapes;
pub mod site;
mod subscriptions;
mod topics;
pub mod write;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use self::fault::Fault;
pub use self::names::Quality;
use self::ptz::Timers;
pub use self::scopes::scopes;
use self::searches::Searches;
pub use self::site::{
    Channel, Codec, CodecProfile, Identity, Interface, Level, Network, Outcome, Picture, Site, Span, User,
    Video,
};
pub use self::subscriptions::Notice;
use self::subscriptions::Subscriptions;
use super::Service;
use super::xml::{self, Element};

/// A request as the HTTP server got it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    pub body: Bytes,
    /// Our end of the connection, which is the address that the client can reach us at.
    pub local: SocketAddr,
    pub peer: SocketAddr,
    /// Whether the connection is TLS.
    pub https: bool,
}

impl Request {
    /// `http://address:port` of this very server.
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let local = SocketAddr::new(self.local.ip().to_canonical(), self.local.port());
        format!("{scheme}://{local}")
    }
}

/// An answer as the HTTP server sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// One header `WWW-Authenticate` each.
    pub challenges: Vec<String>,
    /// XML, `application/soap+xml; charset=utf-8`.
    pub body: String,
}

/// The inside of the element `<operation>Response`, or why there is none.
pub type Answer = Result<String, Fault>;

/// An operation on its way to its service.
pub struct Ask<'a, S> {
    pub device: &'a Device<S>,
    pub request: &'a Request,
    /// The element that names the operation.
    pub arguments: &'a Element,
}

impl<S: Site> Ask<'_, S> {
    pub fn site(&self) -> &S {
        &self.device.site
    }

    /// Text of the argument that these names lead to.
    pub fn get(&self, path: &[&str]) -> Option<&str> {
        self.arguments.text_at(path)
    }

    /// As [`Self::get`].
    ///
    /// # Errors
    /// `ter:InvalidArgVal` naming the argument when it is missing.
    pub fn require(&self, path: &[&str]) -> Result<&str, Fault> {
        self.get(path).ok_or_else(|| Fault::argument(format!("{} is missing", path.join("/"))))
    }

    /// Address of one of our services, as this client reaches it.
    pub fn address(&self, service: Service) -> String {
        format!("{}{}", self.request.origin(), path(service))
    }

    /// `host` of the addresses that this client is told, an IPv6 address in brackets.
    pub fn host(&self) -> String {
        match self.request.local.ip().to_canonical() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        }
    }
}

/// Where a service is found. All of them answer at any of these.
pub fn path(service: Service) -> &'static str {
    match service {
        Service::Device => "/onvif/device_service",
        Service::Media => "/onvif/media_service",
        Service::Media2 => "/onvif/media2_service",
        Service::Ptz => "/onvif/ptz_service",
        Service::Imaging => "/onvif/imaging_service",
        Service::Events => "/onvif/event_service",
        Service::DeviceIo => "/onvif/deviceio_service",
        Service::Recording => "/onvif/recording_service",
        Service::Search => "/onvif/search_service",
        Service::Replay => "/onvif/replay_service",
    }
}

/// The device.
pub struct Device<S> {
    site: Arc<S>,
    subscriptions: Subscriptions,
    searches: Searches,
    timers: Arc<Timers>,
    guard: credentials::Guard,
}

impl<S> std::fmt::Debug for Device<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

impl<S: Site> Device<S> {
    pub fn new(site: Arc<S>) -> Self {
        Self {
            site,
            subscriptions: Subscriptions::default(),
            searches: Searches::default(),
            timers: Arc::default(),
            guard: credentials::Guard::default(),
        }
    }

    /// Hands news to everybody who listens, and remembers the state of cameras for who comes later.
    pub fn notify(&self, notice: Notice) {
        self.subscriptions.publish(notice);
    }

    /// Answers one SOAP request.
    pub async fn answer(&self, request: &Request) -> Response {
        let envelope = match xml::parse(&request.body) {
            Ok(envelope) => envelope,
            Err(error) => return Fault::malformed(error.to_string()).response(),
        };
        let body = envelope.child("Body").and_then(|body| body.children.first());
        let Some(arguments) = body else {
            return Fault::malformed("there is no operation in a SOAP body").response();
        };
        let service = match arguments.namespace.as_str() {
            // Renew and Unsubscribe come from WS-BaseNotification itself.
            write::WSNT => Some(Service::Events),
            namespace => Service::of(namespace),
        };
        let header = envelope.child("Header");
        let needed = access::needed(service, &arguments.name);
        if let Err(denial) = self.guard.admit(&*self.site, request, header, needed) {
            return self.guard.response(denial);
        }
        match self.operate(&Ask { device: self, request, arguments }, service).await {
            Ok(inside) => Response {
                status: 200,
                challenges: Vec::new(),
                body: write::envelope(&arguments.namespace, &arguments.name, header, &inside),
            },
            Err(fault) => fault.response(),
        }
    }

    async fn operate(&self, ask: &Ask<'_, S>, service: Option<Service>) -> Answer {
        let name = ask.arguments.name.as_str();
        match service.ok_or_else(|| Fault::unknown(name))? {
            Service::Device => devicemgmt::operation(ask, name).await,
            Service::Media => media::operation(ask, name),
            Service::Media2 => media2::operation(ask, name),
            Service::Ptz => ptz::operation(ask, name).await,
            Service::Imaging => imaging::operation(ask, name),
            Service::Events => events::operation(ask, name).await,
            Service::DeviceIo => deviceio::operation(ask, name),
            Service::Recording => recording::operation(ask, name).await,
            Service::Search => search::operation(ask, name).await,
            Service::Replay => replay::operation(ask, name).await,
        }
    }

    /// The channel and stream whose picture a `GET` of a snapshot address may see.
    ///
    /// # Errors
    /// The response to send instead: 401 with challenges, 404.
    pub fn snapshot(&self, request: &Request) -> Result<(Channel, Quality), Response> {
        self.guard
            .admit(&*self.site, request, None, Some(Level::User))
            .map_err(|denial| self.guard.response(denial))?;
        let token = request.path.strip_prefix(SNAPSHOT).unwrap_or_default();
        names::profile(&self.site.channels(), token)
            .map(|(channel, quality)| (channel.clone(), quality))
            .map_err(|fault| Response { status: 404, ..fault.response() })
    }
}

/// Where pictures are: this and a profile's token.
pub const SNAPSHOT: &str = "/onvif/snapshot/";

#[cfg(test)]
mod tests;
