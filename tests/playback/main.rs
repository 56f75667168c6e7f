//! Playback of recordings over WebSocket, WebRTC and HLS, asked for from outside.

#[path = "../webrtc/client.rs"]
#[allow(dead_code, reason = "made for live streams")]
mod client;
#[path = "../clips/mod.rs"]
mod clips;
mod hls;
mod kept;
mod rtc;
mod still;
#[path = "../support/mod.rs"]
mod support;
mod ws;
