//! `/hls/v1/<token>/<file>` and `/hls/v2/<token>/<file>` (docs/protocol.md 3), and recordings under
//! `/hls/vod/<token>/<file>`.
//!
//! A player asks for segments by the names in the playlist and adds nothing, so a playlist that was
//! asked for with a session or a profile names its segments with them.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming as Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use warp::filters::BoxedFilter;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::http::{Method, StatusCode};
use warp::{Filter, Rejection};

use super::Context;
use super::calls::{Access, Denied};
use super::cloud::forward::{There, answer};
use super::cloud::pass;
use super::params::{Params, SESSION};
use super::playback::{self, Hls};
use super::reply::{self, Reply};
use super::request::{Incoming, PROFILE, may_see, sight};
use crate::auth::Sight;
use crate::base::{Error, Result};
use crate::play::hls::{HlsQuery, HlsReply, Version};

/// How the content type of a playlist ends.
const PLAYLIST: &str = "mpegurl";

/// The routes below `/hls`.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::path!("hls" / ..)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(ctx)
        .and(warp::ext::get::<Incoming>())
        .then(async |method: Method, ctx: Arc<Context>, incoming: Incoming| {
            serve(&ctx, &incoming, &method).await.unwrap_or_else(|why| reply::refused(&why))
        })
}

async fn serve(ctx: &Context, incoming: &Incoming, method: &Method) -> std::result::Result<Reply, Denied> {
    if let Some((token, name)) = incoming.path.strip_prefix("/hls/vod/").and_then(|rest| rest.split_once('/'))
    {
        return Ok(match playback::hls(ctx, incoming, token, name).await? {
            Hls::Here(found) => send(found, incoming),
            Hls::There(there, found) => pass(&there, *found, incoming).await?,
        });
    }
    let session = Access::View.permit(ctx, &incoming.params, "HLS")?;
    Ok(file(ctx, incoming, method, &sight(session.as_ref())).await?)
}

async fn file(ctx: &Context, incoming: &Incoming, method: &Method, sight: &Sight) -> Result<Reply> {
    let parts: Vec<_> = incoming.path.trim_start_matches("/hls/").split('/').collect();
    let (version, token, name) = match parts[..] {
        [version, token, name] => (Version::parse(version), token, name),
        _ => (None, "", ""),
    };
    let version = version.ok_or_else(|| Error::not_found("there is nothing at this address"))?;
    let query = query(incoming)?;
    may_see(sight, token)?;
    if let Some(reply) = pass::hls(ctx, incoming, method, token).await? {
        return Ok(reply);
    }
    let stream = ctx.shown(token, &incoming.params)?;
    let found = ctx.hls.get(stream, version, name, query).await?;
    Ok(send(found, incoming))
}

/// The directives of low-latency HLS.
fn query(incoming: &Incoming) -> Result<HlsQuery> {
    let directive = |name: &str| incoming.params.get(name).map(|value| format!("{name}={value}&"));
    let text: String = ["_HLS_msn", "_HLS_part"].into_iter().filter_map(directive).collect();
    HlsQuery::parse(text.trim_end_matches('&'))
}

fn send(found: HlsReply, incoming: &Incoming) -> Reply {
    let is_playlist = found.content_type.ends_with(PLAYLIST);
    let body = if is_playlist { carrying(found.body, incoming) } else { found.body };
    let mut reply = reply::fresh(StatusCode::OK, found.content_type, body);
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(found.cache.header()));
    reply
}

/// What a site gave, with a playlist's addresses as they are here.
async fn pass(there: &There, found: Response<Body>, incoming: &Incoming) -> Result<Reply> {
    if !answer::content_type(&found).ends_with(PLAYLIST) {
        return Ok(answer::passed(found));
    }
    let headers = found.headers().clone();
    let body = carrying(there.playlist(found).await?, incoming);
    let mut reply = reply::fresh(StatusCode::OK, "application/vnd.apple.mpegurl", body);
    if let Some(cache) = headers.get(CACHE_CONTROL) {
        reply.headers_mut().insert(CACHE_CONTROL, cache.clone());
    }
    Ok(reply)
}

/// The playlist with what its addresses need. The central adds that itself to what its edge gives it.
fn carrying(playlist: Bytes, incoming: &Incoming) -> Bytes {
    let query = carried(&incoming.params).filter(|_| !incoming.guest);
    match (query, std::str::from_utf8(&playlist)) {
        (Some(query), Ok(text)) => with_query(text, &query).into(),
        _ => playlist,
    }
}

/// The query that the addresses in a playlist need as much as its own did.
fn carried(params: &Params) -> Option<String> {
    let pair = |name: &&str| {
        params.get(name).map(|value| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
    };
    let pairs: Vec<_> = [SESSION, PROFILE].iter().filter_map(pair).collect();
    (!pairs.is_empty()).then(|| format!("?{}", pairs.join("&")))
}

/// `playlist` with `query` behind each address in it.
fn with_query(playlist: &str, query: &str) -> String {
    let line = |line: &str| match (line.starts_with('#'), line.split_once("URI=\"")) {
        (false, _) if line.is_empty() => "\n".to_owned(),
        (false, _) => format!("{line}{query}\n"),
        (true, Some((tag, rest))) => match rest.split_once('"') {
            Some((name, rest)) => format!("{tag}URI=\"{name}{query}\"{rest}\n"),
            None => format!("{line}\n"),
        },
        (true, None) => format!("{line}\n"),
    };
    playlist.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::params::Encoding;

    #[test]
    fn session_and_profile_follow_into_every_address() {
        let playlist = "#EXTM3U\n#EXT-X-MAP:URI=\"init-0.mp4\"\n\
            #EXT-X-PART:DURATION=0.2,URI=\"seg1.0.m4s\",INDEPENDENT=YES\n#EXTINF:2.0,\nseg1.m4s\n";
        let expected = "#EXTM3U\n#EXT-X-MAP:URI=\"init-0.mp4?session=a%2D1&profile=sub\"\n\
            #EXT-X-PART:DURATION=0.2,URI=\"seg1.0.m4s?session=a%2D1&profile=sub\",INDEPENDENT=YES\n\
            #EXTINF:2.0,\nseg1.m4s?session=a%2D1&profile=sub\n";
        let query = |text| carried(&Params::parse(text, Encoding::Query).unwrap());
        let both = query("profile=sub&session=a-1&_HLS_msn=3").unwrap();
        assert_eq!(with_query(playlist, &both), expected);
        assert_eq!(query("profile=sub").as_deref(), Some("?profile=sub"));
        assert_eq!(query("_HLS_msn=3"), None);
    }
}
