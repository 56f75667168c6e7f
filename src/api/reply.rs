//! How answers look on the wire (manual 5.1): JSON followed by CRLF, never cached.

use bytes::Bytes;
use serde_json::{Value, json};
use warp::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use warp::http::{Response, StatusCode};

use super::calls::{Answer, Denied};
use crate::base::{Error, Kind};

/// A reply as warp sends it.
pub type Reply = warp::reply::Response;

/// A reply with a body of one content type that no cache keeps.
pub fn fresh(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(body.into().into());
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// `value` as JSON, with the manual's CRLF behind it.
pub fn json(status: StatusCode, value: &Value) -> Reply {
    fresh(status, "application/json", format!("{value}\r\n"))
}

/// A handler's answer.
pub fn answer(answer: Answer) -> Reply {
    match answer {
        Answer::Json(value) => json(StatusCode::OK, &value),
        Answer::Passed(reply) => *reply,
        Answer::Jpeg(data) => fresh(StatusCode::OK, "image/jpeg", data),
        Answer::PastJpeg(data) => {
            let mut reply = fresh(StatusCode::OK, "image/jpeg", data);
            let hour = HeaderValue::from_static("private, max-age=3600");
            reply.headers_mut().insert(CACHE_CONTROL, hour);
            reply
        }
        Answer::Text { name, text } => {
            let mut reply = fresh(StatusCode::OK, "text/plain; charset=utf-8", text);
            if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
                reply.headers_mut().insert(CONTENT_DISPOSITION, value);
            }
            reply
        }
    }
}

/// A failed call: HTTP 200 with `bStatus:false`, as the manual has it.
pub fn failure(error: &Error) -> Reply {
    failed(StatusCode::OK, &error.to_string())
}

/// A call that was not made; a missing session is HTTP 401, which sends pages to their log-in.
pub fn denied(denied: &Denied) -> Reply {
    match denied {
        Denied::NoSession(text) => failed(StatusCode::UNAUTHORIZED, text),
        Denied::Fault(error) => failure(error),
    }
}

/// A request for something that is no call (a page, HLS, WHEP) and was not served.
pub fn refused(denied: &Denied) -> Reply {
    match denied {
        Denied::NoSession(text) => failed(StatusCode::UNAUTHORIZED, text),
        Denied::Fault(error) => plain_failure(error),
    }
}

/// A failed request for something that is no call: the status says what is wrong.
pub fn plain_failure(error: &Error) -> Reply {
    let status = match error.kind() {
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::BadInput => StatusCode::BAD_REQUEST,
        Kind::Unauthorised => StatusCode::UNAUTHORIZED,
        Kind::Refused => StatusCode::FORBIDDEN,
        Kind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // The source did not come up in time, or there is no place: worth another try.
        Kind::Timeout | Kind::Full => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    failed(status, &error.to_string())
}

/// What is asked for is there, but not now.
pub fn unavailable(error: &Error) -> Reply {
    failed(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

/// A reply without a body.
pub fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = status;
    reply
}

fn failed(status: StatusCode, text: &str) -> Reply {
    json(status, &json!({ "bStatus": false, "strCode": text }))
}
