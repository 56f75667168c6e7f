//! Updates of the box: `GetUpdate`, `UploadUpdate`, `InstallUpdate`, `RollBack`. One at a time; the daemon
//! receives ([`crate::system::inbox`]), the helper has it checked and installed, and [`progress`] knows how
//! far that is.
//!
//! One task while a bundle is downloaded or installed. Memory: one piece of a body.

pub mod progress;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use url::Url;

pub use self::progress::Updates;
use self::progress::{Phase, Turn};
use super::Context;
use super::calls::{Answer, Upload};
use super::request::Ask;
use crate::base::{Error, Result};
use crate::system::order::Order;
use crate::system::release::Release;
use crate::system::update::{Bundle, Slot, State};
use crate::system::{VERSION, fetch};

/// Longest gap in an upload.
const IDLE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_secs(1);
/// The helper may be away for so long while it installs, before that counts as failed.
const LOST: u32 = 60;

/// `GetUpdate`.
pub async fn get_update(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(shown(&ask.ctx).await?))
}

/// What `GetUpdate` answers.
pub async fn shown(ctx: &Context) -> Result<Value> {
    let state: State = ctx.appliance.ask(&Order::Update).await?;
    let release = tokio::task::spawn_blocking(Release::read)
        .await
        .map_err(|_| Error::internal("reading the release was given up"))?;
    let (phase, percent, text) = ctx.updates.seen_with(&state);
    Ok(json!({
        "strVersion": VERSION,
        "strBuild": release.build,
        "strBoard": release.board,
        "strCompatible": state.compatible,
        "strVariant": release.variant,
        "strBooted": state.booted().map_or("", |slot| &slot.name),
        "strNext": state.next,
        "slots": state.slots.iter().map(slot_fields).collect::<Vec<_>>(),
        "strState": phase.as_str(),
        "nPercent": percent,
        "strText": text,
        "strReady": ctx.updates.ready().map_or(String::new(), |bundle| bundle.version),
        "bRebootNeeded": state.reboot_needed(),
    }))
}

fn slot_fields(slot: &Slot) -> Value {
    let version = if slot.booted && slot.version.is_empty() { VERSION } else { &slot.version };
    json!({
        "strName": slot.name,
        "bBooted": slot.booted,
        "strBootStatus": if slot.good { "good" } else { "bad" },
        "strVersion": version,
        "strInstalled": slot.installed,
    })
}

/// `UploadUpdate`: the body is the bundle.
pub async fn upload(ask: Ask, upload: Upload) -> Result<Answer> {
    let ctx = ask.ctx.clone();
    let turn = begin(&ctx).await?;
    let outcome = async {
        ctx.updates.set(Phase::Receiving, 0, "the bundle is being received");
        receive(&ctx, upload).await?;
        check(&ctx).await
    };
    let (bundle, turn) = settle(&ctx, outcome.await, turn).await?;
    drop(turn);
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Update is ready to be installed",
        "strVersion": bundle.version,
        "strCompatible": bundle.compatible,
    })))
}

async fn receive(ctx: &Context, mut upload: Upload) -> Result<()> {
    let mut incoming = ctx.updates.inbox.begin(upload.length).await?;
    loop {
        let next = tokio::time::timeout(IDLE, upload.body.next());
        let next = next.await.map_err(|_| Error::timeout("the upload has stopped"))?;
        let Some(piece) = next.transpose()? else { break };
        incoming.write(&piece).await?;
        if let Some(length) = upload.length.filter(|length| *length > 0) {
            ctx.updates.percent((incoming.bytes().saturating_mul(100) / length).min(100) as u8);
        }
    }
    incoming.finish().await
}

