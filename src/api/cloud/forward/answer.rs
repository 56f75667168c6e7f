//! What a site answers, as whoever asked the central knows it: tokens and addresses as they are here.

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, Limited};
use hyper::Response;
use hyper::body::{Body as _, Incoming as Body};
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderName, LAST_MODIFIED, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use serde_json::Value;
use tokio::time::timeout;
use warp::Reply as _;

use super::{FILES, PATIENCE, There};
use crate::api::calls::Answer;
use crate::api::reply::Reply;
use crate::base::{Error, Result};

/// Longest answer in JSON, in bytes: 5000 entries of Search are a third of it.
pub const MAX_JSON: usize = 8 << 20;
/// Where an edge has its files.
const PLACE: &str = "/mediastore/";
/// What is told of an answer that is passed on.
const PASSED: [HeaderName; 10] = [
    ACCEPT_RANGES,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    ETAG,
    LAST_MODIFIED,
    REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
];

/// The answer to a call.
///
/// # Errors
/// `Refused` with the site's words, `Timeout` when it breaks off.
pub async fn taken(there: &There, answer: Response<Body>) -> Result<Answer> {
    let is_json = content_type(&answer).starts_with("application/json");
    match (is_json, answer.status().is_success()) {
        (false, true) => Ok(Answer::Passed(Box::new(passed(answer)))),
        (true, true) => {
            let mut value = json(there, answer).await?;
            there.map_back(&mut value);
            Ok(Answer::Json(value))
        }
        (_, false) => Err(refusal(there, answer).await),
    }
}

/// The answer as it comes.
pub fn passed(answer: Response<Body>) -> Reply {
    let (head, body) = answer.into_parts();
    let mut reply = match body.is_end_stream() {
        true => Reply::default(),
        false => warp::reply::stream(pieces(body)).into_response(),
    };
    *reply.status_mut() = head.status;
    for name in PASSED {
        if let Some(value) = head.headers.get(&name) {
            reply.headers_mut().insert(name, value.clone());
        }
    }
    reply
}

/// What an answer that is none says.
pub async fn refusal(there: &There, answer: Response<Body>) -> Error {
    let status = answer.status();
    let said = json(there, answer).await.ok();
    let text = said.as_ref().and_then(|said| said["strCode"].as_str()).unwrap_or_default();
    match text {
        "" => Error::refused(format!("site {}: HTTP {status}", there.site)),
        text => Error::refused(format!("site {}: {text}", there.site)),
    }
}

/// The whole body of an answer.
///
/// # Errors
/// `Timeout` when it breaks off or is too long.
async fn whole(there: &There, answer: Response<Body>) -> Result<Bytes> {
    let collected = timeout(PATIENCE, Limited::new(answer.into_body(), MAX_JSON).collect()).await;
    let collected = collected.map_err(|_| there.late())?;
    let broken = |error| Error::timeout(format!("site {}: the answer broke off: {error}", there.site));
    Ok(collected.map_err(broken)?.to_bytes())
}

async fn json(there: &There, answer: Response<Body>) -> Result<Value> {
    let unfit = |_| Error::timeout(format!("site {}: the answer is no JSON", there.site));
    serde_json::from_slice(&whole(there, answer).await?).map_err(unfit)
}

pub fn content_type(answer: &Response<Body>) -> &str {
    answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Piece by piece. One that does not come in time breaks the answer off.
fn pieces(body: Body) -> impl Stream<Item = std::result::Result<Bytes, std::io::Error>> + Send {
    stream::unfold(Some(body), async |body| {
        let mut body = body?;
        loop {
            let next = match timeout(PATIENCE, body.frame()).await {
                Ok(next) => next?.map_err(std::io::Error::other),
                Err(late) => Err(late.into()),
            };
            match next.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => return Some((Ok(data), Some(body))),
                // Trailers say nothing here.
                Ok(Err(_)) => {}
                Err(error) => return Some((Err(error), None)),
            }
        }
    })
}

impl There {
    /// Puts the central's tokens and addresses in the place of the edge's.
    fn map_back(&self, answer: &mut Value) {
        if answer["bStatus"] == false
            && let Some(text) = answer["strCode"].as_str()
        {
            answer["strCode"] = format!("site {}: {text}", self.site).into();
        }
        self.map_value("", answer);
    }

    /// A playlist with the addresses of its files as they are here.
    ///
    /// # Errors
    /// `Timeout` when it breaks off or is none.
    pub async fn playlist(&self, answer: Response<Body>) -> Result<Bytes> {
        let body = whole(self, answer).await?;
        let unfit = |_| Error::timeout(format!("site {}: the playlist is no text", self.site));
        let line = |line: &str| match line.strip_prefix(PLACE) {
            Some(path) => format!("{FILES}{}/{path}\n", self.site),
            None => format!("{line}\n"),
        };
        Ok(std::str::from_utf8(&body).map_err(unfit)?.lines().map(line).collect::<String>().into())
    }

    fn map_value(&self, name: &str, value: &mut Value) {
        match value {
            // Presets have tokens of their own.
            Value::Object(fields) if name != "preset" => {
                fields.iter_mut().for_each(|(name, value)| self.map_value(name, value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.map_value(name, item)),
            Value::String(text) => {
                if let Some(path) = text.strip_prefix(PLACE) {
                    *text = format!("{FILES}{}/{path}", self.site);
                } else if name == "strToken" && self.original.as_ref() == Some(text) {
                    *text = format!("{}-{text}", self.site);
                }
            }
            _ => {}
        }
    }
}
