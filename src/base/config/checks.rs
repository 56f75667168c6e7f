//! Bounds and spellings of single values, checked while the file is read so that the TOML parser
//! knows the place, and the text of its errors.

use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::Url;

use super::Http;
use crate::base::Error;
use crate::base::pin;
use crate::base::secret::Secret;
use crate::base::spec::{Connect, RtspTransport};

/// A whole number from `MIN` to `MAX`.
pub fn within<'de, const MIN: i64, const MAX: i64, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let number = i64::deserialize(from)?;
    (MIN..=MAX)
        .contains(&number)
        .then(|| T::try_from(number).ok())
        .flatten()
        .ok_or_else(|| D::Error::custom(format!("{number} is not within {MIN} to {MAX}")))
}

/// `[http]`, whose two ports must differ.
pub fn http<'de, D: Deserializer<'de>>(from: D) -> Result<Http, D::Error> {
    let http = Http::deserialize(from)?;
    if http.port == http.https_port {
        return Err(D::Error::custom(format!("port and https_port are both {}", http.port)));
    }
    Ok(http)
}

/// `*`, or origins as a browser sends them: scheme, host and perhaps port, nothing after it.
pub fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let exact = |text: &str| Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
    every(from, |text| text == "*" || exact(text), "is no origin such as https://host:port, nor `*`")
}

/// At least one `stun:`, `turn:` or `turns:` address (RFC 7064, RFC 7065).
pub fn ice_urls<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let known = |text: &str| ["stun:", "stuns:", "turn:", "turns:"].iter().any(|s| text.starts_with(s));
    let urls = every(from, known, "does not start with stun:, stuns:, turn: or turns:")?;
    if urls.is_empty() { Err(D::Error::custom("needs at least one address")) } else { Ok(urls) }
}

/// IP addresses, each as itself also where it is written as an IPv4 address within IPv6.
pub fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpAddr>, D::Error> {
    let texts = every(from, |text| text.parse::<IpAddr>().is_ok(), "is no IP address")?;
    Ok(texts.iter().filter_map(|text| text.parse().ok()).map(|ip: IpAddr| ip.to_canonical()).collect())
}

pub fn absolute_paths<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
    let paths = every(from, |text| text.starts_with('/'), "is no absolute path")?;
    Ok(paths.into_iter().map(PathBuf::from).collect())
}

pub fn absolute_path<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(from)?;
    let bad = || D::Error::custom(format!("`{}` is no absolute path", path.display()));
    if path.is_absolute() { Ok(path) } else { Err(bad()) }
}

/// Short text for people.
pub fn label<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.len() > 64 || text.chars().any(char::is_control) {
        return Err(D::Error::custom("at most 64 bytes, none a control"));
    }
    Ok(text)
}

/// The SHA-256 of a certificate, or nothing.
pub fn pin<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(text);
    }
    pin::read(&text).ok_or_else(|| D::Error::custom("not the SHA-256 of a certificate: 64 hex digits"))
}

/// How much a central server may do here.
pub fn grant<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match super::cloud::GRANTS.contains(&text.as_str()) {
        true => Ok(text),
        false => {
            Err(D::Error::custom(format!("`{text:.32}` is none of {}", super::cloud::GRANTS.join(", "))))
        }
    }
}

/// A password as long as a log-in takes it.
pub fn password<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    let password = Secret::deserialize(from)?;
    if password.expose().len() > 256 {
        return Err(D::Error::custom("longer than 256 bytes"));
    }
    Ok(password)
}

/// Names of GStreamer elements.
pub fn elements<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let named = |text: &str| (1..=64).contains(&text.len()) && text.chars().all(plain);
    every(from, named, "is no name of an element, such as v4l2h264dec")
}

fn every<'de, D: Deserializer<'de>>(
    from: D,
    good: impl Fn(&str) -> bool,
    complaint: &str,
) -> Result<Vec<String>, D::Error> {
    let all = Vec::<String>::deserialize(from)?;
    match all.iter().find(|text| !good(text)) {
        Some(bad) => Err(D::Error::custom(format!("`{bad}` {complaint}"))),
        None => Ok(all),
    }
}

const CONNECT: [(&str, Connect); 3] =
    [("on_demand", Connect::OnDemand), ("always", Connect::Always), ("auto", Connect::Auto)];
const TRANSPORT: [(&str, RtspTransport); 3] =
    [("auto", RtspTransport::Auto), ("tcp", RtspTransport::Tcp), ("udp", RtspTransport::Udp)];

pub fn connect<'de, D: Deserializer<'de>>(from: D) -> Result<Connect, D::Error> {
    one_of(from, &CONNECT)
}

/// Like [`connect`] without `auto`, which would refer to itself.
pub fn default_connect<'de, D: Deserializer<'de>>(from: D) -> Result<Connect, D::Error> {
    one_of(from, &CONNECT[..2])
}

pub fn transport<'de, D: Deserializer<'de>>(from: D) -> Result<RtspTransport, D::Error> {
    one_of(from, &TRANSPORT)
}

fn one_of<'de, D: Deserializer<'de>, T: Copy>(from: D, names: &[(&str, T)]) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        D::Error::custom(format!("`{text}` is none of {}", known.join(", ")))
    })
}

/// `file:line:column: key path: message`, from the parser's error.
pub fn explain(mut error: toml::de::Error, text: &str, file: &str) -> Error {
    let place = error.span().map(|span| position(text, span.start));
    let message = error.message().to_owned();
    // The key path has no accessor; without the input, it is the line after the message.
    error.set_input(None);
    let shown = error.to_string();
    let path = shown
        .strip_prefix(&message)
        .and_then(|rest| rest.trim().strip_prefix("in "))
        .map(|path| path.trim_matches('`'));
    let what: &dyn Display = match path {
        Some(path) => &format!("{path}: {message}"),
        None => &message,
    };
    Error::bad_input(match place {
        Some((line, column)) => format!("{file}:{line}:{column}: {what}"),
        None => format!("{file}: {what}"),
    })
}

/// Line and column of the byte at `index`, both from 1, the column in characters.
fn position(text: &str, index: usize) -> (usize, usize) {
    let before = text.get(..index).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
pub fn show_connect<S: serde::Serializer>(_: &Connect, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("")
}

#[cfg(test)]
pub fn show_transport<S: serde::Serializer>(_: &RtspTransport, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("")
}
