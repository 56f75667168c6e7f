//! What goes on for each volume beside the recordings. Three tasks for each: one looks at the disk, one
//! compares rows with files when that is owed, one deletes what is too old or in the way
//! ([`super::retain`]); and for all together one that holds sources to their share and one that saves how
//! much was written. Disk work runs on threads that may block; a disk that hangs holds one thread of each
//! of its own tasks and nothing else. Queues: none.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::Recorder;
use super::volume::{LOOK_PATIENCE, State, Unfit, Volume};
use super::{reconcile, retain};
use crate::base::time::Clock;
use crate::base::wall::{Offset, Wall};
use crate::store::Written;

/// How long a change of a disk goes unnoticed when nobody writes to it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How much of the count of bytes a power cut may cost; seldom, since it is a write itself.
const SAVE_EVERY: u32 = 60;

/// Starts all of it; ends when the recorder's token is cancelled.
pub(super) fn start(recorder: &Arc<Recorder>) {
    let tasks = &recorder.volumes.tasks;
    let stop = &recorder.shutdown;
    for volume in recorder.volumes.list() {
        let both = || (recorder.clone(), volume.clone());
        let (_, volume) = both();
        tasks.spawn(stop.clone().run_until_cancelled_owned(look(volume)));
        let (recorder, volume) = both();
        tasks.spawn(stop.clone().run_until_cancelled_owned(compare(recorder, volume)));
        let (recorder, volume) = both();
        tasks.spawn(stop.clone().run_until_cancelled_owned(retain::keep_volume(recorder, volume)));
    }
    tasks.spawn(stop.clone().run_until_cancelled_owned(retain::keep_sources(recorder.clone())));
    tasks.spawn(stop.clone().run_until_cancelled_owned(count_days(recorder.clone())));
    tasks.close();
}

/// Returns when all tasks have ended and the counts are saved; called when recordings are closed.
pub(super) async fn stopped(recorder: &Recorder) {
    recorder.volumes.tasks.wait().await;
    save_written(recorder, today(&recorder.clock)).await;
}

/// The local day, as the table `written` has it.
pub fn today(clock: &Clock) -> String {
    let now = Wall::from(clock.wall());
    let mut day = now.iso(Offset::local(now));
    day.truncate(10);
    day
}

async fn look(volume: Arc<Volume>) {
    loop {
        sleep(LOOK_EVERY).await;
        let looked_at = volume.clone();
        let mut look = spawn_blocking(move || looked_at.look());
        let found = match timeout(LOOK_PATIENCE, &mut look).await {
            Ok(found) => found,
            Err(_) => {
                volume.settle(Err(Unfit::silent(&volume.name)));
                look.await
            }
        };
        if let Ok(found) = found {
            volume.settle(found);
        }
    }
}

async fn compare(recorder: Arc<Recorder>, volume: Arc<Volume>) {
    let mut state = volume.watch();
    loop {
        // The sender lives in the volume that we hold, so this cannot fail.
        let _ = state.wait_for(|state| matches!(state, State::Checking(_))).await;
        let Some((owed, generation)) = volume.to_reconcile() else {
            sleep(LOOK_EVERY).await;
            continue;
        };
        let (with, on) = (recorder.clone(), volume.clone());
        match spawn_blocking(move || reconcile::run(&with, &on, owed)).await {
            Ok(Ok(())) => volume.reconciled(generation),
            Ok(Err(error)) => {
                tracing::error!(volume = volume.name, "rows and files could not be compared: {error}");
                sleep(LOOK_EVERY).await;
            }
            Err(error) => {
                tracing::error!(volume = volume.name, "comparing rows and files was given up: {error}");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn count_days(recorder: Arc<Recorder>) {
    let mut day = today(&recorder.clock);
    let mut looks = 0;
    loop {
        sleep(LOOK_EVERY).await;
        looks += 1;
        let now = today(&recorder.clock);
        if now != day || looks == SAVE_EVERY {
            save_written(&recorder, day).await;
            (day, looks) = (now, 0);
        }
    }
}

async fn save_written(recorder: &Recorder, day: String) {
    let volumes = recorder.volumes.list().iter();
    let taken: Vec<_> = volumes.map(|volume| (volume, volume.take_unsaved())).collect();
    let written: Vec<_> = taken
        .iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(volume, bytes)| Written { day: day.clone(), volume: volume.name.clone(), bytes: *bytes })
        .collect();
    if written.is_empty() {
        return;
    }
    if let Err(error) = recorder.store.run(move |store| store.add_written(&written)).await {
        tracing::warn!("how much was written is not saved: {error}");
        taken.iter().for_each(|(volume, bytes)| volume.return_unsaved(*bytes));
    }
}
