//! WS-UsernameToken with password digest (WS-Security UsernameToken Profile 1.0), both ways. No sockets,
//! no clock: the caller has both.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::xml::{Element, escape};
use crate::base::bytes::same;
use crate::base::secret::Secret;
use crate::base::wall::Wall;

const SECEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const PROFILE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// How far a token's time may be from ours, either way, in milliseconds.
const WINDOW: i64 = 300_000;
/// Most tokens that are remembered, 32 bytes each twice. 16384 within the 10 minutes in which a token
/// could be played again are 27 a second, all from people who know a password.
const MAX_SEEN: usize = 16_384;

/// The `wsse:Security` header for a camera whose clock shows `now`.
pub fn token(user: &str, password: &Secret, now: Wall) -> String {
    token_with(user, password, &rand::random::<[u8; 16]>(), &created(now))
}

fn token_with(user: &str, password: &Secret, nonce: &[u8], created: &str) -> String {
    let digest = BASE64_STANDARD.encode(digest(nonce, created, password));
    let nonce = BASE64_STANDARD.encode(nonce);
    let user = escape(user);
    format!(
        "<wsse:Security xmlns:wsse=\"{SECEXT}\" xmlns:wsu=\"{UTILITY}\" s:mustUnderstand=\"1\">\
         <wsse:UsernameToken><wsse:Username>{user}</wsse:Username>\
         <wsse:Password Type=\"{PROFILE}#PasswordDigest\">{digest}</wsse:Password>\
         <wsse:Nonce EncodingType=\"{BASE64}\">{nonce}</wsse:Nonce>\
         <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )
}

fn digest(nonce: &[u8], created: &str, password: &Secret) -> [u8; 20] {
    let hash = Sha1::new().chain_update(nonce).chain_update(created).chain_update(password.expose());
    hash.finalize().into()
}

/// In whole seconds: some cameras read no fractions.
fn created(now: Wall) -> String {
    let second = Timestamp::from_second(now.0.div_euclid(1000)).unwrap_or_default();
    second.to_string()
}

/// Why a token is not taken; for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No user name, password, nonce or time in it, or a malformed one.
    Incomplete,
    /// The password as clear text, or in a form that we don't know.
    NoDigest,
    /// Too far from our time.
    WrongTime,
    /// User or password is wrong.
    Wrong,
    /// The same token was taken before.
    Replayed,
}

/// Judges tokens, and takes each only once.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<Seen>);

/// Tokens that were taken, by hash; [`MAX_SEEN`], the oldest forgotten first.
#[derive(Debug, Default)]
struct Seen {
    known: HashSet<[u8; 32]>,
    order: VecDeque<([u8; 32], Wall)>,
}

impl Tokens {
    /// The user whose token is in the header `security`. `password` gives the clear password of a user.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn verify(
        &self,
        security: &Element,
        password: impl FnOnce(&str) -> Option<Secret>,
        now: Wall,
    ) -> Result<String, Refusal> {
        let token = security.find("UsernameToken").ok_or(Refusal::Incomplete)?;
        let text = |name: &str| token.text_at(&[name]).ok_or(Refusal::Incomplete);
        let (user, created) = (text("Username")?, text("Created")?);
        let kind = token.child("Password").and_then(|password| password.attribute("Type"));
        if !kind.is_some_and(|kind| kind.ends_with("#PasswordDigest")) {
            return Err(Refusal::NoDigest);
        }
        let decoded = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| Refusal::Incomplete);
        let (given, nonce) = (decoded(text("Password")?)?, decoded(text("Nonce")?)?);
        let at: Timestamp = created.parse().map_err(|_| Refusal::Incomplete)?;
        if at.as_millisecond().abs_diff(now.0) > WINDOW.unsigned_abs() {
            return Err(Refusal::WrongTime);
        }
        let known = password(user);
        // An unknown user costs as much as a known one with a wrong password.
        let expected = digest(&nonce, created, known.as_ref().unwrap_or(&Secret::default()));
        if known.is_none() || !same(&expected, &given) {
            return Err(Refusal::Wrong);
        }
        let seen = Sha256::new().chain_update(&nonce).chain_update(created).chain_update(user).finalize();
        if self.first(seen.into(), now) { Ok(user.to_owned()) } else { Err(Refusal::Replayed) }
    }

    fn first(&self, token: [u8; 32], now: Wall) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { known, order } = &mut *seen;
        // Taken at the earliest of its window, a token can come again until the latest.
        while order.front().is_some_and(|(_, at)| now.0 - at.0 > 2 * WINDOW) || order.len() >= MAX_SEEN {
            let Some((old, _)) = order.pop_front() else { break };
            known.remove(&old);
        }
        let first = known.insert(token);
        if first {
            order.push_back((token, now));
        }
        first
    }
}

#[cfg(test)]
mod tests;
