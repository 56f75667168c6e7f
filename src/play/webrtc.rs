//! Live WebRTC: all viewers on one UDP port.
