//! Ways out: one file per protocol.

pub mod hls;
pub mod webrtc;
pub mod ws;
