//! What one node of a central keeps in its memory between two requests, where each request may come to another node:
//! HLS of a site is served by the node that has the site's tunnel, and a WHEP session's id begins with the name of its
//! node. A request that is another node's is passed on once, and answered here if it was passed on to this one.
//!
//! No task of its own, and nothing is kept; answers are handed on piece by piece.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use percent_encoding::utf8_percent_encode;
use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use super::forward::answer;
use crate::api::Context;
use crate::api::http::PLAIN;
use crate::api::reply::Reply;
use crate::api::request::Incoming;
use crate::base::{Error, Result};
use crate::cloud::central::Origin;

/// Until the other node begins to answer: longer than it waits for a source to start.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between the name of a node and the rest of a WHEP session's id; in neither of them.
const JOINT: char = '.';

/// The paths that nodes pass on.
pub fn is_passed(path: &str) -> bool {
    path.starts_with("/hls/") || path.starts_with("/whep/")
}

/// The answer of the node that serves HLS of the source, if that is another one.
///
/// # Errors
/// See [`crate::cloud::central::Central::pass`].
pub async fn hls(ctx: &Context, incoming: &Incoming, method: &Method, token: &str) -> Result<Option<Reply>> {
    let central = ctx.cloud.central.as_ref().filter(|_| ctx.sources.get(token).is_none());
    let node = central.and_then(|central| central.elsewhere(central.split(token)?.0));
    match node.filter(|_| !incoming.passed) {
        Some(node) => pass(ctx, incoming, method, &node, Bytes::new()).await.map(Some),
        None => Ok(None),
    }
}

/// The id under which clients know a WHEP session of this node.
pub fn whep_id(ctx: &Context, id: &str) -> String {
    match ctx.cloud.central.as_ref().and_then(|central| central.node()) {
        Some(node) => format!("{node}{JOINT}{id}"),
        None => id.to_owned(),
    }
}

/// Whose WHEP session it is.
pub enum Whep<'a> {
    /// This node's, by its own id.
    Here(&'a str),
    /// Another node's, which has answered.
    There(Reply),
}

/// Has a request about a WHEP session answered by the node that has it.
///
/// # Errors
/// `NotFound` where that node is gone, and with it the session; and see [`crate::cloud::central::Central::pass`].
pub async fn whep<'a>(
    ctx: &Context,
    incoming: &Incoming,
    method: &Method,
    id: &'a str,
    body: Bytes,
) -> Result<Whep<'a>> {
    let (Some(central), Some((node, own))) = (&ctx.cloud.central, id.split_once(JOINT)) else {
        return Ok(Whep::Here(id));
    };
    if incoming.passed || central.node() == Some(node) {
        return Ok(Whep::Here(own));
    }
    if !central.hears(node) {
        return Err(Error::not_found("there is no such session: its node is gone"));
    }
    pass(ctx, incoming, method, node, body).await.map(Whep::There)
}

async fn pass(ctx: &Context, incoming: &Incoming, method: &Method, node: &str, body: Bytes) -> Result<Reply> {
    let query = Serializer::new(String::new()).extend_pairs(incoming.params.pairs()).finish();
    let target = format!("{}?{query}", utf8_percent_encode(&incoming.path, PLAIN));
    let request = Request::builder().method(method.clone()).uri(target);
    // WHEP's offers and candidates; nobody looks at it.
    let request = request.header(CONTENT_TYPE, "application/trickle-ice-sdpfrag").body(Full::new(body));
    let request = request.map_err(|error| Error::bad_input(format!("the request: {error}")))?;
    let origin = Origin { peer: incoming.peer, https: incoming.https };
    let answered = timeout(PATIENCE, ctx.cloud.central()?.pass(node, origin, request)).await;
    let answer = answered.map_err(|_| Error::timeout(format!("node {node} does not answer in time")))?;
    Ok(answer::passed(answer?))
}
