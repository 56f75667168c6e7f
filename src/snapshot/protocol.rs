//! What daemon and child say to each other over the child's stdin and stdout. Numbers are 32 bits,
//! big-endian.
//!
//! Request: codec (1 byte), width (0 for the video's own), length of the decoder configuration,
//! length of the access unit; then both. Answer: status (1 byte), length; then a JPEG or a text.
//! The child speaks first: an empty answer of status [`Status::Ready`].

use crate::base::{Error, Result};
use crate::media::params::VideoCodec;

/// Largest decoder configuration (`avcC`, `hvcC`) in bytes.
pub(super) const MAX_CONFIG: usize = 64 << 10;
/// Largest access unit in bytes.
pub(super) const MAX_UNIT: usize = 8 << 20;
/// Largest answer in bytes.
pub(super) const MAX_ANSWER: usize = 16 << 20;

/// Bytes of a [`RequestHead`] and an [`AnswerHead`] on the wire.
pub(super) const REQUEST_HEAD: usize = 13;
pub(super) const ANSWER_HEAD: usize = 5;

/// The fixed part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub codec: VideoCodec,
    pub width: Option<u32>,
    pub config: usize,
    pub unit: usize,
}

/// What kind of answer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ready,
    Picture,
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
        let numbers = [self.width.unwrap_or(0), self.config as u32, self.unit as u32];
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
        let [width, config, unit] = std::array::from_fn(|n| number(numbers.as_slice(), n));
        let width = Some(width).filter(|&width| width > 0);
        let head = Self { codec, width, config: config as usize, unit: unit as usize };
        head.check().map(|()| head)
    }

    fn check(self) -> Result<()> {
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
        for width in [None, Some(640)] {
            let head = RequestHead { codec: VideoCodec::H265, width, config: 90, unit: 1 << 20 };
            assert_eq!(RequestHead::decode(&head.encode().unwrap()).unwrap(), head);
        }
        let head = AnswerHead { status: Status::Picture, length: 147_000 };
        assert_eq!(AnswerHead::decode(&head.encode()).unwrap(), head);
    }

    #[test]
    fn bounds_hold_on_both_sides() {
        let large = RequestHead { codec: VideoCodec::H264, width: None, config: 0, unit: MAX_UNIT + 1 };
        assert!(large.encode().unwrap_err().to_string().starts_with("key frame"));
        assert!(RequestHead::decode(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0]).is_err());
        assert!(RequestHead::decode(&[9; REQUEST_HEAD]).is_err());
        assert!(AnswerHead::decode(&[1, 255, 0, 0, 0]).is_err());
    }
}
