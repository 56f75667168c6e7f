//! ONVIF, both ways, against programs that others wrote: cameras that we find, add and steer, and
//! clients of the device that we are.

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the other test programs")]
mod support;

mod digests;
mod fake;
mod hostile;
mod login;
mod transport;
mod cameras;
mod events;
mod clients;
mod found;
mod front;
mod head;
mod lab;
mod ptz;
mod matrix;
mod puppet;
mod search;
mod sources;
mod table;
