//! Playback of recordings on the live sockets (docs/protocol.md 1): what is asked for, by whom, and
//! hand-over to [`crate::play::playback`]; and single pictures of them ([`crate::snapshot::recorded`]).
//!
//! What is wrong with the request is told on the socket once it is open, since a page learns nothing
//! from a refused one.

use hyper::Response;
use hyper::body::Incoming as Body;
use jiff::tz::TimeZone;

use super::Context;
use super::calls::{Access, Admitted, Answer, flag};
use super::cloud::forward::{self, There};
use super::opening::Opening;
use super::params::Params;
use super::reply::{self, Reply};
use super::request::{Ask, Incoming, grant, may_see, no_source, sight};
use super::snapshots::width;
use crate::auth::{Grant, Role, Sight};
use crate::base::wall::{Offset, Wall};
use crate::base::{Error, Result};
use crate::play::hls::{HlsReply, vod};
use crate::play::playback::{self, Reel, Request, Span};
use crate::play::webrtc::MAX_SIGNAL_MESSAGE;
use crate::snapshot::recorded::{Recorded, Wanted};

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
    let sight = match permitted(ask) {
        Ok(sight) => sight,
        Err(why) => return Ok(reply::denied(&why)),
    };
    if let Some(there) = elsewhere(ask, &sight) {
        return forward::socket::playback(ask, opening, there);
    }
    let (ctx, request) = (ask.ctx.clone(), request(&ask.incoming.params));
    opening.media(ask, async move |socket| {
        let request = known(&ctx, &sight, request).await;
        playback::serve(socket, ctx.recorder.clone(), request).await;
    })
}

/// `h5srtcapi` with `playback=true`.
pub fn rtc(ask: &Ask, opening: Opening) -> Result<Reply> {
    let sight = match permitted(ask) {
        Ok(sight) => sight,
        Err(why) => return Ok(reply::denied(&why)),
    };
    let (there, request) = (elsewhere(ask, &sight), request(&ask.incoming.params));
    let (ctx, incoming) = (ask.ctx.clone(), ask.incoming.clone());
    Ok(opening.messages(ask, MAX_SIGNAL_MESSAGE, async move |socket| {
        let reel = async {
            match there {
                Some(there) => there.reel(&incoming.params).await,
                None => Reel::open(ctx.recorder.clone(), known(&ctx, &sight, request).await?).await,
            }
        };
        ctx.rtc.play(socket, reel, incoming.peer).await;
    }))
}

/// A recording for a central, by the token of one who has the right to it (docs/protocol.md 6).
///
/// # Errors
/// Without the right to it, and as for [`Reel::open`].
pub async fn reel(ctx: &Context, incoming: &Incoming) -> Admitted<(Reel, Option<Grant>)> {
    let session = RIGHT.permit(ctx, &incoming.params, "playback")?;
    let request = known(ctx, &sight(session.as_ref()), request(&incoming.params)).await?;
    let grant = grant(ctx, session.as_ref(), Some(&request.token));
    Ok((Reel::open(ctx.recorder.clone(), request).await?, grant))
}

/// A file of HLS.
pub enum Hls {
    Here(HlsReply),
    /// As the site gave it.
    There(Box<There>, Box<Response<Body>>),
}

/// A file of `/hls/vod/<token>/`.
///
/// # Errors
/// Without the right to it, and as for [`vod::get`].
pub async fn hls(ctx: &Context, incoming: &Incoming, token: &str, name: &str) -> Admitted<Hls> {
    let params = &incoming.params;
    let session = RIGHT.permit(ctx, params, "playback")?;
    may_see(&sight(session.as_ref()), token)?;
    if let Some(there) = There::source(ctx, incoming, session.as_ref(), token) {
        let found = there.vod(name, params).await?;
        return Ok(Hls::There(Box::new(there), Box::new(found)));
    }
    let recorder = ctx.recorder.clone();
    let (request, token, name) = (request_of(token, params), token.to_owned(), name.to_owned());
    let found = tokio::task::spawn_blocking(move || vod::get(&*recorder, &token, request, &name)).await;
    Ok(Hls::Here(found.map_err(|_| Error::internal("reading the recordings failed"))??))
}

/// The site whose recording is asked for, if it is one that the asker may see.
fn elsewhere(ask: &Ask, sight: &Sight) -> Option<There> {
    let token = ask.get("token").filter(|token| sight.covers(token))?;
    There::source(&ask.ctx, &ask.incoming, ask.session.as_ref(), token)
}

/// The sources whose recordings the asker may see.
fn permitted(ask: &Ask) -> Admitted<Sight> {
    let session = RIGHT.permit(&ask.ctx, &ask.incoming.params, "playback")?;
    Ok(sight(session.as_ref()))
}

/// A source that is gone may have left recordings; a token that nothing is known of is an error.
async fn known(ctx: &Context, sight: &Sight, request: Result<Request>) -> Result<Request> {
    let request = request?;
    may_see(sight, &request.token)?;
    exists(ctx, &request.token).await?;
    Ok(request)
}

async fn exists(ctx: &Context, token: &str) -> Result<()> {
    if ctx.sources.get(token).is_some() {
        return Ok(());
    }
    let (recorder, asked) = (ctx.recorder.clone(), token.to_owned());
    let knows = tokio::task::spawn_blocking(move || recorder.knows(&asked)).await;
    match knows.map_err(|_| Error::internal("the search was given up"))?? {
        true => Ok(()),
        false => Err(no_source(token)),
    }
}

/// Width of a picture where none is asked for: that of a preview.
const PREVIEW: u32 = 320;

/// `GetRecordImage`. The camera has no part in it.
pub async fn image(ask: Ask) -> Result<Answer> {
    let token = ask.require("token")?.to_owned();
    let (at, offset) = Wall::parse(ask.require("time")?, &TimeZone::system())
        .map_err(|error| error.context("parameter time"))?;
    exists(&ask.ctx, &token).await?;
    let offset = offset.unwrap_or_else(|| Offset::local(at));
    let wanted = Wanted { token, at, offset, width: width(&ask).unwrap_or(PREVIEW) };
    // Those without a session are told apart by where they are.
    let who = ask.session.as_ref().map_or_else(|| ask.incoming.peer.ip().to_string(), |own| own.id.clone());
    let Recorded { jpeg, settled } =
        ask.ctx.snapshots.recorded(ask.ctx.recorder.clone(), &who, wanted).await?;
    Ok(if settled { Answer::PastJpeg(jpeg) } else { Answer::Jpeg(jpeg) })
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
