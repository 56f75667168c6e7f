//! HTTP Digest (RFC 7616, and RFC 2069 where there is no `qop`), both ways: answering the challenges of
//! cameras ([`Challenge`], [`answer`]), and asking others ([`Authority`]). No sockets, no clock: the
//! caller has both.

mod challenge;
mod fields;
mod server;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::base::bytes::hex;

pub use challenge::{Challenge, Qop, best};
pub use server::{Authority, Verdict};

/// What both sides compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// Its name in headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// In lower-case hex.
    fn of(self, parts: &[&[u8]]) -> String {
        let text = parts.join(b":".as_slice());
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// What a client adds to the challenge of its own.
#[derive(Debug)]
pub struct Credentials<'a> {
    pub user: &'a str,
    pub password: &'a str,
    pub cnonce: &'a str,
    /// How often the nonce was used, this time included. 8 hex digits go over the wire.
    pub count: u32,
}

/// What is asked for; `body` counts with [`Qop::AuthInt`] only.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub method: &'a str,
    /// As in the request line.
    pub uri: &'a str,
    pub body: &'a [u8],
}

/// The value of the `Authorization` header that answers `challenge`.
pub fn answer(challenge: &Challenge, credentials: &Credentials, asked: &Asked) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let count = format!("{:08x}", credentials.count);
    let response = response(challenge, credentials, &count, asked);
    let mut header = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{response}\"",
        quoted(credentials.user),
        quoted(&challenge.realm),
        quoted(&challenge.nonce),
        asked.uri,
    );
    // Cameras from before RFC 2617 stumble over what they did not say themselves.
    if let Some(name) = &challenge.algorithm {
        header.push_str(&format!(", algorithm={name}"));
    }
    if let Some(opaque) = &challenge.opaque {
        header.push_str(&format!(", opaque=\"{}\"", quoted(opaque)));
    }
    match challenge.qop {
        Qop::None if !challenge.session => {}
        Qop::None => header.push_str(&format!(", cnonce=\"{}\"", credentials.cnonce)),
        qop => {
            header.push_str(&format!(", qop={}, nc={count}, cnonce=\"{}\"", qop.as_str(), credentials.cnonce))
        }
    }
    header
}

fn response(challenge: &Challenge, credentials: &Credentials, count: &str, asked: &Asked) -> String {
    let hash = challenge.hash;
    let (nonce, cnonce) = (challenge.nonce.as_bytes(), credentials.cnonce.as_bytes());
    let mut secret =
        hash.of(&[credentials.user.as_bytes(), challenge.realm.as_bytes(), credentials.password.as_bytes()]);
    if challenge.session {
        secret = hash.of(&[secret.as_bytes(), nonce, cnonce]);
    }
    let (method, uri) = (asked.method.as_bytes(), asked.uri.as_bytes());
    let what = match challenge.qop {
        Qop::AuthInt => hash.of(&[method, uri, hash.of(&[asked.body]).as_bytes()]),
        Qop::Auth | Qop::None => hash.of(&[method, uri]),
    };
    match challenge.qop {
        Qop::None => hash.of(&[secret.as_bytes(), nonce, what.as_bytes()]),
        qop => hash.of(&[
            secret.as_bytes(),
            nonce,
            count.as_bytes(),
            cnonce,
            qop.as_str().as_bytes(),
            what.as_bytes(),
        ]),
    }
}

#[cfg(test)]
mod tests;
