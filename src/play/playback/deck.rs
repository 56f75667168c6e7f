//! What a viewer wants to see, as one sequence of files: which file is next, where to enter it, and
//! whether more may come. Blocking: runs on threads that may, one call at a time.
//!
//! Recordings may overlap (a schedule and somebody's own): each moment is shown once. A file that
//! cannot be opened is passed over like a gap. Memory: one [`Tape`], and the list of pieces while it
//! is looked through.

use std::cmp::Reverse;
use std::sync::Arc;

use super::tape::{self, Mode, Tape};
use super::{Request, Span};
use crate::base::time::MediaTime;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::frame::Frame;
use crate::media::params::Params;
use crate::media::recorded::{Library, Piece};

/// A file that begins this much before the last one's end follows on it: clocks are no finer.
const JOIN_MS: i64 = 500;
/// Recordings appear this much after their time, fragments being written whole.
const SETTLED_MS: i64 = 10_000;

/// A run of frames of one file.
pub struct Chunk {
    pub params: Arc<Params>,
    /// Wall time of the file's time 0.
    pub start: Wall,
    /// By decoding time, on the file's line.
    pub frames: Vec<Frame>,
    /// It does not follow the chunk before it: another file, or another place.
    pub joined: bool,
    /// What was sought lies here on the file's line, behind the key frame that the chunk begins with.
    pub aim: Option<MediaTime>,
}

/// What there is next.
pub enum Found {
    Chunk(Chunk),
    /// Nothing yet, but the recording goes on.
    Nothing,
    /// Nothing more.
    End,
}

/// Where to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind what was read last.
    On,
    /// At this time of the same file.
    Again(MediaTime),
    /// At the key frame at this moment or before.
    At(Wall),
}

/// See the module.
pub struct Deck {
    library: Arc<dyn Library>,
    token: String,
    span: Span,
    tape: Option<Tape>,
    /// All before this has been read.
    at: Wall,
    joined: bool,
    /// A seek that no frame was read for yet.
    aim: Option<Wall>,
    /// Why something was passed over.
    failed: Option<Error>,
}

impl Deck {
    /// To be sent to a place first.
    pub fn open(library: Arc<dyn Library>, request: &Request) -> Self {
        let (token, span) = (request.token.clone(), request.span.clone());
        Self { library, token, span, tape: None, at: Wall::default(), joined: true, aim: None, failed: None }
    }

    /// Beginning and end of what was asked for; a file that is being recorded has no end yet.
    ///
    /// # Errors
    /// `NotFound` when the file is not there.
    pub fn bounds(&self) -> Result<(Wall, Wall)> {
        Ok(match &self.span {
            Span::Times { from, to } => (*from, *to),
            Span::File(name) => {
                let piece = self.library.named(&self.token, name)?;
                (piece.start, if piece.open { Wall(i64::MAX) } else { piece.end })
            }
        })
    }

    /// The next frames.
    ///
    /// # Errors
    /// When the database fails; at the end, when something had to be passed over.
    pub fn read(&mut self, place: Place, mode: Mode, now: Wall) -> Result<Found> {
        let (from, to) = self.bounds()?;
        match place {
            Place::On => {}
            Place::Again(time) => self.tape.iter_mut().for_each(|tape| tape.go(time)),
            Place::At(wall) => self.seek(wall.clamp(from, to))?,
        }
        loop {
            let Some(tape) = &mut self.tape else {
                match self.enter_next(to)? {
                    true => continue,
                    false if self.at < to && now < to.plus_millis(SETTLED_MS) && self.may_grow() => {
                        return Ok(Found::Nothing);
                    }
                    false => return self.end(),
                }
            };
            let read = tape.read(to, mode);
            let frames = read.unwrap_or_else(|error| {
                pass_over(&mut self.failed, &self.token, error);
                Vec::new()
            });
            if !frames.is_empty() {
                let joined = std::mem::take(&mut self.joined);
                let (params, start) = (tape.params().clone(), tape.start());
                let aim = self.aim.take().filter(|_| !mode.keys).map(|aim| tape::media(start, aim));
                return Ok(Found::Chunk(Chunk { params, start, frames, joined, aim }));
            }
            if tape.end() >= to {
                self.at = to;
                return self.end();
            }
            if tape.is_open() && tape.grow(&*self.library)? {
                continue;
            }
            self.at = self.at.max(tape.covered());
            if tape.is_open() && !self.has_successor(to)? {
                let over = now > to.plus_millis(SETTLED_MS);
                return if over { self.end() } else { Ok(Found::Nothing) };
            }
            self.tape = None;
        }
    }

