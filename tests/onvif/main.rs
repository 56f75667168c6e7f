//! ONVIF, both ways, against programs that others wrote: cameras that we find, add and steer, and
//! clients of the device that we are.

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the other test programs")]
mod support;

mod cameras;
mod front;
mod lab;
mod sources;
