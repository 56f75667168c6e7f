//! H.265 parameter sets (ITU-T H.265 7.3.2) and the `hvcC` box (ISO/IEC 14496-15 8.3.3): from what a
//! source knows of its stream to [`VideoParams`]. Runs once per connection, on a source's thread.

use std::fmt::Write;

use bytes::{Buf, BufMut, Bytes};

use super::bits::Bits;
use super::h264::{cropped, put_sets};
use super::nal;
use super::params::{VideoCodec, VideoParams};
use crate::base::{Error, Result};

const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;

/// Parameters from the payload of an `hvcC` box, such as the `codec_data` of GStreamer caps.
///
/// # Errors
/// `BadInput` if the box or its SPS is malformed, `Unsupported` if NAL lengths are not 4 bytes long.
pub fn from_hvcc(config: &Bytes) -> Result<VideoParams> {
    let (length_size, sets) =
        read_hvcc(config.clone()).ok_or_else(|| Error::bad_input("hvcC is truncated"))?;
    if length_size != 4 {
        return Err(Error::unsupported(format!("hvcC: NAL lengths of {length_size} bytes, not 4")));
    }
    let of = |kind| sets.iter().filter(|(k, _)| *k == kind).map(|(_, set)| set.clone()).collect();
    from_parameter_sets(of(VPS), of(SPS), of(PPS))
}

/// The size of NAL lengths, and all units with the type of the array they stand in.
fn read_hvcc(mut config: Bytes) -> Option<(u8, Vec<(u8, Bytes)>)> {
    const BEFORE_LENGTH_SIZE: usize = 21;
    if config.remaining() < BEFORE_LENGTH_SIZE {
        return None;
    }
    config.advance(BEFORE_LENGTH_SIZE);
    let length_size = (config.try_get_u8().ok()? & 3) + 1;
    let mut sets = Vec::new();
    for _ in 0..config.try_get_u8().ok()? {
        let kind = config.try_get_u8().ok()? & 0x3f;
        for _ in 0..config.try_get_u16().ok()? {
            sets.push((kind, nal::take_prefixed(&mut config)?));
        }
    }
    Some((length_size, sets))
}

/// Parameters from the sets themselves, without start codes. The first SPS decides.
///
/// # Errors
/// `BadInput` if a set is missing, empty or malformed, or too large for an `hvcC` box.
pub fn from_parameter_sets(vps: Vec<Bytes>, sps: Vec<Bytes>, pps: Vec<Bytes>) -> Result<VideoParams> {
    for (name, sets) in [("VPS", &vps), ("SPS", &sps), ("PPS", &pps)] {
        if sets.is_empty() {
            return Err(Error::bad_input(format!("H.265: no {name}")));
        }
        if sets.len() > 0xffff || !sets.iter().all(|set| (2..=0xffff).contains(&set.len())) {
            return Err(Error::bad_input(format!("H.265: {name} does not fit an hvcC box")));
        }
    }
    let parsed = sps.first().and_then(|sps| Sps::parse(sps));
    let parsed = parsed.ok_or_else(|| Error::bad_input("H.265: SPS is malformed"))?;
    let (width, height) =
        parsed.size().ok_or_else(|| Error::bad_input("H.265: SPS has an impossible size"))?;
    Ok(VideoParams {
        codec: VideoCodec::H265,
        config: write_hvcc(&parsed, [(VPS, &vps), (SPS, &sps), (PPS, &pps)]),
        width,
        height,
        codec_string: parsed.codec_string(),
        reorder: Some(parsed.reorder),
        vps,
        sps,
        pps,
    })
}

fn write_hvcc(parsed: &Sps, arrays: [(u8, &[Bytes]); 3]) -> Bytes {
    let mut out = vec![1];
    out.put_slice(&parsed.profile_tier);
    // Segmentation and parallelism are not known: 0 behind the reserved ones.
    out.put_u16(0xf000);
    out.put_u8(0xfc);
    out.put_u8(0xfc | parsed.chroma as u8);
    out.put_u8(0xf8 | parsed.luma_depth_minus8 as u8);
    out.put_u8(0xf8 | parsed.chroma_depth_minus8 as u8);
    // The frame rate is not known either.
    out.put_u16(0);
    out.put_u8(parsed.sub_layers << 3 | u8::from(parsed.nested) << 2 | 3);
    out.put_u8(arrays.len() as u8);
    for (kind, sets) in arrays {
        const COMPLETE: u8 = 0x80;
        out.put_u8(COMPLETE | kind);
        out.put_u16(sets.len() as u16);
        put_sets(&mut out, sets);
    }
    out.into()
}

