//! The one normalising step in front of the routes: what client pages and the manual's own samples
//! send is brought into one canonical path and one list of parameters.
//!
//! Pure functions; everything a request may look like is a row in the tests. The crooked forms
//! come from the manual's samples (blanks and line breaks inside a URL) and from client pages whose
//! root path is glued to the call (`/index.htmlapi/v1/h5swsapi`).
//!
//! Bound: a target is at most [`MAX_TARGET`] bytes.

use super::calls;
use super::params::{Encoding, Params, decode};
use crate::base::{Error, Result};

/// Longest request target (path and query) that is looked at, in bytes.
pub const MAX_TARGET: usize = 8 * 1024;

/// A request target brought into one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Decoded path that starts with `/`, without empty, blank or dot segments. A call is
    /// `/api/v1/<name>` with the name as [`calls`] spells it.
    pub path: String,
    pub params: Params,
}

/// Brings `target`, the path and query of a request line, into canonical form.
///
/// # Errors
/// `BadInput` naming what is wrong: too long, a path that climbs or is not UTF-8, or a parameter that
/// [`Params::parse`] refuses.
pub fn normalise(target: &str) -> Result<Target> {
    if target.len() > MAX_TARGET {
        return Err(Error::bad_input(format!("the address is longer than {MAX_TARGET} bytes")));
    }
    // As the URL standard says: line breaks and tabs inside a pasted URL are not part of it.
    let target: String = target.chars().filter(|c| !matches!(c, '\r' | '\n' | '\t')).collect();
    let (path, query) = match target.find(['?', '&']) {
        Some(end) => target.split_at(end),
        None => (target.as_str(), ""),
    };
    let params = Params::parse(query, Encoding::Query)?;
    Ok(Target { path: canonical(&clean(path)?), params })
}

/// Whether `target` is meant for a call, so that a fault in it is answered as a call's failure.
pub fn is_call(target: &str) -> bool {
    let lower = target.to_ascii_lowercase();
    lower.contains("api/v1") || lower.contains("h5srtcapi")
}

/// The session an `Authorization` header carries: `token S` from axios pages (docs/protocol.md 4), or
/// `Bearer S` from WHEP players (RFC 9725 section 4.2).
pub fn header_session(value: &str) -> Option<&str> {
    let (scheme, session) = value.trim().split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("token") || scheme.eq_ignore_ascii_case("bearer");
    known.then(|| session.trim())
}

/// The path's segments, decoded and joined by single slashes, with no slash in front.
fn clean(path: &str) -> Result<String> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let segment =
            decode(segment, Encoding::Query).map_err(|why| Error::bad_input(format!("the path {why}")))?;
        let segment = segment.trim();
        match segment {
            "" | "." => {}
            ".." => return Err(Error::bad_input("the path holds ..")),
            _ if segment.contains(['/', '\\']) => {
                return Err(Error::bad_input("the path holds an encoded slash"));
            }
            _ => segments.push(segment.to_owned()),
        }
    }
    Ok(segments.join("/"))
}

/// Cuts off whatever root path a page put in front of a known prefix, and spells calls as the
/// manual does.
fn canonical(path: &str) -> String {
    let lower = path.to_ascii_lowercase();
    if let Some(start) = lower.rfind("api/v1/") {
        return call(&path[start + "api/v1/".len()..]);
    }
    // r4 pages open the WebRTC socket without `api/v1` (docs/protocol.md 2).
    if lower.ends_with("h5srtcapi") {
        return call("h5srtcapi");
    }
    match ["hls/v1/", "hls/v2/", "hls/vod/"].iter().find_map(|prefix| lower.rfind(prefix)) {
        Some(start) => format!("/{}", &path[start..]),
        None => format!("/{path}"),
    }
}

fn call(name: &str) -> String {
    format!("/api/v1/{}", calls::find(name).map_or(name, |call| call.name))
}

#[cfg(test)]
mod tests;
