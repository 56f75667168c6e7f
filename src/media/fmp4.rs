//! Fragmented MP4 (ISO/IEC 14496-12): the init segment and the head of each fragment.

use bytes::Bytes;

use super::frame::Track;
use super::params::Params;
use crate::base::time::MediaTime;

/// One sample of a fragment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Distance to the next sample's decoding time, positive.
    pub duration: MediaTime,
    /// Presentation minus decoding time; may be negative (`trun` version 1).
    pub offset: MediaTime,
    pub key: bool,
    /// Bytes of data.
    pub size: u32,
}

/// Consecutive samples of one track.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    pub track: Track,
    /// Decoding time of the first sample.
    pub start: MediaTime,
    pub samples: &'a [Sample],
}

/// `ftyp` and `moov`: video is track 1, sound track 2, both in 90 kHz ticks.
pub fn init_segment(_params: &Params) -> Bytes {
    Bytes::new()
}

/// `moof` and the head of the `mdat` that follows; the caller appends the samples' data, run by run.
pub fn fragment_head(_sequence: u32, _runs: &[Run<'_>]) -> Vec<u8> {
    Vec::new()
}
