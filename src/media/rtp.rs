//! RTP payloads of H.264 (RFC 6184, packetization mode 1) and H.265 (RFC 7798, no DON), cut once per
//! frame and shared.
//!
//! Pure functions. A unit that fits a packet is a slice of the frame; only fragmented units are
//! copied, each into one buffer that its packets share.

use bytes::{BufMut, Bytes};

use super::frame::Frame;
use super::nal;
use super::params::{VideoCodec, VideoParams};

/// One RTP packet's payload.
#[derive(Clone, Debug)]
pub struct Packet {
    pub payload: Bytes,
    /// Set on the last packet of an access unit.
    pub marker: bool,
}

/// Below this there is hardly room for more than headers.
const MIN_PAYLOAD: usize = 16;

/// Cuts a video frame into payloads of at most `max` bytes (taken as 16 to 65 535). A key frame is
/// preceded by the parameter sets, in one packet if they fit.
pub fn packetize(params: &VideoParams, frame: &Frame, max: usize) -> Vec<Packet> {
    let cutter = Cutter { codec: params.codec, max: max.clamp(MIN_PAYLOAD, usize::from(u16::MAX)) };
    let mut payloads = Vec::with_capacity(4 + frame.data.len() / cutter.max);
    if frame.key {
        let sets: Vec<&Bytes> = params.vps.iter().chain(&params.sps).chain(&params.pps).collect();
        cutter.push_sets(&sets, &mut payloads);
    }
    for unit in nal::units(&frame.data) {
        cutter.push_unit(&frame.data.slice_ref(unit), &mut payloads);
    }
    let last = payloads.len().saturating_sub(1);
    let packet = |(index, payload)| Packet { payload, marker: index == last };
    payloads.into_iter().enumerate().map(packet).collect()
}

#[derive(Clone, Copy)]
struct Cutter {
    codec: VideoCodec,
    max: usize,
}

impl Cutter {
    /// Parameter sets as one aggregation packet if there is room, else one by one.
    fn push_sets(self, sets: &[&Bytes], payloads: &mut Vec<Bytes>) {
        // RFC 6184 5.7.1: STAP-A with the importance of parameter sets. RFC 7798 4.4.2: AP with the
        // lowest layer and temporal id, which parameter sets of a single-layer stream have.
        let header: &[u8] = match self.codec {
            VideoCodec::H264 => &[0x60 | 24],
            VideoCodec::H265 => &[48 << 1, 1],
        };
        let size = header.len() + sets.iter().map(|set| 2 + set.len()).sum::<usize>();
        if sets.len() < 2 || size > self.max {
            sets.iter().for_each(|set| self.push_unit(set, payloads));
            return;
        }
        let mut payload = Vec::with_capacity(size);
        payload.put_slice(header);
        for set in sets {
            payload.put_u16(set.len() as u16);
            payload.put_slice(set);
        }
        payloads.push(payload.into());
    }

    fn push_unit(self, unit: &Bytes, payloads: &mut Vec<Bytes>) {
        if unit.len() <= self.max {
            payloads.push(unit.clone());
            return;
        }
        match (self.codec, unit.as_ref()) {
            (VideoCodec::H264, [header, body @ ..]) => {
                const FU_A: u8 = 28;
                self.push_fragments(&[header & 0xe0 | FU_A], header & 0x1f, body, payloads);
            }
            (VideoCodec::H265, [header, layer, body @ ..]) => {
                const FU: u8 = 49;
                self.push_fragments(&[header & 0x81 | FU << 1, *layer], header >> 1 & 0x3f, body, payloads);
            }
            _ => {}
        }
    }

    /// RFC 6184 5.8, RFC 7798 4.4.3: payload header, then start and end flag with the unit's type,
    /// then a part of the unit without its own header.
    fn push_fragments(self, header: &[u8], kind: u8, body: &[u8], payloads: &mut Vec<Bytes>) {
        const START: u8 = 0x80;
        const END: u8 = 0x40;
        let room = self.max - header.len() - 1;
        let count = body.len().div_ceil(room);
        let mut buffer = Vec::with_capacity(body.len() + count * (header.len() + 1));
        for (index, part) in body.chunks(room).enumerate() {
            let start = if index == 0 { START } else { 0 };
            let end = if index + 1 == count { END } else { 0 };
            buffer.put_slice(header);
            buffer.put_u8(start | end | kind);
            buffer.put_slice(part);
        }
        let mut buffer = Bytes::from(buffer);
        while !buffer.is_empty() {
            payloads.push(buffer.split_to(buffer.len().min(self.max)));
        }
    }
}

#[cfg(test)]
mod tests {
    use VideoCodec::{H264, H265};
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::{MediaTime, MonoTime};
    use crate::media::frame::Track;

