//! `/mediastore/<path>`: recordings and snapshots as files (manual 5.5.4, 5.5.6). What is served is what
//! the table knows; a path from outside is looked up there and never on a disk.
//!
//! No task of its own: the connection asks for the next piece when the last one has left, so a slow
//! client waits for itself only. Memory: one piece of [`PIECE`] bytes per connection. While a file is sent
//! it is not deleted. A recording that is being written is served as far as it is safely on the disk.

mod range;

use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use warp::filters::BoxedFilter;
use warp::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use warp::http::{Method, StatusCode};
use warp::{Filter, Rejection, Reply as _};

use self::range::{Part, Validators};
use super::Context;
use super::calls::{Access, Denied, flag};
use super::cloud::forward::files;
use super::reply::{self, Reply};
use super::request::{Incoming, sight};
use crate::auth::{Role, Sight};
use crate::base::footage::What;
use crate::base::wall::Wall;
use crate::base::{Error, Kind, Result};
use crate::media::recorded::{Library, Reading};
use crate::record::Recorder;
use crate::record::library::nothing;

/// How much of a file is read at once.
const PIECE: u64 = 128 << 10;

/// The routes below `/mediastore`.
pub fn routes(
    ctx: BoxedFilter<(Arc<Context>,)>,
) -> impl Filter<Extract = (Reply,), Error = Rejection> + Clone {
    warp::path!("mediastore" / ..)
        .and(warp::get().or(warp::head()).unify())
        .and(warp::method())
        .and(ctx)
        .and(warp::ext::get::<Incoming>())
        .and(warp::header::headers_cloned())
        .then(async |method: Method, ctx: Arc<Context>, incoming: Incoming, headers: HeaderMap| {
            serve(&ctx, &incoming, &method, &headers).await.unwrap_or_else(|why| reply::refused(&why))
        })
}

async fn serve(
    ctx: &Context,
    incoming: &Incoming,
    method: &Method,
    headers: &HeaderMap,
) -> std::result::Result<Reply, Denied> {
    // What was recorded is not for those who may look at what is to be seen now.
    let session = Access::Role(Role::Viewer).permit(ctx, &incoming.params, "/mediastore")?;
    if let Some(passed) = files::file(ctx, incoming, session.as_ref(), method, headers).await {
        return Ok(passed?);
    }
    let (recorder, path, sight) = (ctx.recorder.clone(), incoming.path.clone(), sight(session.as_ref()));
    let opened = tokio::task::spawn_blocking(move || Opened::open(&recorder, &path, &sight)).await;
    let opened = match opened.map_err(|_| Error::internal("opening the file was given up"))? {
        // The volume is not there now, or the file is not completed yet.
        Err(error) if error.kind() == Kind::Refused => return Ok(reply::unavailable(&error)),
        opened => opened?,
    };
    let download = incoming.params.get("download").and_then(flag).unwrap_or_default();
    let mut reply = opened.reply(method, headers);
    if download && reply.status().is_success() {
        set(reply.headers_mut(), CONTENT_DISPOSITION, &disposition(&incoming.path));
    }
    Ok(reply)
}

/// A file that was found.
struct Opened {
    reading: Reading,
    content_type: &'static str,
    validators: Validators,
}

impl Opened {
    /// Blocks on the database and the disk.
    fn open(recorder: &Recorder, path: &str, sight: &Sight) -> Result<Self> {
        if let Some(export) = path.strip_prefix("/mediastore/").filter(|path| path.starts_with("archive/")) {
            return Self::open_export(recorder, export, sight);
        }
        let footage = recorder.by_path(path)?.footage;
        if !sight.covers(&footage.token) {
            return Err(nothing(path));
        }
        let reading = recorder.open(footage.id)?;
        let content_type = match footage.what {
            What::Record => "video/mp4",
            What::Snapshot => "image/jpeg",
        };
        let weak = if reading.open { "W/" } else { "" };
        let validators = Validators {
            tag: format!("{weak}\"{:x}-{:x}\"", footage.id, reading.bytes),
            modified: http_date(footage.end),
        };
        Ok(Self { reading, content_type, validators })
    }

    fn open_export(recorder: &Recorder, path: &str, sight: &Sight) -> Result<Self> {
        let (export, reading) = recorder.open_export(path)?;
        if !sight.covers(&export.token) {
            return Err(nothing(path));
        }
        let tag = format!("\"x{:x}-{:x}\"", export.id, reading.bytes);
        let validators = Validators { tag, modified: http_date(export.made) };
        Ok(Self { reading, content_type: "video/mp4", validators })
    }

    fn reply(self, method: &Method, headers: &HeaderMap) -> Reply {
        let bytes = self.reading.bytes;
        let part = match *method {
            // Ranges are for GET alone.
            Method::HEAD if range::known(headers, &self.validators) => Part::Nothing,
            Method::HEAD => Part::Whole,
            _ => range::part(headers, &self.validators, bytes),
        };
        let (status, sent) = match part {
            Part::Nothing => (StatusCode::NOT_MODIFIED, 0..0),
            Part::Whole => (StatusCode::OK, 0..bytes),
            Part::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
            Part::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
        };
        let Self { reading, content_type, validators } = self;
        let mut reply = match *method {
            Method::HEAD => Reply::default(),
            _ if sent.is_empty() => Reply::default(),
            _ => warp::reply::stream(pieces(reading, sent.clone())).into_response(),
        };
        *reply.status_mut() = status;
        let headers = reply.headers_mut();
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // Kept where it was asked for only, and asked for again: it may be deleted.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // The session may stand in the address.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        set(headers, ETAG, &validators.tag);
        set(headers, LAST_MODIFIED, &validators.modified);
        match status {
            StatusCode::PARTIAL_CONTENT => {
                let range = format!("bytes {}-{}/{bytes}", sent.start, sent.end - 1);
                set(headers, CONTENT_RANGE, &range);
            }
            StatusCode::RANGE_NOT_SATISFIABLE => set(headers, CONTENT_RANGE, &format!("bytes */{bytes}")),
            _ => {}
        }
        if status.is_success() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(sent.end - sent.start));
        }
        reply
    }
}

/// `range` of the file, piece by piece; an error ends the connection, as the length was promised.
fn pieces(reading: Reading, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((Arc::new(reading), range), async |(reading, range)| {
        if range.is_empty() {
            return Ok(None);
        }
        let (file, at) = (reading.clone(), range.start);
        let len = PIECE.min(range.end - at);
        let piece = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; len as usize];
            file.file.read_exact_at(&mut piece, at).map(|()| Bytes::from(piece))
        });
        let piece = piece.await.map_err(io::Error::other)??;
        Ok(Some((piece, (reading, at + len..range.end))))
    })
}

/// RFC 9110 5.6.7.
fn http_date(at: Wall) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// RFC 6266: the file's name in plain letters, and whole (RFC 8187) for whoever understands that.
fn disposition(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    format!(
        "attachment; filename=\"{ascii}\"; filename*=UTF-8''{}",
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    )
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(Wall(1_522_325_009_999)), "Thu, 29 Mar 2018 12:03:29 GMT");
        assert_eq!(http_date(Wall(i64::MAX)), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn names_are_given_in_two_ways() {
        assert_eq!(
            disposition("/mediastore/record/t/d/t/gate-1.mp4"),
            "attachment; filename=\"gate-1.mp4\"; filename*=UTF-8''gate%2D1%2Emp4"
        );
        assert_eq!(
            disposition("大 \"a\".mp4"),
            "attachment; filename=\"___a_.mp4\"; filename*=UTF-8''%E5%A4%A7%20%22a%22%2Emp4"
        );
    }
}