/// What an SPS says that we use.
#[derive(Debug)]
struct Sps {
    /// 1 to 7.
    sub_layers: u8,
    nested: bool,
    /// The general part of `profile_tier_level`, which `hvcC` holds unchanged: profile space, tier
    /// and profile (1 byte), compatibility flags (4), constraint flags (6), level (1).
    profile_tier: [u8; 12],
    /// `chroma_format_idc`, 0 to 3.
    chroma: u32,
    luma_depth_minus8: u32,
    chroma_depth_minus8: u32,
    /// Width and height before cropping.
    coded: (u32, u32),
    /// Left, right, top, bottom, in chroma samples.
    crop: [u32; 4],
    /// `sps_max_num_reorder_pics` of the highest sub-layer.
    reorder: u8,
}

impl Sps {
    fn parse(unit: &[u8]) -> Option<Self> {
        let rbsp = nal::rbsp(unit);
        let (&[header, _, layers], rest) = rbsp.split_first_chunk()?;
        let (&profile_tier, rest) = rest.split_first_chunk()?;
        if header >> 1 & 0x3f != SPS {
            return None;
        }
        let sub_layers = (layers >> 1 & 7) + 1;
        let bits = &mut Bits::new(rest);
        skip_sub_layer_levels(bits, sub_layers - 1)?;
        bits.ue()?;
        let chroma = bits.ue().filter(|c| *c <= 3)?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        let coded = (bits.ue()?, bits.ue()?);
        let mut crop = [0; 4];
        if bits.flag()? {
            for side in &mut crop {
                *side = bits.ue()?;
            }
        }
        let luma_depth_minus8 = bits.ue().filter(|d| *d <= 7)?;
        let chroma_depth_minus8 = bits.ue().filter(|d| *d <= 7)?;
        bits.ue()?;
        let each_layer = bits.flag()?;
        let mut reorder = 0;
        for _ in 0..if each_layer { sub_layers } else { 1 } {
            bits.ue()?;
            reorder = bits.ue().filter(|pictures| *pictures <= 16)? as u8;
            bits.ue()?;
        }
        Some(Self {
            sub_layers,
            nested: layers & 1 == 1,
            profile_tier,
            chroma,
            luma_depth_minus8,
            chroma_depth_minus8,
            coded,
            crop,
            reorder,
        })
    }

