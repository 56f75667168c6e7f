//! The routes: calls, HLS, files, ONVIF, WHEP and pages, as one warp filter. Requests come normalised
//! ([`super::normalise`]); which call does what stands in [`super::table`].
//!
//! Bound: a form body is at most [`MAX_BODY`] bytes and must arrive within [`BODY_TIMEOUT`].

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use warp::filters::BoxedFilter;
use warp::http::{Method, StatusCode};
use warp::{Filter, Rejection};

use super::calls::{self, Admitted, Answer, Answering, Call, Denied, Run};
use super::cloud::forward;
use super::opening::{Opening, opening};
use super::params::{Encoding, Params, SESSION};
use super::reply::{self, Reply};
use super::request::Incoming;
use super::{Context, audit, cloud, hls, mediastore, onvif_device, pages, upload, whep};
use crate::base::{Error, Result};

/// Largest form body (and SDP offer), in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// All routes. Every request gets a reply; nothing is left to warp's own error pages.
pub fn routes(ctx: Arc<Context>) -> BoxedFilter<(Reply,)> {
    let ctx = warp::any().map(move || ctx.clone()).boxed();
    let incoming = warp::ext::get::<Incoming>();
    let socket =
        warp::path!("api" / "v1" / ..).and(ctx.clone()).and(incoming).and(opening()).map(open_socket);
    let call = warp::path!("api" / "v1" / ..)
        .and(ctx.clone())
        .and(incoming)
        .and(warp::method())
        .and(form())
        .then(make_call);
    preflight()
        .or(socket)
        .unify()
        .or(upload::routes(ctx.clone()))
        .unify()
        .or(call)
        .unify()
        .or(cloud::edge::routes(ctx.clone()))
        .unify()
        .or(hls::routes(ctx.clone()))
        .unify()
        .or(mediastore::routes(ctx.clone()))
        .unify()
        .or(onvif_device::routes::routes(ctx.clone()))
        .unify()
        .or(whep::routes(ctx.clone()))
        .unify()
        .or(pages::routes(ctx))
        .unify()
        .recover(nowhere)
        .unify()
        .boxed()
}

/// A browser asking whether a page from elsewhere may call; the server adds the CORS headers.
fn preflight() -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::options().map(|| reply::empty(StatusCode::NO_CONTENT))
}

/// The request's body, at most [`MAX_BODY`] bytes of it.
pub fn body() -> impl Filter<Extract = (Result<Bytes>,), Error = Rejection> + Clone {
    warp::body::stream().then(|stream| async move {
        match tokio::time::timeout(BODY_TIMEOUT, collect(stream)).await {
            Ok(body) => body,
            Err(_) => Err(Error::timeout("the body did not arrive in time")),
        }
    })
}

async fn collect(stream: impl Stream<Item = std::result::Result<impl Buf, warp::Error>>) -> Result<Bytes> {
    let mut stream = std::pin::pin!(stream);
    let mut body = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Error::bad_input("the body broke off"))?;
        if body.len() + chunk.remaining() > MAX_BODY {
            return Err(Error::bad_input(format!("the body is longer than {MAX_BODY} bytes")));
        }
        body.put(chunk);
    }
    Ok(body.freeze())
}

/// The parameters in a form body; none without one. Pages that send another kind of body with their
/// call are told, rather than that their parameters are missing.
fn form() -> impl Filter<Extract = (Result<Params>,), Error = Rejection> + Clone {
    warp::header::optional::<String>("content-type").and(body()).map(
        |content_type: Option<String>, body: Result<Bytes>| {
            let body = body?;
            let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
            if !body.is_empty() && (content_type.contains("json") || content_type.contains("multipart")) {
                return Err(Error::bad_input("the body must be application/x-www-form-urlencoded"));
            }
            let text = std::str::from_utf8(&body).map_err(|_| Error::bad_input("the form is not UTF-8"))?;
            Params::parse(text.trim(), Encoding::Form)
        },
    )
}

fn open_socket(ctx: Arc<Context>, incoming: Incoming, opening: Opening) -> Reply {
    let opened = named(&incoming.path).map_err(Denied::from).and_then(|call| {
        let ask = call.admit(ctx, incoming)?;
        match call.run {
            Run::Socket(open) => Ok(open(&ask, opening)?),
            _ => Err(Error::bad_input(format!("{} is no WebSocket", call.name)).into()),
        }
    });
    opened.unwrap_or_else(|why| reply::denied(&why))
}

async fn make_call(ctx: Arc<Context>, incoming: Incoming, method: Method, form: Result<Params>) -> Reply {
    match run(ctx, incoming, &method, form).await {
        Ok(answer) => reply::answer(answer),
        Err(why) => reply::denied(&why),
    }
}

async fn run(
    ctx: Arc<Context>,
    mut incoming: Incoming,
    method: &Method,
    form: Result<Params>,
) -> Admitted<Answer> {
    let call = named(&incoming.path)?;
    match *method {
        Method::GET | Method::HEAD => {}
        Method::POST => {
            incoming.params = incoming.params.merged(form?)?;
            if let (Some(nodes), Some(session)) = (&ctx.cloud.nodes, incoming.params.get(SESSION)) {
                nodes.meet(session).await;
            }
        }
        _ => return Err(Error::bad_input(format!("{} is called with GET or POST", call.name)).into()),
    }
    let (ask, entry) = audit::admit(call, ctx, incoming).await?;
    Ok(match call.run {
        Run::Read(handler) | Run::File(_, handler) => forward::or_here(call, ask, handler).await?,
        Run::Post(_) if *method != Method::POST => return Err(by_post(call).into()),
        Run::Upload(_) => return Err(by_post(call).into()),
        Run::Change(handler) | Run::Post(handler) => {
            detached(audit::kept(forward::or_here(call, ask, handler), entry)).await?
        }
        Run::Socket(_) => return Err(Error::bad_input(format!("{} is a WebSocket", call.name)).into()),
    })
}

fn by_post(call: &Call) -> Error {
    Error::bad_input(format!("{} is called with POST", call.name))
}

/// Runs a change to its end even if the client goes away meanwhile.
pub async fn detached(change: Answering) -> Result<Answer> {
    match tokio::spawn(change).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::internal("the call was given up")),
    }
}

/// The call that a path names.
///
/// # Errors
/// `NotFound` with the name.
pub fn named(path: &str) -> Result<&'static Call> {
    let name = path.strip_prefix("/api/v1/").unwrap_or_default();
    calls::find(name).ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        Error::not_found(format!("unknown call {shown}"))
    })
}

async fn nowhere(_: Rejection) -> std::result::Result<Reply, Infallible> {
    Ok(reply::plain_failure(&Error::not_found("there is nothing at this address")))
}
