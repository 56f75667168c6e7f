//! H.264 parameter sets (ITU-T H.264 7.3.2) and the `avcC` box (ISO/IEC 14496-15 5.3.3): from what a
//! source knows of its stream to [`VideoParams`]. Runs once per connection, on a source's thread.

use bytes::{Buf, BufMut, Bytes};

use super::bits::Bits;
use super::nal;
use super::params::{VideoCodec, VideoParams};
use crate::base::{Error, Result};

/// Largest width and height that are taken for real; twice 8K.
pub const MAX_SIDE: u32 = 16_384;

/// Profiles whose SPS says the chroma format and bit depths (7.3.2.1.1).
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Parameters from the payload of an `avcC` box, such as the `codec_data` of GStreamer caps.
///
/// # Errors
/// `BadInput` if the box or its SPS is malformed, `Unsupported` if NAL lengths are not 4 bytes long.
pub fn from_avcc(config: &Bytes) -> Result<VideoParams> {
    let (length_size, sps, pps) =
        read_avcc(config.clone()).ok_or_else(|| Error::bad_input("avcC is truncated"))?;
    if length_size != 4 {
        return Err(Error::unsupported(format!("avcC: NAL lengths of {length_size} bytes, not 4")));
    }
    from_parameter_sets(sps, pps)
}

fn read_avcc(mut config: Bytes) -> Option<(u8, Vec<Bytes>, Vec<Bytes>)> {
    if config.remaining() < 6 {
        return None;
    }
    config.advance(4);
    let length_size = (config.try_get_u8().ok()? & 3) + 1;
    let sps_count = config.try_get_u8().ok()? & 0x1f;
    let sps = (0..sps_count).map(|_| nal::take_prefixed(&mut config)).collect::<Option<_>>()?;
    let pps_count = config.try_get_u8().ok()?;
    let pps = (0..pps_count).map(|_| nal::take_prefixed(&mut config)).collect::<Option<_>>()?;
    Some((length_size, sps, pps))
}

/// Parameters from the sets themselves, without start codes. The first SPS decides.
///
/// # Errors
/// `BadInput` if a set is missing, empty or malformed, or too large for an `avcC` box.
pub fn from_parameter_sets(sps: Vec<Bytes>, pps: Vec<Bytes>) -> Result<VideoParams> {
    let first = sps.first().ok_or_else(|| Error::bad_input("H.264: no SPS"))?;
    if pps.is_empty() {
        return Err(Error::bad_input("H.264: no PPS"));
    }
    let fits = |set: &Bytes| (1..=0xffff).contains(&set.len());
    if sps.len() > 31 || pps.len() > 255 || !sps.iter().chain(&pps).all(fits) {
        return Err(Error::bad_input("H.264: parameter sets do not fit an avcC box"));
    }
    let parsed = Sps::parse(first).ok_or_else(|| Error::bad_input("H.264: SPS is malformed"))?;
    let (width, height) =
        parsed.size().ok_or_else(|| Error::bad_input("H.264: SPS has an impossible size"))?;
    let [profile, constraints, level] = parsed.profile;
    Ok(VideoParams {
        codec: VideoCodec::H264,
        config: write_avcc(&parsed, &sps, &pps),
        vps: Vec::new(),
        width,
        height,
        codec_string: format!("avc1.{profile:02X}{constraints:02X}{level:02X}"),
        reorder: parsed.reorder,
        sps,
        pps,
    })
}

fn write_avcc(parsed: &Sps, sps: &[Bytes], pps: &[Bytes]) -> Bytes {
    let mut out = vec![1];
    out.put_slice(&parsed.profile);
    // Reserved ones, then lengthSizeMinusOne.
    out.put_u8(0xfc | 3);
    out.put_u8(0xe0 | sps.len() as u8);
    put_sets(&mut out, sps);
    out.put_u8(pps.len() as u8);
    put_sets(&mut out, pps);
    if matches!(parsed.profile[0], 100 | 110 | 122 | 144) {
        out.put_u8(0xfc | parsed.chroma as u8);
        out.put_u8(0xf8 | parsed.luma_depth_minus8 as u8);
        out.put_u8(0xf8 | parsed.chroma_depth_minus8 as u8);
        out.put_u8(0);
    }
    out.into()
}

