//! Playback of a site's recordings over WebRTC: the edge reads and paces, and this central's own session sends what
//! comes, since a viewer reaches no port of the edge.
//!
//! One task per viewer. Memory: a record at a time, and what waits in the [`Reel`].

use std::sync::Arc;

use hyper::Request;
use hyper::StatusCode;
use hyper::header::{CONNECTION, UPGRADE};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::answer::refusal;
use super::{PATIENCE, There};
use crate::api::params::Params;
use crate::base::time::{Clock, MonoTime};
use crate::base::{Error, Kind, Result};
use crate::cloud::central::live::Line;
use crate::cloud::live::record::{Record, read, write};
use crate::play::playback::{Piece, Reel, SiteEnds};

/// Where an edge gives recordings in frames.
pub const PATH: &str = "/cloud/playback";
/// What the connection becomes.
pub const PROTOCOL: &str = "h5edge-playback";

impl There {
    /// The recording that `params` ask for.
    ///
    /// # Errors
    /// `Refused` with the site's words, `Unsupported` when WebRTC cannot carry it, `Timeout`.
    pub async fn reel(self, params: &Params) -> Result<Reel> {
        let query = self.query(params)?;
        let late = self.late();
        timeout(PATIENCE, self.unroll(&query)).await.unwrap_or(Err(late))
    }

    async fn unroll(self, query: &str) -> Result<Reel> {
        let request =
            Request::get(format!("{PATH}?{query}")).header(CONNECTION, "upgrade").header(UPGRADE, PROTOCOL);
        let answer = self.send(request, String::new()).await?;
        match answer.status() {
            StatusCode::SWITCHING_PROTOCOLS => {}
            // The page tries another way then.
            StatusCode::NOT_IMPLEMENTED => {
                return Err(Error::unsupported(refusal(&self, answer).await.to_string()));
            }
            _ => return Err(refusal(&self, answer).await),
        }
        let broken = |error| Error::timeout(format!("site {}: {error}", self.site));
        let (mut from, to) = split(hyper::upgrade::on(answer).await.map(TokioIo::new).map_err(broken)?);
        let first = read(&mut from, MonoTime::default).await;
        let Some(Record::Params(first)) =
            first.map_err(|error| error.context(format!("site {}", self.site)))?
        else {
            return Err(Error::bad_input(format!("site {}: the recording does not begin", self.site)));
        };
        let token = format!("{}-{}", self.site, self.original.as_deref().unwrap_or_default());
        let (reel, SiteEnds { pieces, orders }) = Reel::of_site(token, first);
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = take(from, &pieces, self.central.clock()) => ended,
                ended = order(to, orders) => ended,
                () = pieces.closed() => return,
            };
            let error = match ended {
                Ok(()) => return,
                Err(error) if error.kind() == Kind::Timeout => self.broke_off().await,
                Err(error) => error.context(format!("site {}", self.site)),
            };
            // The viewer may be gone.
            let _ = pieces.send(Err(error)).await;
        });
        Ok(reel)
    }
}

/// Gives what comes, until the viewer is gone.
async fn take(
    mut from: ReadHalf<impl AsyncRead>,
    pieces: &mpsc::Sender<Result<Piece>>,
    clock: &Clock,
) -> Result<()> {
    let mut line = Line::default();
    loop {
        let piece = match read(&mut from, || clock.mono()).await? {
            Some(Record::Params(params)) => Piece::Params(Arc::new(params)),
            Some(Record::Frame(frame)) => match line.place(frame)? {
                Some(frame) => Piece::Frame(frame),
                None => continue,
            },
            Some(Record::Text(text)) => {
                let unfit = |_| Error::bad_input("what it tells is no JSON");
                Piece::Text(serde_json::from_str::<Value>(&text).map_err(unfit)?)
            }
            Some(Record::Ended(_) | Record::Level(_)) => {
                return Err(Error::bad_input("it sends what it should not"));
            }
            None => return Err(Error::timeout("the connection broke off")),
        };
        if pieces.send(Ok(piece)).await.is_err() {
            return Ok(());
        }
    }
}

/// Passes orders on, until the viewer is gone.
async fn order(mut to: WriteHalf<impl AsyncWrite>, mut orders: mpsc::Receiver<String>) -> Result<()> {
    while let Some(text) = orders.recv().await {
        write(&mut to, &Record::Text(text)).await?;
    }
    Ok(())
}
