//! Makes rows and files of a volume agree, both ways, before anything new is written to it: at the start,
//! and when a volume returns. Blocks; [`super::housekeeping`] runs it on a thread that may.
//!
//! Files are walked and rows are read in the same order, that of their paths, and compared side by side,
//! so memory is bounded by a page of rows and a folder's names. A file that has the size of its closed row
//! is not opened, unless it was one of the last before the end: those may lack what is not synced when a
//! file is closed.
//!
//! | row | file | so |
//! |---|---|---|
//! | closed | same size | nothing |
//! | open, or another size | there | completed, and the row closed with what is in it |
//! | any | none | the row is removed |
//! | none | there | completed and adopted with what its label and its path say |
//! | any or none | nothing in it | deleted |
//! | any or none | not to be used | moved to `set-aside` with the reason in a text beside it |
//!
//! Every step can be cut off and done again.

mod examine;
mod set_aside;
mod walk;

use std::cmp::Ordering;

use super::Recorder;
use super::volume::{Owed, Volume};
use crate::base::footage::Footage;
use crate::base::{Error, Result};
use crate::store::{Change, Store};
use examine::{Fit, Fitness};
use set_aside::set_aside;
use walk::{Found, Walk};

/// Rows read at a time.
const PAGE: usize = 500;
/// Changes that are one commit.
const BATCH: usize = 200;
/// So many of the newest entries are looked into even when their size is right.
const RECENT: i64 = 256;
/// Lines about single entries; more are only counted.
const LINES: u64 = 100;

/// Compares what is owed.
///
/// # Errors
/// When the volume or the database fails, or the daemon stops; what was done until then stays.
pub(super) fn run(recorder: &Recorder, volume: &Volume, owed: Owed) -> Result<()> {
    let mut run = Run::new(recorder, volume)?;
    let done = match owed {
        Owed::Nothing => Ok(()),
        Owed::OpenRows => run.open_rows(),
        Owed::Everything => run.everything(),
    };
    let saved = run.save();
    run.tally.tell(&volume.name);
    done.and(saved)
}

struct Run<'a> {
    recorder: &'a Recorder,
    volume: &'a Volume,
    /// Ids above this are recent.
    recent: i64,
    changes: Vec<Change>,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    compared: u64,
    removed: u64,
    completed: u64,
    adopted: u64,
    empty: u64,
    set_aside: u64,
}

impl Tally {
    fn tell(&self, volume: &str) {
        let Self { compared, removed, completed, adopted, empty, set_aside } = self;
        tracing::info!(
            volume,
            compared,
            removed,
            completed,
            adopted,
            empty,
            set_aside,
            "rows and files were compared"
        );
    }
}

impl<'a> Run<'a> {
    fn new(recorder: &'a Recorder, volume: &'a Volume) -> Result<Self> {
        let recent = recorder.store.newest_footage_id()? - RECENT;
        let totals = recorder.store.totals()?;
        let of = totals.iter().filter(|total| total.volume == volume.name).map(|total| total.entries).sum();
        let aside = set_aside::count(&volume.root);
        volume.set_checked(|checked| (checked.done, checked.of, checked.set_aside) = (0, of, aside));
        Ok(Self { recorder, volume, recent, changes: Vec::new(), tally: Tally::default() })
    }

    fn open_rows(&mut self) -> Result<()> {
        for row in self.recorder.store.open_footage(&self.volume.name)? {
            match walk::find(&self.volume.root, &row.path)? {
                Some(file) => self.both(row, &file)?,
                None => self.row_only(&row)?,
            }
        }
        Ok(())
    }