    /// The end, or why it is not the one that was wanted.
    fn end(&mut self) -> Result<Found> {
        self.failed.take().map_or(Ok(Found::End), Err)
    }

    /// One file is all there is, once it is closed.
    fn may_grow(&self) -> bool {
        matches!(self.span, Span::Times { .. })
    }

    /// All pieces that end after `from`.
    fn pieces(&self, from: Wall, to: Wall) -> Result<Vec<Piece>> {
        let mut pieces = match &self.span {
            Span::Times { .. } => self.library.pieces(&self.token, from, to)?,
            Span::File(name) => vec![self.library.named(&self.token, name)?],
        };
        pieces.retain(|piece| piece.end > from && piece.start < to);
        Ok(pieces)
    }

    /// What may be read behind [`Deck::at`], the nearest first; of several, the one that lasts longest.
    fn following(&self, to: Wall) -> Result<Vec<Piece>> {
        let mut pieces = self.pieces(self.at, to)?;
        pieces.sort_by_key(|piece| (piece.start.max(self.at), Reverse(piece.end)));
        Ok(pieces)
    }

    /// Another file begins where this one stands, so this one has been given up by whoever wrote it.
    fn has_successor(&self, to: Wall) -> Result<bool> {
        let id = self.tape.as_ref().map(Tape::id);
        let follows = |piece: &Piece| Some(piece.id) != id && piece.start.plus_millis(JOIN_MS) >= self.at;
        Ok(self.following(to)?.iter().any(follows))
    }

    /// Opens the next file; whether there is one.
    fn enter_next(&mut self, to: Wall) -> Result<bool> {
        for piece in self.following(to)? {
            let follows = piece.start.plus_millis(JOIN_MS) >= self.at;
            match Tape::open(&*self.library, piece) {
                Ok(mut tape) => {
                    if follows || tape.seek_forward(self.at) {
                        self.insert(tape);
                        return Ok(true);
                    }
                }
                Err(error) => pass_over(&mut self.failed, &self.token, error),
            }
        }
        Ok(false)
    }

    fn insert(&mut self, tape: Tape) {
        self.at = self.at.max(tape.start());
        self.joined = true;
        self.aim = None;
        self.tape = Some(tape);
    }

    fn seek(&mut self, to: Wall) -> Result<()> {
        self.joined = true;
        self.at = to;
        self.aim = Some(to);
        if let Some(tape) = self.tape.as_mut().filter(|tape| tape.start() <= to && to < tape.end()) {
            tape.seek(to);
            return Ok(());
        }
        self.tape = None;
        let mut covering = self.pieces(to, to.plus_millis(1))?;
        covering.sort_by_key(|piece| Reverse(piece.end));
        for piece in covering {
            match Tape::open(&*self.library, piece) {
                Ok(mut tape) => {
                    tape.seek(to);
                    self.tape = Some(tape);
                    return Ok(());
                }
                Err(error) => pass_over(&mut self.failed, &self.token, error),
            }
        }
        Ok(())
    }

    /// Why there is nothing to see at all.
    pub fn nothing(&self, request: &Request) -> Error {
        Error::not_found(match &self.span {
            Span::Times { from, to } => format!(
                "nothing is recorded of {} from {} to {}",
                self.token,
                from.iso(request.offset),
                to.iso(request.offset)
            ),
            Span::File(name) => format!("parameter filename: {name:.80} holds no picture"),
        })
    }
}

fn pass_over(failed: &mut Option<Error>, token: &str, error: Error) {
    tracing::warn!(source = %token, "a recording is passed over: {error}");
    *failed = Some(error);
}