/// `InstallUpdate`: what was uploaded, or what is at `url`.
pub async fn install(ask: Ask) -> Result<Answer> {
    let ctx = ask.ctx.clone();
    let url = ask.get("url").map(fetch::address).transpose()?;
    let turn = begin(&ctx).await?;
    match url {
        Some(url) => {
            // Seen at once by whoever asks next.
            ctx.updates.set(Phase::Receiving, 0, "the bundle is being downloaded");
            tokio::spawn(async move { from_network(&ctx, &url, turn).await });
        }
        None => {
            if ctx.updates.ready().is_none() {
                return Err(Error::refused("there is no bundle to install: upload one, or name its url"));
            }
            let turn = start(&ctx, turn).await?;
            tokio::spawn(async move { follow(&ctx, turn).await });
        }
    }
    Ok(Answer::done("Installation started"))
}

async fn from_network(ctx: &Context, url: &Url, turn: Turn) {
    let outcome = async {
        fetch::fetch(url, &ctx.updates.inbox, |percent| ctx.updates.percent(percent)).await?;
        check(ctx).await
    };
    // Where it failed, the state says so.
    let Ok((_, turn)) = settle(ctx, outcome.await, turn).await else { return };
    if let Ok(turn) = start(ctx, turn).await {
        follow(ctx, turn).await;
    }
}

/// The right to receive or install; nothing else does meanwhile.
async fn begin(ctx: &Context) -> Result<Turn> {
    let busy = || Error::refused("an update is being received or installed");
    let turn = ctx.updates.turn.clone().try_lock_owned().map_err(|_| busy())?;
    // One that was begun before the daemon started.
    let state: State = ctx.appliance.ask(&Order::Update).await?;
    if state.installing { Err(busy()) } else { Ok(turn) }
}

/// Has the bundle that was received checked.
async fn check(ctx: &Context) -> Result<Bundle> {
    ctx.updates.set(Phase::Checking, 0, "the bundle is being checked");
    ctx.appliance.ask(&Order::CheckBundle).await
}

/// Takes note of how receiving and checking went; the turn is over where they failed.
async fn settle(ctx: &Context, outcome: Result<Bundle>, turn: Turn) -> Result<(Bundle, Turn)> {
    match outcome {
        Ok(bundle) => {
            ctx.updates.is_ready(&bundle);
            Ok((bundle, turn))
        }
        Err(error) => {
            ctx.updates.fail(&error, turn).await;
            Err(error)
        }
    }
}

async fn start(ctx: &Context, turn: Turn) -> Result<Turn> {
    ctx.updates.set(Phase::Installing, 0, "the installation begins");
    match ctx.appliance.ask::<()>(&Order::InstallBundle).await {
        Ok(()) => Ok(turn),
        Err(error) => {
            ctx.updates.fail(&error, turn).await;
            Err(error)
        }
    }
}

/// Waits for the end of an installation.
async fn follow(ctx: &Context, turn: Turn) {
    let mut lost = 0;
    let outcome = loop {
        tokio::time::sleep(POLL).await;
        match ctx.appliance.ask::<State>(&Order::Update).await {
            Ok(state) if state.installing => lost = 0,
            Ok(state) if !state.last_error.is_empty() => break Err(Error::internal(state.last_error)),
            Ok(state) => break Ok(state.next),
            Err(error) if lost == LOST => break Err(error),
            Err(_) => lost += 1,
        }
    };
    match outcome {
        Ok(next) => {
            tracing::info!("an update was installed into slot {next}");
            ctx.updates.finish(&next, turn).await;
        }
        Err(error) => ctx.updates.fail(&error, turn).await,
    }
}

/// `RollBack`.
pub async fn roll_back(ask: Ask) -> Result<Answer> {
    let ctx: &Arc<Context> = &ask.ctx;
    let _turn = begin(ctx).await?;
    let slot: String = ctx.appliance.ask(&Order::RollBack).await?;
    ctx.updates.forget();
    tracing::info!("slot {slot} is started next");
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": format!("Slot {slot} is started next: restart with Reboot"),
        "strNext": slot,
    })))
}