    fn everything(&mut self) -> Result<()> {
        let store = &self.recorder.store;
        let mut rows = Rows::new(store, &self.volume.name);
        let mut row = rows.next()?;
        let mut files = Walk::new(&self.volume.root);
        let mut file = files.next()?;
        loop {
            let order = match (&row, &file) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(row), Some(file)) => row.path.cmp(&file.path),
            };
            let (this_row, this_file) = match order {
                Ordering::Less => (std::mem::replace(&mut row, rows.next()?), None),
                Ordering::Greater => (None, std::mem::replace(&mut file, files.next()?)),
                Ordering::Equal => {
                    (std::mem::replace(&mut row, rows.next()?), std::mem::replace(&mut file, files.next()?))
                }
            };
            match (this_row, this_file) {
                (Some(row), Some(file)) => self.both(row, &file)?,
                (Some(row), None) => self.row_only(&row)?,
                (None, Some(file)) => self.file_only(&file)?,
                (None, None) => {}
            }
            self.count()?;
        }
    }

    /// After each entry: progress, and the end when the daemon stops.
    fn count(&mut self) -> Result<()> {
        self.tally.compared += 1;
        if self.tally.compared.is_multiple_of(PAGE as u64) {
            let done = self.tally.compared;
            self.volume.set_checked(|checked| checked.done = done);
        }
        if self.recorder.shutdown.is_cancelled() {
            return Err(Error::refused("the daemon stops"));
        }
        Ok(())
    }

    fn both(&mut self, row: Footage, file: &Found) -> Result<()> {
        if self.recorder.running.progress(row.id).is_some() {
            return Ok(());
        }
        let sound = !row.open && row.bytes == file.bytes;
        if sound && row.id <= self.recent {
            return Ok(());
        }
        if sound && examine::looks_complete(self.volume, &row) {
            return Ok(());
        }
        match examine::examine(self.volume, file, Some(&row))? {
            Fitness::Fit(Fit { end, bytes, .. }) => {
                self.tally.completed += 1;
                self.line(self.tally.completed, &row.path, "was interrupted and is completed");
                self.change(Change::Close { id: row.id, end, bytes })
            }
            unusable => {
                self.change(Change::Remove(row.id))?;
                self.unusable(file, unusable)
            }
        }
    }

    fn row_only(&mut self, row: &Footage) -> Result<()> {
        if self.recorder.running.progress(row.id).is_some() {
            return Ok(());
        }
        self.tally.removed += 1;
        self.line(self.tally.removed, &row.path, "is in the database but not on the disk: removed");
        self.change(Change::Remove(row.id))
    }

    fn file_only(&mut self, file: &Found) -> Result<()> {
        if let Some(other) = self.recorder.store.footage_by_path(&file.path)? {
            if self.recorder.volumes.get(&other.volume).is_none() {
                // Its volume was renamed.
                return self.change(Change::Move { id: other.id, volume: self.volume.name.clone() });
            }
            let reason = format!("there is footage with this path on volume {}", other.volume);
            return self.unusable(file, Fitness::Unfit(reason));
        }
        match examine::examine(self.volume, file, None)? {
            Fitness::Fit(fit) => {
                self.tally.adopted += 1;
                self.line(self.tally.adopted, &file.path, "was not in the database and is adopted");
                self.change(Change::Add(fit.footage(self.volume, file)))
            }
            unusable => self.unusable(file, unusable),
        }
    }

    fn unusable(&mut self, file: &Found, fitness: Fitness) -> Result<()> {
        match fitness {
            Fitness::Fit(_) => {}
            Fitness::Later(reason) => tracing::warn!("{} stays as it is for now: {reason}", file.path),
            Fitness::Empty => {
                std::fs::remove_file(self.volume.file(&file.path))?;
                super::retain::remove_empty_folders(&self.volume.root, &file.path);
                self.tally.empty += 1;
                self.line(self.tally.empty, &file.path, "holds nothing: deleted");
            }
            Fitness::Unfit(reason) => {
                set_aside(&self.volume.root, &file.path, &reason)?;
                super::retain::remove_empty_folders(&self.volume.root, &file.path);
                self.tally.set_aside += 1;
                self.volume.set_checked(|checked| checked.set_aside += 1);
                tracing::warn!("{} cannot be used and is set aside: {reason}", file.path);
            }
        }
        Ok(())
    }

    fn line(&self, number: u64, path: &str, what: &str) {
        if number <= LINES {
            tracing::info!("{path} {what}");
        }
    }

    fn change(&mut self, change: Change) -> Result<()> {
        self.changes.push(change);
        if self.changes.len() < BATCH { Ok(()) } else { self.save() }
    }

    fn save(&mut self) -> Result<()> {
        self.recorder.store.apply(&std::mem::take(&mut self.changes))
    }
}

/// A volume's rows in the order of their paths.
struct Rows<'a> {
    store: &'a Store,
    volume: &'a str,
    page: std::vec::IntoIter<Footage>,
    last: String,
}

impl<'a> Rows<'a> {
    fn new(store: &'a Store, volume: &'a str) -> Self {
        Self { store, volume, page: Vec::new().into_iter(), last: String::new() }
    }

    fn next(&mut self) -> Result<Option<Footage>> {
        if self.page.len() == 0 {
            self.page = self.store.footage_after_path(self.volume, &self.last, PAGE)?.into_iter();
        }
        let row = self.page.next();
        if let Some(row) = &row {
            self.last.clone_from(&row.path);
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests;
