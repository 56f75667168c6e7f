//! Decoding times for streams that come with presentation times only, as all RTP video does.
//!
//! With a reorder depth of N, the decoding time of a frame is the N-th next smallest presentation
//! time around it. The depth comes from the SPS. Where that says 0 both times are the same, and a
//! presentation time that goes back is the camera's clock, RTCP that moves sound and picture against each
//! other, or follows one that was missing and extrapolated. Otherwise the depth grows when a time goes
//! back; where the SPS is silent it starts at 0, and is forgotten after [`CALM`] frames in order. Holds at
//! most [`MAX_DEPTH`] + 1 times.

use crate::base::time::MediaTime;

/// The largest depth that H.264 and H.265 allow (max_num_reorder_frames).
const MAX_DEPTH: usize = 16;

/// A distance between consecutive frames that no reordering explains: the time line was cut.
const CUT: MediaTime = MediaTime::from_secs(2);

/// Frames in order that disprove a depth that was learnt.
const CALM: u32 = 250;

/// Derives decoding times from presentation times in decoding order.
#[derive(Debug)]
pub struct Reorder {
    depth: usize,
    /// The SPS says that there is nothing to reorder.
    never: bool,
    /// Frames since the last step back, where the depth is a guess.
    calm: Option<u32>,
    /// Presentation times not yet used as decoding times, ascending.
    pending: Vec<MediaTime>,
    last_pts: Option<MediaTime>,
    last_dts: Option<MediaTime>,
}

impl Reorder {
    /// `depth` as in [`crate::media::params::VideoParams::reorder`].
    pub fn new(depth: Option<u8>) -> Self {
        Self {
            depth: depth.map_or(0, |d| usize::from(d).min(MAX_DEPTH)),
            never: depth == Some(0),
            calm: depth.is_none().then_some(0),
            pending: Vec::new(),
            last_pts: None,
            last_dts: None,
        }
    }

    /// The decoding time of the next frame; `interval` is the usual distance between frames, used
    /// to extrapolate at the start. Never after `pts`, except for the few frames after which the depth
    /// turned out to be larger than thought.
    pub fn dts(&mut self, pts: MediaTime, interval: MediaTime) -> MediaTime {
        if self.never {
            return pts;
        }
        if self.last_pts.is_some_and(|last| (pts - last).0.abs() > CUT.0) {
            self.pending.clear();
            self.last_dts = None;
        }
        if self.last_dts.is_some_and(|last| pts < last) && self.depth < MAX_DEPTH {
            self.depth += 1;
        }
        if let Some(calm) = &mut self.calm {
            *calm = if self.last_pts.is_some_and(|last| pts < last) { 0 } else { *calm + 1 };
            if *calm > CALM && self.depth > 0 {
                self.depth = 0;
                self.pending.clear();
            }
        }
        self.last_pts = Some(pts);
        let at = self.pending.partition_point(|&p| p <= pts);
        self.pending.insert(at, pts);
        let missing = (self.depth + 1).saturating_sub(self.pending.len());
        let dts = if missing > 0 {
            MediaTime(self.pending[0].0 - interval.0 * missing as i64)
        } else {
            self.pending.remove(0)
        };
        self.last_dts = Some(dts);
        dts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dts_of(depth: Option<u8>, pts: &[i64]) -> Vec<i64> {
        let mut reorder = Reorder::new(depth);
        pts.iter().map(|&p| reorder.dts(MediaTime(p), MediaTime(1)).0).collect()
    }

    #[test]
    fn without_b_frames_both_times_are_the_same() {
        assert_eq!(dts_of(Some(0), &[0, 1, 2, 5, 4, 5, 5, 9]), [0, 1, 2, 5, 4, 5, 5, 9]);
    }

    #[test]
    fn b_frames_shift_decoding_by_the_depth() {
        assert_eq!(dts_of(Some(1), &[0, 3, 1, 2, 6, 4, 5]), [-1, 0, 1, 2, 3, 4, 5]);
        assert_eq!(dts_of(Some(2), &[0, 4, 2, 1, 3, 8, 6, 5]), [-2, -1, 0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn an_unknown_depth_is_learnt() {
        let dts = dts_of(None, &[0, 3, 1, 2, 6, 4, 5, 9, 7, 8]);
        assert_eq!(dts[5..], [4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_depth_that_was_a_mistake_is_forgotten() {
        let mut pts: Vec<i64> = vec![0, 10, 20, 15];
        pts.extend((3..400).map(|n| n * 10));
        let dts = dts_of(None, &pts);
        assert_eq!(dts[50], pts[49]);
        assert_eq!(dts[399], pts[399]);
    }

    #[test]
    fn a_cut_starts_afresh() {
        assert_eq!(
            dts_of(Some(1), &[0, 3, 1, 1_000_000, 1_000_003, 1_000_001])[3..],
            [999_999, 1_000_000, 1_000_001]
        );
    }
}
