//! ONVIF, both ways, against programs that others wrote: cameras that we find, add and steer, and
//! clients of the device that we are.

#[path = "../support/mod.rs"]
mod support;

mod cameras;
mod central;
mod changed;
mod clients;
mod device;
mod digests;
mod events;
mod fake;
mod found;
mod front;
mod head;
mod hostile;
mod lab;
mod login;
mod matrix;
mod ptz;
mod puppet;
mod recorded;
mod rtsp;
mod schema;
mod search;
mod soap;
mod sources;
mod table;
mod transport;
