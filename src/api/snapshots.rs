//! Snapshots that are kept (manual 5.5.5 and 5.5.6), and with what pictures are made.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::calls::Answer;
use super::request::Ask;
use crate::base::footage::Cause;
use crate::base::{Error, Result};
use crate::media::hub::{Event, Picture, Start};
use crate::media::stream::Stream;
use crate::record::place::{FileName, Folders};
use crate::record::stills::Still;

/// How long an on-demand source may take to open and give its first key frame. Pages give a call ten
/// seconds.
const PATIENCE: Duration = Duration::from_secs(9);

/// `Snapshot` (manual 5.5.5).
pub async fn snapshot(ask: Ask) -> Result<Answer> {
    let name = ask.get("filename").map(FileName::parse).transpose()?;
    keep(ask, None, name).await
}

/// `PathSnapshot` (manual 5.5.6).
pub async fn path_snapshot(ask: Ask) -> Result<Answer> {
    let folders = Folders::parse(ask.require("start1")?, ask.require("start2")?, ask.get("tz"))?;
    let name = FileName::parse(ask.require("filename")?)?;
    keep(ask, Some(folders), Some(name)).await
}

async fn keep(ask: Ask, folders: Option<Folders>, name: Option<FileName>) -> Result<Answer> {
    let stream = ask.stream()?;
    ask.ctx.recorder.snapshot_possible(&stream.token)?;
    let picture = newest(&stream).await.map_err(|error| error.context("parameter token"))?;
    let jpeg = ask.ctx.snapshots.jpeg(&stream.token, &picture, width(&ask)).await?;
    let still = Still {
        token: stream.token.clone(),
        cause: Cause::Manual,
        taken: jpeg.arrived,
        jpeg: jpeg.bytes,
        folders,
        name,
    };
    let url = ask.ctx.recorder.save_snapshot(still).await?.url();
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Snapshot successfully",
        "strUrl": url,
        "strPath": url,
    })))
}

/// The parameter `width`, which the table has checked.
pub fn width(ask: &Ask) -> Option<u32> {
    ask.get("width").and_then(|width| width.parse().ok())
}

/// The newest key frame of what the source shows now; a source that waits for somebody to ask is opened.
///
/// # Errors
/// `Timeout` with the source's own reason when it delivers nothing.
pub async fn newest(stream: &Arc<Stream>) -> Result<Picture> {
    let viewing = stream.view();
    let wait = async {
        let (_, mut cursor) = viewing.cursor(Start::NewestKey, PATIENCE).await?;
        match cursor.next().await {
            // A cursor begins with a key frame.
            Event::Frame { .. } => stream.hub.picture(),
            Event::Skipped | Event::Ended => None,
        }
        .ok_or_else(|| Error::timeout("source went away"))
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| Err(Error::timeout("source gave no key frame in time")))
}
