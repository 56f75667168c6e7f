//! `GetStorageInfo`: volumes, what lies on them, how much is written, and how long it is kept.

use std::time::Duration;

use serde_json::{Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::Result;
use crate::base::footage::What;
use crate::base::wall::{Offset, Wall};
use crate::record::housekeeping::today;
use crate::record::volume::Volume;
use crate::record::{Recorder, Settings};
use crate::store::{Total, Written};

/// How far back `written` reaches.
const DAYS: u32 = 30;

/// See the module.
pub async fn storage_info(ask: Ask) -> Result<Answer> {
    let recorder = ask.ctx.recorder.clone();
    let volumes = recorder.volumes.clone();
    let (totals, written, oldest) = recorder
        .store
        .run(move |store| {
            let starts = volumes.list().iter().map(|volume| store.oldest_start(&volume.name));
            let oldest = starts.collect::<Result<Vec<_>>>()?.into_iter().flatten().min();
            Ok((store.totals()?, store.written(DAYS)?, oldest))
        })
        .await?;
    Ok(Answer::Json(fields(&recorder, &totals, written, oldest)))
}

fn fields(recorder: &Recorder, totals: &[Total], mut written: Vec<Written>, oldest: Option<Wall>) -> Value {
    let volumes = recorder.volumes.list();
    let today = today(&recorder.clock);
    for volume in volumes.iter().filter(|volume| volume.unsaved() > 0) {
        match written.iter_mut().find(|line| line.day == today && line.volume == volume.name) {
            Some(line) => line.bytes += volume.unsaved(),
            None => written.insert(0, line(volume, &today)),
        }
    }
    let of_today = written.iter().filter(|line| line.day == today);
    let Settings { keep, keep_snapshots, max_bytes_per_source, .. } = recorder.settings;
    json!({
        "volume": volumes.iter().map(|volume| volume_fields(volume, totals)).collect::<Vec<_>>(),
        "written": written.iter().map(written_fields).collect::<Vec<_>>(),
        "nWrittenTodayByte": of_today.map(|line| line.bytes).sum::<u64>(),
        "nKeepDays": days(keep),
        "nKeepSnapshotDays": days(keep_snapshots),
        "nMaxBytePerSource": max_bytes_per_source.unwrap_or(0),
        "strOldestTime": oldest.map_or_else(String::new, |at| at.iso(Offset::local(at))),
    })
}

fn line(volume: &Volume, today: &str) -> Written {
    Written { day: today.to_owned(), volume: volume.name.clone(), bytes: volume.unsaved() }
}

fn volume_fields(volume: &Volume, totals: &[Total]) -> Value {
    let state = volume.state();
    let space = volume.space().unwrap_or_default();
    let checked = volume.checked();
    let sum = |what: What| {
        let of = totals.iter().filter(|total| total.volume == volume.name && total.what == what);
        of.fold((0, 0), |(entries, bytes), total| (entries + total.entries, bytes + total.bytes))
    };
    let (records, record_bytes) = sum(What::Record);
    let (snapshots, snapshot_bytes) = sum(What::Snapshot);
    json!({
        "strName": volume.name,
        "strPath": volume.root.display().to_string(),
        "strState": state.as_str(),
        "strText": state.text(),
        "nTotalByte": space.total,
        "nFreeByte": space.free,
        "nKeepFreeByte": volume.keep_free,
        "nRecordByte": record_bytes,
        "nRecordCount": records,
        "nSnapshotByte": snapshot_bytes,
        "nSnapshotCount": snapshots,
        "bReconciled": volume.is_reconciled(),
        "nChecked": checked.done,
        "nToCheck": checked.of,
        "nSetAside": checked.set_aside,
    })
}

fn written_fields(line: &Written) -> Value {
    json!({ "strDay": line.day, "strVolume": line.volume, "nByte": line.bytes })
}

/// 0: without end.
fn days(keep: Option<Duration>) -> u64 {
    keep.map_or(0, |keep| keep.as_secs() / (24 * 60 * 60))
}
