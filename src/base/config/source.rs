//! `[[source]]`: sources that come with the configuration file.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::Url;

use super::checks;
use crate::base::secret::Secret;
use crate::base::spec::{self, Connect, RtspTransport, SourceKind, SourceSpec};

/// One `[[source]]`. It is a [`SourceSpec`] in the file's spelling.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    #[serde(deserialize_with = "token")]
    pub token: String,
    #[serde(default, deserialize_with = "name")]
    pub name: String,
    /// RTSP, RTSPS or RTMP address, or the absolute path of a file to loop.
    #[serde(deserialize_with = "address")]
    pub url: String,
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub password: Secret,
    #[serde(default, deserialize_with = "checks::connect")]
    #[cfg_attr(test, serde(serialize_with = "checks::show_connect"))]
    pub connect: Connect,
    #[serde(default, deserialize_with = "checks::transport")]
    #[cfg_attr(test, serde(serialize_with = "checks::show_transport"))]
    pub transport: RtspTransport,
    #[serde(default)]
    pub audio: bool,
}

impl SourceEntry {
    /// The source as the store keeps it; a source without a name is called by its token.
    pub fn spec(&self) -> SourceSpec {
        let kind = if self.url.starts_with('/') { SourceKind::File } else { SourceKind::Stream };
        let name = if self.name.is_empty() { &self.token } else { &self.name };
        SourceSpec {
            token: self.token.clone(),
            name: name.clone(),
            kind,
            url: self.url.clone(),
            sub_url: None,
            user: self.user.clone(),
            password: self.password.clone(),
            audio: self.audio,
            connect: self.connect,
            transport: self.transport,
            onvif: None,
        }
    }
}

/// The entries, none of which may repeat a token.
pub fn unique<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SourceEntry>, D::Error> {
    let entries = Vec::<SourceEntry>::deserialize(from)?;
    let mut seen = HashSet::new();
    match entries.iter().find(|entry| !seen.insert(&entry.token)) {
        Some(twice) => Err(D::Error::custom(format!("token `{}` is used twice", twice.token))),
        None => Ok(entries),
    }
}

fn token<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let token = String::deserialize(from)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if token.is_empty()
        || token.len() > spec::MAX_TOKEN
        || token.starts_with('.')
        || !token.bytes().all(plain)
    {
        return Err(D::Error::custom(format!(
            "a token is 1 to {} of A-Z a-z 0-9 . _ - and does not start with a dot",
            spec::MAX_TOKEN
        )));
    }
    Ok(token)
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    if name.len() > spec::MAX_NAME || name.chars().any(char::is_control) {
        return Err(D::Error::custom(format!("a name has at most {} bytes, none a control", spec::MAX_NAME)));
    }
    Ok(name)
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.len() > spec::MAX_URL || text.chars().any(char::is_control) {
        return Err(D::Error::custom(format!("at most {} bytes, none a control", spec::MAX_URL)));
    }
    if text.starts_with('/') {
        return Ok(text);
    }
    let url =
        Url::parse(&text).map_err(|error| D::Error::custom(format!("no URL or absolute path: {error}")))?;
    if !matches!(url.scheme(), "rtsp" | "rtsps" | "rtmp") || !url.has_host() {
        return Err(D::Error::custom(
            "expected rtsp://, rtsps:// or rtmp:// with a host, or an absolute path",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(D::Error::custom("user and password go into the keys `user` and `password`"));
    }
    Ok(text)
}
