//! What is kept, for those who search, play, download, lock and delete it: the table, and how far the
//! open recordings are.
//!
//! No task and no state of its own. Methods block; whoever is on a tokio thread calls them through one
//! that may. Memory: the rows of one answer.

use std::fs::File;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};

use super::Recorder;
use super::place::Folders;
use super::retain::{remove_empty_folders, unlink};
use super::running::Progress;
use super::volume::Volume;
use crate::base::footage::{Footage, What};
use crate::base::wall::Wall;
use crate::base::{Error, Kind, Result};
use crate::media::recorded::{Library, Piece, Reading};
use crate::store::Search;

/// One entry as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// With end and bytes of what is safely in the file, also while it is written.
    pub footage: Footage,
    /// It is being written.
    pub running: bool,
    /// Its volume can be read.
    pub available: bool,
}

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub found: Vec<Found>,
    /// There is more: [`Search::after`] of the next page.
    pub next: Option<(Wall, i64)>,
}

impl Recorder {
    /// What `search` finds, in the order of start and number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, search: &Search) -> Result<Page> {
        let one_more = Search { limit: search.limit.saturating_add(1), ..search.clone() };
        let mut rows = self.store.search_footage(&one_more)?;
        let more = rows.len() > search.limit;
        rows.truncate(search.limit);
        let next = rows.last().map(|last| (last.start, last.id)).filter(|_| more);
        let found = rows.into_iter().map(|row| self.now(row)).collect::<Result<Vec<_>>>()?;
        // The table does not know how far an open recording is: it may not reach into the span.
        let inside = |found: &Found| found.footage.start >= search.from || found.footage.end > search.from;
        Ok(Page { found: found.into_iter().flatten().filter(inside).collect(), next })
    }

    /// Whether anything of `token` is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub fn knows(&self, token: &str) -> Result<bool> {
        self.store.has_footage(token)
    }

    /// The entry at a path as clients write it: with or without `/mediastore/`, `tz` in any case
    /// (the manual has `TZ8` and `Tz8`), folders with or without leading zeros.
    ///
    /// # Errors
    /// `NotFound`, also for what is no such path at all.
    pub fn by_path(&self, path: &str) -> Result<Found> {
        let known = canonical(path).map(|path| self.store.footage_by_path(&path)).transpose()?.flatten();
        known.map(|row| self.now(row)).transpose()?.flatten().ok_or_else(|| nothing(path))
    }

    /// For each day of that month in `zone`, whether there is a recording of it.
    ///
    /// # Errors
    /// `BadInput` when there is no such month; when the database fails.
    pub fn days_recorded(&self, token: &str, year: i16, month: i8, zone: &TimeZone) -> Result<Vec<bool>> {
        let first = Date::new(year, month, 1)
            .map_err(|_| Error::bad_input(format!("there is no month {year}-{month}")))?;
        let days = (0..i32::from(first.days_in_month())).map(|day| {
            let (from, to) = (midnight(first, day, zone)?, midnight(first, day + 1, zone)?);
            if self.store.recording_began(token, from, to)? {
                return Ok(true);
            }
            // None began on that day: of those that began before it, one may reach into it.
            let to = from.plus_millis(1);
            let search =
                Search { what: What::Record, token, from, to, cause: None, after: None, limit: usize::MAX };
            Ok(!self.find(&search)?.found.is_empty())
        });
        days.collect()
    }

    /// Deletes the file, then its row, then the folders that it leaves empty.
    ///
    /// # Errors
    /// `NotFound` when `path` is no such entry of `token`; `Refused` when it is being written, in use
    /// or locked, or its volume is not there.
    pub fn delete(&self, what: What, token: &str, path: &str) -> Result<()> {
        let Found { footage, running, .. } = self.by_path(path)?;
        if footage.what != what || footage.token != token {
            return Err(nothing(path));
        }
        if running || footage.open {
            return Err(Error::refused(format!("{} is being written", footage.path)));
        }
        if footage.locked {
            return Err(Error::refused(format!("{} is locked", footage.path)));
        }
        let volume = self.volume(&footage)?;
        let deleted = self.pins.unless_pinned(footage.id, || {
            unlink(&volume.file(&footage.path))
                .map_err(|error| Error::from(error).context(&footage.path))
                .and_then(|()| self.store.delete_footage(footage.id))
        });
        deleted.ok_or_else(|| Error::refused(format!("{} is in use", footage.path)))??;
        remove_empty_folders(&volume.root, &footage.path);
        Ok(())
    }

    /// Keeps an entry from being deleted for its age, or no longer does; its path.
    ///
    /// # Errors
    /// `NotFound` when `path` is no entry of `token`.
    pub fn lock(&self, token: &str, path: &str, locked: bool) -> Result<String> {
        let footage = self.by_path(path)?.footage;
        if footage.token != token {
            return Err(nothing(path));
        }
        self.store.lock_footage(footage.id, locked)?;
        Ok(footage.place())
    }

    /// The row with what the table does not know. `None` when it was deleted meanwhile.
    fn now(&self, row: Footage) -> Result<Option<Found>> {
        let Some((mut footage, progress)) = self.progress(row)? else { return Ok(None) };
        if let Some(progress) = progress {
            footage.end = footage.start.plus_millis(progress.millis);
            footage.bytes = progress.bytes;
        }
        let available = self.volume(&footage).is_ok();
        Ok(Some(Found { footage, running: progress.is_some(), available }))
    }

    /// An open row without progress was closed since it was read, or else is being begun, or waits for
    /// its completion after a power cut.
    fn progress(&self, row: Footage) -> Result<Option<(Footage, Option<Progress>)>> {
        if !row.open {
            return Ok(Some((row, None)));
        }
        match self.running.progress(row.id) {
            Some(progress) => Ok(Some((row, Some(progress)))),
            None => Ok(self.store.footage(row.id)?.map(|row| (row, None))),
        }
    }

    /// Where it lies, if that can be read.
    fn volume(&self, footage: &Footage) -> Result<&Volume> {
        let volume = self.volumes.get(&footage.volume).ok_or_else(|| {
            Error::refused(format!("volume {} of {} is not configured", footage.volume, footage.path))
        })?;
        volume.readable().map(|()| volume.as_ref())
    }
}

