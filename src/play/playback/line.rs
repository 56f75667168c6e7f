//! The time line of one playback connection: starts at 0, never has a hole, whatever is sought, left out
//! or sped up. Recorded times are mapped onto it piecewise: each seek, new file and change of speed
//! begins a piece where the one before ended. What a seek aims at is rarely a key frame; the pictures
//! before it, which are needed to decode it, pass in [`RUN_UP`].
//!
//! Client pages never change their player's rate, so speed is made here, by stamping. Sound is heard
//! at speed 1 only; a player waits for sound that the init segment promised, so wherever there is
//! none, silent frames stand in. Pure; a few numbers per viewer.

use bytes::Bytes;

use super::order::SPEEDS;
use crate::base::time::{MediaTime, MonoTime, TICKS_PER_SECOND};
use crate::media::frame::{Frame, Track};
use crate::media::params::AudioParams;

/// How far sound may be behind the picture before silence stands in for it: more than its place in
/// a file lets it come later.
const SOUND_PATIENCE: MediaTime = MediaTime::from_millis(300);

/// In this the pictures between a key frame and what was sought are shown: hardly seen, and yet
/// pictures of some length each, which players want.
const RUN_UP: MediaTime = MediaTime::from_millis(200);
/// A short way is not stretched to it, but is as many times faster.
const RUN_UP_SPEED: f64 = 20.0;

/// See the module.
#[derive(Debug)]
pub struct Line {
    speed: f64,
    /// The next picture begins a piece.
    joined: bool,
    /// Recorded time that was sought.
    aim: Option<MediaTime>,
    /// Up to the aim, the running piece goes on at another speed.
    run_up: Option<RunUp>,
    /// Where the running piece begins: recorded time, time on the line.
    source: MediaTime,
    line: MediaTime,
    /// How long after its decoding the piece's first picture is shown.
    lead_in: MediaTime,
    /// The same on the line, for all pieces, so that the shown times have no hole either.
    delay: Option<MediaTime>,
    video_end: MediaTime,
    audio_end: MediaTime,
    silence: Option<Silence>,
}

#[derive(Clone, Copy, Debug)]
struct RunUp {
    /// Recorded time, behind the piece's beginning.
    until: MediaTime,
    speed: f64,
}

impl RunUp {
    fn new(from: MediaTime, until: MediaTime) -> Self {
        Self { until, speed: ((until - from).0 as f64 / RUN_UP.0 as f64).max(RUN_UP_SPEED) }
    }
}

/// A frame of silence.
#[derive(Clone, Debug)]
struct Silence {
    data: Bytes,
    duration: MediaTime,
}

impl Silence {
    /// For AAC-LC of one or two channels.
    fn new(audio: &AudioParams) -> Option<Self> {
        const SAMPLES: i64 = 1024;
        // ISO/IEC 14496-3 4.4.2.1: one element without spectral data, then the end, all else zero.
        let data: &[u8] = match (audio.codec_string.as_str(), audio.channels) {
            ("mp4a.40.2", 1) => &[0, 0, 0, 7],
            ("mp4a.40.2", 2) => &[0x20, 0, 0, 0, 0, 0, 0x0e],
            _ => return None,
        };
        let duration = MediaTime(SAMPLES * TICKS_PER_SECOND / i64::from(audio.rate.max(1)));
        Some(Self { data: Bytes::from_static(data), duration: duration.max(MediaTime(1)) })
    }
}

/// Whether a connection can have this sound.
pub fn carries(audio: &AudioParams) -> bool {
    Silence::new(audio).is_some()
}

impl Line {
    /// A line at speed 1.
    pub fn new() -> Self {
        Self {
            speed: 1.0,
            joined: true,
            aim: None,
            run_up: None,
            source: MediaTime::ZERO,
            line: MediaTime::ZERO,
            lead_in: MediaTime::ZERO,
            delay: None,
            video_end: MediaTime::ZERO,
            audio_end: MediaTime::ZERO,
            silence: None,
        }
    }

    /// The sound that the connection's parameters promise from now on.
    pub fn promise(&mut self, audio: Option<&AudioParams>) {
        self.silence = audio.and_then(Silence::new);
    }

