//! Cloud registration (manual 5.6): a box behind NAT dials out to a central server ([`edge`]), and whoever logs in
//! there sees its cameras ([`central`]). Both are this program; docs/cloud.md tells how to set them up.
//!
//! The one connection of an edge is a WebSocket to the central's ordinary port, which carries many streams
//! ([`tunnel`]). On each of them the central speaks HTTP to the edge's own routes. Live frames come on a stream of
//! their own ([`live`]). Several central nodes are one by [`cluster`].

mod between;
pub mod central;
#[cfg(feature = "nodes")]
pub mod cluster;
#[cfg(not(feature = "nodes"))]
#[path = "alone.rs"]
pub mod cluster;
pub mod edge;
pub mod hello;
pub mod key;
pub mod live;
pub mod tunnel;
