//! Frames of one stream, cut into RTP payloads once and shared by all its viewers.
//!
//! Memory: at most the frames that the hub's ring holds, once more as packets; a frame's packets go
//! when the ring lets go of the frame. Owned by the engine task, so there is no lock.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use crate::media::frame::Frame;
use crate::media::params::VideoParams;
use crate::media::rtp::packetize;

/// Largest RTP payload in bytes. With RTP header, extensions, RTX and SRTP the datagram stays below
/// 1200 + 60, which passes every tunnel that carries WebRTC.
const MAX_PAYLOAD: usize = 1160;

/// One RTP payload; `Arc<[u8]>` is what str0m sends and keeps for resending without a copy.
#[derive(Debug)]
pub struct Payload {
    pub data: Arc<[u8]>,
    pub marker: bool,
}

#[derive(Debug)]
struct Entry {
    frame: Weak<Frame>,
    payloads: Arc<[Payload]>,
}

/// The cut frames of one epoch of one stream, in decoding order.
#[derive(Debug, Default)]
pub struct Cuts {
    entries: VecDeque<Entry>,
}

impl Cuts {
    /// The payloads of `frame`, cut now if no viewer asked before.
    pub fn get(&mut self, params: &VideoParams, frame: &Arc<Frame>) -> Arc<[Payload]> {
        while self.entries.front().is_some_and(|e| e.frame.strong_count() == 0) {
            self.entries.pop_front();
        }
        let wanted = Arc::as_ptr(frame);
        // Viewers at the live edge, nearly all of them, find it at the first look.
        if let Some(entry) = self.entries.iter().rev().find(|e| e.frame.as_ptr() == wanted) {
            return entry.payloads.clone();
        }
        let payloads: Arc<[Payload]> = packetize(params, frame, MAX_PAYLOAD)
            .into_iter()
            .map(|packet| Payload { data: packet.payload.as_ref().into(), marker: packet.marker })
            .collect();
        let place = self.entries.partition_point(|e| e.frame.upgrade().is_none_or(|f| f.dts < frame.dts));
        self.entries.insert(place, Entry { frame: Arc::downgrade(frame), payloads: payloads.clone() });
        payloads
    }
}
