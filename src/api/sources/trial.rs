//! `TestSrc`: what a source would show, or why not, without one being made. It ends with its client, as calls do
//! that only read.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::change::edited;
use crate::api::calls::{Answer, find};
use crate::api::request::{Ask, PROFILE};
use crate::api::{Context, spec, streams};
use crate::base::spec::SourceSpec;
use crate::base::{Error, Result};
use crate::media::stream::Stream;
use crate::source::Profile;

/// For everything: pages give a call little more.
const PATIENCE: Duration = Duration::from_secs(12);
/// Width of the picture, which is sent inside of the answer.
const WIDTH: u32 = 640;

/// `TestSrc`
pub async fn test(ask: Ask) -> Result<Answer> {
    if let Some(call) = find("TestSrc") {
        call.check_names(&ask.incoming.params)?;
    }
    let profile = match ask.get(PROFILE) {
        Some("sub") => Profile::Sub,
        _ => Profile::Main,
    };
    let spec = wanted(&ask).await?;
    if profile == Profile::Sub && spec.onvif.is_none() && spec.sub_url.is_none() {
        return Err(Error::bad_input("parameter profile: the source has no small picture"));
    }
    let trial = ask.ctx.sources.trial()?;
    let (began, deadline) = (ask.ctx.recorder.clock.mono(), Instant::now() + PATIENCE);
    let tried = tokio::select! {
        tried = trial.run(spec, profile) => tried,
        () = ask.ctx.shutdown.cancelled() => return Err(Error::refused("the device is stopping")),
    };
    let stream = match tried {
        Ok(stream) => stream,
        Err(failure) => {
            return Ok(Answer::Json(json!({
                "bStatus": false,
                "strCode": failure.text,
                "strOfflineReason": failure.reason.as_str(),
                "nMillis": ask.ctx.recorder.clock.mono().since(began).as_millis() as u64,
            })));
        }
    };
    let picture = stream.hub.picture();
    let first = picture.as_ref().map_or(began, |picture| picture.frame.arrived);
    let mut answer = json!({
        "bStatus": true,
        "strCode": "",
        "nMillis": first.since(began).as_millis() as u64,
        "strAudioType": "",
        "strImage": image(&ask.ctx, &stream, deadline).await,
    });
    if let Some(fields) = answer.as_object_mut() {
        fields.extend(streams::status(&stream).unwrap_or_default());
    }
    Ok(Answer::Json(answer))
}

/// The source of `token` with what else is named changed, or one that is described without.
async fn wanted(ask: &Ask) -> Result<SourceSpec> {
    let mut spec = match ask.get("token") {
        Some(token) => edited(ask, token).await?.1,
        None => {
            let (params, roots) = (ask.incoming.params.clone(), ask.ctx.file_roots.clone());
            tokio::task::spawn_blocking(move || spec::unnamed(&params, &roots))
                .await
                .map_err(|_| Error::internal("looking at the source was given up"))??
        }
    };
    // It is told of either way.
    spec.audio = true;
    Ok(spec)
}

/// The newest picture as an address that holds it; empty when there is none in time.
async fn image(ctx: &Context, stream: &Stream, deadline: Instant) -> String {
    let Some(picture) = stream.hub.picture() else { return String::new() };
    match timeout_at(deadline, ctx.snapshots.jpeg(&stream.token, &picture, Some(WIDTH))).await {
        Ok(Ok(jpeg)) => format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(&jpeg.bytes)),
        Ok(Err(error)) => {
            tracing::warn!("no picture of a tested source: {error}");
            String::new()
        }
        Err(_) => String::new(),
    }
}