impl Library for Recorder {
    fn pieces(&self, token: &str, from: Wall, to: Wall) -> Result<Vec<Piece>> {
        let search =
            Search { what: What::Record, token, from, to, cause: None, after: None, limit: usize::MAX };
        Ok(self.find(&search)?.found.into_iter().map(piece).collect())
    }

    fn named(&self, token: &str, file: &str) -> Result<Piece> {
        if file.contains('/') {
            let found = self.by_path(file)?;
            let fits = found.footage.what == What::Record && found.footage.token == token;
            return Some(piece(found)).filter(|_| fits).ok_or_else(|| nothing(file));
        }
        let name = format!("{}.mp4", file.strip_suffix(".mp4").unwrap_or(file));
        let row = self.store.recording_by_name(token, &name)?;
        row.map(|row| self.now(row)).transpose()?.flatten().map(piece).ok_or_else(|| nothing(file))
    }

    fn open(&self, id: i64) -> Result<Reading> {
        // First, so that nobody deletes what is looked up here.
        let hold = Box::new(self.pins.pin(id));
        let row = self.store.footage(id)?.map(|row| self.progress(row)).transpose()?.flatten();
        let (footage, progress) = row.ok_or_else(|| Error::not_found("the footage was deleted"))?;
        let file = File::open(self.volume(&footage)?.file(&footage.path)).map_err(|error| {
            let error = Error::from(error);
            match error.kind() {
                Kind::NotFound => Error::not_found(format!("the file of {} is gone", footage.path)),
                _ => error.context(&footage.path),
            }
        })?;
        let bytes = match progress {
            Some(progress) => progress.bytes,
            None if footage.open => {
                return Err(Error::refused(format!("{} is not completed yet", footage.path)));
            }
            None => file.metadata()?.len(),
        };
        Ok(Reading { token: footage.token, file, bytes, open: progress.is_some(), hold })
    }
}

fn piece(found: Found) -> Piece {
    let Found { footage, running, .. } = found;
    Piece { id: footage.id, start: footage.start, end: footage.end, open: running, url: footage.url() }
}

/// What whoever asks for a path hears when there is nothing, or nothing to be seen.
pub fn nothing(path: &str) -> Error {
    let shown: String = path.chars().take(200).collect();
    Error::not_found(format!("there is no {shown}"))
}

/// A path from outside as the table has it. It is only looked up there, never on a disk.
fn canonical(path: &str) -> Option<String> {
    let path = path.trim_start_matches('/');
    let path = path.strip_prefix("mediastore/").unwrap_or(path);
    let parts: Vec<&str> = path.split('/').collect();
    let [what, token, day, time, file] = parts[..] else { return None };
    let what = What::parse(what)?;
    let zone = day.to_ascii_uppercase().find("TZ")?;
    let (date, tz) = (day.get(..zone)?, day.get(zone + 2..)?);
    let name = file.strip_suffix(what.extension())?.strip_suffix('.')?;
    Some(Folders::parse(date, time, Some(tz)).ok()?.path(what, token, name))
}

/// Start of the day that is `day` days after `first`.
fn midnight(first: Date, day: i32, zone: &TimeZone) -> Result<Wall> {
    first
        .checked_add(Span::new().days(day))
        .and_then(|date| date.to_zoned(zone.clone()))
        .map(|start: Zoned| Wall(start.timestamp().as_millisecond()))
        .map_err(|_| Error::bad_input(format!("the calendar ends before {first}")))
}

#[cfg(test)]
mod tests;
