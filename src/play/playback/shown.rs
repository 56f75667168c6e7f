//! What a viewer has seen by now, which says when it may be given more and which time it is told.
//!
//! Its player is taken to run with the wall clock as long as it has something to show, so what it has
//! seen is the time passed, capped by what it was given. Pure; memory: a few numbers for each picture
//! that was sent and not yet seen, [`Pace::lead`] of them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::time::MediaTime;
use crate::base::wall::Wall;
use crate::media::frame::Frame;

/// Between two time notices.
const NOTICE: Duration = Duration::from_secs(1);

/// How a way out wants its frames.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How much media may be ahead of what the viewer has seen.
    pub lead: MediaTime,
    /// How much of what came too late is made up for.
    pub slack: MediaTime,
    /// Sound is wanted.
    pub sound: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Shown {
    pace: Pace,
    /// Seen on the line, at the last [`Shown::look`].
    seen: MediaTime,
    looked: Instant,
    /// End of the last picture sent: on the line, and recorded.
    given: MediaTime,
    reached: Wall,
    marks: VecDeque<Mark>,
    notice: Option<Instant>,
}

/// A picture that was sent.
#[derive(Debug)]
struct Mark {
    dts: MediaTime,
    place: Seen,
}

/// What a picture was before it came onto the line.
#[derive(Clone, Copy, Debug)]
pub struct Placing {
    /// Its beginning and end.
    pub recorded: [Wall; 2],
    /// It does not only lead up to what the viewer sought; of pictures that do no time is told.
    pub sought: bool,
}

/// Which picture the viewer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was recorded.
    pub recorded: Wall,
    /// When it is shown, on the viewer's line.
    pub line: MediaTime,
}

impl Shown {
    /// Nothing yet of what was recorded at `begin`.
    pub fn new(pace: Pace, begin: Wall, now: Instant) -> Self {
        Self {
            pace,
            seen: MediaTime::ZERO,
            looked: now,
            given: MediaTime::ZERO,
            reached: begin,
            marks: VecDeque::new(),
            notice: None,
        }
    }

    /// Takes note of the time.
    pub fn look(&mut self, now: Instant) {
        let limit = (self.given + self.pace.slack).max(self.seen);
        self.seen = (self.seen + MediaTime::from(now - self.looked)).min(limit);
        self.looked = now;
    }

    /// When a frame at `dts` of the line may be sent.
    pub fn due(&self, dts: MediaTime) -> Instant {
        self.looked + (dts - self.pace.lead - self.seen).to_duration()
    }

    /// A picture was sent.
    pub fn sent(&mut self, picture: &Frame, Placing { recorded: [begin, end], sought }: Placing) {
        self.given = picture.dts + picture.duration;
        self.reached = end;
        if sought {
            let place = Seen { recorded: begin, line: picture.pts };
            self.marks.push_back(Mark { dts: picture.dts, place });
            self.notice.get_or_insert(self.looked);
        }
    }

    /// When the viewer is to be told the time.
    pub fn notice(&self) -> Option<Instant> {
        self.notice
    }

    /// What the viewer sees. It is told again a second later, unless nothing is to come and it has
    /// seen all.
    pub fn tell(&mut self, comes_more: bool) -> Seen {
        while self.marks.get(1).is_some_and(|mark| mark.dts <= self.seen) {
            self.marks.pop_front();
        }
        let all = self.seen >= self.given;
        self.notice = (comes_more || !all).then(|| self.looked + NOTICE);
        match self.marks.front() {
            Some(mark) if !all => mark.place,
            _ => Seen { recorded: self.reached, line: self.given },
        }
    }
}
