//! The pages, embedded in the binary at build time (`web/dist`).
//!
//! Answers carry an ETag (the file's SHA-256) and are asked for again each time, so that a new version
//! shows at once and costs one short answer otherwise.

use rust_embed::{EmbeddedFile, RustEmbed};
use warp::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use warp::http::{Response, StatusCode};
use warp::{Filter, Rejection};

use super::reply::{self, Reply};
use super::request::Incoming;
use crate::base::Error;

/// The built pages.
#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Dist;

/// Scripts and styles come from here only; media from `MediaSource` (blob:) and here, pictures also
/// from canvases, connections to here and to the sockets.
const POLICY: &str = "default-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; \
     connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; \
     form-action 'self'";

/// GET and HEAD (whose body the server leaves out) of every file; `/` is `index.html`.
pub fn routes() -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::get()
        .or(warp::head())
        .unify()
        .and(warp::ext::get::<Incoming>())
        .and(warp::header::optional::<String>("if-none-match"))
        .map(|incoming: Incoming, known: Option<String>| {
            let path = match incoming.path.trim_start_matches('/') {
                "" => "index.html",
                path => path,
            };
            match Dist::get(path) {
                Some(file) => page(path, file, known.as_deref()),
                None => reply::plain_failure(&Error::not_found("there is nothing at this address")),
            }
        })
}

fn page(path: &str, file: EmbeddedFile, known: Option<&str>) -> Reply {
    let tag = etag(&file);
    let unchanged = known.is_some_and(|known| known == "*" || known.contains(&tag));
    let body = if unchanged { Vec::new() } else { file.data.into_owned() };
    let mut reply = Response::new(body.into());
    if unchanged {
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A session may stand in the address of a page.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    reply
}

fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
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
