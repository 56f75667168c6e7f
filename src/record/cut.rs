//! Where a running recording is cut: into fragments of at most 2 s, each written and synced in one go, and
//! into files at key frames, so that no frame is lost or doubled between them. No files, no clocks.
//!
//! Memory: the frames of the fragment that is being collected, by reference.

use std::sync::Arc;

use crate::base::time::MediaTime;
use crate::media::frame::{Frame, Track};

/// Longest fragment: what a power cut may take.
const LONGEST: MediaTime = MediaTime::from_secs(2);
/// What may be missing to [`LONGEST`] where a key frame comes, so that most fragments begin with one.
const EARLY: MediaTime = MediaTime::from_millis(250);
/// How long a new file waits for the sound that belongs before its first picture.
const SOUND_PATIENCE: MediaTime = MediaTime::from_secs(1);

/// Collects frames of one epoch.
#[derive(Debug)]
pub struct Cutter {
    /// The epoch has sound.
    sound: bool,
    pending: Vec<Arc<Frame>>,
    /// Decoding time of the first picture in `pending`.
    first: Option<MediaTime>,
    /// Where the last picture ends.
    end: MediaTime,
    /// The first picture of the next file, already in `pending`.
    rolling: Option<Arc<Frame>>,
}

/// A fragment to be written.
#[derive(Debug)]
pub struct Cut {
    pub frames: Vec<Arc<Frame>>,
    /// Decoding time of the picture that follows, or where the last one ends.
    pub until: MediaTime,
    /// The file ends with this fragment, and another begins with this key frame.
    pub next_file: Option<Arc<Frame>>,
}

impl Cutter {
    pub fn new(sound: bool) -> Self {
        Self { sound, pending: Vec::new(), first: None, end: MediaTime::ZERO, rolling: None }
    }

    /// How long it takes until the fragment that is being collected is full.
    pub fn room(&self) -> MediaTime {
        let collected = self.first.map_or(MediaTime::ZERO, |first| self.end - first);
        (LONGEST - collected).max(MediaTime::ZERO)
    }

    /// Takes in the next frame, the first one being a key frame. With `roll`, which counts at key frames
    /// only, the file ends before it. What has to be written now is returned.
    pub fn push(&mut self, frame: &Arc<Frame>, roll: bool) -> Option<Cut> {
        match frame.track {
            Track::Video => self.picture(frame, roll),
            Track::Audio => self.sound(frame),
        }
    }

    /// What is left at the end. Again, until it gives nothing: the end of a file may be among it.
    pub fn flush(&mut self) -> Option<Cut> {
        if let Some(key) = self.rolling.take() {
            return Some(self.roll(key));
        }
        let cut = self.take(self.end, None);
        // Sound that came after the last picture's fragment is too little for one of its own.
        cut.frames.iter().any(|frame| frame.track == Track::Video).then_some(cut)
    }

    fn picture(&mut self, frame: &Arc<Frame>, roll: bool) -> Option<Cut> {
        if let Some(key) = self.rolling.take_if(|key| frame.dts - key.dts > SOUND_PATIENCE) {
            let cut = self.roll(key);
            self.add(frame);
            return Some(cut);
        }
        if self.rolling.is_none() && frame.key && roll && self.first.is_some() {
            if self.sound {
                self.rolling = Some(frame.clone());
                self.add(frame);
                return None;
            }
            let cut = self.take(frame.dts, Some(frame.clone()));
            self.add(frame);
            return Some(cut);
        }
        let cut = (self.rolling.is_none() && self.is_full(frame)).then(|| self.take(frame.dts, None));
        self.add(frame);
        cut
    }

    fn sound(&mut self, frame: &Arc<Frame>) -> Option<Cut> {
        // Sound that no picture comes with for long is left out: fragments end at pictures.
        if frame.dts - self.end <= LONGEST {
            self.pending.push(frame.clone());
        }
        self.rolling.take_if(|key| frame.dts >= key.dts).map(|key| self.roll(key))
    }

    /// Whether the fragment has to end before this picture.
    fn is_full(&self, frame: &Frame) -> bool {
        let Some(first) = self.first else { return false };
        let so_far = frame.dts - first;
        so_far + frame.duration > LONGEST || (frame.key && so_far + EARLY >= LONGEST)
    }

    fn add(&mut self, frame: &Arc<Frame>) {
        self.first.get_or_insert(frame.dts);
        self.end = frame.dts + frame.duration;
        self.pending.push(frame.clone());
    }

    fn take(&mut self, until: MediaTime, next_file: Option<Arc<Frame>>) -> Cut {
        self.first = None;
        let room = Vec::with_capacity(self.pending.len());
        Cut { frames: std::mem::replace(&mut self.pending, room), until, next_file }
    }

