//! The wall-clock stamp in every access unit of the camera simulator: who sends it writes it with
//! [`stamp_nal`], whoever receives it anywhere down the line reads it with [`find_stamp`], and the
//! difference to the present is the end-to-end delay.
//!
//! Layout: one SEI NAL unit (H.264 type 6, H.265 prefix type 39) before the first slice, holding one
//! `user_data_unregistered` message (payload type 5, 24 bytes): [`MARKER`] as its UUID, then
//! microseconds since 1970 as 8 bytes big-endian. Emulation prevention applies to all of it, but
//! cannot touch the marker, which has no zero byte.
//!
//! The same file serves the simulator, the tests and the benchmarks, each by path.

use std::time::{SystemTime, UNIX_EPOCH};

/// The UUID that says "this is a stamp": sixteen printable bytes, none of them zero.
pub const MARKER: &[u8; 16] = b"h5edge-stamp-us:";

/// The wall clock in microseconds since 1970.
pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

/// The complete SEI NAL unit, without start code or length, for `micros`.
/// `header` is the NAL unit header: `[0x06]` for H.264, `[0x4e, 0x01]` for H.265.
pub fn stamp_nal(header: &[u8], micros: u64) -> Vec<u8> {
    let mut nal = Vec::with_capacity(48);
    nal.extend_from_slice(header);
    let stamp = micros.to_be_bytes();
    let mut zeros = 0;
    for &byte in [5, 24].iter().chain(MARKER).chain(&stamp).chain(&[0x80]) {
        if zeros == 2 && byte <= 3 {
            nal.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        nal.push(byte);
    }
    nal
}

/// The first stamp anywhere in `bytes`: an access unit in either NAL framing, an RTP payload, an
/// fMP4 fragment. Not for containers that cut NAL units into packets (TS): reassemble first.
pub fn find_stamp(bytes: &[u8]) -> Option<u64> {
    let at = bytes.windows(MARKER.len()).position(|window| window == MARKER)?;
    let (mut value, mut taken, mut zeros) = (0u64, 0, 0);
    for &byte in bytes.get(at + MARKER.len()..)? {
        if zeros == 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        value = value << 8 | u64::from(byte);
        taken += 1;
        if taken == 8 {
            return Some(value);
        }
    }
    None
}
