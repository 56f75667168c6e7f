//! What only a central asks of its edge: the list of sources as it changes, live frames, and recordings in frames
//! ([`past`]), see docs/protocol.md 6.
//!
//! Tasks: one per source that is watched at the central. Memory: one list of sources; reports of
//! cameras wait in the queue of all sockets.

mod past;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::http::header::{CONNECTION, HeaderValue, UPGRADE};
use warp::{Filter, Rejection};

use crate::api::calls::flag;
use crate::api::events::News;
use crate::api::reply::{self, Reply};
use crate::api::request::{Incoming, PROFILE};
use crate::api::{Context, sources};
use crate::base::{Error, Result};
use crate::cloud::central::live::{PATH, PROTOCOL};
use crate::cloud::central::sources::{PATH as LIST, REPORTS};
use crate::cloud::live::send::send;
use crate::onvif::events::CameraEvent;

/// How often the list is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// What changes all the time and says nothing at the central.
const VOLATILE: [&str; 4] = ["nViewers", "strPasswd", "strUser", "strSnapshotUrl"];

/// The routes below `/cloud`, for requests from the tunnel only.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    let frames = warp::path!("cloud" / "live" / ..)
        .and(ctx.clone())
        .and(warp::ext::get::<Incoming>())
        .and(warp::ext::optional::<OnUpgrade>())
        .map(|ctx: Arc<Context>, incoming: Incoming, upgrade| {
            live(ctx, &incoming, upgrade).unwrap_or_else(|why| reply::plain_failure(&why))
        });
    let past = warp::path!("cloud" / "playback")
        .and(ctx.clone())
        .and(warp::ext::get::<Incoming>())
        .and(warp::ext::optional::<OnUpgrade>())
        .then(async |ctx: Arc<Context>, incoming: Incoming, upgrade| {
            past::playback(ctx, &incoming, upgrade).await.unwrap_or_else(|why| reply::refused(&why))
        });
    let list = warp::path!("cloud" / "sources")
        .and(ctx)
        .and(warp::ext::get::<Incoming>())
        .map(|ctx, incoming: Incoming| list(ctx, &incoming));
    frames.or(past).unify().or(list).unify()
}

fn live(ctx: Arc<Context>, incoming: &Incoming, upgrade: Option<OnUpgrade>) -> Result<Reply> {
    let nothing = || Error::not_found("there is nothing at this address");
    let token = incoming.path.strip_prefix(PATH).filter(|_| incoming.guest).ok_or_else(nothing)?;
    let upgrade = upgrade.ok_or_else(|| Error::bad_input("live frames need an upgrade of the connection"))?;
    let source = ctx.source(token)?;
    let wants_small = incoming.params.get(PROFILE) == Some("sub");
    let small = source.sub.clone().filter(|_| source.has_sub() != Some(false));
    let (full, small) = match small {
        Some(small) if wants_small => (small, None),
        small => (source.stream.clone(), small),
    };
    let seat = incoming.seat.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        tokio::select! {
            ended = send(TokioIo::new(upgraded), full, small) => {
                tracing::debug!("live frames to the central: {}", ended.err().map(|e| e.to_string()).unwrap_or_default());
            }
            () = ctx.shutdown.cancelled() => {}
        }
        drop(seat);
    });
    Ok(switching(PROTOCOL))
}

/// The connection becomes that.
fn switching(protocol: &'static str) -> Reply {
    let mut reply = reply::empty(StatusCode::SWITCHING_PROTOCOLS);
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    reply.headers_mut().insert(UPGRADE, HeaderValue::from_static(protocol));
    reply
}

fn list(ctx: Arc<Context>, incoming: &Incoming) -> Reply {
    if !incoming.guest || incoming.path != LIST {
        return reply::plain_failure(&Error::not_found("there is nothing at this address"));
    }
    let reports = incoming.params.get(REPORTS).and_then(flag) == Some(true);
    let teller = Teller { reports: reports.then(|| ctx.events.listen()), ctx, told: String::new() };
    let lines = stream::unfold(teller, async |mut teller| teller.next().await.map(|line| (line, teller)));
    let body = warp::reply::stream(lines.map(Ok::<_, std::convert::Infallible>));
    warp::Reply::into_response(body)
}

/// What is told of the sources.
struct Teller {
    ctx: Arc<Context>,
    /// What cameras report, where the central asks for that too.
    reports: Option<Receiver<Arc<News>>>,
    /// The list as it was told.
    told: String,
}

impl Teller {
    /// The next line; `None` when the daemon stops.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let now = told(&self.ctx);
            if now != self.told {
                let line = format!("{now}\n");
                self.told = now;
                return Some(line.into());
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                line = report(&mut self.reports) => return Some(line),
                () = self.ctx.shutdown.cancelled() => return None,
            }
        }
    }
}

/// The next report, as SearchEvents has it.
async fn report(reports: &mut Option<Receiver<Arc<News>>>) -> Bytes {
    let Some(queue) = reports else { return std::future::pending().await };
    loop {
        match queue.recv().await {
            Ok(news) => {
                let CameraEvent { kind, item, active } = &news.event;
                let told = json!({
                    "strToken": news.token, "strType": kind.as_str(), "strItem": item, "bActive": active,
                });
                return format!("{told}\n").into();
            }
            // The up-link is too slow for all of them.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// The sources as GetSrc shows them, without what concerns this box only.
fn told(ctx: &Context) -> String {
    let shown = |source: &Arc<crate::source::Source>| {
        let mut item = sources::shown(&ctx.recorder, source);
        if let Some(fields) = item.as_object_mut() {
            fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
        }
        item
    };
    Value::from(ctx.sources.list().iter().map(shown).collect::<Vec<_>>()).to_string()
}
