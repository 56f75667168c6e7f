//! What a file is good for: completes interrupted recordings, and reads from label and path what a row
//! needs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use jiff::civil::{Date, DateTime, Time};

use super::walk::Found;
use crate::base::footage::{Cause, Footage, What};
use crate::base::spec::MAX_TOKEN;
use crate::base::time::TICKS_PER_SECOND;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Kind, Result};
use crate::media::hybrid::COVER_AT;
use crate::record::recover::{self, Completed};
use crate::record::volume::Volume;

/// A file without one fragment that is smaller holds nothing anybody could miss.
const EMPTY: u64 = 64 << 10;
/// Completing needs about this much room.
const ROOM: u64 = 4 << 20;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitness {
    Fit(Fit),
    /// Nothing is lost when it is deleted.
    Empty,
    /// The reason, for people.
    Unfit(String),
    /// It may be fit at another time, for this reason.
    Later(String),
}

/// What a row needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    pub what: What,
    pub token: String,
    pub cause: Cause,
    pub start: Wall,
    pub end: Wall,
    pub offset: Offset,
    pub bytes: u64,
}

impl Fit {
    pub fn footage(self, volume: &Volume, file: &Found) -> Footage {
        let Self { what, token, cause, start, end, offset, bytes } = self;
        Footage {
            id: 0,
            what,
            token,
            cause,
            volume: volume.name.clone(),
            path: file.path.clone(),
            start,
            end,
            offset,
            bytes,
            open: false,
            locked: false,
        }
    }
}

/// Whether the end of a file that has its row's size is there: the cover of a recording, which is written
/// last and not synced, or the last bytes of a picture.
pub fn looks_complete(volume: &Volume, row: &Footage) -> bool {
    let Ok(file) = File::open(volume.file(&row.path)) else { return false };
    match row.what {
        What::Record => is_covered(&file),
        What::Snapshot => is_jpeg(&file, row.bytes),
    }
}

/// Looks into a file, and completes an unfinished recording. Where there is a row, it knows when the
/// footage began.
///
/// # Errors
/// When the volume fails.
pub fn examine(volume: &Volume, file: &Found, row: Option<&Footage>) -> Result<Fitness> {
    let Some(place) = Place::of(&file.path) else {
        return Ok(Fitness::Unfit("no footage is kept at such a path".into()));
    };
    let found = match place.what {
        What::Record => recording(volume, file, place, row),
        What::Snapshot => picture(volume, file, place, row).map_err(Error::from),
    };
    found.or_else(|error| judge(volume, file, &error))
}

fn recording(volume: &Volume, file: &Found, place: Place, row: Option<&Footage>) -> Result<Fitness> {
    let Completed { label, duration, bytes, .. } = recover::complete(&volume.file(&file.path))?;
    let start = row.map_or(label.start, |row| row.start);
    Ok(Fitness::Fit(Fit {
        what: What::Record,
        token: place.token,
        cause: label.cause,
        start,
        end: start.plus_millis(duration.0 / (TICKS_PER_SECOND / 1000)),
        offset: label.offset,
        bytes,
    }))
}

fn picture(volume: &Volume, file: &Found, place: Place, row: Option<&Footage>) -> io::Result<Fitness> {
    let bytes = file.bytes;
    if bytes == 0 {
        return Ok(Fitness::Empty);
    }
    if !is_jpeg(&File::open(volume.file(&file.path))?, bytes) {
        return Ok(Fitness::Unfit("it is not a whole JPEG picture".into()));
    }
    let start = row.map_or_else(|| place.moment(file.modified), |row| row.start);
    let Place { what, token, offset, .. } = place;
    Ok(Fitness::Fit(Fit { what, token, cause: Cause::Manual, start, end: start, offset, bytes }))
}

/// Whether it is the file or the disk that is at fault.
fn judge(volume: &Volume, file: &Found, error: &Error) -> Result<Fitness> {
    let nothing = file.bytes < EMPTY && (error.kind() == Kind::NotFound || is_blank(volume, file));
    match error.kind() {
        _ if nothing => Ok(Fitness::Empty),
        Kind::NotFound | Kind::BadInput | Kind::Unsupported => Ok(Fitness::Unfit(error.to_string())),
        _ => {
            volume.failed(&io::Error::other(format!("{}: {error}", file.path)));
            let space = volume.space().filter(|_| volume.to_reconcile().is_some());
            match space {
                None => Err(error.clone()),
                Some(space) if !space.has_room(ROOM) => {
                    volume.exhausted();
                    Ok(Fitness::Later(error.to_string()))
                }
                Some(_) => Ok(Fitness::Unfit(error.to_string())),
            }
        }
    }
}

