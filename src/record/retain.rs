//! Retention: deletes what is too old, what is beyond its source's share, and the oldest when the disk has
//! too little room. Unlocked before locked; age alone never takes locked ones; what is open or in use is
//! passed over.
//!
//! First the file, then its row: a cut in between leaves a row without a file, which the next
//! reconciliation removes. A batch of at most [`BATCH`] files is one commit; that is also the bound on
//! memory. One task for each volume and one for the sources' shares (see [`super::housekeeping`]); deleting
//! runs on threads that may block.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::volume::{State, Volume};
use super::{Recorder, Retention};
use crate::base::footage::{Footage, What};
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::store::{Change, Place};

const BATCH: usize = 100;
/// Age and shares are looked at this often, when a recording was closed, and when they were set.
const EVERY: Duration = Duration::from_secs(30);
/// What is asked for within this time is one pass. Also lets a file system count what was freed.
const SETTLE: Duration = Duration::from_millis(500);

const BOTH: [What; 2] = [What::Record, What::Snapshot];

/// Age and room of one volume.
pub(super) async fn keep_volume(recorder: Arc<Recorder>, volume: Arc<Volume>) {
    let mut ended = recorder.running.ended();
    let mut set = recorder.retention.watch();
    loop {
        tokio::select! {
            () = sleep(EVERY) => {}
            () = volume.room_wanted() => {}
            _ = ended.changed() => {}
            _ = set.changed() => {}
        }
        sleep(SETTLE).await;
        let (with, on) = (recorder.clone(), volume.clone());
        pass(&volume.name, move || tidy(&with, &on)).await;
    }
}

/// Shares of all sources, where there is a bound.
pub(super) async fn keep_sources(recorder: Arc<Recorder>) {
    let mut ended = recorder.running.ended();
    let mut set = recorder.retention.watch();
    loop {
        tokio::select! {
            () = sleep(EVERY) => {}
            _ = ended.changed() => {}
            _ = set.changed() => {}
        }
        sleep(SETTLE).await;
        let Some(share) = recorder.retention().max_bytes_per_source else { continue };
        let with = recorder.clone();
        pass("all", move || hold_to_share(&with, share)).await;
    }
}

async fn pass(volume: &str, work: impl FnOnce() -> Result<()> + Send + 'static) {
    match spawn_blocking(work).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(volume, "retention: {error}"),
        Err(error) => tracing::error!(volume, "retention was given up: {error}"),
    }
}

fn tidy(recorder: &Recorder, volume: &Volume) -> Result<()> {
    if !is_tidied(volume) {
        return Ok(());
    }
    let Retention { keep, keep_snapshots, .. } = recorder.retention();
    for (what, keep) in [(What::Record, keep), (What::Snapshot, keep_snapshots)] {
        if let Some(keep) = keep {
            expire(recorder, volume, what, keep)?;
        }
    }
    make_room(recorder, volume)
}

fn is_tidied(volume: &Volume) -> bool {
    matches!(volume.state(), State::Online | State::Full(_))
}

fn expire(recorder: &Recorder, volume: &Volume, what: What, keep: Duration) -> Result<()> {
    let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    let before = Wall::from(recorder.clock.wall()).plus_millis(-keep);
    let mut place = Place::START;
    let mut freed = Freed::default();
    loop {
        let batch = recorder.store.oldest_on_volume(&volume.name, what, false, before, place, BATCH)?;
        let Some(last) = batch.last() else { break };
        place = Place::from(last);
        freed += delete(recorder, &batch, u64::MAX)?;
    }
    freed.tell(&volume.name, "were too old");
    Ok(())
}

fn make_room(recorder: &Recorder, volume: &Volume) -> Result<()> {
    volume.settle(volume.look());
    let is_full = matches!(volume.state(), State::Full(_));
    let Some(space) = volume.space() else { return Ok(()) };
    if !is_tidied(volume) || !is_full && space.has_room(volume.keep_free) {
        return Ok(());
    }
    // Without inodes, bytes are not what is lacking: some files have to go.
    let need = volume.enough_free(space.total).saturating_sub(space.free).max(1);
    let mut freed = Freed::default();
    for locked in [false, true] {
        let mut oldest = Oldest::new(|what, place| {
            recorder.store.oldest_on_volume(&volume.name, what, locked, Wall(i64::MAX), place, BATCH)
        });
        freed += delete_oldest(recorder, &mut oldest, need.saturating_sub(freed.bytes))?;
    }
    freed.tell(&volume.name, "made room");
    volume.settle(volume.look());
    if freed.files == 0 && volume.space().is_some_and(|space| !space.has_room(volume.keep_free)) {
        volume.exhausted();
    }
    Ok(())
}

