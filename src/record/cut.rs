//! Where a running recording is cut: into fragments of at most 2 s, each written and synced in one go, and
//! into files at key frames, so that no frame is lost or doubled between them. No files, no clocks.
//!
//! Memory: the frames of the fragment that is being collected, by reference.

use std::sync::Arc;

use crate::base::time::MediaTime;
use crate::media::frame::{Frame, Track};

/// Longest fragment: what a power cut may take.
const LONGEST: MediaTime = MediaTime::from_secs(2);
/// How long a new file waits for the sound that belongs before its first picture.
const SOUND_PATIENCE: MediaTime = MediaTime::from_secs(1);

/// Collects frames of one epoch.
#[derive(Debug)]
pub struct Cutter {
    /// The epoch has sound.
    sound: bool,
    pending: Vec<Arc<Frame>>,
    /// Decoding time of the first and the last picture in `pending`.
    span: Option<(MediaTime, MediaTime)>,
    last_key: Option<MediaTime>,
    gop: MediaTime,
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
        let gop = MediaTime::ZERO;
        Self { sound, pending: Vec::new(), span: None, last_key: None, gop, rolling: None }
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
        let end = self.end();
        let frames = std::mem::take(&mut self.pending);
        // Sound that no picture follows would be a fragment of its own.
        self.span.take().map(|_| Cut { frames, until: end, next_file: None })
    }

    fn picture(&mut self, frame: &Arc<Frame>, roll: bool) -> Option<Cut> {
        if let Some(key) = self.rolling.take_if(|key| frame.dts - key.dts > SOUND_PATIENCE) {
            let cut = self.roll(key);
            self.add(frame);
            return Some(cut);
        }
        if self.rolling.is_none() && frame.key && roll && self.span.is_some() {
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
        if frame.dts - self.end() <= LONGEST {
            self.pending.push(frame.clone());
        }
        self.rolling.take_if(|key| frame.dts >= key.dts).map(|key| self.roll(key))
    }

    /// Whether the fragment has to end before this picture.
    fn is_full(&self, frame: &Frame) -> bool {
        let Some((first, _)) = self.span else { return false };
        let so_far = frame.dts - first;
        so_far + frame.duration > LONGEST || (frame.key && so_far + self.gop > LONGEST)
    }

    fn add(&mut self, frame: &Arc<Frame>) {
        if frame.key {
            self.gop = self.last_key.map_or(MediaTime::ZERO, |last| frame.dts - last);
            self.last_key = Some(frame.dts);
        }
        let first = self.span.map_or(frame.dts, |(first, _)| first);
        self.span = Some((first, frame.dts + frame.duration));
        self.pending.push(frame.clone());
    }

    fn take(&mut self, until: MediaTime, next_file: Option<Arc<Frame>>) -> Cut {
        self.span = None;
        let room = Vec::with_capacity(self.pending.len());
        Cut { frames: std::mem::replace(&mut self.pending, room), until, next_file }
    }

    /// Ends the file before `key`: what lies before it belongs to this file, in whatever order it came.
    fn roll(&mut self, key: Arc<Frame>) -> Cut {
        let (frames, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(|frame| frame.dts < key.dts);
        self.pending = rest;
        self.span = Some((key.dts, self.end()));
        Cut { frames, until: key.dts, next_file: Some(key) }
    }

    /// Where the last picture ends.
    fn end(&self) -> MediaTime {
        self.span.map_or_else(|| self.last_key.unwrap_or_default(), |(_, end)| end)
    }
}
