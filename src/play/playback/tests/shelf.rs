//! Made-up recordings in temporary files. Each frame's data says when it was recorded.

use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::base::footage::Cause;
use crate::base::time::{MediaTime, MonoTime};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hybrid::{self, Index, Label};
use crate::media::params::Params;
use crate::media::recorded::{Library, Piece, Reading};
use crate::media::{aac, h264};
use crate::play::playback::{Request, Span};

pub const T0: i64 = 1_588_291_200_000;
pub const HIGH: &str =
    "01640014ffe1001e67640014acd94150878888c05a83030352800000030080000019478a14cb01000568ebecb22c";
pub const BASELINE: &str =
    "0142c015ffe1001d6742c015d90150878888c05a83030352800000030080000019478b172401000468cb8cb2";
pub const H265_MAIN: &str = "0101600000009000000000003ff000fcfdf8f800000f03200001001840010c01ffff01600000030090000003\
    000003003f959809210001003242010101600000030090000003000003003fa00a480f9c9265959a4932bffc\
    00040005a8303030200000030020000003032122000100074401c172b46240";
/// Milliseconds between two pictures, and pictures from key frame to key frame.
pub const STEP: i64 = 40;
pub const GOP: i64 = 50;

pub fn bytes(hex: &str) -> Bytes {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

pub fn params(sound: bool) -> Params {
    let config = bytes(HIGH);
    let audio = sound.then(|| aac::from_config(&Bytes::from_static(&[0x11, 0x90])).unwrap());
    Params { video: h264::from_avcc(&config).unwrap(), audio }
}

/// A recording being written.
pub struct Tape {
    pub file: std::fs::File,
    params: Params,
    index: Index,
    bytes: u64,
    start: i64,
    millis: i64,
    open: bool,
}

impl Tape {
    pub fn new(start: i64, params: Params) -> Self {
        let label = Label { start: Wall(start), offset: Offset(480), cause: Cause::Manual };
        let head = hybrid::head(&params, &label);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&head).unwrap();
        let index = Index::new(&params);
        Self { file, params, index, bytes: head.len() as u64, start, millis: 0, open: true }
    }

    /// Adds so many seconds, in fragments of two.
    pub fn add(mut self, seconds: i64) -> Self {
        let end = self.millis + seconds * 1000;
        while self.millis < end {
            let until = (self.millis + 2000).min(end);
            let mut frames = Vec::new();
            for at in (self.millis..until).step_by(STEP as usize) {
                frames.push(self.frame(Track::Video, at * 90, at / STEP % GOP == 0));
            }
            if self.params.audio.is_some() {
                let first = (self.millis * 90 + 1919) / 1920;
                let sound = (first..).map(|n| n * 1920).take_while(|at| *at < until * 90);
                frames.extend(sound.map(|at| self.frame(Track::Audio, at, true)));
            }
            let fragment = self.index.fragment(&frames, MediaTime::from_millis(until), self.bytes);
            for piece in fragment.pieces {
                self.file.write_all_at(&piece, self.bytes).unwrap();
                self.bytes += piece.len() as u64;
            }
            self.millis = until;
        }
        self
    }

    fn frame(&self, track: Track, dts: i64, key: bool) -> Arc<Frame> {
        let mut data = (self.start + dts / 90).to_be_bytes().to_vec();
        data.resize(if key { 3000 } else { 300 }, 7);
        Arc::new(Frame {
            track,
            dts: MediaTime(dts),
            pts: MediaTime(dts),
            duration: MediaTime(if track == Track::Video { STEP * 90 } else { 1920 }),
            key,
            data: data.into(),
            arrived: MonoTime::default(),
        })
    }

    pub fn close(mut self) -> Self {
        self.open = false;
        self
    }
}

#[derive(Default)]
pub struct Shelf(pub Mutex<Vec<Tape>>);

impl Shelf {
    pub fn of(tapes: impl IntoIterator<Item = Tape>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(tapes.into_iter().collect())))
    }

    fn piece(id: usize, tape: &Tape) -> Piece {
        Piece {
            id: id as i64,
            start: Wall(tape.start),
            end: Wall(tape.start + tape.millis),
            open: tape.open,
            url: format!("/mediastore/record/cam/{id}.mp4"),
        }
    }

    pub fn change(&self, id: usize, change: impl FnOnce(Tape) -> Tape) {
        let mut tapes = self.0.lock().unwrap();
        let tape = tapes.remove(id);
        tapes.insert(id, change(tape));
    }
}

impl Library for Shelf {
    fn pieces(&self, token: &str, from: Wall, to: Wall) -> Result<Vec<Piece>> {
        assert_eq!(token, "cam");
        let tapes = self.0.lock().unwrap();
        let pieces = tapes.iter().enumerate().map(|(id, tape)| Self::piece(id, tape));
        Ok(pieces.filter(|piece| piece.start < to && (piece.end > from || piece.open)).collect())
    }

    fn named(&self, _: &str, file: &str) -> Result<Piece> {
        let tapes = self.0.lock().unwrap();
        let id = file.parse().ok().filter(|id| *id < tapes.len());
        id.map(|id| Self::piece(id, &tapes[id]))
            .ok_or_else(|| Error::not_found(format!("there is no {file}")))
    }

    fn open(&self, id: i64) -> Result<Reading> {
        let tapes = self.0.lock().unwrap();
        let tape = &tapes[id as usize];
        let file = tape.file.try_clone().unwrap();
        Ok(Reading { token: "cam".into(), file, bytes: tape.bytes, open: tape.open, hold: Box::new(()) })
    }
}

pub fn span(from: i64, to: i64) -> Request {
    let span = Span::Times { from: Wall(T0 + from * 1000), to: Wall(T0 + to * 1000) };
    Request { token: "cam".into(), span, moveto: None, offset: Offset(480) }
}

/// Seconds after T0 as milliseconds.
pub fn recorded(start: i64, seconds: i64, sound: bool) -> Tape {
    Tape::new(T0 + start * 1000, params(sound)).add(seconds).close()
}
