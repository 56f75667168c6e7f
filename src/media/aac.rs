//! AAC sound: the AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1) and the ADTS header (1.A.2.2) that
//! MPEG-TS wants in front of each frame. Pure functions.

use bytes::Bytes;

use super::bits::Bits;
use super::params::AudioParams;
use crate::base::{Error, Result};

/// `samplingFrequencyIndex`, table 1.18.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// `samplingFrequencyIndex` that says that the rate itself follows.
const ESCAPE: u32 = 15;

/// Spectral band replication, and SBR with parametric stereo (audio object types, table 1.17).
const SBR: u32 = 5;
const SBR_PS: u32 = 29;

/// Sound parameters from an AudioSpecificConfig. Rate and channels are those of the decoded sound:
/// with SBR the rate is usually twice that of the AAC core.
///
/// # Errors
/// `BadInput` if the configuration is malformed, `Unsupported` for object types and channel layouts
/// that ADTS and browsers do not know.
pub fn from_config(config: &Bytes) -> Result<AudioParams> {
    let parsed =
        AudioConfig::parse(config).ok_or_else(|| Error::bad_input("AudioSpecificConfig is malformed"))?;
    if !(1..=4).contains(&parsed.core_type) {
        let kind = parsed.core_type;
        return Err(Error::unsupported(format!("AudioSpecificConfig: audio object type {kind}")));
    }
    let layout = parsed.layout;
    let channels = match layout {
        1 if parsed.shown_type == SBR_PS => 2,
        1..=6 => layout as u8,
        7 => 8,
        _ => return Err(Error::unsupported(format!("AudioSpecificConfig: channel configuration {layout}"))),
    };
    Ok(AudioParams {
        config: config.clone(),
        rate: parsed.rate,
        channels,
        codec_string: format!("mp4a.40.{}", parsed.shown_type),
    })
}

/// What an AudioSpecificConfig says that we use.
#[derive(Debug)]
struct AudioConfig {
    /// Object type of the AAC core, and that of the whole with its extensions.
    core_type: u32,
    shown_type: u32,
    core_rate: u32,
    rate: u32,
    /// `channelConfiguration`.
    layout: u32,
}

impl AudioConfig {
    fn parse(config: &[u8]) -> Option<Self> {
        let bits = &mut Bits::new(config);
        let shown_type = object_type(bits)?;
        let core_rate = sampling_rate(bits)?;
        let layout = bits.bits(4)?;
        let mut parsed = Self { core_type: shown_type, shown_type, core_rate, rate: core_rate, layout };
        if matches!(shown_type, SBR | SBR_PS) {
            parsed.rate = sampling_rate(bits)?;
            parsed.core_type = object_type(bits)?;
        } else if let Some(rate) = trailing_sbr_rate(bits.clone()) {
            parsed.shown_type = SBR;
            parsed.rate = rate;
        }
        Some(parsed)
    }
}

fn object_type(bits: &mut Bits<'_>) -> Option<u32> {
    const LONG: u32 = 31;
    match bits.bits(5)? {
        LONG => Some(32 + bits.bits(6)?),
        short => Some(short),
    }
}

/// In samples per second; `None` for reserved indices and for rates that cannot be.
fn sampling_rate(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.bits(4)? {
        ESCAPE => bits.bits(24).filter(|rate| (1..=192_000).contains(rate)),
        index => RATES.get(index as usize).copied(),
    }
}

/// The rate from SBR that is announced behind the GASpecificConfig, where old decoders do not look
/// (1.6.5.3, "backward compatible explicit signalling").
fn trailing_sbr_rate(mut bits: Bits<'_>) -> Option<u32> {
    const SYNC: u32 = 0x2b7;
    bits.skip(1)?;
    if bits.flag()? {
        bits.skip(14)?;
    }
    bits.skip(1)?;
    if bits.bits(11)? != SYNC || object_type(&mut bits)? != SBR || !bits.flag()? {
        return None;
    }
    sampling_rate(&mut bits)
}

/// Writes ADTS headers for one stream.
#[derive(Clone, Copy, Debug)]
pub struct Adts {
    /// Object type less 1, rate index, channel configuration.
    profile: u8,
    rate: u8,
    layout: u8,
}

impl Adts {
    /// Bytes of a header (without CRC).
    pub const SIZE: usize = 7;

