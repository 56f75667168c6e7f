//! The device on the wire: `POST /onvif/…` takes SOAP, `GET /onvif/snapshot/<profile>` gives a picture to
//! whoever has an ONVIF user, by HTTP Digest, as recorders have no session.

use std::sync::Arc;

use bytes::Bytes;
use warp::filters::BoxedFilter;
use warp::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use warp::http::{Method, StatusCode};
use warp::{Filter, Rejection};

use crate::api::Context;
use crate::api::media;
use crate::api::reply::{self, Reply};
use crate::api::request::Incoming;
use crate::api::router::body;
use crate::api::snapshots;
use crate::base::{Error, Result};
use crate::onvif::device::{Quality, Request, Response};
use crate::source::Profile;

/// The routes below `/onvif`.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::path!("onvif" / ..)
        .and(warp::method())
        .and(ctx)
        .and(warp::ext::get::<Incoming>())
        .and(warp::header::headers_cloned())
        .and(body())
        .then(
            async |method: Method,
                   ctx: Arc<Context>,
                   incoming: Incoming,
                   headers: HeaderMap,
                   body: Result<Bytes>| {
                let served = serve(&ctx, &method, incoming, &headers, body).await;
                served.unwrap_or_else(|error| reply::plain_failure(&error))
            },
        )
}

async fn serve(
    ctx: &Context,
    method: &Method,
    incoming: Incoming,
    headers: &HeaderMap,
    body: Result<Bytes>,
) -> Result<Reply> {
    if !ctx.device.site.switch().device {
        return Err(Error::not_found("the ONVIF device is off"));
    }
    let method = match *method {
        Method::POST => "POST",
        Method::GET => "GET",
        _ => return Err(Error::unsupported("ONVIF is spoken with POST")),
    };
    let request = Request {
        method,
        path: incoming.path,
        authorization: headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: body?,
        local: incoming.local,
        peer: incoming.peer,
        https: incoming.https,
    };
    match method {
        "POST" => Ok(sent(ctx.device.device.answer(&request).await)),
        _ => picture(ctx, &request).await,
    }
}

async fn picture(ctx: &Context, request: &Request) -> Result<Reply> {
    let (channel, quality) = match ctx.device.device.snapshot(request) {
        Ok(found) => found,
        Err(refused) => return Ok(sent(refused)),
    };
    let source = ctx.sources.get(&channel.source);
    let source = source.ok_or_else(|| Error::not_found("the source is gone"))?;
    let stream = source.shown(match quality {
        Quality::Main => Profile::Main,
        Quality::Sub => Profile::Sub,
    });
    // What the source shows now; a source that does not come up shows what GetImage would.
    let fresh = match snapshots::newest(stream).await {
        Ok(picture) => ctx.snapshots.jpeg(&stream.token, &picture, None).await.ok(),
        Err(_) => None,
    };
    let bytes = match fresh {
        Some(jpeg) => jpeg.bytes,
        None => media::picture(ctx, stream, None).await,
    };
    Ok(reply::fresh(StatusCode::OK, "image/jpeg", bytes))
}

/// The device's answer as HTTP sends it.
fn sent(response: Response) -> Reply {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = reply::fresh(status, "application/soap+xml; charset=utf-8", response.body);
    for challenge in response.challenges {
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            reply.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    reply
}
