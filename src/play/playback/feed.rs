//! What is to be sent to one viewer, and when. Owned by the task that serves the viewer; reading runs
//! on threads that may block, one read at a time, into at most one [`Chunk`] of frames.
//!
//! A viewer is given at most [`Pace::lead`] more than it has seen: little, so that a seek is seen soon.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::deck::{Chunk, Deck, Found, Place};
use super::line::{Line, carries};
use super::shown::{Pace, Placing, Seen, Shown};
use super::tape::{self, Mode};
use super::{Order, Recordings, Request};
use crate::base::time::MediaTime;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::params::Params;

/// Pages since 2019 order the start as soon as they are open, older ones never do.
const GRACE: Duration = Duration::from_secs(1);
/// How often a recording that goes on is looked at.
const POLL: Duration = Duration::from_millis(500);
/// Beyond this speed only key frames are sent.
const FULL_SPEED: f64 = 4.0;

/// What comes out.
#[derive(Debug)]
pub enum Item {
    /// What the following frames are decoded with; the first item.
    Params(Arc<Params>),
    /// On the viewer's line.
    Frame(Frame),
    /// The picture that the viewer sees about now.
    Time(Seen),
    /// Why nothing follows, until the viewer orders something else.
    Fault(Error),
}

/// See the module.
pub struct Feed {
    request: Request,
    /// Where seconds count from.
    begin: Wall,
    params: Arc<Params>,
    line: Line,
    /// `None` while it is being read from.
    deck: Option<Deck>,
    reading: Option<JoinHandle<Read>>,
    /// What is being read is not wanted any more.
    stale: bool,
    /// Where the next read begins.
    place: Place,
    /// Recorded frames that are not on the line yet, on the line of their file.
    chunk: VecDeque<Frame>,
    /// Wall time of that file's time 0, and whether it has sound.
    start: Wall,
    has_sound: bool,
    /// Of the file's time: behind the last picture that was put on the line.
    after: MediaTime,
    /// On the line and to be sent: what one recorded frame became.
    placed: VecDeque<Frame>,
    /// The picture among them.
    placing: Placing,
    notes: VecDeque<Item>,
    playing: bool,
    /// Playing begins then unless it is ordered before.
    grace: Option<Instant>,
    ended: bool,
    /// When to read again after nothing was there.
    retry: Option<Instant>,
    shown: Shown,
}

impl Feed {
    /// Looks for what was asked for and reads its beginning.
    ///
    /// # Errors
    /// `NotFound` saying that nothing is recorded, or what cannot be read.
    pub async fn open(recordings: Recordings, request: Request, pace: Pace) -> Result<Self> {
        let wanted = request.clone();
        let mode = Mode { keys: false, sound: pace.sound };
        let first = tokio::task::spawn_blocking(move || -> Result<(Deck, Wall, Chunk)> {
            let mut deck = Deck::open(recordings, &wanted);
            let (begin, _) = deck.bounds()?;
            let place = Place::At(wanted.moveto.unwrap_or(begin));
            match deck.read(place, mode, wall_now())? {
                Found::Chunk(chunk) => Ok((deck, begin, chunk)),
                Found::Nothing | Found::End => Err(deck.nothing(&wanted)),
            }
        });
        let (deck, begin, chunk) =
            first.await.map_err(|_| Error::internal("reading a recording failed"))??;
        let mut params = Params::clone(&chunk.params);
        params.audio = params.audio.filter(|audio| pace.sound && carries(audio));
        let mut line = Line::new();
        line.promise(params.audio.as_ref());
        let start = Instant::now();
        let mut feed = Self {
            request,
            begin,
            params: Arc::new(params),
            line,
            deck: Some(deck),
            reading: None,
            stale: false,
            place: Place::On,
            start: chunk.start,
            has_sound: false,
            after: MediaTime::ZERO,
            chunk: VecDeque::new(),
            placed: VecDeque::new(),
            notes: VecDeque::new(),
            playing: false,
            grace: Some(start + GRACE),
            ended: false,
            retry: None,
            placing: Placing { recorded: [chunk.start; 2], sought: true },
            shown: Shown::new(pace, chunk.start, start),
        };
        feed.notes.push_back(Item::Params(feed.params.clone()));
        feed.take_chunk(chunk);
        Ok(feed)
    }

    /// The parameters of the first frames.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// Pictures at the beginning are not shown in the order in which they are decoded.
    pub fn reorders(&self) -> bool {
        self.chunk.iter().any(|frame| frame.track == Track::Video && frame.pts != frame.dts)
    }

    /// What is to be done next; waits until it is time for it. Cancel-safe.
    pub async fn next(&mut self) -> Item {
        loop {
            let now = Instant::now();
            self.shown.look(now);
            if let Some(item) = self.notes.pop_front() {
                return item;
            }
            let notice = self.shown.notice();
            if notice.is_some_and(|at| at <= now) {
                return Item::Time(self.shown.tell(self.playing && !self.ended));
            }
            let due = if self.playing { self.due() } else { self.grace };
            if due.is_some_and(|at| at <= now) {
                if !self.playing {
                    self.order(Order::Start);
                } else if let Some(frame) = self.placed.pop_front() {
                    if frame.track == Track::Video {
                        self.shown.sent(&frame, self.placing);
                    }
                    return Item::Frame(frame);
                }
                continue;
            }
            self.read_on(now);
            let retry = self.retry.filter(|_| self.playing);
            let wake = [due, notice, retry].into_iter().flatten().min();
            tokio::select! {
                read = finished(&mut self.reading) => self.take(read),
                () = until(wake) => {}
            }
        }
    }

