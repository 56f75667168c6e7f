//! A recording for one viewer of the central: frames and notices go up, orders come down.
//!
//! One task per viewer. Memory: the [`Reel`]'s and [`ORDERS`] orders.

use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::switching;
use crate::api::Context;
use crate::api::calls::Admitted;
use crate::api::cloud::forward::reel::{PATH, PROTOCOL};
use crate::api::playback;
use crate::api::reply::Reply;
use crate::api::request::Incoming;
use crate::base::time::Clock;
use crate::base::{Error, Result};
use crate::cloud::live::record::{Record, read, write};
use crate::media::params::Params;
use crate::play::playback::{Piece, Reel};

/// Orders that wait while a frame is being sent.
const ORDERS: usize = 16;
/// How long the central may take nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// `GET /cloud/playback`, for requests from the tunnel only.
///
/// # Errors
/// As for [`playback::reel`]; `BadInput` without an upgrade.
pub async fn playback(ctx: Arc<Context>, incoming: &Incoming, upgrade: Option<OnUpgrade>) -> Admitted<Reply> {
    if !incoming.guest || incoming.path != PATH {
        return Err(Error::not_found("there is nothing at this address").into());
    }
    let upgrade = upgrade.ok_or_else(|| Error::bad_input("frames need an upgrade of the connection"))?;
    let (reel, grant) = playback::reel(&ctx, incoming).await?;
    let seat = incoming.seat.clone();
    let lost = async move {
        match grant {
            Some(grant) => grant.lost().await,
            None => std::future::pending().await,
        }
    };
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        tokio::select! {
            ended = serve(TokioIo::new(upgraded), reel, ctx.recorder.clock.clone()) => {
                tracing::debug!("playback at the central: {}", ended.err().map(|e| e.to_string()).unwrap_or_default());
            }
            () = lost => {}
            () = ctx.shutdown.cancelled() => {}
        }
        drop(seat);
    });
    Ok(switching(PROTOCOL))
}

async fn serve(io: impl AsyncRead + AsyncWrite, mut reel: Reel, clock: Clock) -> Result<()> {
    let (mut from, mut to) = split(io);
    let (give, mut orders) = mpsc::channel(ORDERS);
    let hear = async {
        loop {
            match read(&mut from, || clock.mono()).await? {
                Some(Record::Text(text)) => {
                    if give.send(text).await.is_err() {
                        return Ok(());
                    }
                }
                Some(_) => return Err(Error::bad_input("the central says what it should not")),
                None => return Ok(()),
            }
        }
    };
    let tell = async {
        say(&mut to, &Record::Params(reel.params.clone())).await?;
        // The first one says that there is a viewer; it may be no order.
        let mut order = orders.recv().await;
        while let Some(text) = &order {
            if let Some(fault) = reel.obey(text) {
                say(&mut to, &Record::Text(fault.to_string())).await?;
            }
            order = loop {
                tokio::select! {
                    next = orders.recv() => break next,
                    piece = reel.next() => say(&mut to, &record(piece?)).await?,
                }
            };
        }
        Ok(())
    };
    tokio::select! {
        ended = hear => ended,
        ended = tell => ended,
    }
}

fn record(piece: Piece) -> Record {
    match piece {
        Piece::Params(params) => Record::Params(Params::clone(&params)),
        Piece::Frame(frame) => Record::Frame(frame),
        Piece::Text(text) => Record::Text(text.to_string()),
    }
}

async fn say(to: &mut (impl AsyncWrite + Unpin), record: &Record) -> Result<()> {
    let late = |_| Error::timeout("the central takes nothing");
    timeout(PATIENCE, write(to, record)).await.map_err(late)?
}
