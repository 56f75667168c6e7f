//! WHEP (RFC 9725 for players): `POST /whep/<token>` (with `?profile=sub` for the small picture) with an SDP offer opens a session, `PATCH` and
//! `DELETE` of `/whep/<token>/<id>` add candidates and end it. Whoever knows the id, a random UUID,
//! may do so.

use std::sync::Arc;

use bytes::Bytes;
use warp::filters::BoxedFilter;
use warp::http::header::{HeaderValue, LOCATION};
use warp::http::{Method, StatusCode};
use warp::{Filter, Rejection};

use super::Context;
use super::calls::{Access, Denied};
use super::cloud::pass::{self, Whep};
use super::reply::{self, Reply};
use super::request::{Incoming, grant, may_see, sight};
use super::router::body;
use crate::auth::Session;
use crate::base::{Error, Result};
use crate::play::webrtc::WhepSession;

/// The routes below `/whep`.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::path!("whep" / ..).and(warp::method()).and(ctx).and(warp::ext::get::<Incoming>()).and(body()).then(
        async |method: Method, ctx: Arc<Context>, incoming: Incoming, body: Result<Bytes>| {
            let served = serve(&method, &ctx, &incoming, body).await;
            served.unwrap_or_else(|why| reply::refused(&why))
        },
    )
}

async fn serve(
    method: &Method,
    ctx: &Context,
    incoming: &Incoming,
    body: Result<Bytes>,
) -> std::result::Result<Reply, Denied> {
    let parts: Vec<_> = incoming.path.trim_start_matches("/whep/").split('/').collect();
    match (method, &parts[..]) {
        (&Method::POST, [token]) => {
            let session = Access::View.permit(ctx, &incoming.params, "WHEP")?;
            Ok(open(ctx, incoming, session.as_ref(), token, &body?).await?)
        }
        (&Method::PATCH | &Method::DELETE, [_, id]) => {
            let body = body?;
            let id = match pass::whep(ctx, incoming, method, id, body.clone()).await? {
                Whep::Here(id) => id,
                Whep::There(reply) => return Ok(reply),
            };
            if method == Method::PATCH {
                ctx.rtc.whep_patch(id, text(&body)?).await?;
                return Ok(reply::empty(StatusCode::NO_CONTENT));
            }
            ctx.rtc.whep_delete(id).await?;
            Ok(reply::empty(StatusCode::OK))
        }
        (_, [_] | [_, _]) => Ok(reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
        _ => Err(Error::not_found("there is nothing at this address").into()),
    }
}

async fn open(
    ctx: &Context,
    incoming: &Incoming,
    session: Option<&Session>,
    token: &str,
    offer: &[u8],
) -> Result<Reply> {
    may_see(&sight(session), token)?;
    let stream = ctx.shown(token, &incoming.params)?;
    let WhepSession { id: session_id, answer_sdp, ended } =
        ctx.rtc.whep(stream, text(offer)?, incoming.peer).await?;
    if let Some(grant) = grant(ctx, session, Some(token)) {
        let (rtc, id) = (ctx.rtc.clone(), session_id.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = grant.lost() => drop(rtc.whep_delete(&id).await),
                _ = ended => {}
            }
        });
    }
    let mut reply = reply::fresh(StatusCode::CREATED, "application/sdp", answer_sdp);
    // Relative to `/whep/`, so that a proxy may serve us under any path.
    if let Ok(location) = HeaderValue::from_str(&format!("{token}/{}", pass::whep_id(ctx, &session_id))) {
        reply.headers_mut().insert(LOCATION, location);
    }
    Ok(reply)
}

fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).map_err(|_| Error::bad_input("the SDP is not UTF-8"))
}
