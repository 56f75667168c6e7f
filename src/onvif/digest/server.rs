//! Asking others for a Digest. A nonce proves itself: it holds the time at which it was made and a
//! keyed hash, so that handing them out costs no memory. Kept is only how often a nonce was used by
//! somebody who knew a password: at most [`MAX_USED`], the oldest forgotten together with all nonces
//! that are as old as it. So no answer can be played twice.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::challenge::Challenge;
use super::fields::{Scheme, schemes};
use super::{Asked, Credentials, Hash, Qop, response};
use crate::base::bytes::{hex, same};
use crate::base::secret::Secret;
use crate::base::wall::Wall;

/// How long a nonce is taken, in milliseconds. RTSP sessions and pull points outlive it: they are told
/// that it is stale, and go on with a fresh one.
const MAX_AGE: i64 = 5 * 60_000;
/// By how much the clock may go back and nonces stay good, in milliseconds.
const MAX_STEP: i64 = 1000;
/// Most nonces whose use is remembered.
pub(super) const MAX_USED: usize = 4096;
/// Bytes of a nonce: time, random, keyed hash.
const NONCE: usize = 8 + 8 + 16;

/// Asks for credentials in one realm and judges what comes.
#[derive(Debug)]
pub struct Authority {
    realm: String,
    used: Mutex<Used>,
}

/// What an `Authorization` header is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This user it is.
    User(String),
    /// User and password may be right; the nonce is too old or was used. Not an attempt.
    Stale,
    /// No Digest, or nothing that we asked for.
    Unusable,
    /// User or password is wrong.
    Wrong,
}

#[derive(Debug)]
struct Used {
    key: [u8; 32],
    /// When we last looked; nonces from before a clock was set back would come to life again.
    latest: i64,
    counts: HashMap<String, u32>,
    /// The same nonces, oldest use first.
    order: VecDeque<String>,
    /// Nonces made up to here are stale, unless they are in `counts`.
    floor: i64,
}

impl Authority {
    /// With a key of its own: nonces do not outlive it.
    pub fn new(realm: impl Into<String>) -> Self {
        Self { realm: realm.into(), used: Mutex::new(Used::new()) }
    }

    /// The value of a `WWW-Authenticate` header; one header for each hash that is offered, as many
    /// clients read only the first challenge of a line, or only the first line.
    pub fn challenge(&self, hash: Hash, stale: bool, now: Wall) -> String {
        let stale = if stale { ", stale=true" } else { "" };
        let (name, nonce) = (hash.as_str(), self.used(now).nonce(now));
        format!("Digest realm=\"{}\", qop=\"auth\", algorithm={name}, nonce=\"{nonce}\"{stale}", self.realm)
    }

    /// Judges an `Authorization` header. `password` gives the clear password of a user.
    pub fn verify(
        &self,
        authorization: &str,
        asked: &Asked,
        password: impl FnOnce(&str) -> Option<Secret>,
        now: Wall,
    ) -> Verdict {
        let Some(claim) = Claim::read(authorization, asked) else { return Verdict::Unusable };
        if claim.challenge.realm != self.realm {
            return Verdict::Unusable;
        }
        let Some(made) = self.used(now).made(&claim.challenge.nonce) else { return Verdict::Stale };
        let known = password(&claim.user);
        // An unknown user costs as much as a known one with a wrong password.
        let expected = claim.expected(known.as_ref().map_or("", Secret::expose), asked);
        if known.is_none() || !same(expected.as_bytes(), claim.response.as_bytes()) {
            return Verdict::Wrong;
        }
        let fresh = now.0.saturating_sub(made) <= MAX_AGE && self.used(now).count(&claim, made);
        if fresh { Verdict::User(claim.user) } else { Verdict::Stale }
    }

    /// What is known of nonces; nothing, where the clock was set back.
    fn used(&self, now: Wall) -> MutexGuard<'_, Used> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 < used.latest.saturating_sub(MAX_STEP) {
            *used = Used::new();
        }
        used.latest = now.0;
        used
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (used.counts.len(), used.order.len())
    }
}

