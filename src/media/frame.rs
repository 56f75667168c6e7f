//! A frame: one access unit of video or one audio frame, shared by everyone who shows, records or
//! sends it.

use bytes::Bytes;

use crate::base::time::{MediaTime, MonoTime};

/// Which elementary stream a frame belongs to. A source has one video and at most one audio track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    Video,
    Audio,
}

/// One access unit (video) or one raw AAC frame (audio), in decoding order.
///
/// Made once by the source, behind an `Arc` from then on; nobody copies `data`.
#[derive(Clone, Debug)]
pub struct Frame {
    pub track: Track,
    /// Decoding time; strictly increasing per track within an epoch, 0 at the epoch's first frame.
    pub dts: MediaTime,
    /// Presentation time; never before `dts`. Equal to it unless the stream has B-frames.
    pub pts: MediaTime,
    /// How long this frame probably lasts: the distance to the next frame of its track is not known
    /// yet when it is sent on. Always positive.
    pub duration: MediaTime,
    /// Decoding can start here (IDR, or CRA/BLA for H.265). Always true for audio.
    pub key: bool,
    /// Video: NAL units, each behind a 4-byte big-endian length (ISO/IEC 14496-15), with no
    /// parameter sets inside. Audio: the raw AAC frame, no ADTS header.
    pub data: Bytes,
    /// When the frame left the source's pipeline.
    pub arrived: MonoTime,
}

impl Frame {
    /// A video frame at which a viewer can start.
    pub fn is_entry(&self) -> bool {
        self.key && self.track == Track::Video
    }
}
