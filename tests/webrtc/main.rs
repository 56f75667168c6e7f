//! WebRTC out, watched by a viewer in this process over loopback.

mod client;
mod live;
mod signal;
