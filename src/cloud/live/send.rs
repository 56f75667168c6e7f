//! The sending end: one task per source and central, however many watch there.
//!
//! Its only queue is the hub's ring. When the up-link cannot carry what is asked for, it sends less instead of later:
//! the small picture of the same lens, or key frames only; and tries more again after a while.

mod thrift;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, interval_at, sleep};

use self::thrift::Thrift;
use super::record::{Level, Record, head};
use crate::base::time::MediaTime;
use crate::base::{Error, Result};
use crate::media::frame::{Frame, Track};
use crate::media::hub::{Cursor, Event, Start};
use crate::media::stream::Stream;

/// How much may be under way, beside what a round trip takes.
pub const AHEAD: MediaTime = MediaTime::from_millis(400);
/// Who is further behind than this gives up frames where a newer key frame is there.
const LATE: MediaTime = MediaTime::from_millis(1500);
/// How long a source may take to come up before the other side is told that it does not.
const START: Duration = Duration::from_secs(9);
/// Between tries of a source that is offline.
const OFFLINE_REST: Duration = Duration::from_secs(1);
/// While nothing is sent the receiver gets a word so often, so that it knows that we are there.
const WORD: Duration = Duration::from_secs(5);
/// Heads and data are put together up to this, so that a small frame is one message.
const TOGETHER: usize = 4 << 10;
/// Longer ones are delay that we made.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(1);
/// The receiver says so much of each access unit.
pub const ACK: u8 = 1;

/// Sends `full` until the other side ends it; `small` is the same lens' smaller picture.
///
/// # Errors
/// `Timeout` when the stream broke off, `BadInput` when the other side says what it should not.
pub async fn send<T>(io: T, full: Arc<Stream>, small: Option<Arc<Stream>>) -> Result<()>
where
    T: AsyncRead + AsyncWrite + Send + Unpin,
{
    let (from, to) = tokio::io::split(io);
    let mut line = Line { from, to, under_way: VecDeque::new(), old: 0, round_trip: MAX_ROUND_TRIP };
    let mut thrift = Thrift::new(small.is_some(), Instant::now());
    loop {
        let stream = small.as_ref().filter(|_| thrift.wants_small()).unwrap_or(&full);
        let viewing = stream.view();
        let started = tokio::select! {
            started = viewing.cursor(Start::NewestKey, START) => started,
            gone = line.acknowledged_for_ever() => return gone,
        };
        match started {
            Ok((params, mut cursor)) => {
                line.tell(&Record::Level(thrift.level)).await?;
                line.tell(&Record::Params((*params).clone())).await?;
                epoch(&mut line, &mut cursor, &mut thrift).await?;
            }
            Err(_) if thrift.wants_small() => thrift.no_small(),
            Err(error) => {
                line.tell(&Record::Ended(error.to_string())).await?;
                tokio::select! {
                    () = sleep(OFFLINE_REST) => {}
                    gone = line.acknowledged_for_ever() => return gone,
                }
            }
        }
    }
}

/// Sends what `cursor` yields, until the epoch is over or something else shall be sent.
async fn epoch<T>(line: &mut Line<T>, cursor: &mut Cursor, thrift: &mut Thrift) -> Result<()>
where
    T: AsyncRead + AsyncWrite + Send + Unpin,
{
    line.forget();
    let mut word = interval_at(Instant::now() + WORD, WORD);
    loop {
        line.room().await?;
        let event = tokio::select! {
            event = cursor.next() => event,
            acknowledged = line.acknowledged() => {
                acknowledged?;
                continue;
            }
            _ = word.tick() => {
                line.tell(&Record::Level(thrift.level)).await?;
                continue;
            }
        };
        match event {
            Event::Frame { frame, lag } => {
                let late = lag > LATE && frame.track == Track::Video;
                if thrift.note(late, Instant::now()) {
                    return Ok(());
                }
                if late && cursor.newer_key().is_some() {
                    cursor.skip_to_newest_key();
                } else if thrift.level < Level::Keys || frame.is_entry() {
                    line.frame(&frame).await?;
                    word.reset();
                }
            }
            // The ring of a source with many key frames is shorter than what counts as late.
            Event::Skipped => {
                if thrift.note(true, Instant::now()) {
                    return Ok(());
                }
            }
            Event::Ended => return line.tell(&Record::Ended(String::new())).await,
        }
    }
}

/// The stream with what is known of it.
struct Line<T> {
    from: ReadHalf<T>,
    to: WriteHalf<T>,
    /// Access units of which the receiver has said nothing yet: decoding time, and when they were sent.
    under_way: VecDeque<(MediaTime, Instant)>,
    /// The same of epochs before: how many.
    old: usize,
    /// The shortest that was seen, forgotten slowly.
    round_trip: Duration,
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line<T> {
    /// A new epoch begins: times of the one before say nothing now.
    fn forget(&mut self) {
        self.old += self.under_way.len();
        self.under_way.clear();
    }

    /// Returns when more may be sent.
    async fn room(&mut self) -> Result<()> {
        while let (Some((first, _)), Some((last, _))) = (self.under_way.front(), self.under_way.back()) {
            if *last - *first <= AHEAD + MediaTime::from(self.round_trip) {
                return Ok(());
            }
            self.acknowledged().await?;
        }
        Ok(())
    }

    /// Waits for the receiver's word. Cancel-safe.
    async fn acknowledged(&mut self) -> Result<()> {
        let mut words = [0; 64];
        let count = self.from.read(&mut words).await.unwrap_or_default();
        if count == 0 {
            return Err(Error::timeout("the receiver is gone"));
        }
        if words[..count].iter().any(|&word| word != ACK) {
            return Err(Error::bad_input("the receiver says what it should not"));
        }
        let old = self.old.min(count);
        self.old -= old;
        for _ in old..count {
            if let Some((_, sent)) = self.under_way.pop_front() {
                let longer = self.round_trip + self.round_trip / 64;
                self.round_trip = sent.elapsed().min(longer).min(MAX_ROUND_TRIP);
            }
        }
        Ok(())
    }

    /// Returns when the receiver is gone.
    async fn acknowledged_for_ever(&mut self) -> Result<()> {
        loop {
            self.acknowledged().await?;
        }
    }

    async fn tell(&mut self, record: &Record) -> Result<()> {
        self.write(&head(record)).await?;
        self.flush().await
    }

    async fn frame(&mut self, frame: &Arc<Frame>) -> Result<()> {
        if frame.track == Track::Video {
            self.under_way.push_back((frame.dts, Instant::now()));
        }
        let head = head(&Record::Frame((**frame).clone()));
        let (first, rest) = frame.data.split_at(frame.data.len().min(TOGETHER - head.len()));
        self.write(&[&head[..], first].concat()).await?;
        self.write(rest).await?;
        self.flush().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.to
            .write_all(bytes)
            .await
            .map_err(|error| Error::timeout(format!("the stream broke off: {error}")))
    }

    async fn flush(&mut self) -> Result<()> {
        self.to.flush().await.map_err(|error| Error::timeout(format!("the stream broke off: {error}")))
    }
}

#[cfg(test)]
mod tests;
