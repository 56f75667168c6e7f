//! ONVIF, both ways: cameras that we find and steer, and the device that we are for others.
//!
//! The client is a [`Camera`]: one address, one user, one warm connection. Everything that is asked of
//! a camera is a method of it, one file per subject (`media`, `ptz`, `events`); [`Cameras`] holds
//! those of the ONVIF sources. [`discovery`] finds cameras and lets us be found. [`device`] answers
//! the SOAP requests of other people's software; what it shows comes from its caller.
//!
//! No sockets but those of `http` and `discovery`. XML is read by local name (`xml`): cameras get
//! namespaces, order and optional fields wrong.

pub mod camera;
pub mod cameras;
pub mod device;
pub mod digest;
pub mod discovery;
pub mod events;
pub mod failure;
pub mod http;
pub mod media;
pub mod ptz;
pub mod service;
pub mod soap;
pub mod wsse;
pub mod xml;

pub use camera::{Address, Camera};
pub use cameras::Cameras;
pub use failure::{Failure, Why};
pub use service::Service;