    /// Does what the viewer wants.
    pub fn order(&mut self, order: Order) {
        match order {
            Order::Start | Order::Resume => {
                self.playing = true;
                self.grace = None;
            }
            Order::Pause => {
                self.playing = false;
                self.grace = None;
            }
            Order::Seek(seconds) => self.seek(self.begin.plus_millis((seconds * 1000.0) as i64)),
            Order::MoveTo(wall) => self.seek(wall),
            Order::Speed(speed) => {
                let before = self.mode();
                self.line.set_speed(speed);
                if self.mode() != before && self.reading.is_none() && self.place == Place::On {
                    self.chunk.clear();
                    self.place = Place::Again(self.after);
                }
            }
        }
    }

    fn seek(&mut self, to: Wall) {
        self.chunk.clear();
        self.place = Place::At(to);
        self.stale = self.reading.is_some();
        self.ended = false;
        self.retry = None;
    }

    fn mode(&self) -> Mode {
        let speed = self.line.speed();
        Mode { keys: speed > FULL_SPEED, sound: self.params.audio.is_some() && speed == 1.0 }
    }

    /// When the next frame is to be sent, if there is one.
    fn due(&mut self) -> Option<Instant> {
        while self.placed.is_empty()
            && let Some(frame) = self.chunk.pop_front()
        {
            if frame.track == Track::Video {
                self.after = frame.dts + MediaTime(1);
                let times = [frame.dts, frame.dts + frame.duration];
                self.placing = Placing {
                    recorded: times.map(|time| tape::wall(self.start, time)),
                    sought: !self.line.leads_up(&frame),
                };
            }
            self.line.place(frame, self.has_sound, &mut self.placed);
        }
        self.placed.front().map(|frame| self.shown.due(frame.dts))
    }

    fn read_on(&mut self, now: Instant) {
        let waits = self.retry.is_some_and(|at| at > now);
        if !self.playing || self.ended || waits || !self.chunk.is_empty() || !self.placed.is_empty() {
            return;
        }
        let Some(mut deck) = self.deck.take() else { return };
        self.retry = None;
        let (place, mode) = (self.place, self.mode());
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let found = deck.read(place, mode, wall_now());
            (deck, mode, found)
        }));
    }

    fn take(&mut self, read: Option<Read>) {
        self.reading = None;
        let Some((deck, mode, found)) = read else {
            return self.fault(Error::internal("reading a recording failed"));
        };
        self.deck = Some(deck);
        if std::mem::take(&mut self.stale) {
            return;
        }
        self.place = Place::On;
        match found {
            Ok(Found::Chunk(chunk)) => {
                let again = chunk.frames.first().filter(|_| mode != self.mode()).map(|first| first.dts);
                self.take_chunk(chunk);
                if let Some(first) = again {
                    // The speed was changed while it was read.
                    self.chunk.clear();
                    self.place = Place::Again(first);
                }
            }
            Ok(Found::Nothing) => self.retry = Some(Instant::now() + POLL),
            Ok(Found::End) => self.ended = true,
            Err(error) => self.fault(error),
        }
    }

    fn fault(&mut self, error: Error) {
        self.ended = true;
        self.notes.push_back(Item::Fault(error));
    }

    fn take_chunk(&mut self, chunk: Chunk) {
        if chunk.params.video.codec != self.params.video.codec {
            let at = chunk.frames.first().map_or(chunk.start, |frame| tape::wall(chunk.start, frame.dts));
            let text = format!(
                "the recording goes on in {:?} from {} on; play that by itself",
                chunk.params.video.codec,
                at.iso(self.request.offset)
            );
            return self.fault(Error::unsupported(text));
        }
        self.has_sound = chunk.params.audio.as_ref().is_some_and(carries);
        let mut params = Params::clone(&chunk.params);
        // A connection keeps the tracks that it began with.
        params.audio = match (&self.params.audio, params.audio) {
            (Some(_), Some(audio)) if carries(&audio) => Some(audio),
            (promised, _) => promised.clone(),
        };
        if params != *self.params {
            self.line.promise(params.audio.as_ref());
            self.params = Arc::new(params);
            self.notes.push_back(Item::Params(self.params.clone()));
        }
        if chunk.joined {
            self.line.join(chunk.aim);
        }
        self.start = chunk.start;
        self.chunk = chunk.frames.into();
    }
}

type Read = (Deck, Mode, Result<Found>);

/// The result of a read, once there is one; `None` if it panicked.
async fn finished(reading: &mut Option<JoinHandle<Read>>) -> Option<Read> {
    match reading {
        Some(handle) => handle.await.ok(),
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn wall_now() -> Wall {
    SystemTime::now().into()
}