/// Made when the power went, and never written to.
fn is_blank(volume: &Volume, file: &Found) -> bool {
    let data = std::fs::read(volume.file(&file.path));
    data.is_ok_and(|data| data.iter().all(|&byte| byte == 0))
}

/// Compares the kind of box only: its size is as old.
fn is_covered(file: &File) -> bool {
    let mut head = [0; 8];
    file.read_exact_at(&mut head, COVER_AT).is_ok() && head[4..] == *b"mdat"
}

fn is_jpeg(file: &File, bytes: u64) -> bool {
    let mut ends = [0; 4];
    let (first, last) = ends.split_at_mut(2);
    let read = file.read_exact_at(first, 0).and_then(|()| match bytes.checked_sub(2) {
        Some(at) => file.read_exact_at(last, at),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    });
    read.is_ok() && ends == [0xff, 0xd8, 0xff, 0xd9]
}

/// What the path says: `record/token1/2018-3-29TZ8/20-3-29/name.mp4`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    what: What,
    token: String,
    start: Wall,
    offset: Offset,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').collect();
        let [what, token, day, time, name] = parts.as_slice() else { return None };
        let what = What::parse(what)?;
        let is_ours = name.strip_suffix(what.extension()).is_some_and(|stem| stem.ends_with('.'));
        if !is_ours || !is_token(token) {
            return None;
        }
        let (date, zone) = day.split_once("TZ")?;
        let [year, month, day] = numbers(date)?;
        let [hour, minute, second] = numbers(time)?;
        let small = |number: i16| i8::try_from(number).ok();
        let date = Date::new(year, small(month)?, small(day)?).ok()?;
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
        let minutes = zone.parse::<f64>().ok().filter(|hours| hours.abs() < 24.0)? * 60.0;
        let offset = Offset(minutes as i16);
        let shown = jiff::tz::Offset::UTC.to_timestamp(DateTime::from_parts(date, time)).ok()?;
        let start = Wall(shown.as_millisecond()).plus_millis(-i64::from(offset.0) * 60_000);
        Some(Self { what, token: (*token).to_owned(), start, offset })
    }

    /// The folders tell seconds; the file's own time is finer, where it is the same second.
    fn moment(&self, modified: SystemTime) -> Wall {
        let fine = Wall::from(modified);
        if (0..1000).contains(&(fine.0 - self.start.0)) { fine } else { self.start }
    }
}

/// As the API takes them.
fn is_token(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=MAX_TOKEN).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

fn numbers(text: &str) -> Option<[i16; 3]> {
    let parts: Option<Vec<_>> = text.split('-').map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_source_and_time() {
        let place = Place::of("snapshot/gate.1/2018-3-29TZ-3.5/20-3-29/a b.jpg").unwrap();
        assert_eq!(
            (place.what, place.token.as_str(), place.offset),
            (What::Snapshot, "gate.1", Offset(-210))
        );
        assert_eq!(place.start.iso(Offset(-210)), "2018-03-29T20:03:29-03:30");
        let folders = place.start.folders(place.offset);
        assert_eq!(folders, ("2018-3-29TZ-3.5".into(), "20-3-29".into()));
        let fine =
            |millis| SystemTime::from(jiff::Timestamp::from_millisecond(place.start.0 + millis).unwrap());
        assert_eq!(place.moment(fine(999)).0, place.start.0 + 999);
        assert_eq!(place.moment(fine(-1)), place.start);
        assert_eq!(place.moment(fine(1000)), place.start);
        for path in [
            "record/t/2018-3-29TZ8/20-3-29/a.jpg",
            "record/t/2018-3-29TZ8/20-3-29/mp4",
            "record/t/2018-3-29TZ8/20-3-29/b/a.mp4",
            "record/t/2018-3-29TZ8/a.mp4",
            "record/t/2018-2-30TZ8/20-3-29/a.mp4",
            "record/t/2018-3-29TZ99/20-3-29/a.mp4",
            "record/t/2018-3-29/20-3-29/a.mp4",
            "record/.t/2018-3-29TZ8/20-3-29/a.mp4",
            "other/t/2018-3-29TZ8/20-3-29/a.mp4",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }
}