    /// Displayed width and height (7.4.3.2.1, conformance window).
    fn size(&self) -> Option<(u32, u32)> {
        let unit_x = if matches!(self.chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = if self.chroma == 1 { 2 } else { 1 };
        let [left, right, top, bottom] = self.crop;
        Some((cropped(self.coded.0, left, right, unit_x)?, cropped(self.coded.1, top, bottom, unit_y)?))
    }

    /// ISO/IEC 14496-15 E.3: profile space and profile, compatibility flags in reverse bit order,
    /// tier and level, then the constraint bytes up to the last that is not 0.
    fn codec_string(&self) -> String {
        let [profile, c0, c1, c2, c3, constraints @ .., level] = self.profile_tier;
        let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
        let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
        let compatible = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
        let mut out = format!("hvc1.{space}{}.{compatible:X}.{tier}{level}", profile & 0x1f);
        let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for byte in constraints.iter().take(used) {
            // Writing to a string cannot fail.
            let _ = write!(out, ".{byte:X}");
        }
        out
    }
}

/// The sub-layers' part of `profile_tier_level` (7.3.3), for all but the highest sub-layer.
fn skip_sub_layer_levels(bits: &mut Bits<'_>, lower: u8) -> Option<()> {
    if lower == 0 {
        return Some(());
    }
    let mut size = 0;
    for layer in 0..8 {
        let (profile, level) = (bits.flag()?, bits.flag()?);
        if layer < lower {
            size += if profile { 88 } else { 0 } + if level { 8 } else { 0 };
        }
    }
    bits.skip(size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Kind;

    /// x265 at 322x242 through h265parse: main profile.
    const MAIN: &str = "0101600000009000000000003ff000fcfdf8f800000f03\
        200001001840010c01ffff01600000030090000003000003003f959809\
        2100010032\
        42010101600000030090000003000003003fa00a480f9c9265959a4932bffc00040005a8303030200000030020000003032122\
        000100074401c172b46240";

    fn bytes(hex: &str) -> Bytes {
        let hex: String = hex.split_whitespace().collect();
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn x265_main() {
        let params = from_hvcc(&bytes(MAIN)).unwrap();
        assert_eq!((params.width, params.height), (322, 242));
        assert_eq!(params.codec_string, "hvc1.1.6.L63.90");
        assert_eq!(params.reorder, Some(2));
        assert_eq!((params.vps.len(), params.sps.len(), params.pps.len()), (1, 1, 1));
        assert_eq!(from_hvcc(&params.config).unwrap(), params);
        // All but the arrays' completeness, which `hvc1` demands, is as the parser of GStreamer has it.
        assert_eq!(params.config[..23], bytes(MAIN)[..23]);
        assert_eq!(params.config.len(), bytes(MAIN).len());
    }

    #[test]
    fn codec_strings_follow_annex_e() {
        let mut sps = Sps::parse(&from_hvcc(&bytes(MAIN)).unwrap().sps[0]).unwrap();
        sps.profile_tier = [0x22, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 150];
        assert_eq!(sps.codec_string(), "hvc1.2.4.H150.B0");
        sps.profile_tier = [0x44, 0x08, 0, 0, 1, 0x9e, 0, 8, 0, 0, 0, 93];
        assert_eq!(sps.codec_string(), "hvc1.A4.80000010.L93.9E.0.8");
        sps.profile_tier = [1, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 120];
        assert_eq!(sps.codec_string(), "hvc1.1.6.L120");
    }

    #[test]
    fn sub_layers_are_skipped() {
        // Two lower sub-layers, one with profile and level, one with level only; six unused pairs.
        let mut data = vec![0b1101_0000, 0];
        data.extend([0xff; 11 + 1 + 1]);
        data.push(0xa5);
        let mut bits = Bits::new(&data);
        assert_eq!(skip_sub_layer_levels(&mut bits, 2), Some(()));
        assert_eq!(bits.bits(8), Some(0xa5));
    }

    #[test]
    fn short_lengths_are_not_supported() {
        let mut config = bytes(MAIN).to_vec();
        config[21] &= 0xfc;
        assert_eq!(from_hvcc(&config.into()).unwrap_err().kind(), Kind::Unsupported);
    }

    #[test]
    fn every_truncation_is_bad_input() {
        let config = bytes(MAIN);
        for end in 0..config.len() {
            assert_eq!(from_hvcc(&config.slice(..end)).unwrap_err().kind(), Kind::BadInput, "{end}");
        }
        let whole = from_hvcc(&config).unwrap();
        assert!(from_parameter_sets(whole.vps.clone(), whole.sps.clone(), vec![Bytes::new()]).is_err());
        assert!(from_parameter_sets(whole.vps, whole.sps, Vec::new()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail(tail in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = from_hvcc(&tail.clone().into());
            let sps = [&[SPS << 1, 1][..], &tail].concat().into();
            let set = || vec![Bytes::from_static(&[0x40, 1])];
            if let Ok(params) = from_parameter_sets(set(), vec![sps], set()) {
                prop_assert_eq!(from_hvcc(&params.config).unwrap(), params);
            }
        }

        #[test]
        fn any_flipped_bit_parses_or_fails(at in 0..130 * 8_usize) {
            let mut config = bytes(MAIN).to_vec();
            if let Some(byte) = config.get_mut(at / 8) {
                *byte ^= 1 << (at % 8);
            }
            let _ = from_hvcc(&config.into());
        }
    }
}