/// Each set behind its 16-bit length.
pub(super) fn put_sets(out: &mut Vec<u8>, sets: &[Bytes]) {
    for set in sets {
        out.put_u16(set.len() as u16);
        out.put_slice(set);
    }
}

/// What an SPS says that we use.
#[derive(Debug)]
struct Sps {
    /// Profile, constraint flags, level.
    profile: [u8; 3],
    /// `chroma_format_idc`, 0 to 3.
    chroma: u32,
    luma_depth_minus8: u32,
    chroma_depth_minus8: u32,
    width_in_mbs: u32,
    height_in_map_units: u32,
    frame_mbs_only: bool,
    /// Left, right, top, bottom, in crop units.
    crop: [u32; 4],
    reorder: Option<u8>,
}

impl Sps {
    fn parse(unit: &[u8]) -> Option<Self> {
        let rbsp = nal::rbsp(unit);
        let (&[header, profile, constraints, level], rest) = rbsp.split_first_chunk()?;
        if header & 0x1f != 7 {
            return None;
        }
        let bits = &mut Bits::new(rest);
        bits.ue()?;
        let (mut chroma, mut luma_depth_minus8, mut chroma_depth_minus8) = (1, 0, 0);
        if HIGH_PROFILES.contains(&profile) {
            chroma = bits.ue().filter(|c| *c <= 3)?;
            if chroma == 3 {
                bits.skip(1)?;
            }
            luma_depth_minus8 = bits.ue().filter(|d| *d <= 6)?;
            chroma_depth_minus8 = bits.ue().filter(|d| *d <= 6)?;
            bits.skip(1)?;
            skip_scaling_matrix(bits, if chroma == 3 { 12 } else { 8 })?;
        }
        bits.ue()?;
        let order_type = bits.ue().filter(|t| *t <= 2)?;
        skip_picture_order(bits, order_type)?;
        bits.ue()?;
        bits.skip(1)?;
        let width_in_mbs = bits.ue()?.checked_add(1)?;
        let height_in_map_units = bits.ue()?.checked_add(1)?;
        let frame_mbs_only = bits.flag()?;
        bits.skip(if frame_mbs_only { 1 } else { 2 })?;
        let mut crop = [0; 4];
        if bits.flag()? {
            for side in &mut crop {
                *side = bits.ue()?;
            }
        }
        // Baseline has no B slices, and with order type 2 output order is decoding order (8.2.1.3).
        // Some cameras send a broken VUI, which must not cost the picture: decoders go on without it.
        let reorder = if profile == 66 || order_type == 2 { Some(0) } else { vui_reorder(bits) };
        Some(Self {
            profile: [profile, constraints, level],
            chroma,
            luma_depth_minus8,
            chroma_depth_minus8,
            width_in_mbs,
            height_in_map_units,
            frame_mbs_only,
            crop,
            reorder,
        })
    }

