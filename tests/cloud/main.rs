//! Two real daemons: an edge that dials out, and the central where people look at what it has.

#[path = "../support/mod.rs"]
mod support;

mod away;
mod calls;
#[path = "../webrtc/client.rs"]
#[allow(dead_code, reason = "made for live streams")]
mod client;
mod cuts;
mod faults;
mod hostile;
#[path = "../onvif/lab.rs"]
#[allow(dead_code, reason = "what other networks need")]
mod lab;
mod live;
mod nat;
mod net;
mod past;
mod recorded;
mod registration;
mod rights;
mod swarm;
mod thin;
mod tokens;
mod user;
mod wan;
mod watch;
mod yard;
