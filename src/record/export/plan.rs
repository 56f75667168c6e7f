//! What an export consists of: which bytes of which recordings, and the `moov` over them. All is known
//! before the first byte is written, so that the `moov` can stand in front.
//!
//! Memory: sample tables of 24 h at 25 pictures per second with sound are about 50 MB, and the encoded
//! box the same again while it is written.

use std::sync::Arc;

use super::{Job, Span};
use crate::base::time::MediaTime;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::media::frame::Track;
use crate::media::hybrid::{Index, Movie, Sample, Tables, scan};
use crate::media::params::Params;
use crate::media::recorded::{Library, Piece};

/// Recordings of one camera follow each other to within a frame; what is nearer than this to the end of
/// the one before is what comes next there.
const NEAR: MediaTime = MediaTime::from_millis(100);

/// Bytes of one recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub piece: i64,
    pub at: u64,
    pub bytes: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Plan {
    pub params: Arc<Params>,
    pub movie: Movie,
    /// What follows each other behind the `moov`.
    pub stretches: Vec<Stretch>,
    /// Sum of the stretches.
    pub bytes: u64,
}

impl Plan {
    /// Each span begins at the key frame at or before its start, and gaps are closed up.
    ///
    /// # Errors
    /// `Refused` when nothing was recorded then, or when codec, size or sound change in between; others
    /// when a recording cannot be read.
    pub fn make(library: &dyn Library, token: &str, spans: &[Span], job: &Job) -> Result<Self> {
        let mut builder = Builder::default();
        for span in spans {
            builder.take_span(library, token, span, job)?;
        }
        builder.finish()
    }
}

#[derive(Default)]
struct Builder {
    /// Of the first recording.
    params: Option<Arc<Params>>,
    /// Of the first picture.
    start: Wall,
    video: Tables,
    audio: Tables,
    /// Where on the export's line the next recording begins.
    line: MediaTime,
    stretches: Vec<Stretch>,
    bytes: u64,
}

impl Builder {
    /// Recordings may overlap (by hand beside the schedule): each moment is taken from the one that
    /// began first.
    fn take_span(&mut self, library: &dyn Library, token: &str, span: &Span, job: &Job) -> Result<()> {
        let mut reached = None;
        for piece in library.pieces(token, span.from, span.to)? {
            job.check()?;
            if reached.is_none_or(|reached| piece.end > reached)
                && self.take_piece(library, &piece, span, reached)?
            {
                reached = Some(piece.end);
            }
        }
        Ok(())
    }

    /// `false` when there is nothing in it from `reached` on.
    fn take_piece(
        &mut self,
        library: &dyn Library,
        piece: &Piece,
        span: &Span,
        reached: Option<Wall>,
    ) -> Result<bool> {
        let reading = library.open(piece.id)?;
        let found =
            scan(&mut &reading.file, reading.bytes, false).map_err(|error| error.context(&piece.url))?;
        let Some(first) = found.index.samples(Track::Video).next() else { return Ok(false) };
        let after_start = |at: Wall| MediaTime::from_millis((at.0 - piece.start.0).max(0));
        let shown = |at: Wall| first.pts + after_start(at);
        let key = match reached {
            None => found.index.key_at(shown(span.from)),
            Some(reached) => {
                let from = shown(reached) - NEAR;
                found.index.samples(Track::Video).find(|sample| sample.key && sample.pts >= from)
            }
        };
        let end = after_start(span.to);
        let Some(key) = key.filter(|key| key.dts < end) else { return Ok(false) };
        let at = piece.start.plus_millis((key.pts - first.pts).0 / MediaTime::from_millis(1).0);
        self.agree(&found.params, at)?;
        self.take(&found.index, piece.id, &key, end);
        Ok(true)
    }

    /// One file has one codec, size and sound.
    fn agree(&mut self, params: &Arc<Params>, at: Wall) -> Result<()> {
        let Some(first) = &self.params else {
            self.params = Some(params.clone());
            self.start = at;
            return Ok(());
        };
        match difference(first, params) {
            None => Ok(()),
            Some(what) => {
                let at = at.iso(Offset::local(at));
                Err(Error::refused(format!("{what} at {at}: export what is before and behind it apart")))
            }
        }
    }

    fn take(&mut self, index: &Index, piece: i64, key: &Sample, end: MediaTime) {
        let shift = self.line - key.dts;
        for [video, audio] in index.between(key.dts, end) {
            if let Some(last) = video.last() {
                self.line = shift + last.dts + last.duration;
            }
            // Pictures that are decoded after the key frame and shown before it need what was before it.
            let whole = video.into_iter().filter(|sample| sample.pts >= key.pts);
            self.put_all(Track::Video, piece, shift, &whole.collect::<Vec<_>>());
            // The last sound of the recording before may reach over its end.
            let last = self.audio.last().unwrap_or(MediaTime(-1));
            let later = audio.partition_point(|sample| shift + sample.dts <= last);
            self.put_all(Track::Audio, piece, shift, audio.get(later..).unwrap_or_default());
        }
    }

    fn put_all(&mut self, track: Track, piece: i64, shift: MediaTime, samples: &[Sample]) {
        let follows = |a: &Sample, b: &Sample| a.at + u64::from(a.size) == b.at;
        samples.chunk_by(follows).for_each(|samples| self.put(track, piece, shift, samples));
    }

    /// Samples whose data follow each other in the recording.
    fn put(&mut self, track: Track, piece: i64, shift: MediaTime, samples: &[Sample]) {
        let Some(first) = samples.first() else { return };
        let moved = |sample: &Sample| Sample {
            at: self.bytes + (sample.at - first.at),
            dts: shift + sample.dts,
            pts: shift + sample.pts,
            ..*sample
        };
        let tables = match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        tables.chunk(samples.iter().map(moved));
        let bytes = samples.iter().map(|sample| u64::from(sample.size)).sum();
        match self.stretches.last_mut() {
            Some(last) if last.piece == piece && last.at + last.bytes == first.at => last.bytes += bytes,
            _ => self.stretches.push(Stretch { piece, at: first.at, bytes }),
        }
        self.bytes += bytes;
    }

    fn finish(self) -> Result<Plan> {
        let params = self.params.ok_or_else(|| Error::refused("nothing was recorded in that time"))?;
        let audio = params.audio.is_some().then_some(self.audio);
        let movie = Movie { created: self.start, video: self.video, audio };
        Ok(Plan { params, movie, stretches: self.stretches, bytes: self.bytes })
    }
}

fn difference(a: &Params, b: &Params) -> Option<String> {
    let (from, to) = (&a.video, &b.video);
    if from.codec != to.codec {
        return Some(format!("the codec changes from {:?} to {:?}", from.codec, to.codec));
    }
    if (from.width, from.height) != (to.width, to.height) {
        let (width, height) = (from.width, from.height);
        return Some(format!("the size changes from {width}x{height} to {}x{}", to.width, to.height));
    }
    if a.audio != b.audio {
        let change = match (&a.audio, &b.audio) {
            (None, _) => "sound begins",
            (_, None) => "sound ends",
            _ => "the sound's format changes",
        };
        return Some(change.to_owned());
    }
    (from != to).then(|| "the camera's encoder settings change".to_owned())
}
