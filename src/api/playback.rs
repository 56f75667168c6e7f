//! Playback of recordings on the live sockets (docs/protocol.md 1): what is asked for, by whom, and
//! hand-over to [`crate::play::playback`].
//!
//! What is wrong with the request is told on the socket once it is open, since a page learns nothing
//! from a refused one.

use jiff::tz::TimeZone;

use super::Context;
use super::calls::{Access, Admitted, flag};
use super::opening::Opening;
use super::params::Params;
use super::reply::{self, Reply};
use super::request::Ask;
use crate::auth::Role;
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::play::hls::{HlsReply, vod};
use crate::play::playback::{self, Request, Span};
use crate::play::webrtc::MAX_SIGNAL_MESSAGE;

/// What pages send that ask for no file.
const NO_FILE: &str = "fake";
/// What pages send for both times if they ask for a file.
const NO_TIME: &str = "0";

/// Recordings are shown to whoever may search them, also where live views are open to all.
const RIGHT: Access = Access::Role(Role::Viewer);

/// The socket is meant for a recording.
pub fn is_wanted(ask: &Ask) -> bool {
    ask.get("playback").and_then(flag) == Some(true)
}

/// `h5swsapi` with `playback=true`.
pub fn ws(ask: &Ask, opening: Opening) -> Result<Reply> {
    if let Err(why) = RIGHT.permit(&ask.ctx, &ask.incoming.params, "playback") {
        return Ok(reply::denied(&why));
    }
    let (ctx, request) = (ask.ctx.clone(), request(&ask.incoming.params));
    opening.media(ask, async move |socket| {
        let request = known(&ctx, request).await;
        playback::serve(socket, ctx.recorder.clone(), request).await;
    })
}

/// `h5srtcapi` with `playback=true`.
pub fn rtc(ask: &Ask, opening: Opening) -> Result<Reply> {
    if let Err(why) = RIGHT.permit(&ask.ctx, &ask.incoming.params, "playback") {
        return Ok(reply::denied(&why));
    }
    let (ctx, request, peer) = (ask.ctx.clone(), request(&ask.incoming.params), ask.incoming.peer);
    Ok(opening.messages(ask, MAX_SIGNAL_MESSAGE, async move |socket| {
        let request = known(&ctx, request).await;
        ctx.rtc.play(socket, ctx.recorder.clone(), request, peer).await;
    }))
}

/// A file of `/hls/vod/<token>/`.
///
/// # Errors
/// Without the right to it, and as for [`vod::get`].
pub async fn hls(ctx: &Context, params: &Params, token: &str, name: &str) -> Admitted<HlsReply> {
    RIGHT.permit(ctx, params, "playback")?;
    let recorder = ctx.recorder.clone();
    let (request, token, name) = (request_of(token, params), token.to_owned(), name.to_owned());
    let found = tokio::task::spawn_blocking(move || vod::get(&*recorder, &token, request, &name)).await;
    Ok(found.map_err(|_| Error::internal("reading the recordings failed"))??)
}

/// A source that is gone may have left recordings; a token that nothing is known of is an error.
async fn known(ctx: &Context, request: Result<Request>) -> Result<Request> {
    let request = request?;
    let (recorder, token) = (ctx.recorder.clone(), request.token.clone());
    if ctx.sources.get(&token).is_none() {
        let knows = tokio::task::spawn_blocking(move || recorder.knows(&token)).await;
        if !knows.map_err(|_| Error::internal("the search was given up"))?? {
            let token = &request.token;
            return Err(Error::not_found(format!("parameter token: there is no source {token:.64}")));
        }
    }
    Ok(request)
}

/// What is asked for.
///
/// # Errors
/// `BadInput` naming the parameter.
fn request(params: &Params) -> Result<Request> {
    request_of(params.require("token")?, params)
}

fn request_of(token: &str, params: &Params) -> Result<Request> {
    let token = token.to_owned();
    let file = params.get("filename").filter(|name| *name != NO_FILE);
    let (span, offset) = match (file, times(params)?) {
        (Some(name), _) => (Span::File(name.to_owned()), None),
        (None, Some((from, to, offset))) => (Span::Times { from, to }, offset),
        (None, None) => return Err(Error::bad_input("parameters begintime and endtime are missing")),
    };
    let begin = match &span {
        Span::Times { from, .. } => *from,
        Span::File(_) => std::time::SystemTime::now().into(),
    };
    let moveto = time(params, "moveto")?.map(|(at, _)| at);
    Ok(Request { token, span, moveto, offset: offset.unwrap_or_else(|| Offset::local(begin)) })
}

type Times = (Wall, Wall, Option<Offset>);

/// Both times and the zone of the first; `None` if neither says anything.
fn times(params: &Params) -> Result<Option<Times>> {
    let (from, to) = match (time(params, "begintime")?, time(params, "endtime")?) {
        (None, None) => return Ok(None),
        (Some(from), Some(to)) => (from, to),
        (None, Some(_)) => return Err(Error::bad_input("parameter begintime is missing")),
        (Some(_), None) => return Err(Error::bad_input("parameter endtime is missing")),
    };
    if to.0 <= from.0 {
        return Err(Error::bad_input("parameter endtime is not after begintime"));
    }
    Ok(Some((from.0, to.0, from.1)))
}

fn time(params: &Params, name: &str) -> Result<Option<(Wall, Option<Offset>)>> {
    let text = params.get(name).filter(|text| *text != NO_TIME);
    let parsed = text.map(|text| Wall::parse(text, &TimeZone::system())).transpose();
    parsed.map_err(|error| error.context(format!("parameter {name}")))
}
