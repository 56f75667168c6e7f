//! Volumes, what lies on them, how much is written, for how long that will do (`GetStorageInfo`), and how
//! long it is kept (`GetRetention`, `SetRetention`).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::footage::What;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::record::forecast::{Forecast, Room, forecast};
use crate::record::housekeeping::today;
use crate::record::volume::Volume;
use crate::record::{Chosen, Recorder, Retention};
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
    let retention = recorder.retention();
    let rooms: Vec<Room> = volumes.iter().map(|volume| room(volume, totals)).collect();
    let foretold = forecast(&rooms, &written, &today, &retention);
    let shown =
        volumes.iter().zip(foretold).map(|(volume, foretold)| volume_fields(volume, totals, foretold));
    let Retention { keep, keep_snapshots, max_bytes_per_source } = retention;
    json!({
        "volume": shown.collect::<Vec<_>>(),
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

/// What a forecast goes by.
fn room(volume: &Volume, totals: &[Total]) -> Room {
    let here = || totals.iter().filter(|total| total.volume == volume.name);
    Room {
        name: volume.name.clone(),
        disk: volume.space().map(|space| (space.device, space.free)),
        keep_free: volume.keep_free,
        used: here().map(|total| total.bytes).sum(),
        sources: here().map(|total| &total.token).collect::<BTreeSet<_>>().len() as u64,
    }
}

fn volume_fields(volume: &Volume, totals: &[Total], foretold: Forecast) -> Value {
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
        "nBytePerDay": foretold.bytes_per_day,
        "nForecastDays": foretold.days,
    })
}

fn written_fields(line: &Written) -> Value {
    json!({ "strDay": line.day, "strVolume": line.volume, "nByte": line.bytes })
}

/// 0: without end.
fn days(keep: Option<Duration>) -> u64 {
    keep.map_or(0, |keep| keep.as_secs() / (24 * 60 * 60))
}

/// `GetRetention`
pub async fn get_retention(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(retention_fields("", ask.ctx.recorder.retention())))
}

/// `SetRetention`: what is not named stays.
pub async fn set_retention(ask: Ask) -> Result<Answer> {
    let number = |name: &str| {
        let number = ask.get(name).map(str::parse).transpose();
        number.map_err(|_| Error::bad_input(format!("parameter {name} is not a whole number")))
    };
    let change = Chosen {
        days: number("days")?,
        snapshot_days: number("snapshotdays")?,
        source_mb: number("sourcemb")?,
    };
    if change == Chosen::default() {
        return Err(Error::bad_input("parameter days is missing"));
    }
    let now = ask.ctx.recorder.set_retention(change).await?;
    Ok(Answer::Json(retention_fields("Set successfully", now)))
}

fn retention_fields(code: &str, retention: Retention) -> Value {
    json!({
        "bStatus": true,
        "strCode": code,
        "nKeepDays": days(retention.keep),
        "nKeepSnapshotDays": days(retention.keep_snapshots),
        "nMaxMbPerSource": retention.max_bytes_per_source.unwrap_or(0) >> 20,
    })
}
