//! RTP payloads of H.264 (RFC 6184) and H.265 (RFC 7798), cut once per frame and shared.

use bytes::Bytes;

use super::frame::Frame;
use super::params::VideoParams;

/// One RTP packet's payload.
#[derive(Clone, Debug)]
pub struct Packet {
    pub payload: Bytes,
    /// Set on the last packet of an access unit.
    pub marker: bool,
}

/// Cuts a video frame into payloads of at most `max` bytes. A key frame is preceded by the
/// parameter sets.
pub fn packetize(_params: &VideoParams, _frame: &Frame, _max: usize) -> Vec<Packet> {
    Vec::new()
}
