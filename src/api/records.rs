//! Recording (manual 5.5.1 to 5.5.4) and schedules.

use std::time::Duration;

use serde_json::{Value, json};

use super::calls::{Answer, flag};
use super::request::Ask;
use crate::base::footage::{self, Cause};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::record::place::{FileName, Folders};
use crate::record::schedule::{Schedule, Week};
use crate::record::{Phase, RecState, Report, Request, Started};

/// `Record`: for a time, or makes the running recording so much longer.
pub async fn record(ask: Ask) -> Result<Answer> {
    let cause = match ask.get("type") {
        Some("alarm") => Cause::Alarm,
        _ => Cause::Manual,
    };
    let name = ask.get("filename").map(FileName::parse).transpose()?;
    let duration = Some(duration(&ask)?);
    start(&ask, Request { cause, duration, at_least: false, name, folders: None, apart: false }).await
}

/// `ManualRecordStart`: until `ManualRecordStop`.
pub async fn manual_start(ask: Ask) -> Result<Answer> {
    let cause = Cause::Manual;
    start(&ask, Request { cause, duration: None, at_least: false, name: None, folders: None, apart: false })
        .await
}

/// `ManualRecordStop`: answers when the files are complete.
pub async fn manual_stop(ask: Ask) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    ask.ctx.recorder.stop_manual(&token).await?;
    Ok(Answer::done("Stop successfully"))
}

/// `PathRecord`: as `Record`, in folders that the client names.
pub async fn path_record(ask: Ask) -> Result<Answer> {
    let name = Some(FileName::parse(ask.require("filename")?)?);
    let folders = Some(Folders::parse(ask.require("start1")?, ask.require("start2")?, ask.get("tz"))?);
    let apart = ask.get("alwayscreate").and_then(flag).unwrap_or(false);
    let duration = Some(duration(&ask)?);
    start(&ask, Request { cause: Cause::Manual, duration, at_least: false, name, folders, apart }).await
}

/// `GetRecordStatus`
pub async fn status(ask: Ask) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    let shown: Vec<_> = ask.ctx.recorder.status(&token).iter().map(report).collect();
    Ok(Answer::Json(json!({ "bStatus": true, "strCode": "", "strToken": token, "record": shown })))
}

fn report(report: &Report) -> Value {
    let (state, since, text) = match &report.phase {
        Phase::Recording { since, .. } => (RecState::Recording, Some(*since), String::new()),
        Phase::Trouble(error) => (RecState::Trouble, None, error.to_string()),
        Phase::Waiting(text) => (RecState::Waiting, None, text.clone()),
        Phase::Ended(_) => (RecState::Idle, None, String::new()),
    };
    let time = |time: Option<Wall>| time.map(|time| time.iso(Offset::local(time))).unwrap_or_default();
    json!({
        "nType": report.cause.as_str(),
        "strState": state.as_str(),
        "strText": text,
        "strPath": report.files.newest.as_deref().map(footage::place).unwrap_or_default(),
        "strBeginTime": time(report.files.began),
        "strStartTime": time(since),
        "nSkipped": report.skips,
    })
}

/// `GetRecordSchedule`
pub async fn get_schedule(ask: Ask) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    let Schedule { week, snapshots } = ask.ctx.recorder.schedule(&token);
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "",
        "strToken": token,
        "strWeek": week.to_string(),
        "nSnapshotSeconds": snapshots.map_or(0, |every| every.as_secs()),
    })))
}

/// `SetRecordSchedule`: what is not named stays.
pub async fn set_schedule(ask: Ask) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    let (week, seconds) = (ask.get("week"), ask.get("snapshotseconds"));
    if week.is_none() && seconds.is_none() {
        return Err(Error::bad_input("parameter week is missing"));
    }
    let mut schedule = ask.ctx.recorder.schedule(&token);
    if let Some(week) = week {
        schedule.week = Week::parse(week)?;
    }
    if let Some(seconds) = seconds {
        let seconds = whole(seconds, "snapshotseconds")?;
        schedule.snapshots = Some(Duration::from_secs(seconds)).filter(|every| !every.is_zero());
    }
    ask.ctx.recorder.set_schedule(&token, schedule).await?;
    Ok(Answer::done("Set successfully"))
}

async fn start(ask: &Ask, request: Request) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    let Started { path, extended } = ask.ctx.recorder.record(&token, request).await?;
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": if extended { "Extend successfully" } else { "Record successfully" },
        "strPath": footage::place(&path),
        "strUrl": footage::url(&path),
        "bExtended": extended,
    })))
}

fn duration(ask: &Ask) -> Result<Duration> {
    Ok(Duration::from_secs(whole(ask.require("duration")?, "duration")?))
}

/// The table has checked it.
fn whole(given: &str, name: &str) -> Result<u64> {
    given.parse().map_err(|_| Error::bad_input(format!("parameter {name} is not a whole number")))
}