fn hold_to_share(recorder: &Recorder, share: u64) -> Result<()> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for total in recorder.store.totals()? {
        *sums.entry(total.token).or_default() += total.bytes;
    }
    for volume in recorder.volumes.list() {
        for open in recorder.store.open_footage(&volume.name)? {
            let now = recorder.running.progress(open.id).unwrap_or_default().bytes;
            *sums.entry(open.token).or_default() += now.saturating_sub(open.bytes);
        }
    }
    for (token, sum) in sums.into_iter().filter(|(_, sum)| *sum > share) {
        let mut freed = Freed::default();
        for locked in [false, true] {
            let mut oldest = Oldest::new(|what, place| {
                recorder.store.oldest_of_source(&token, what, locked, place, BATCH)
            });
            freed += delete_oldest(recorder, &mut oldest, (sum - share).saturating_sub(freed.bytes))?;
        }
        freed.tell("all", &format!("were beyond the share of source {token}"));
    }
    Ok(())
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default)]
struct Freed {
    files: u64,
    bytes: u64,
}

impl std::ops::AddAssign for Freed {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

impl Freed {
    fn tell(self, volume: &str, why: &str) {
        if self.files > 0 {
            tracing::info!(volume, "deleted {} files of {} KiB: they {why}", self.files, self.bytes >> 10);
        }
    }
}

/// Recordings and snapshots together from the oldest on, in batches.
struct Oldest<F> {
    fetch: F,
    places: [Place; 2],
}

impl<F: Fn(What, Place) -> Result<Vec<Footage>>> Oldest<F> {
    fn new(fetch: F) -> Self {
        Self { fetch, places: [Place::START; 2] }
    }

    /// The next batch; empty at the end.
    fn next(&mut self) -> Result<Vec<Footage>> {
        let mut batch = Vec::new();
        for (what, place) in BOTH.into_iter().zip(self.places) {
            batch.extend((self.fetch)(what, place)?);
        }
        batch.sort_by_key(|entry| Place::from(entry));
        batch.truncate(BATCH);
        for (what, place) in BOTH.into_iter().zip(&mut self.places) {
            if let Some(last) = batch.iter().rfind(|entry| entry.what == what) {
                *place = Place::from(last);
            }
        }
        Ok(batch)
    }
}

fn delete_oldest<F>(recorder: &Recorder, oldest: &mut Oldest<F>, need: u64) -> Result<Freed>
where
    F: Fn(What, Place) -> Result<Vec<Footage>>,
{
    let mut freed = Freed::default();
    while freed.bytes < need {
        let batch = oldest.next()?;
        if batch.is_empty() {
            break;
        }
        freed += delete(recorder, &batch, need - freed.bytes)?;
    }
    Ok(freed)
}

/// Deletes entries until `need` bytes are freed, passing over those in use and those of a volume that
/// cannot be written to.
fn delete(recorder: &Recorder, entries: &[Footage], need: u64) -> Result<Freed> {
    let mut freed = Freed::default();
    let mut gone = Vec::new();
    let mut failure = None;
    for entry in entries {
        if freed.bytes >= need {
            break;
        }
        let Some(volume) = recorder.volumes.get(&entry.volume).filter(|volume| is_tidied(volume)) else {
            continue;
        };
        match recorder.pins.unless_pinned(entry.id, || unlink(&volume.file(&entry.path))) {
            None => continue,
            Some(Ok(())) => freed += Freed { files: 1, bytes: entry.bytes },
            Some(Err(error)) => {
                volume.failed(&error);
                failure = Some(Error::from(error).context(&entry.path));
                break;
            }
        }
        gone.push((volume, entry));
    }
    let rows: Vec<_> = gone.iter().map(|(_, entry)| Change::Remove(entry.id)).collect();
    recorder.store.apply(&rows)?;
    for (volume, entry) in gone {
        remove_empty_folders(&volume.root, &entry.path);
    }
    failure.map_or(Ok(freed), Err)
}

/// One that is gone already is as good.
pub(super) fn unlink(file: &Path) -> io::Result<()> {
    fs::remove_file(file).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// Removes the folders of `path` below `root/record` or `root/snapshot` that hold nothing any more.
pub(super) fn remove_empty_folders(root: &Path, path: &str) {
    let folders = Path::new(path).ancestors().skip(1);
    for folder in folders.take_while(|folder| folder.components().count() > 1) {
        if fs::remove_dir(root.join(folder)).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests;