    fn params(codec: VideoCodec) -> VideoParams {
        let set = |header: &[u8], size| vec![[header, &vec![7; size]].concat().into()];
        let (vps, sps, pps) = match codec {
            H264 => (Vec::new(), set(&[0x67], 20), set(&[0x68], 4)),
            H265 => (set(&[32 << 1, 1], 20), set(&[33 << 1, 1], 40), set(&[34 << 1, 1], 6)),
        };
        let (config, codec_string) = (Bytes::new(), String::new());
        VideoParams { codec, vps, sps, pps, config, width: 0, height: 0, codec_string, reorder: None }
    }

    fn frame(key: bool, units: &[Vec<u8>]) -> Frame {
        let data = units.iter().flat_map(|u| [&(u.len() as u32).to_be_bytes(), &u[..]].concat()).collect();
        let time = MediaTime::ZERO;
        let track = Track::Video;
        Frame { track, dts: time, pts: time, duration: time, key, data, arrived: MonoTime::default() }
    }

    /// A receiver's side, written from the RFCs: the units that the payloads carry.
    fn depacketize(codec: VideoCodec, packets: &[Packet]) -> Vec<Vec<u8>> {
        let mut units = Vec::new();
        let mut partial: Option<Vec<u8>> = None;
        for packet in packets {
            let data = &packet.payload[..];
            let (kind, body) = match codec {
                H264 => (data[0] & 0x1f, &data[1..]),
                H265 => (data[0] >> 1 & 0x3f, &data[2..]),
            };
            match (codec, kind) {
                (H264, 24) | (H265, 48) => {
                    let mut body = body;
                    while let [a, b, rest @ ..] = body {
                        let (unit, rest) = rest.split_at(usize::from(u16::from_be_bytes([*a, *b])));
                        units.push(unit.to_vec());
                        body = rest;
                    }
                }
                (H264, 28) | (H265, 49) => {
                    let (flags, part) = (body[0], &body[1..]);
                    if flags & 0x80 != 0 {
                        assert!(partial.is_none());
                        partial = Some(match codec {
                            H264 => vec![data[0] & 0xe0 | flags & 0x1f],
                            H265 => vec![data[0] & 0x81 | (flags & 0x3f) << 1, data[1]],
                        });
                    }
                    partial.as_mut().unwrap().extend(part);
                    if flags & 0x40 != 0 {
                        units.push(partial.take().unwrap());
                    }
                }
                _ => {
                    assert!(partial.is_none());
                    units.push(data.to_vec());
                }
            }
        }
        assert!(partial.is_none());
        units
    }

    #[test]
    fn parameter_sets_go_ahead_of_a_key_frame_in_one_packet() {
        let packets = packetize(&params(H264), &frame(true, &[vec![0x65, 1, 2]]), 1200);
        assert_eq!(packets.len(), 2);
        assert_eq!(packets[0].payload[..4], [0x78, 0, 21, 0x67]);
        assert_eq!((packets[0].marker, packets[1].marker), (false, true));
        let packets = packetize(&params(H265), &frame(true, &[vec![19 << 1, 1, 2]]), 1200);
        assert_eq!(packets[0].payload[..6], [0x60, 1, 0, 22, 32 << 1, 1]);
        assert_eq!(packetize(&params(H264), &frame(false, &[vec![0x41, 1]]), 1200).len(), 1);
    }

    #[test]
    fn a_small_unit_is_not_copied() {
        let frame = frame(false, &[vec![0x41; 100]]);
        let packets = packetize(&params(H264), &frame, 1200);
        assert_eq!(packets[0].payload.as_ptr(), frame.data[4..].as_ptr());
    }

    #[test]
    fn nothing_makes_no_packets() {
        assert!(packetize(&params(H264), &frame(false, &[]), 1200).is_empty());
    }

    proptest! {
        #[test]
        fn a_receiver_gets_the_same_units(
            h265 in any::<bool>(),
            key in any::<bool>(),
            max in 16..1500_usize,
            sizes in prop::collection::vec(prop_oneof![0..40_usize, 0..5000_usize], 0..6),
        ) {
            let codec = if h265 { H265 } else { H264 };
            let params = params(codec);
            let header: &[u8] = if h265 { &[19 << 1, 1] } else { &[0x65] };
            let body = |size: &usize| (0..*size).map(|at| (at * 31 % 251) as u8);
            let units: Vec<Vec<u8>> =
                sizes.iter().map(|size| header.iter().copied().chain(body(size)).collect()).collect();
            let packets = packetize(&params, &frame(key, &units), max);

            prop_assert!(packets.iter().all(|packet| packet.payload.len() <= max));
            for (index, packet) in packets.iter().enumerate() {
                prop_assert_eq!(packet.marker, index + 1 == packets.len());
            }
            let sets = params.vps.iter().chain(&params.sps).chain(&params.pps).map(|set| set.to_vec());
            let wanted: Vec<_> = sets.filter(|_| key).chain(units).collect();
            prop_assert_eq!(depacketize(codec, &packets), wanted);
        }
    }
}