    /// # Errors
    /// As [`from_config`], and `Unsupported` for a core rate that is not in the standard's table.
    pub fn new(params: &AudioParams) -> Result<Self> {
        from_config(&params.config)?;
        let parsed = AudioConfig::parse(&params.config)
            .ok_or_else(|| Error::bad_input("AudioSpecificConfig is malformed"))?;
        let rate = parsed.core_rate;
        let index = RATES.iter().position(|r| *r == rate);
        let index = index.ok_or_else(|| Error::unsupported(format!("ADTS: {rate} samples per second")))?;
        Ok(Self { profile: parsed.core_type as u8 - 1, rate: index as u8, layout: parsed.layout as u8 })
    }

    /// The header for a frame of `size` bytes; `None` if ADTS cannot hold it (8184 bytes at most).
    pub fn header(&self, size: usize) -> Option<[u8; Self::SIZE]> {
        let length = u16::try_from(size + Self::SIZE).ok().filter(|length| *length < 1 << 13)?;
        Some([
            0xff,
            // MPEG-4, no CRC.
            0xf1,
            self.profile << 6 | self.rate << 2 | self.layout >> 2,
            self.layout << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            // Buffer fullness all ones: variable bit rate. One raw block.
            (length << 5) as u8 | 0x1f,
            0xfc,
        ])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Kind;

    fn parse(config: &[u8]) -> Result<AudioParams> {
        from_config(&Bytes::copy_from_slice(config))
    }

    #[test]
    fn plain_configurations() {
        for (config, rate, channels) in
            [([0x11, 0x90], 48_000, 2), ([0x15, 0x88], 8_000, 1), ([0x14, 0x08], 16_000, 1)]
        {
            let params = parse(&config).unwrap();
            assert_eq!((params.rate, params.channels), (rate, channels));
            assert_eq!(params.codec_string, "mp4a.40.2");
        }
    }

    #[test]
    fn an_escaped_rate_is_read() {
        // Type 2, index 15, 24 bits of 44 100, mono.
        let params = parse(&[0x17, 0x80, 0x56, 0x22, 0x08]).unwrap();
        assert_eq!((params.rate, params.channels), (44_100, 1));
    }

    #[test]
    fn sbr_is_seen_in_front_and_behind() {
        // Type 5, core 24 kHz stereo, extended to 48 kHz, type 2.
        let front = parse(&[0x2b, 0x11, 0x88, 0x00]).unwrap();
        assert_eq!((front.rate, front.codec_string.as_str()), (48_000, "mp4a.40.5"));
        // Type 2, 24 kHz stereo, sync word, type 5, present, 48 kHz.
        let behind = parse(&[0x13, 0x10, 0x56, 0xe5, 0x98]).unwrap();
        assert_eq!((behind.rate, behind.codec_string.as_str()), (48_000, "mp4a.40.5"));
    }

    #[test]
    fn what_cannot_be_carried_says_why() {
        assert_eq!(parse(&[]).unwrap_err().kind(), Kind::BadInput);
        assert_eq!(parse(&[0x17, 0xff]).unwrap_err().kind(), Kind::BadInput);
        let low_delay = parse(&[0xb9, 0x90]).unwrap_err();
        assert_eq!((low_delay.kind(), low_delay.to_string().contains("23")), (Kind::Unsupported, true));
        assert_eq!(parse(&[0x11, 0x80]).unwrap_err().kind(), Kind::Unsupported);
    }

    #[test]
    fn an_adts_header_has_the_core_rate_and_the_length() {
        let adts = Adts::new(&parse(&[0x11, 0x90]).unwrap()).unwrap();
        assert_eq!(adts.header(256), Some([0xff, 0xf1, 0x4c, 0x80, 0x20, 0xff, 0xfc]));
        assert_eq!(adts.header(8185), None);
        let extended = Adts::new(&parse(&[0x2b, 0x11, 0x88, 0x00]).unwrap()).unwrap();
        assert_eq!(extended.header(1).map(|h| h[2] >> 2 & 0xf), Some(6));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail(config in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(params) = parse(&config) {
                prop_assert!((1..=192_000).contains(&params.rate) && (1..=8).contains(&params.channels));
                let _ = Adts::new(&params);
            }
        }
    }
}
