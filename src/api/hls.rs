//! `/hls/v1/<token>/<file>` and `/hls/v2/<token>/<file>` (docs/protocol.md 3), and recordings under
//! `/hls/vod/<token>/<file>`.
//!
//! A player asks for segments by the names in the playlist and adds nothing, so a playlist that was
//! asked for with a session or a profile names its segments with them.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::{Filter, Rejection};

use super::Context;
use super::calls::{Access, Denied};
use super::params::{Params, SESSION};
use super::playback;
use super::reply::{self, Reply};
use super::request::{Incoming, PROFILE};
use crate::base::{Error, Result};
use crate::play::hls::{HlsQuery, HlsReply, Version};

/// The routes below `/hls`.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::path!("hls" / ..)
        .and(warp::get().or(warp::head()).unify())
        .and(ctx)
        .and(warp::ext::get::<Incoming>())
        .then(async |ctx: Arc<Context>, incoming: Incoming| {
            serve(&ctx, &incoming).await.unwrap_or_else(|why| reply::refused(&why))
        })
}

async fn serve(ctx: &Context, incoming: &Incoming) -> std::result::Result<Reply, Denied> {
    if let Some((token, name)) = incoming.path.strip_prefix("/hls/vod/").and_then(|rest| rest.split_once('/'))
    {
        let found = playback::hls(ctx, &incoming.params, token, name).await?;
        return Ok(send(found, &incoming.params));
    }
    Access::View.permit(ctx, &incoming.params, "HLS")?;
    Ok(file(ctx, incoming).await?)
}

async fn file(ctx: &Context, incoming: &Incoming) -> Result<Reply> {
    let parts: Vec<_> = incoming.path.trim_start_matches("/hls/").split('/').collect();
    let (version, token, name) = match parts[..] {
        [version, token, name] => (Version::parse(version), token, name),
        _ => (None, "", ""),
    };
    let version = version.ok_or_else(|| Error::not_found("there is nothing at this address"))?;
    let query = query(incoming)?;
    let stream = ctx.shown(token, &incoming.params)?;
    let found = ctx.hls.get(stream, version, name, query).await?;
    Ok(send(found, &incoming.params))
}

/// The directives of low-latency HLS.
fn query(incoming: &Incoming) -> Result<HlsQuery> {
    let directive = |name: &str| incoming.params.get(name).map(|value| format!("{name}={value}&"));
    let text: String = ["_HLS_msn", "_HLS_part"].into_iter().filter_map(directive).collect();
    HlsQuery::parse(text.trim_end_matches('&'))
}

fn send(found: HlsReply, params: &Params) -> Reply {
    let is_playlist = found.content_type.ends_with("mpegurl");
    let body = match (carried(params), std::str::from_utf8(&found.body)) {
        (Some(query), Ok(playlist)) if is_playlist => with_query(playlist, &query).into(),
        _ => found.body,
    };
    let mut reply = reply::fresh(StatusCode::OK, found.content_type, body);
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(found.cache.header()));
    reply
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