    /// The next picture does not follow the one before, and leads up to `aim`, if that is given.
    pub fn join(&mut self, aim: Option<MediaTime>) {
        self.joined = true;
        self.aim = aim;
    }

    /// Whether the picture is over before what was sought.
    pub fn leads_up(&self, picture: &Frame) -> bool {
        self.aim.is_some_and(|aim| picture.pts + picture.duration <= aim)
    }

    pub fn set_speed(&mut self, speed: f64) {
        self.speed = speed;
        self.joined = true;
    }

    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Puts a recorded frame on the line; `out` gets what is to be sent for it, in order.
    pub fn place(&mut self, frame: Frame, has_sound: bool, out: &mut impl Extend<Frame>) {
        match frame.track {
            Track::Video => self.place_video(frame, has_sound, out),
            Track::Audio => self.place_audio(frame, out),
        }
    }

    fn place_video(&mut self, frame: Frame, has_sound: bool, out: &mut impl Extend<Frame>) {
        let offset = frame.pts - frame.dts;
        if self.joined {
            self.joined = false;
            (self.source, self.line) = (frame.dts, self.video_end);
            if frame.key {
                self.lead_in = offset;
            }
            // Pictures are shown so long after the times that are mapped.
            let aim = self.aim.map(|aim| aim - self.lead_in).filter(|aim| *aim > frame.dts);
            self.run_up = aim.map(|aim| RunUp::new(frame.dts, aim));
        }
        // Twice, since at the slowest speed the frames shown before a key frame are twice as far from it.
        let delay = *self.delay.get_or_insert(MediaTime((offset.0 as f64 / SPEEDS.start()) as i64));
        let start = self.video_end;
        let end = self.map(frame.dts + frame.duration).max(start + MediaTime(1));
        self.video_end = end;
        let shown = start + delay + (self.map(frame.pts - self.lead_in) - self.map(frame.dts));
        out.extend([Frame { dts: start, pts: shown.max(start), duration: end - start, ..frame }]);
        let wanted = if has_sound && self.speed == 1.0 { end - SOUND_PATIENCE } else { end };
        self.fill(wanted, out);
    }

    fn place_audio(&mut self, frame: Frame, out: &mut impl Extend<Frame>) {
        let Some(silence) = &self.silence else { return };
        let early = self.run_up.is_some_and(|run_up| frame.dts < run_up.until + self.lead_in);
        if self.joined || self.speed != 1.0 || early {
            return;
        }
        let half = MediaTime(silence.duration.0 / 2);
        let shift = self.delay.unwrap_or_default() - self.lead_in;
        let due = self.map(frame.dts) + shift;
        if due + half < self.audio_end {
            return;
        }
        self.fill(due, out);
        let start = self.audio_end;
        let end = (self.map(frame.dts + frame.duration) + shift).max(start + MediaTime(1));
        self.audio_end = end;
        out.extend([Frame { dts: start, pts: start, duration: end - start, ..frame }]);
    }

    /// Silence up to `until`, in whole frames.
    fn fill(&mut self, until: MediaTime, out: &mut impl Extend<Frame>) {
        let Some(silence) = &self.silence else { return };
        while self.audio_end + silence.duration <= until {
            out.extend([Frame {
                track: Track::Audio,
                dts: self.audio_end,
                pts: self.audio_end,
                duration: silence.duration,
                key: true,
                data: silence.data.clone(),
                arrived: MonoTime::default(),
            }]);
            self.audio_end += silence.duration;
        }
    }

    fn map(&self, source: MediaTime) -> MediaTime {
        match self.run_up {
            Some(run_up) if source < run_up.until => self.line + scaled(source - self.source, run_up.speed),
            Some(run_up) => {
                let sought = self.line + scaled(run_up.until - self.source, run_up.speed);
                sought + scaled(source - run_up.until, self.speed)
            }
            None => self.line + scaled(source - self.source, self.speed),
        }
    }
}

fn scaled(distance: MediaTime, speed: f64) -> MediaTime {
    MediaTime((distance.0 as f64 / speed).round() as i64)
}
