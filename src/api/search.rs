//! What is kept: finding, locking and deleting it (manual 5.5.7; docs/protocol.md 4).

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::calls::{Answer, flag};
use super::request::{Ask, no_source};
use crate::base::footage::{Cause, What};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::record::Recorder;
use crate::record::library::{Found, Page};
use crate::store::Search;

/// Most entries in one answer.
pub const MOST: u32 = 5000;

/// `Search`, and `SearchDeviceRecordByTime`, where `type` may be left out.
pub async fn search(ask: Ask) -> Result<Answer> {
    let what = ask.get("type").and_then(What::parse).unwrap_or(What::Record);
    let zone = TimeZone::system();
    let (from, offset) = time(&ask, "start", &zone)?;
    let (to, _) = time(&ask, "end", &zone)?;
    if to < from {
        return Err(Error::bad_input("parameter end: it lies before start"));
    }
    let cause = ask.get("nType").and_then(Cause::parse);
    let after = ask.get("next").map(after).transpose()?;
    let limit = ask.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(MOST as usize);
    let shown = move |at: Wall| at.iso(offset.unwrap_or_else(|| Offset::local(at)));
    answer(&ask, move |recorder, token| {
        let page = recorder.find(&Search { what, token, from, to, cause, after, limit })?;
        Ok(list(&page, &shown))
    })
    .await
}

/// `SearchDeviceRecordCalendar`: the days of a month in the server's zone.
pub async fn calendar(ask: Ask) -> Result<Answer> {
    let number = |name: &str| {
        ask.require(name)?.parse().map_err(|_| Error::bad_input(format!("parameter {name} is no number")))
    };
    let (year, month): (i16, i16) = (number("year")?, number("month")?);
    let month = i8::try_from(month).map_err(|_| Error::bad_input("parameter month is no month"))?;
    answer(&ask, move |recorder, token| {
        let days = recorder.days_recorded(token, year, month, &TimeZone::system())?;
        let day = |(day, has): (usize, &bool)| json!({ "nDay": day + 1, "bHasRec": has });
        Ok(json!({ "record": days.iter().enumerate().map(day).collect::<Vec<_>>() }))
    })
    .await
}

/// `DelRecord`
pub async fn del_record(ask: Ask) -> Result<Answer> {
    delete(ask, What::Record).await
}

/// `DelSnapshot`
pub async fn del_snapshot(ask: Ask) -> Result<Answer> {
    delete(ask, What::Snapshot).await
}

async fn delete(ask: Ask, what: What) -> Result<Answer> {
    let path = ask.require("path")?.to_owned();
    answer(&ask, move |recorder, token| {
        recorder.delete(what, token, &path).map_err(|error| error.context("parameter path"))?;
        tracing::info!(token, path, "{} deleted", what.as_str());
        Ok(json!({ "bStatus": true, "strCode": "Delete successfully" }))
    })
    .await
}

/// `LockRecord`
pub async fn lock(ask: Ask) -> Result<Answer> {
    let path = ask.require("path")?.to_owned();
    let locked = ask.get("lock").and_then(flag).unwrap_or(true);
    answer(&ask, move |recorder, token| {
        let path = recorder.lock(token, &path, locked).map_err(|error| error.context("parameter path"))?;
        let code = if locked { "Lock successfully" } else { "Unlock successfully" };
        Ok(json!({ "bStatus": true, "strCode": code, "strPath": path, "bLocked": locked }))
    })
    .await
}

/// Runs `work` on a thread that may block, for a token that a source has or had.
pub async fn answer<F>(ask: &Ask, work: F) -> Result<Answer>
where
    F: FnOnce(&Arc<Recorder>, &str) -> Result<Value> + Send + 'static,
{
    let token = ask.require("token")?.to_owned();
    let (recorder, here) = (Arc::clone(&ask.ctx.recorder), ask.ctx.sources.get(&token).is_some());
    let work = move || {
        if !here && !recorder.knows(&token)? {
            return Err(no_source(&token));
        }
        work(&recorder, &token)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::internal("the search was given up"))?.map(Answer::Json)
}

/// The moment that a parameter names, and its zone where it has one.
pub fn time(ask: &Ask, name: &str, zone: &TimeZone) -> Result<(Wall, Option<Offset>)> {
    Wall::parse(ask.require(name)?, zone).map_err(|error| error.context(format!("parameter {name}")))
}

/// What `strNext` says: start and number of the last entry that was shown.
pub fn after(next: &str) -> Result<(Wall, i64)> {
    let parts = next.split_once('.').and_then(|(start, id)| Some((start.parse().ok()?, id.parse().ok()?)));
    let (start, id) =
        parts.ok_or_else(|| Error::bad_input("parameter next is not the strNext of an answer"))?;
    Ok((Wall(start), id))
}

fn list(page: &Page, shown: &impl Fn(Wall) -> String) -> Value {
    let record: Vec<Value> = page.found.iter().map(|found| item(found, shown)).collect();
    let mut answer = json!({ "record": record, "bMore": page.next.is_some() });
    if let Some((start, id)) = page.next {
        answer["strNext"] = format!("{}.{id}", start.0).into();
    }
    answer
}

/// The manual's fields in its order, then those of later servers and ours.
fn item(found: &Found, shown: &impl Fn(Wall) -> String) -> Value {
    let Found { footage, running, available } = found;
    // Whole seconds; what has ended lasted, and 0 is what still runs.
    let seconds = match (footage.what, (footage.end.0 - footage.start.0 + 500) / 1000) {
        (What::Record, seconds) if !running && !footage.open => seconds.max(1),
        (_, seconds) => seconds,
    };
    let mut item = json!({
        "strToken": footage.token,
        "strStartTime": shown(footage.start),
        "strDuration": if *running { "0".to_owned() } else { seconds.to_string() },
        "strPath": footage.place(),
        "strUrl": footage.url(),
        "strEndTime": shown(footage.end),
        "nType": footage.cause.as_str(),
        "nBytes": footage.bytes,
        "bLocked": footage.locked,
        "strVolume": footage.volume,
        "bAvailable": available,
    });
    if *running {
        item["nDurationNow"] = seconds.into();
    }
    item
}
