//! `/hls/v1/<token>/<file>` and `/hls/v2/<token>/<file>` (docs/protocol.md 3), and recordings under
//! `/hls/vod/<token>/<file>`.
//!
//! A player asks for segments by the names in the playlist and adds nothing, so a playlist that was
//! asked for with a session names its segments with it.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::{Filter, Rejection};

use super::Context;
use super::calls::{Access, Denied};
use super::params::SESSION;
use super::playback;
use super::reply::{self, Reply};
use super::request::Incoming;
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
        return Ok(send(found, incoming.params.get(SESSION)));
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
    let found = ctx.hls.get(ctx.stream(token)?, version, name, query).await?;
    Ok(send(found, incoming.params.get(SESSION)))
}

/// The directives of low-latency HLS.
fn query(incoming: &Incoming) -> Result<HlsQuery> {
    let directive = |name: &str| incoming.params.get(name).map(|value| format!("{name}={value}&"));
    let text: String = ["_HLS_msn", "_HLS_part"].into_iter().filter_map(directive).collect();
    HlsQuery::parse(text.trim_end_matches('&'))
}

fn send(found: HlsReply, session: Option<&str>) -> Reply {
    let is_playlist = found.content_type.ends_with("mpegurl");
    let body = match (session, std::str::from_utf8(&found.body)) {
        (Some(session), Ok(playlist)) if is_playlist => with_session(playlist, session).into(),
        _ => found.body,
    };
    let mut reply = reply::fresh(StatusCode::OK, found.content_type, body);
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(found.cache.header()));
    reply
}

/// `playlist` with the session behind each address in it.
fn with_session(playlist: &str, session: &str) -> String {
    let query = format!("?session={}", utf8_percent_encode(session, NON_ALPHANUMERIC));
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

    #[test]
    fn a_session_follows_into_every_address() {
        let playlist = "#EXTM3U\n#EXT-X-MAP:URI=\"init-0.mp4\"\n\
            #EXT-X-PART:DURATION=0.2,URI=\"seg1.0.m4s\",INDEPENDENT=YES\n#EXTINF:2.0,\nseg1.m4s\n";
        let expected = "#EXTM3U\n#EXT-X-MAP:URI=\"init-0.mp4?session=a%2D1\"\n\
            #EXT-X-PART:DURATION=0.2,URI=\"seg1.0.m4s?session=a%2D1\",INDEPENDENT=YES\n#EXTINF:2.0,\n\
            seg1.m4s?session=a%2D1\n";
        assert_eq!(with_session(playlist, "a-1"), expected);
    }
}