    /// Ends the file before `key`: what lies before it belongs to this file, in whatever order it came.
    fn roll(&mut self, key: Arc<Frame>) -> Cut {
        let (frames, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|frame| frame.dts < key.dts);
        self.pending = rest;
        self.first = Some(key.dts);
        Cut { frames, until: key.dts, next_file: Some(key) }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::time::MonoTime;

    const FRAME: i64 = 3600;

    fn frame(track: Track, dts: i64, key: bool) -> Arc<Frame> {
        let dts = MediaTime(dts);
        let (duration, arrived) = (MediaTime(FRAME), MonoTime::default());
        Arc::new(Frame { track, dts, pts: dts, duration, key, data: Bytes::new(), arrived })
    }

    fn picture(n: i64, gop: i64) -> Arc<Frame> {
        frame(Track::Video, n * FRAME, n % gop == 0)
    }

    /// How many frames each fragment has, the rest included.
    fn fragments(pictures: i64, gop: i64) -> Vec<usize> {
        let mut cutter = Cutter::new(false);
        let mut cuts: Vec<_> = (0..pictures).filter_map(|n| cutter.push(&picture(n, gop), false)).collect();
        cuts.extend(cutter.flush());
        assert!(cutter.flush().is_none());
        let mut end = 0;
        for cut in &cuts {
            assert_eq!(cut.frames[0].dts.0, end);
            end = cut.until.0;
        }
        assert_eq!(end, pictures * FRAME);
        cuts.iter().map(|cut| cut.frames.len()).collect()
    }

    #[test]
    fn fragments_last_two_seconds_at_most_and_begin_with_key_frames_where_that_costs_little() {
        assert_eq!(fragments(110, 50), [50, 50, 10]);
        assert_eq!(fragments(110, 25), [50, 50, 10]);
        assert_eq!(fragments(110, 46), [46, 46, 18]);
        assert_eq!(fragments(110, 20), [50, 50, 10]);
        assert_eq!(fragments(110, 200), [50, 50, 10]);
        assert_eq!(fragments(230, 60), [50, 50, 50, 50, 30]);
        assert_eq!(fragments(1, 50), [1]);
    }

    #[test]
    fn a_new_file_begins_with_the_key_frame() {
        let mut cutter = Cutter::new(false);
        assert!((0..10).all(|n| cutter.push(&picture(n, 10), true).is_none()));
        let cut = cutter.push(&picture(10, 10), true).unwrap();
        assert_eq!((cut.frames.len(), cut.until.0), (10, 10 * FRAME));
        assert_eq!(cut.next_file.unwrap().dts.0, 10 * FRAME);
        assert_eq!(cutter.flush().unwrap().frames.len(), 1);
    }

    /// Sound comes up to `late` ticks behind the picture that it belongs to.
    fn with_sound(late: i64, pictures: i64) -> Vec<Cut> {
        let mut frames: Vec<_> = (0..pictures).map(|n| (n * FRAME, picture(n, 10))).collect();
        let sound = |n: i64| (n * 1920 + late, frame(Track::Audio, n * 1920, true));
        frames.extend((0..pictures * FRAME / 1920).map(sound));
        frames.sort_by_key(|(at, _)| *at);
        let mut cutter = Cutter::new(true);
        let mut roll = false;
        let mut cuts = Vec::new();
        for (_, frame) in frames {
            roll |= frame.dts.0 >= 20 * FRAME && frame.is_entry();
            let first = roll && frame.dts.0 < 25 * FRAME;
            cuts.extend(cutter.push(&frame, first));
        }
        while let Some(cut) = cutter.flush() {
            cuts.push(cut);
        }
        cuts
    }

    #[test]
    fn sound_goes_to_the_file_of_its_picture() {
        for late in [0, 1000, 9000] {
            let cuts = with_sound(late, 40);
            assert_eq!(cuts.len(), 2, "{late}");
            let [old, new] = &cuts[..] else { panic!() };
            assert!(old.next_file.is_some() && old.until.0 == 20 * FRAME);
            assert!(old.frames.iter().all(|frame| frame.dts < old.until));
            assert!(new.frames.iter().all(|frame| frame.dts >= old.until));
            assert_eq!(old.frames.len() + new.frames.len(), 40 + 75);
        }
    }

    #[test]
    fn a_new_file_does_not_wait_for_sound_that_does_not_come() {
        let mut cutter = Cutter::new(true);
        let cuts: Vec<_> = (0..60).filter_map(|n| cutter.push(&picture(n, 10), n == 10)).collect();
        assert_eq!((cuts.len(), cuts[0].frames.len(), cuts[0].until.0), (1, 10, 10 * FRAME));
        assert_eq!(cutter.flush().unwrap().frames.len(), 50);
    }

    #[test]
    fn sound_without_pictures_is_not_collected_for_ever() {
        let mut cutter = Cutter::new(true);
        cutter.push(&picture(0, 10), false);
        (0..1000).for_each(|n| assert!(cutter.push(&frame(Track::Audio, n * 1920, true), false).is_none()));
        let cut = cutter.flush().unwrap();
        assert_eq!((cut.frames.len(), cut.until.0), (1 + 96, FRAME));
    }
}