impl Used {
    fn new() -> Self {
        let (counts, order) = (HashMap::new(), VecDeque::new());
        Self { key: rand::random(), latest: i64::MIN, counts, order, floor: i64::MIN }
    }

    fn nonce(&self, now: Wall) -> String {
        let mut bytes = now.0.to_be_bytes().to_vec();
        bytes.extend(rand::random::<[u8; 8]>());
        let proof = self.proof(&bytes);
        bytes.extend(proof);
        hex(&bytes)
    }

    /// The keyed hash of a nonce's first 16 bytes. Their number is fixed and half of the hash is kept
    /// back, so that nobody can lengthen it.
    fn proof(&self, bytes: &[u8]) -> [u8; 16] {
        let hash = Sha256::new().chain_update(self.key).chain_update(bytes).finalize();
        std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default())
    }

    /// When this nonce was made, if it is ours.
    fn made(&self, nonce: &str) -> Option<i64> {
        let bytes = unhex(nonce)?;
        let (fields, proof) = bytes.split_at(16);
        let time = fields.first_chunk::<8>()?;
        same(&self.proof(fields), proof).then(|| i64::from_be_bytes(*time))
    }

    /// Counts a use; false if it was used so often before.
    fn count(&mut self, claim: &Claim, made: i64) -> bool {
        let nonce = &claim.challenge.nonce;
        if let Some(count) = self.counts.get_mut(nonce) {
            let fresh = claim.count > *count;
            *count = claim.count.max(*count);
            return fresh;
        }
        if made <= self.floor {
            return false;
        }
        if self.order.len() >= MAX_USED
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
            self.floor = self.floor.max(self.made(&oldest).unwrap_or(made));
        }
        self.counts.insert(nonce.clone(), claim.count);
        self.order.push_back(nonce.clone());
        true
    }
}

fn unhex(text: &str) -> Option<[u8; NONCE]> {
    if text.len() != 2 * NONCE || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; NONCE];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// What a client claims in an `Authorization` header.
struct Claim {
    user: String,
    challenge: Challenge,
    cnonce: String,
    /// As written, 8 hex digits; part of what is hashed.
    nc: String,
    count: u32,
    uri: String,
    response: String,
}

impl Claim {
    fn read(authorization: &str, asked: &Asked) -> Option<Self> {
        let scheme = schemes(authorization).into_iter().find(|scheme| scheme.is("Digest"))?;
        let challenge = Challenge::of(&scheme)?;
        let field = |name: &str| scheme.field(name).map(str::to_owned);
        let uri = field("uri")?;
        if !means(&uri, asked.uri) {
            return None;
        }
        let nc = field("nc").unwrap_or_default();
        let count = match challenge.qop {
            // Without a count a nonce is good for once.
            Qop::None => 1,
            _ => u32::from_str_radix(&nc, 16).ok()?,
        };
        Some(Self {
            user: user(&scheme)?,
            cnonce: field("cnonce").unwrap_or_default(),
            response: field("response")?.to_ascii_lowercase(),
            challenge,
            nc,
            count,
            uri,
        })
    }

    fn expected(&self, password: &str, asked: &Asked) -> String {
        let (user, cnonce) = (self.user.as_str(), self.cnonce.as_str());
        let credentials = Credentials { user, password, cnonce, count: self.count };
        response(&self.challenge, &credentials, &self.nc, &Asked { uri: &self.uri, ..*asked })
    }
}

fn user(scheme: &Scheme) -> Option<String> {
    scheme.field("username").filter(|user| !user.is_empty()).map(str::to_owned)
}

/// Whether the address that was hashed is the one that is asked for; some clients hash it with
/// `http://host` in front, which proxies and we do not see in the request line.
fn means(hashed: &str, asked: &str) -> bool {
    let path = |uri: &str| {
        let rest =
            uri.split_once("://").map(|(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]).to_owned());
        rest.unwrap_or_else(|| uri.to_owned())
    };
    hashed == asked || path(hashed) == path(asked)
}
