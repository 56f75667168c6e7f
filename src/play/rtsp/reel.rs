//! What is recorded of one source, unrolled for one replaying client: pictures in the order of their
//! time, on a line without gaps, with what is to be added to a time of the line to get the recorded one.
//!
//! Times are nanoseconds since 1900, as NTP counts: what ONVIF clients ask for (`Range: clock=…`) is
//! what GStreamer's server seeks to. Blocking: runs on GStreamer's threads. Memory: what
//! [`super::super::playback::Deck`] reads at once, 2 s or 1 MB.

use std::sync::Arc;
use std::time::SystemTime;

use crate::base::time::MediaTime;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::params::Params;
use crate::play::playback::{Chunk, Deck, Found, Mode, Place, Recordings, Request, Span};

/// From 1900 to 1970 (RFC 868).
const NTP_EPOCH_MS: i64 = 2_208_988_800_000;
const NS_PER_MS: i64 = 1_000_000;

/// Nanoseconds since 1900.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ntp(pub i64);

impl From<Wall> for Ntp {
    fn from(wall: Wall) -> Self {
        Self(wall.0.saturating_add(NTP_EPOCH_MS).saturating_mul(NS_PER_MS))
    }
}

impl From<Ntp> for Wall {
    fn from(ntp: Ntp) -> Self {
        Self(ntp.0.div_euclid(NS_PER_MS) - NTP_EPOCH_MS)
    }
}

/// A run of pictures of one file.
#[derive(Debug)]
pub struct Take {
    pub params: Arc<Params>,
    /// Never empty; only pictures.
    pub frames: Vec<Shot>,
    /// It does not follow the one before: to be added to times of the line from here on.
    pub jump: Option<u64>,
}

/// A picture on the line.
#[derive(Debug)]
pub struct Shot {
    pub pts: Ntp,
    pub dts: Ntp,
    pub frame: Frame,
}

/// See the module.
pub struct Reel {
    recordings: Recordings,
    token: String,
    deck: Deck,
    keys: bool,
    /// Of the next take, already read.
    ready: Option<Take>,
    /// To be added to a recorded time to get its place on the line.
    shift: i64,
    /// Where the line goes on; none before the first take after a seek.
    line_end: Option<i64>,
    codec: Option<crate::media::params::VideoCodec>,
}

impl Reel {
    /// Wound to the beginning.
    ///
    /// # Errors
    /// `NotFound` when there is nothing; what cannot be read.
    pub fn open(recordings: Recordings, token: &str) -> Result<Self> {
        let deck = deck(&recordings, token, Wall(0), Wall(i64::MAX));
        let mut reel = Self {
            recordings,
            token: token.to_owned(),
            deck,
            keys: false,
            ready: None,
            shift: 0,
            line_end: None,
            codec: None,
        };
        reel.seek(Ntp(0), None, false)?;
        let first =
            reel.ready.as_ref().ok_or_else(|| Error::not_found(format!("nothing is recorded of {token}")))?;
        reel.codec = Some(first.params.video.codec);
        Ok(reel)
    }

    /// The parameters of the first picture; none at the end.
    pub fn params(&self) -> Option<&Arc<Params>> {
        self.ready.as_ref().map(|take| &take.params)
    }

    /// Winds to the key frame that is shown at `from`, or the next one where nothing is recorded of that
    /// moment, to play up to `to`. Gives the time of that key frame.
    ///
    /// # Errors
    /// When the database fails or nothing readable is left.
    pub fn seek(&mut self, from: Ntp, to: Option<Ntp>, keys: bool) -> Result<Option<Ntp>> {
        let from = Wall::from(from).max(Wall(0));
        let to = to.map_or(Wall(i64::MAX), Wall::from);
        self.deck = deck(&self.recordings, &self.token, from, to);
        self.keys = keys;
        self.line_end = None;
        self.shift = 0;
        self.ready = None;
        self.ready = self.read(Place::At(from))?;
        Ok(self.ready.as_ref().and_then(|take| take.frames.first()).map(|first| first.dts))
    }

    /// What comes next; nothing at the end of what is recorded by now.
    ///
    /// # Errors
    /// As for [`Reel::seek`].
    pub fn next(&mut self) -> Result<Option<Take>> {
        match self.ready.take() {
            Some(take) => Ok(Some(take)),
            None => self.read(Place::On),
        }
    }

    fn read(&mut self, place: Place) -> Result<Option<Take>> {
        let mode = Mode { keys: self.keys, sound: false };
        match self.deck.read(place, mode, SystemTime::now().into())? {
            Found::Chunk(chunk) if self.codec.is_none_or(|codec| codec == chunk.params.video.codec) => {
                Ok(Some(self.unroll(chunk)))
            }
            // The client was promised another codec; what is recorded now it can ask for later.
            Found::Chunk(_) | Found::Nothing | Found::End => Ok(None),
        }
    }

    fn unroll(&mut self, chunk: Chunk) -> Take {
        let start = Ntp::from(chunk.start).0;
        let recorded = |time: MediaTime| start.saturating_add(nanos(time));
        let mut jump = None;
        if let Some((end, first)) = self.line_end.zip(chunk.frames.first()).filter(|_| chunk.joined) {
            self.shift = end - recorded(first.dts);
            jump = Some(u64::try_from(-self.shift).unwrap_or_default());
        }
        let place = |time: MediaTime| Ntp(recorded(time) + self.shift);
        let frames: Vec<Shot> = chunk
            .frames
            .into_iter()
            .filter(|frame| frame.track == Track::Video)
            .map(|frame| Shot { pts: place(frame.pts), dts: place(frame.dts), frame })
            .collect();
        self.line_end = frames.last().map(|last| last.dts.0 + nanos(last.frame.duration));
        Take { params: chunk.params, frames, jump }
    }
}

fn deck(recordings: &Recordings, token: &str, from: Wall, to: Wall) -> Deck {
    let span = Span::Times { from, to };
    let request = Request { token: token.to_owned(), span, moveto: None, offset: Offset::default() };
    Deck::open(recordings.clone(), &request)
}

fn nanos(time: MediaTime) -> i64 {
    (i128::from(time.0) * 100_000 / 9) as i64
}
