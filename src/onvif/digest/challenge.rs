//! What a camera asks with, and which of several challenges is answered.

use super::Hash;
use super::fields::{Scheme, schemes};

/// What the response covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// As in RFC 2069: no count, no nonce of the client.
    None,
    Auth,
    /// The body as well.
    AuthInt,
}

impl Qop {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }
}

/// A Digest challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub realm: String,
    pub nonce: String,
    pub opaque: Option<String>,
    pub hash: Hash,
    /// The algorithm as the camera wrote it.
    pub algorithm: Option<String>,
    /// `-sess`: the secret covers the nonces.
    pub session: bool,
    pub qop: Qop,
    /// The last answer was right but for its nonce.
    pub stale: bool,
}

impl Challenge {
    /// `None` for what is no Digest, or has an algorithm or a `qop` that we don't know.
    pub(super) fn of(scheme: &Scheme) -> Option<Self> {
        if !scheme.is("Digest") {
            return None;
        }
        let algorithm = scheme.field("algorithm");
        let name = algorithm.unwrap_or("MD5").to_ascii_uppercase();
        let (base, session) = match name.strip_suffix("-SESS") {
            Some(base) => (base, true),
            None => (name.as_str(), false),
        };
        let hash = match base {
            "MD5" => Hash::Md5,
            "SHA-256" => Hash::Sha256,
            _ => return None,
        };
        Some(Self {
            realm: scheme.field("realm").unwrap_or_default().to_owned(),
            nonce: scheme.field("nonce")?.to_owned(),
            opaque: scheme.field("opaque").map(str::to_owned),
            hash,
            algorithm: algorithm.map(str::to_owned),
            session,
            qop: qop(scheme.field("qop"))?,
            stale: scheme.field("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

fn qop(offered: Option<&str>) -> Option<Qop> {
    let Some(offered) = offered else { return Some(Qop::None) };
    let has = |name: &str| offered.split(',').any(|offer| offer.trim().eq_ignore_ascii_case(name));
    if has("auth") {
        Some(Qop::Auth)
    } else if has("auth-int") {
        Some(Qop::AuthInt)
    } else {
        offered.trim().is_empty().then_some(Qop::None)
    }
}

/// The best Digest challenge in these `WWW-Authenticate` lines: SHA-256 before MD5, else the first.
pub fn best<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    let mut best: Option<Challenge> = None;
    for challenge in lines.into_iter().flat_map(schemes).filter_map(|scheme| Challenge::of(&scheme)) {
        let better = match &best {
            None => true,
            Some(known) => known.hash == Hash::Md5 && challenge.hash == Hash::Sha256,
        };
        if better {
            best = Some(challenge);
        }
    }
    best
}
