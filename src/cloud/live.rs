//! Live frames on a stream of a tunnel: what an edge sends of one source while somebody watches it at the central
//! (docs/protocol.md 6).
//!
//! Records: length (4 bytes, big-endian, of what follows), kind, content. The receiver says of each access unit that
//! it has come, and the sender has no more under way than [`send::AHEAD`]: so delay is seen where it arises, and
//! what else goes through the tunnel does not wait behind video.

pub mod record;
pub mod send;
