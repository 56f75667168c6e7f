//! HLS of recordings (RFC 8216): a playlist of byte ranges of the recorded files themselves, which lie
//! under `/mediastore` and whose media stays where it is when a file is completed. Only the init
//! segments are made here, one for each file: in the file, what stands between `ftyp` and `moov`
//! changes when it is completed.
//!
//! No state; methods block. Memory: one file's index and the playlist, 3 MB for a day.

use std::cmp::Reverse;
use std::fmt::Write;
use std::time::Duration;

use super::{Cache, HlsReply};
use crate::base::time::MediaTime;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::media::fmp4::init_segment;
use crate::media::hybrid::{self, Position, Scan};
use crate::media::recorded::{Library, Piece, Reading};
use crate::play::playback::{Request, Span};

/// Longest span of one playlist.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Shortest segment where its file goes on.
const SEGMENT: MediaTime = MediaTime::from_secs(6);
/// A file that begins this much before the last one's end follows on it: clocks are no finer.
const JOIN_MS: i64 = 500;

/// One file of `/hls/vod/<token>/`: `hls.m3u8` or an init segment.
///
/// # Errors
/// `NotFound` when there is no such file or nothing is recorded, `BadInput` for a span that is too long.
pub fn get(library: &dyn Library, token: &str, request: Result<Request>, name: &str) -> Result<HlsReply> {
    if name == "hls.m3u8" {
        return Ok(HlsReply {
            content_type: "application/vnd.apple.mpegurl",
            cache: Cache::NoStore,
            body: playlist(library, &request?)?.into(),
        });
    }
    let id = name.strip_prefix("init-").and_then(|rest| rest.strip_suffix(".mp4")?.parse().ok());
    let missing = || Error::not_found(format!("hls: no file {:.40}", name.escape_default().to_string()));
    let reading = library.open(id.ok_or_else(missing)?)?;
    // Who may see one source may not see another.
    if reading.token != token {
        return Err(missing());
    }
    let body = init_segment(&scan(&reading)?.params);
    Ok(HlsReply { content_type: "video/mp4", cache: Cache::Immutable, body })
}

fn scan(reading: &Reading) -> Result<Scan> {
    hybrid::scan(&mut &reading.file, reading.bytes, false)
}

fn playlist(library: &dyn Library, request: &Request) -> Result<String> {
    let (pieces, from, to) = pieces(library, request)?;
    let mut list = List { offset: request.offset, ..List::default() };
    let mut at = from;
    for piece in pieces.iter().filter(|piece| piece.start < to) {
        if piece.end <= at {
            continue;
        }
        match library.open(piece.id).and_then(|reading| scan(&reading)) {
            Ok(scan) => at = list.file(piece, &scan, at, to).max(at),
            Err(error) => tracing::warn!(source = %request.token, "a recording is passed over: {error}"),
        }
    }
    if list.files == 0 {
        let (from, to) = (from.iso(request.offset), to.iso(request.offset));
        return Err(Error::not_found(format!(
            "nothing is recorded of {} from {from} to {to}",
            request.token
        )));
    }
    Ok(list.finish())
}

/// What to look through, in order, and the bounds.
fn pieces(library: &dyn Library, request: &Request) -> Result<(Vec<Piece>, Wall, Wall)> {
    match &request.span {
        Span::File(name) => {
            let piece = library.named(&request.token, name)?;
            let (from, to) = (piece.start, piece.end);
            Ok((vec![piece], from, to))
        }
        Span::Times { from, to } => {
            if to.0.saturating_sub(from.0) > LONGEST.as_millis() as i64 {
                return Err(Error::bad_input("parameter endtime is more than 24 hours after begintime"));
            }
            let mut pieces = library.pieces(&request.token, *from, *to)?;
            pieces.sort_by_key(|piece| (piece.start, Reverse(piece.end)));
            Ok((pieces, *from, *to))
        }
    }
}

/// A playlist that is being written.
#[derive(Default)]
struct List {
    offset: Offset,
    body: String,
    longest: MediaTime,
    files: usize,
}

/// Whole fragments that begin with a key frame.
struct Segment {
    at: u64,
    bytes: u64,
    start: MediaTime,
    end: MediaTime,
}

impl List {
    /// Adds what lies between `at` and `to`; where it ends.
    fn file(&mut self, piece: &Piece, scan: &Scan, at: Wall, to: Wall) -> Wall {
        let media = |wall: Wall| MediaTime(wall.0.saturating_sub(piece.start.0).saturating_mul(90));
        let segments = segments(scan);
        let first = if self.files > 0 && piece.start.plus_millis(JOIN_MS) < at {
            // Something else showed its beginning.
            segments.iter().position(|segment| segment.start >= media(at))
        } else {
            Some(segments.iter().rposition(|segment| segment.start <= media(at)).unwrap_or(0))
        };
        let Some(first) = first else { return at };
        let wanted: Vec<_> =
            segments.iter().skip(first).take_while(|segment| segment.start < media(to)).collect();
        let (Some(begin), Some(last)) = (wanted.first(), wanted.last()) else { return at };
        if self.files > 0 {
            self.line("#EXT-X-DISCONTINUITY");
        }
        self.files += 1;
        self.line(&format!("#EXT-X-MAP:URI=\"init-{}.mp4\"", piece.id));
        let date = piece.start.plus_millis(begin.start.0 / 90);
        self.line(&format!("#EXT-X-PROGRAM-DATE-TIME:{}", with_millis(date, self.offset)));
        for segment in &wanted {
            let length = segment.end - segment.start;
            self.longest = self.longest.max(length);
            self.line(&format!("#EXTINF:{:.3},", length.as_secs_f64()));
            self.line(&format!("#EXT-X-BYTERANGE:{}@{}", segment.bytes, segment.at));
            self.line(&piece.url);
        }
        piece.start.plus_millis(last.end.0 / 90)
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{line}");
    }

    fn finish(self) -> String {
        let target = self.longest.as_secs_f64().ceil().max(1.0);
        format!(
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n{}#EXT-X-ENDLIST\n",
            self.body
        )
    }
}

/// Fragments put together to segments; what comes before the first key frame is left out.
fn segments(scan: &Scan) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for Position { at, bytes, start, key } in scan.index.fragments() {
        let full = segments.last().is_none_or(|last| start - last.start >= SEGMENT);
        match segments.last_mut() {
            Some(last) if !(key && full) => last.bytes = at + bytes - last.at,
            Some(last) => {
                last.end = start;
                segments.push(Segment { at, bytes, start, end: start });
            }
            None if key => segments.push(Segment { at, bytes, start, end: start }),
            None => {}
        }
    }
    if let Some(last) = segments.last_mut() {
        last.end = scan.index.duration();
    }
    segments
}

/// `2018-04-25T19:32:05.250+08:00`
fn with_millis(at: Wall, offset: Offset) -> String {
    const SECONDS_END: usize = "2018-04-25T19:32:05".len();
    let text = at.iso(offset);
    match (text.get(..SECONDS_END), text.get(SECONDS_END..)) {
        (Some(time), Some(zone)) => format!("{time}.{:03}{zone}", at.0.rem_euclid(1000)),
        _ => text,
    }
}
