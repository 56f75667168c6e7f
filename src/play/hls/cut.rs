//! Cuts frames into segments: what both kinds of HLS have in common, and MPEG-TS.
//!
//! Cutters see neither clock nor socket. A segment ends before a key frame; only one that outgrows
//! [`MAX_SEGMENT_BYTES`] ends where it stands, and that bounds what a cutter holds.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::time::MediaTime;
use crate::media::frame::{Frame, Track};
use crate::media::params::Params;
use crate::media::ts::TsMuxer;

/// A segment larger than this is cut without waiting for a key frame.
pub(super) const MAX_SEGMENT_BYTES: usize = 16 << 20;

/// A piece of a segment, the unit in which data becomes visible. A TS segment is one piece.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Decoding time of the first video frame.
    pub start: MediaTime,
    pub duration: MediaTime,
    /// Begins with a key frame.
    pub independent: bool,
    pub body: Bytes,
}

/// What a cutter puts out, in order.
#[derive(Clone, Debug)]
pub(super) enum Cut {
    /// The next part of the open segment.
    Part(Part),
    /// The open segment is complete.
    Close,
}

/// Turns the frames of one epoch into parts and segments.
pub(super) trait Cutter: Send {
    /// Takes the next frame.
    fn push(&mut self, frame: &Arc<Frame>) -> Vec<Cut>;
    /// The epoch is over: puts out what is left.
    fn finish(&mut self) -> Vec<Cut>;
    /// How long parts are meant to be at most; `None` without parts or before the first.
    fn part_target(&self) -> Option<MediaTime>;
}

/// Cuts MPEG-TS segments.
pub(super) struct TsCutter {
    muxer: TsMuxer,
    min: MediaTime,
    /// Video frames at both ends of the open segment.
    ends: Option<(Arc<Frame>, Arc<Frame>)>,
    body: Vec<u8>,
}

impl TsCutter {
    /// Segments last `min` or longer.
    pub fn new(params: &Params, min: MediaTime) -> Self {
        Self { muxer: TsMuxer::new(params), min, ends: None, body: Vec::new() }
    }

    fn cut(&mut self, end: MediaTime) -> Vec<Cut> {
        let Some((first, _)) = self.ends.take() else { return Vec::new() };
        let part = Part {
            start: first.dts,
            duration: end - first.dts,
            independent: first.key,
            body: std::mem::take(&mut self.body).into(),
        };
        vec![Cut::Part(part), Cut::Close]
    }
}

impl Cutter for TsCutter {
    fn push(&mut self, frame: &Arc<Frame>) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if frame.track == Track::Video {
            let due = self.ends.as_ref().is_some_and(|(first, _)| {
                frame.key && frame.dts - first.dts >= self.min || self.body.len() > MAX_SEGMENT_BYTES
            });
            if due {
                cuts = self.cut(frame.dts);
            }
            match &mut self.ends {
                Some((_, last)) => *last = frame.clone(),
                None => {
                    self.muxer.write_tables(&mut self.body);
                    self.ends = Some((frame.clone(), frame.clone()));
                }
            }
        }
        if self.ends.is_some() {
            self.muxer.write_frame(frame, &mut self.body);
        }
        cuts
    }

    fn finish(&mut self) -> Vec<Cut> {
        match &self.ends {
            Some((_, last)) => self.cut(last.dts + last.duration),
            None => Vec::new(),
        }
    }

    fn part_target(&self) -> Option<MediaTime> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::MonoTime;

    fn frame(number: i64, key: bool, size: usize) -> Arc<Frame> {
        let time = MediaTime(number * 3600);
        Arc::new(Frame {
            track: Track::Video,
            dts: time,
            pts: time,
            duration: MediaTime(3600),
            key,
            data: vec![0, 0, 0, 2, 0x41].into_iter().chain(std::iter::repeat_n(7, size)).collect(),
            arrived: MonoTime::default(),
        })
    }

    fn cutter() -> TsCutter {
        TsCutter::new(&Params::bare(), MediaTime::from_secs(2))
    }

    fn durations(cuts: Vec<Cut>) -> Vec<i64> {
        let part = |cut| match cut {
            Cut::Part(part) => Some(part.duration.0 / 3600),
            Cut::Close => None,
        };
        cuts.into_iter().filter_map(part).collect()
    }

    #[test]
    fn ts_segments_end_at_the_first_key_frame_after_their_time() {
        let mut cutter = cutter();
        let cuts = (0..200).flat_map(|n| cutter.push(&frame(n, n % 30 == 0, 10))).collect();
        assert_eq!(durations(cuts), [60, 60, 60]);
        assert_eq!(durations(cutter.finish()), [20]);
        assert!(cutter.finish().is_empty());
    }

    #[test]
    fn a_segment_without_key_frames_is_cut_at_its_largest_size() {
        let mut cutter = cutter();
        let unit = frame(1, false, 0).data.len() + (1 << 20);
        let cuts: Vec<Cut> = (0..60)
            .map(|n| {
                let mut large = (*frame(n, n == 0, 0)).clone();
                large.data = [&((unit - 4) as u32).to_be_bytes()[..], &vec![0x41; unit - 4]].concat().into();
                Arc::new(large)
            })
            .flat_map(|frame| cutter.push(&frame))
            .collect();
        assert!(cuts.len() >= 4);
        for cut in &cuts {
            if let Cut::Part(part) = cut {
                assert!((MAX_SEGMENT_BYTES..MAX_SEGMENT_BYTES + (2 << 20)).contains(&part.body.len()));
            }
        }
    }
}
