//! What a decoder must know before the first frame: codec, parameter sets, size, sound format.

use bytes::Bytes;

/// The video codecs that browsers and recordings know here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    H264,
    H265,
}

/// Video parameters, all taken from the stream's own parameter sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParams {
    pub codec: VideoCodec,
    /// H.265 only; empty for H.264. NAL units without start code or length, like `sps` and `pps`.
    pub vps: Vec<Bytes>,
    pub sps: Vec<Bytes>,
    pub pps: Vec<Bytes>,
    /// Payload of the `avcC` or `hvcC` box (ISO/IEC 14496-15), with 4-byte NAL lengths.
    pub config: Bytes,
    /// Displayed size in pixels, after cropping.
    pub width: u32,
    pub height: u32,
    /// RFC 6381 string as browsers take it, e.g. `avc1.64002A` or `hvc1.1.6.L120.90`.
    pub codec_string: String,
    /// How many frames may precede another in decoding order and follow it in output order:
    /// 0 means no B-frames, `None` that the stream does not say.
    pub reorder: Option<u8>,
}

/// AAC sound parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioParams {
    /// AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1), usually two bytes.
    pub config: Bytes,
    /// Samples per second and channel.
    pub rate: u32,
    pub channels: u8,
    /// RFC 6381 string, e.g. `mp4a.40.2`.
    pub codec_string: String,
}

/// All parameters of one epoch of a stream. A change of any of them starts a new epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    pub video: VideoParams,
    pub audio: Option<AudioParams>,
}

impl Params {
    /// Of a stream without parameter sets, for tests that only hand frames about.
    #[cfg(test)]
    pub fn bare() -> Self {
        let video = VideoParams {
            codec: VideoCodec::H264,
            vps: vec![],
            sps: vec![],
            pps: vec![],
            config: Bytes::new(),
            width: 16,
            height: 16,
            codec_string: "avc1.42C00D".into(),
            reorder: Some(0),
        };
        Self { video, audio: None }
    }

    /// The MIME type a `SourceBuffer` is made with, e.g. `video/mp4; codecs="avc1.42C00D, mp4a.40.2"`.
    pub fn mime(&self) -> String {
        match &self.audio {
            Some(audio) => {
                format!("video/mp4; codecs=\"{}, {}\"", self.video.codec_string, audio.codec_string)
            }
            None => format!("video/mp4; codecs=\"{}\"", self.video.codec_string),
        }
    }
}
