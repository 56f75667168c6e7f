//! NAL units: walking length-prefixed access units (ISO/IEC 14496-15) and Annex B byte streams, and
//! telling by the header what a unit is. Pure functions over borrowed data; the input may be anything
//! a camera sends, so malformed data ends an iteration and never panics.

use std::iter;
use std::ops::Range;

use bytes::{Buf, Bytes};

use super::params::VideoCodec;

/// Bytes of the length in front of each unit of an access unit.
const LENGTH: usize = 4;

/// The units of a length-prefixed access unit, without lengths. Stops at the first malformed one;
/// empty ones are left out.
pub fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    ranges(data).filter_map(|range| data.get(range.start + LENGTH..range.end))
}

/// Where each non-empty unit lies in `data`, its length field included.
fn ranges(data: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    iter::from_fn(move || {
        let length = data.get(at..)?.first_chunk()?;
        let start = at;
        at = (start + LENGTH).checked_add(u32::from_be_bytes(*length) as usize)?;
        (at <= data.len()).then_some(start..at)
    })
    .filter(|range| range.len() > LENGTH)
}

/// The units of an Annex B byte stream, without start codes and trailing zeros.
pub fn annex_b_units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(data);
    iter::from_fn(move || {
        let unit = rest?;
        rest = after_start_code(unit);
        let end = rest.map_or(unit.len(), |rest| unit.len() - rest.len() - 3);
        let unit = unit.get(..end)?;
        let used = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        unit.get(..used)
    })
    .filter(|unit| !unit.is_empty())
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    let at = data.windows(3).position(|window| window == [0, 0, 1])?;
    data.get(at + 3..)
}

/// An Annex B access unit in the form that [`Frame::data`](super::frame::Frame::data) has.
pub fn from_annex_b(data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + LENGTH);
    for unit in annex_b_units(data) {
        out.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        out.extend_from_slice(unit);
    }
    out.into()
}

/// `nal_unit_type`; `None` if the unit is shorter than its header.
pub fn unit_type(codec: VideoCodec, unit: &[u8]) -> Option<u8> {
    match (codec, unit) {
        (VideoCodec::H264, [header, ..]) => Some(header & 0x1f),
        (VideoCodec::H265, [header, _, ..]) => Some(header >> 1 & 0x3f),
        _ => None,
    }
}

/// Whether decoding can start at this access unit: IDR for H.264, any IRAP for H.265.
pub fn is_key(codec: VideoCodec, data: &[u8]) -> bool {
    units(data).filter_map(|unit| unit_type(codec, unit)).any(|kind| match codec {
        VideoCodec::H264 => kind == 5,
        VideoCodec::H265 => (16..=21).contains(&kind),
    })
}

/// Units that no decoder needs once it has the parameters: parameter sets, delimiters, filler.
fn is_dispensable(codec: VideoCodec, unit: &[u8]) -> bool {
    match (codec, unit_type(codec, unit)) {
        (VideoCodec::H264, Some(kind)) => matches!(kind, 7 | 8 | 9 | 12 | 13 | 15),
        (VideoCodec::H265, Some(kind)) => matches!(kind, 32..=35 | 38),
        (_, None) => true,
    }
}

/// An access unit without parameter sets, access unit delimiters, filler and malformed units. Copies
/// only if such a unit stands between two others; cameras put them in front.
pub fn without_parameter_sets(codec: VideoCodec, data: Bytes) -> Bytes {
    let mut kept = ranges(&data)
        .filter(|range| data.get(range.start + LENGTH..range.end).is_some_and(|u| !is_dispensable(codec, u)));
    let Some(mut whole) = kept.next() else { return Bytes::new() };
    let mut copy = Vec::new();
    for range in kept {
        if range.start != whole.end {
            copy.extend_from_slice(&data.slice(whole));
            whole = range;
        } else {
            whole.end = range.end;
        }
    }
    if copy.is_empty() {
        return data.slice(whole);
    }
    copy.extend_from_slice(&data.slice(whole));
    copy.into()
}

