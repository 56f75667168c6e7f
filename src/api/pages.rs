//! The pages, embedded in the binary at build time (`web/dist`), each compressed: that is how nearly every
//! client takes them, and it keeps the program small.
//!
//! Answers carry an ETag (the file's checksum) and are asked for again each time, so that a new version
//! shows at once and costs one short answer otherwise. The policy that goes with them says what they may load,
//! and which other sites may show them in a frame ([`super::frames`]).

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::GzDecoder;
use warp::filters::BoxedFilter;
use warp::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use warp::http::{Response, StatusCode};
use warp::{Filter, Rejection};

use super::Context;
use super::reply::{self, Reply};
use super::request::Incoming;
use crate::base::bytes::hex;
use crate::base::{Error, Result};

/// The built pages as gzip, by path.
static PAGES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dist.rs"));

/// Scripts, styles and connections are of here only, and none of them inline; media also from `MediaSource`
/// (blob:), pictures also from canvases and answers. WebSockets of the same host and port are covered
/// by 'self' (CSP 3, 6.7.2.8) in Chrome since 71, in Firefox, and in Safari since 16.
const POLICY: &str = "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; \
     object-src 'none'; base-uri 'self'; form-action 'self'";

/// GET and HEAD (whose body the server leaves out) of every file; `/` is `index.html`.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::get()
        .or(warp::head())
        .unify()
        .and(ctx)
        .and(warp::ext::get::<Incoming>())
        .and(warp::header::optional::<String>("if-none-match"))
        .and(warp::header::optional::<String>("accept-encoding"))
        .map(|ctx: Arc<Context>, incoming: Incoming, known: Option<String>, accepted: Option<String>| {
            let path = match incoming.path.trim_start_matches('/') {
                "" => "index.html",
                path => path,
            };
            let packed = accepted.is_some_and(|accepted| takes_gzip(&accepted));
            match PAGES.iter().find(|(name, _)| *name == path) {
                Some((_, file)) => {
                    let mut reply = page(path, file, known.as_deref(), packed);
                    restrict(reply.headers_mut(), &ctx.frames.origins());
                    reply
                }
                None => reply::plain_failure(&Error::not_found("there is nothing at this address")),
            }
        })
}

fn page(path: &str, file: &'static [u8], known: Option<&str>, packed: bool) -> Reply {
    let tag = etag(file, packed);
    let unchanged = known.is_some_and(|known| known == "*" || known.contains(&tag));
    let body = match (unchanged, packed) {
        (true, _) => Ok(Bytes::new()),
        (false, true) => Ok(Bytes::from_static(file)),
        (false, false) => unpacked(file),
    };
    let body = match body {
        Ok(body) => body,
        Err(error) => return reply::plain_failure(&error),
    };
    let mut reply = Response::new(body.into());
    if unchanged {
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A session may stand in the address of a page.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    reply
}

/// Lets the page load what [`POLICY`] says, and be shown in frames of itself and of `origins`.
fn restrict(headers: &mut HeaderMap, origins: &[String]) {
    let mut policy = format!("{POLICY}; frame-ancestors 'self'");
    for origin in origins {
        policy.push(' ');
        policy.push_str(origin);
    }
    if origins.is_empty() {
        // For what does not know frame-ancestors. It has no word for other sites.
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
    // Origins are of letters, digits and dots; without a policy the page would be free.
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
}

/// Whether an `Accept-Encoding` allows gzip (RFC 9110, 12.5.3).
fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0));
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}

fn unpacked(packed: &[u8]) -> Result<Bytes> {
    let mut body = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut body)?;
    Ok(body.into())
}

/// A gzip ends in the checksum and the length of what it holds (RFC 1952, 2.3.1). The two forms of a file
/// differ in it.
fn etag(file: &[u8], packed: bool) -> String {
    let end = &file[file.len().saturating_sub(8)..];
    format!("\"{}{}\"", hex(end), if packed { "-gz" } else { "" })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("txt" | "ts") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("webmanifest") => "application/manifest+json",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::takes_gzip;

    #[test]
    fn gzip_where_it_is_taken() {
        for taken in ["gzip", "deflate, gzip;q=0.5", "*", "br,GZIP ,gzip"] {
            assert!(takes_gzip(taken), "{taken}");
        }
        for not in ["", "identity", "gzip;q=0", "br, gzip; q=0.0"] {
            assert!(!takes_gzip(not), "{not}");
        }
    }
}
