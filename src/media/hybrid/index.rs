//! The samples of a file: what the final `moov` and playback are made from. Memory: about 12 bytes per
//! sample (a 10 minute file at 25 frames per second with sound: 0.5 MB).

use super::*;

/// One sample as a reader needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Offset in the file.
    pub at: u64,
    pub size: u32,
    /// On the file's own line, which starts at 0 with the first video frame.
    pub dts: MediaTime,
    pub pts: MediaTime,
    pub duration: MediaTime,
    pub key: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Index {}

impl Index {
    pub fn new(params: &Params) -> Self {
        let _ = params;
        unimplemented!()
    }

    /// Takes in the next frames, in decoding order, and encodes them as the fragment that will stand at
    /// offset `at`. The first video frame of the first call must be a key frame and becomes time 0;
    /// sound before it is left out. `until` is the decoding time of the video frame that follows, or
    /// where the last one ends: it closes the last sample's duration, so that the line has no hole.
    pub fn fragment(&mut self, frames: &[Arc<Frame>], until: MediaTime, at: u64) -> Fragment {
        let _ = (frames, until, at);
        unimplemented!()
    }

    /// From the first video frame to the end of the last.
    pub fn duration(&self) -> MediaTime {
        unimplemented!()
    }

    /// The `moov` of the completed file: goes to the end of the last fragment.
    pub fn moov(&self, params: &Params, label: &Label) -> Vec<u8> {
        let _ = (params, label);
        unimplemented!()
    }
}
