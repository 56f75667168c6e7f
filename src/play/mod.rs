//! Ways out: one file per protocol.

pub mod hls;
pub mod playback;
pub mod rtsp;
pub mod socket;
pub mod webrtc;
pub mod ws;