    /// Displayed width and height (7.4.2.1.1, `frame_cropping_flag`).
    fn size(&self) -> Option<(u32, u32)> {
        let fields = if self.frame_mbs_only { 1 } else { 2 };
        let unit_x = if matches!(self.chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = if self.chroma == 1 { 2 } else { 1 } * fields;
        let [left, right, top, bottom] = self.crop;
        let width = cropped(self.width_in_mbs.checked_mul(16)?, left, right, unit_x)?;
        let height = cropped(self.height_in_map_units.checked_mul(16 * fields)?, top, bottom, unit_y)?;
        Some((width, height))
    }
}

/// One side of a picture less what is cropped at both ends; `None` if nothing sensible is left.
pub(super) fn cropped(side: u32, before: u32, after: u32, unit: u32) -> Option<u32> {
    let crop = before.checked_add(after)?.checked_mul(unit)?;
    side.checked_sub(crop).filter(|left| (1..=MAX_SIDE).contains(left))
}

fn skip_scaling_matrix(bits: &mut Bits<'_>, lists: usize) -> Option<()> {
    if !bits.flag()? {
        return Some(());
    }
    for list in 0..lists {
        if bits.flag()? {
            skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
        }
    }
    Some(())
}

/// 7.3.2.1.1.1: the list ends early when the next scale becomes 0.
fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<()> {
    let mut scale: i32 = 8;
    for _ in 0..size {
        scale = scale.checked_add(bits.se()?)?.rem_euclid(256);
        if scale == 0 {
            break;
        }
    }
    Some(())
}

fn skip_picture_order(bits: &mut Bits<'_>, order_type: u32) -> Option<()> {
    match order_type {
        0 => {
            bits.ue()?;
        }
        1 => {
            bits.skip(1)?;
            bits.se()?;
            bits.se()?;
            for _ in 0..bits.ue().filter(|n| *n <= 255)? {
                bits.se()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// `max_num_reorder_frames` of the VUI (E.1.1), if there is a VUI that says it.
fn vui_reorder(bits: &mut Bits<'_>) -> Option<u8> {
    const EXTENDED_SAR: u32 = 255;
    if !bits.flag()? {
        return None;
    }
    if bits.flag()? && bits.bits(8)? == EXTENDED_SAR {
        bits.skip(32)?;
    }
    if bits.flag()? {
        bits.skip(1)?;
    }
    if bits.flag()? {
        bits.skip(4)?;
        if bits.flag()? {
            bits.skip(24)?;
        }
    }
    if bits.flag()? {
        bits.ue()?;
        bits.ue()?;
    }
    if bits.flag()? {
        bits.skip(65)?;
    }
    let nal_hrd = skip_hrd(bits)?;
    let vcl_hrd = skip_hrd(bits)?;
    if nal_hrd || vcl_hrd {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    if !bits.flag()? {
        return None;
    }
    bits.skip(1)?;
    for _ in 0..4 {
        bits.ue()?;
    }
    bits.ue().filter(|frames| *frames <= 16).map(|frames| frames as u8)
}

/// Whether there were HRD parameters (E.1.2).
fn skip_hrd(bits: &mut Bits<'_>) -> Option<bool> {
    if !bits.flag()? {
        return Some(false);
    }
    let count = bits.ue().filter(|n| *n <= 31)? + 1;
    bits.skip(8)?;
    for _ in 0..count {
        bits.ue()?;
        bits.ue()?;
        bits.skip(1)?;
    }
    bits.skip(20)?;
    Some(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Kind;

    /// x264 at 322x242 through h264parse: constrained baseline, and high with two B-frames.
    const BASELINE: &str =
        "0142c015ffe1001d6742c015d90150878888c05a83030352800000030080000019478b172401000468cb8cb2";
    const HIGH: &str =
        "01640014ffe1001e67640014acd94150878888c05a83030352800000030080000019478a14cb01000568ebecb22c";

    fn bytes(hex: &str) -> Bytes {
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// An SPS from its bits, written as in the standard: numbers are `ue(v)`, strings are bits.
    fn sps(profile: u8, fields: &[&str]) -> Bytes {
        let text: String = fields.concat();
        let body = text
            .as_bytes()
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | (bit - b'0') << (7 - i)));
        [0x67, profile, 0, 31].into_iter().chain(body).collect()
    }

    #[test]
    fn x264_baseline() {
        let params = from_avcc(&bytes(BASELINE)).unwrap();
        assert_eq!((params.width, params.height), (322, 242));
        assert_eq!(params.codec_string, "avc1.42C015");
        assert_eq!(params.reorder, Some(0));
        assert_eq!((params.sps.len(), params.pps.len(), params.vps.len()), (1, 1, 0));
        assert_eq!(params.config, bytes(BASELINE));
    }

    #[test]
    fn x264_high_with_b_frames() {
        let params = from_avcc(&bytes(HIGH)).unwrap();
        assert_eq!((params.width, params.height), (322, 242));
        assert_eq!(params.codec_string, "avc1.640014");
        assert_eq!(params.reorder, Some(2));
        assert_eq!(params.config, bytes(&format!("{HIGH}fdf8f800")));
        assert_eq!(from_avcc(&params.config).unwrap(), params);
    }

    #[test]
    fn interlaced_1080_is_cropped_in_field_units() {
        // Main, order type 0, 120 x 34 map units of two fields, 2 crop units off the bottom.
        let fields = ["1", "1", "1", "1", "1", "0", "0000001111000", "00000100010", "0", "1", "1", "1"];
        let cropped = ["1", "1", "1", "011", "0", "1"];
        let unit = sps(77, &[&fields[..], &cropped].concat());
        let params = from_parameter_sets(vec![unit], vec![Bytes::from_static(&[0x68])]).unwrap();
        assert_eq!((params.width, params.height), (1920, 1080));
        assert_eq!((params.codec_string.as_str(), params.reorder), ("avc1.4D001F", None));
    }

    #[test]
    fn order_type_2_means_no_b_frames() {
        let unit = sps(77, &["1", "1", "011", "1", "0", "010", "010", "1", "1", "0", "0", "1"]);
        let params = from_parameter_sets(vec![unit], vec![Bytes::from_static(&[0x68])]).unwrap();
        assert_eq!((params.width, params.height, params.reorder), (32, 32, Some(0)));
    }

    #[test]
    fn a_broken_vui_leaves_the_reordering_unknown() {
        let whole = from_avcc(&bytes(HIGH)).unwrap();
        let cut = whole.sps[0].slice(..20);
        let params = from_parameter_sets(vec![cut], whole.pps).unwrap();
        assert_eq!((params.width, params.height, params.reorder), (322, 242, None));
    }

    #[test]
    fn short_lengths_are_not_supported() {
        let mut config = bytes(BASELINE).to_vec();
        config[4] = 0xfd;
        let error = from_avcc(&config.into()).unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains('2')), (Kind::Unsupported, true));
    }

    #[test]
    fn every_truncation_is_bad_input() {
        let config = bytes(BASELINE);
        for end in 0..config.len() {
            assert_eq!(from_avcc(&config.slice(..end)).unwrap_err().kind(), Kind::BadInput, "{end}");
        }
        let pps = || vec![Bytes::from_static(&[0x68])];
        assert!(from_parameter_sets(Vec::new(), pps()).is_err());
        assert!(from_parameter_sets(vec![config.slice(8..37)], pps()).is_ok());
        assert!(from_parameter_sets(vec![config.slice(8..37)], vec![Bytes::new()]).is_err());
        assert!(from_parameter_sets(pps(), pps()).is_err());
        assert!(from_parameter_sets(vec![config.slice(8..37)], Vec::new()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail(tail in prop::collection::vec(any::<u8>(), 0..80), profile in any::<u8>()) {
            let _ = from_avcc(&tail.clone().into());
            let sps = [&[0x67, profile][..], &tail].concat().into();
            if let Ok(params) = from_parameter_sets(vec![sps], vec![Bytes::from_static(&[0x68])]) {
                prop_assert!((1..=MAX_SIDE).contains(&params.width));
                prop_assert_eq!(from_avcc(&params.config).unwrap(), params);
            }
        }

        #[test]
        fn any_flipped_bit_parses_or_fails(at in 0..HIGH.len() * 4) {
            let mut config = bytes(HIGH).to_vec();
            config[at / 8] ^= 1 << (at % 8);
            let _ = from_avcc(&config.into());
        }
    }
}
