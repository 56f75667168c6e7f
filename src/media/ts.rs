//! MPEG transport stream (ISO/IEC 13818-1) for HLS v1 and, later, `.ts` downloads.

use super::frame::Frame;
use super::params::Params;

/// Writes one program: video on PID 0x100, sound on PID 0x101.
#[derive(Debug)]
pub struct TsMuxer {}

impl TsMuxer {
    pub fn new(_params: &Params) -> Self {
        Self {}
    }

    /// PAT and PMT; to be written at the start of each segment.
    pub fn write_tables(&mut self, _out: &mut Vec<u8>) {}

    /// One frame as a PES packet, with PCR on video.
    pub fn write_frame(&mut self, _frame: &Frame, _out: &mut Vec<u8>) {}
}
