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
use super::reply::{self, Reply};
use super::request::Incoming;
use super::router::body;
use crate::base::{Error, Result};

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
            Access::View.permit(ctx, &incoming.params, "WHEP")?;
            Ok(open(ctx, incoming, token, &body?).await?)
        }
        (&Method::PATCH, [_, id]) => {
            ctx.rtc.whep_patch(id, text(&body?)?).await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        (&Method::DELETE, [_, id]) => {
            ctx.rtc.whep_delete(id).await?;
            Ok(reply::empty(StatusCode::OK))
        }
        (_, [_] | [_, _]) => Ok(reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
        _ => Err(Error::not_found("there is nothing at this address").into()),
    }
}

async fn open(ctx: &Context, incoming: &Incoming, token: &str, offer: &[u8]) -> Result<Reply> {
    let stream = ctx.shown(token, &incoming.params)?;
    let session = ctx.rtc.whep(stream, text(offer)?, incoming.peer).await?;
    let mut reply = reply::fresh(StatusCode::CREATED, "application/sdp", session.answer_sdp);
    // Relative to `/whep/`, so that a proxy may serve us under any path.
    if let Ok(location) = HeaderValue::from_str(&format!("{token}/{}", session.id)) {
        reply.headers_mut().insert(LOCATION, location);
    }
    Ok(reply)
}

fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).map_err(|_| Error::bad_input("the SDP is not UTF-8"))
}