/// The unit without its emulation prevention bytes (ITU-T H.264 7.4.1, H.265 7.4.2).
pub fn rbsp(unit: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for &byte in unit {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// Takes a byte string behind a 16-bit length off the front of `buffer`, as `avcC` and `hvcC` have
/// them.
pub fn take_prefixed(buffer: &mut Bytes) -> Option<Bytes> {
    let length = usize::from(buffer.try_get_u16().ok()?);
    (length <= buffer.len()).then(|| buffer.split_to(length))
}

#[cfg(test)]
mod tests {
    use VideoCodec::{H264, H265};
    use proptest::prelude::*;

    use super::*;

    fn access_unit(units: &[&[u8]]) -> Bytes {
        units.iter().flat_map(|u| [&(u.len() as u32).to_be_bytes()[..], u].concat()).collect()
    }

    #[test]
    fn walking_stops_at_a_length_that_runs_over() {
        let mut data = access_unit(&[&[1, 2], &[], &[3]]).to_vec();
        data.extend([0, 0, 0, 9, 4]);
        assert_eq!(units(&data).collect::<Vec<_>>(), [&[1, 2][..], &[3]]);
        assert_eq!(units(&[0xff; 7]).count(), 0);
    }

    #[test]
    fn start_codes_of_both_lengths_part_units() {
        let data = [9, 0, 0, 0, 1, 7, 8, 0, 0, 1, 5, 0, 0, 0, 0, 1, 6, 0];
        assert_eq!(annex_b_units(&data).collect::<Vec<_>>(), [&[7, 8][..], &[5], &[6]]);
        assert_eq!(from_annex_b(&data), access_unit(&[&[7, 8], &[5], &[6]]));
        assert_eq!(annex_b_units(&[0, 0, 1]).count(), 0);
    }

    #[test]
    fn emulation_prevention_goes() {
        assert_eq!(rbsp(&[0, 0, 3, 0, 0, 3, 1, 3]), [0, 0, 0, 0, 1, 3]);
        assert_eq!(rbsp(&[0, 0, 0, 3, 3]), [0, 0, 0, 3]);
    }

    #[test]
    fn key_frames_are_told_by_any_unit() {
        assert!(is_key(H264, &access_unit(&[&[6, 1], &[0x65, 1]])));
        assert!(!is_key(H264, &access_unit(&[&[6, 1], &[0x41, 1]])));
        assert!(is_key(H265, &access_unit(&[&[39 << 1, 1, 0], &[21 << 1, 1, 0]])));
        assert!(!is_key(H265, &access_unit(&[&[1 << 1, 1, 0]])));
    }

    #[test]
    fn leading_parameter_sets_go_without_a_copy() {
        let data = access_unit(&[&[9, 0xf0], &[0x67, 1], &[0x68, 2], &[6, 3], &[0x65, 4]]);
        let stripped = without_parameter_sets(H264, data.clone());
        assert_eq!(stripped, access_unit(&[&[6, 3], &[0x65, 4]]));
        assert_eq!(stripped.as_ptr(), data[18..].as_ptr());
        let bare = without_parameter_sets(H264, stripped.clone());
        assert_eq!((bare.as_ptr(), bare.len()), (stripped.as_ptr(), stripped.len()));
    }

    #[test]
    fn parameter_sets_in_the_middle_go_too() {
        let data = access_unit(&[&[6, 3], &[0x67, 1], &[0x65, 4], &[0x65, 5], &[0x68, 2], &[0x65, 6]]);
        let wanted = access_unit(&[&[6, 3], &[0x65, 4], &[0x65, 5], &[0x65, 6]]);
        assert_eq!(without_parameter_sets(H264, data), wanted);
        let sets = access_unit(&[&[32 << 1, 1], &[33 << 1, 1], &[34 << 1, 1], &[35 << 1, 1]]);
        assert_eq!(without_parameter_sets(H265, sets), Bytes::new());
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_without_panic(data in prop::collection::vec(0..4_u8, 0..60)) {
            let walked: usize = units(&data).map(|u| u.len() + LENGTH).sum();
            prop_assert!(walked <= data.len());
            prop_assert!(annex_b_units(&data).map(<[u8]>::len).sum::<usize>() <= data.len());
            prop_assert!(rbsp(&data).len() <= data.len());
            for codec in [H264, H265] {
                is_key(codec, &data);
                let stripped = without_parameter_sets(codec, data.clone().into());
                prop_assert!(units(&stripped).all(|unit| !is_dispensable(codec, unit)));
            }
        }
    }
}
