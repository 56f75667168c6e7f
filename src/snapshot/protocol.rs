//! What daemon and child say to each other over the child's stdin and stdout. Numbers are 32 bits,
//! big-endian.
//!
//! Request: codec (1 byte), width (0 for the video's own), width and height that must come out of the
//! decoder (0 for any), lengths of the elements' names, of the decoder configuration and of the access
//! unit; then these three. The names are those of decoder and JPEG encoder with a line end between.
//!
//! Answer: status (1 byte), length; then a JPEG or a text. The child speaks first, with
//! [`Status::Ready`]. A request is answered with [`Status::Decoded`] when its first half is done, and
//! then, or instead, with a picture or a failure: so it is known which element was at work.

use crate::base::{Error, Result};
use crate::media::params::VideoCodec;

/// Largest decoder configuration (`avcC`, `hvcC`) in bytes.
pub(super) const MAX_CONFIG: usize = 64 << 10;
/// Largest access unit in bytes.
pub(super) const MAX_UNIT: usize = 8 << 20;
/// Longest names of the two elements in bytes.
pub(super) const MAX_NAMES: usize = 512;
/// Largest answer in bytes.
pub(super) const MAX_ANSWER: usize = 16 << 20;

/// Bytes of a [`RequestHead`] and an [`AnswerHead`] on the wire.
pub(super) const REQUEST_HEAD: usize = 25;
pub(super) const ANSWER_HEAD: usize = 5;

/// The fixed part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub codec: VideoCodec,
    pub width: Option<u32>,
    /// What the decoder must give, in pixels.
    pub size: Option<(u32, u32)>,
    pub names: usize,
    pub config: usize,
    pub unit: usize,
}

/// What kind of answer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// With what GStreamer has, see [`super::inventory`].
    Ready,
    /// The decoder has given its picture; empty.
    Decoded,
    /// With the JPEG.
    Picture,
    /// With a text.
    Failed,
}

/// The fixed part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnswerHead {
    pub status: Status,
    pub length: usize,
}

impl RequestHead {
    /// # Errors
    /// `BadInput` for a frame beyond the bounds.
    pub fn encode(self) -> Result<[u8; REQUEST_HEAD]> {
        self.check()?;
        let codec = match self.codec {
            VideoCodec::H264 => 1,
            VideoCodec::H265 => 2,
        };
        let mut out = [codec; REQUEST_HEAD];
        let (width, height) = self.size.unwrap_or((0, 0));
        let lengths = [self.names, self.config, self.unit].map(|length| length as u32);
        let numbers = [self.width.unwrap_or(0), width, height].into_iter().chain(lengths);
        for (slot, number) in out[1..].chunks_exact_mut(4).zip(numbers) {
            slot.copy_from_slice(&number.to_be_bytes());
        }
        Ok(out)
    }

    /// # Errors
    /// `BadInput` for what [`Self::encode`] would not write.
    pub fn decode(bytes: &[u8; REQUEST_HEAD]) -> Result<Self> {
        let [codec, numbers @ ..] = bytes;
        let codec = match codec {
            1 => VideoCodec::H264,
            2 => VideoCodec::H265,
            other => return Err(Error::bad_input(format!("codec: {other} is none"))),
        };
        let [width, wide, high, names, config, unit] = std::array::from_fn(|n| number(numbers.as_slice(), n));
        let head = Self {
            codec,
            width: Some(width).filter(|&width| width > 0),
            size: Some((wide, high)).filter(|&(wide, high)| wide > 0 && high > 0),
            names: names as usize,
            config: config as usize,
            unit: unit as usize,
        };
        head.check().map(|()| head)
    }

    fn check(self) -> Result<()> {
        if self.names > MAX_NAMES {
            return Err(Error::bad_input(format!("names of elements: more than {MAX_NAMES} bytes")));
        }
        if self.config > MAX_CONFIG {
            return Err(Error::bad_input(format!("decoder configuration: more than {MAX_CONFIG} bytes")));
        }
        if self.unit > MAX_UNIT {
            return Err(Error::bad_input(format!("key frame: more than {MAX_UNIT} bytes")));
        }
        Ok(())
    }
}

impl AnswerHead {
    pub fn encode(self) -> [u8; ANSWER_HEAD] {
        let status = match self.status {
            Status::Ready => 0,
            Status::Picture => 1,
            Status::Failed => 2,
            Status::Decoded => 3,
        };
        let mut out = [status; ANSWER_HEAD];
        out[1..].copy_from_slice(&(self.length.min(MAX_ANSWER) as u32).to_be_bytes());
        out
    }

    /// # Errors
    /// `Internal` for what [`Self::encode`] would not write.
    pub fn decode(bytes: &[u8; ANSWER_HEAD]) -> Result<Self> {
        let [status, length @ ..] = bytes;
        let status = match status {
            0 => Status::Ready,
            1 => Status::Picture,
            2 => Status::Failed,
            3 => Status::Decoded,
            _ => return Err(Error::internal("snapshot worker: answer makes no sense")),
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_ANSWER {
            return Err(Error::internal(format!("snapshot worker: answer of more than {MAX_ANSWER} bytes")));
        }
        Ok(Self { status, length })
    }
}

fn number(bytes: &[u8], index: usize) -> u32 {
    let found = bytes.chunks_exact(4).nth(index).and_then(|four| four.try_into().ok());
    found.map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_survive_the_way() {
        for (width, size) in [(None, Some((1920, 1080))), (Some(640), None)] {
            let codec = VideoCodec::H265;
            let head = RequestHead { codec, width, size, names: 20, config: 90, unit: 1 << 20 };
            assert_eq!(RequestHead::decode(&head.encode().unwrap()).unwrap(), head);
        }
        let head = AnswerHead { status: Status::Picture, length: 147_000 };
        assert_eq!(AnswerHead::decode(&head.encode()).unwrap(), head);
    }

    #[test]
    fn bounds_hold_on_both_sides() {
        let codec = VideoCodec::H264;
        let large = RequestHead { codec, width: None, size: None, names: 0, config: 0, unit: MAX_UNIT + 1 };
        assert!(large.encode().unwrap_err().to_string().starts_with("key frame"));
        for at in [13, 17, 21] {
            let mut head = [0; REQUEST_HEAD];
            (head[0], head[at]) = (1, 255);
            assert!(RequestHead::decode(&head).is_err());
        }
        assert!(RequestHead::decode(&[9; REQUEST_HEAD]).is_err());
        assert!(AnswerHead::decode(&[1, 255, 0, 0, 0]).is_err());
    }
}
