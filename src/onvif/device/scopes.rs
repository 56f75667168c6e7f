//! What the device says of itself in WS-Discovery and GetScopes (ONVIF Core 7.3.2.2).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Identity;

/// What stays as it is in a path segment (RFC 3986, unreserved).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The scopes, percent-encoded.
pub fn scopes(identity: &Identity) -> Vec<String> {
    let base = "onvif://www.onvif.org";
    let mut scopes: Vec<String> =
        ["type/video_encoder", "type/Network_Video_Transmitter", "Profile/Streaming"]
            .map(|scope| format!("{base}/{scope}"))
            .into();
    let own = [("hardware", &identity.hardware), ("name", &identity.name), ("location", &identity.location)];
    for (kind, text) in own.into_iter().filter(|(_, text)| !text.is_empty()) {
        scopes.push(format!("{base}/{kind}/{}", utf8_percent_encode(text, PLAIN)));
    }
    scopes
}
