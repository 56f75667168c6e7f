//! Exports: a time span as one file.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::calls::Answer;
use super::request::Ask;
use super::search::answer;
use crate::base::footage;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::record::export::{Span, Status};
use crate::record::place::FileName;
use crate::store::ExportState;

/// How many spans a call can name.
pub const SPANS: usize = 16;

/// `Archive`: answers at once, with where the file will be.
pub async fn archive(ask: Ask) -> Result<Answer> {
    if ask.get("speed").is_some_and(|speed| speed.trim().parse() != Ok(1.0)) {
        return Err(Error::bad_input("parameter speed: an export has the speed of what was recorded, 1"));
    }
    let spans = spans(&ask)?;
    let name = ask.get("filename").map(FileName::parse).transpose()?;
    answer(&ask, move |recorder, token| {
        let export = recorder.export(token, spans, name)?;
        let address = footage::url(&export.path);
        Ok(json!({
            "bStatus": true, "strCode": "Archive started", "strFileName": export.name, "strUrl": address,
        }))
    })
    .await
}

/// `GetArchiveStatus`
pub async fn status(ask: Ask) -> Result<Answer> {
    let name = ask.require("filename")?.to_owned();
    answer(&ask, move |recorder, token| {
        let mut shown = json!({ "bStatus": true });
        add(&mut shown, &recorder.export_status(token, &name)?);
        Ok(shown)
    })
    .await
}

/// `GetArchiveList`
pub async fn list(ask: Ask) -> Result<Answer> {
    answer(&ask, |recorder, token| {
        let exports = recorder.exports(token)?;
        let list: Vec<Value> = exports
            .iter()
            .map(|status| {
                let made = status.export.made;
                let mut item = json!({ "strTime": made.iso(Offset::local(made)) });
                add(&mut item, status);
                item
            })
            .collect();
        Ok(json!({ "bStatus": true, "archive": list }))
    })
    .await
}

/// `DelArchive`
pub async fn delete(ask: Ask) -> Result<Answer> {
    let token = ask.require("token")?;
    ask.ctx.recorder.delete_export(token, ask.require("filename")?).await?;
    Ok(Answer::done("Delete successfully"))
}

/// An export with whose it is.
pub fn shown(status: &Status) -> Value {
    let mut shown = json!({ "strToken": status.export.token });
    add(&mut shown, status);
    shown
}

fn add(answer: &mut Value, Status { export, percentage }: &Status) {
    let code = match &export.state {
        ExportState::Failed(reason) => reason,
        state => state.as_str(),
    };
    answer["strFileName"] = export.name.as_str().into();
    answer["strState"] = export.state.as_str().into();
    answer["strCode"] = code.into();
    answer["nPercentage"] = (*percentage).into();
    answer["nBytes"] = export.bytes.into();
    answer["strUrl"] = footage::url(&export.path).into();
}

/// The spans that the call names in one way or the other.
fn spans(ask: &Ask) -> Result<Vec<Span>> {
    let pair = |from: &str, to: &str| ask.get(from).is_some() || ask.get(to).is_some();
    let (span, times) = (pair("start", "end"), pair("begintime", "endtime"));
    let starts: Vec<String> =
        (1..=SPANS).map(|number| format!("start{number}")).filter(|name| ask.get(name).is_some()).collect();
    match (span, times, starts.as_slice()) {
        (true, false, []) => between(ask, "start", "end"),
        (false, true, []) => between(ask, "begintime", "endtime"),
        (false, false, []) => Err(Error::bad_input("parameter start is missing")),
        (false, false, starts) => starts.iter().map(|start| lasting(ask, start)).collect(),
        _ => Err(Error::bad_input(
            "parameters start and end, begintime and endtime, or start1 and duration: only one of these",
        )),
    }
}

fn between(ask: &Ask, from: &str, to: &str) -> Result<Vec<Span>> {
    let span = Span { from: time(ask, from)?, to: time(ask, to)? };
    match span.from < span.to {
        true => Ok(vec![span]),
        false => Err(Error::bad_input(format!("parameter {to}: it is not after {from}"))),
    }
}

fn lasting(ask: &Ask, start: &str) -> Result<Span> {
    let from = time(ask, start)?;
    let seconds: i64 = ask
        .require("duration")?
        .parse()
        .map_err(|_| Error::bad_input("parameter duration is not a whole number of seconds"))?;
    Ok(Span { from, to: from.plus_millis(seconds.saturating_mul(1000)) })
}

fn time(ask: &Ask, name: &str) -> Result<Wall> {
    let parsed = Wall::parse(ask.require(name)?, &TimeZone::system());
    parsed.map(|(time, _)| time).map_err(|error| error.context(format!("parameter {name}")))
}
