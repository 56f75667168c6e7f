//! Logging in. Cameras lock accounts after a few wrong passwords, so a wrong one is tried once:
//!
//! 1. Every request goes out bare, until the camera wants a login. What it says then decides how: an
//!    HTTP Digest challenge is answered, else a WS-UsernameToken is sent, made by the camera's clock.
//!    Whichever it is stays; a Digest camera never sees a token. Nonces are not used twice, as many
//!    cameras don't take that.
//! 2. There is one more try only where there is a reason to think that the password was not the cause:
//!    a stale nonce, a token answered with a challenge, or a clock that was changed or that may show
//!    local time for UTC.
//! 3. After that the camera is left alone for a while ([`Denied`]).

use std::time::Duration;

use tokio::time::Instant;

use super::clock::Ahead;
use super::reply::{Reply, Said};
use super::session::Session;
use super::target::Target;
use super::{Address, Question};
use crate::base::bytes::hex;
use crate::onvif::digest::{Asked, Challenge, Credentials, answer};
use crate::onvif::http::place;
use crate::onvif::xml::Element;
use crate::onvif::{Failure, Why, wsse};

/// For how long a refused login is answered from memory; doubled each time up to [`LONGEST`].
const ALONE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(8 * 60);

/// How a camera wants us to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// It never asked.
    Unasked,
    /// HTTP Digest.
    Digest,
    /// WS-UsernameToken.
    Token,
}

/// A login that was refused. Where the password was taken before, this may be about the one operation,
/// which the user has no right to.
#[derive(Debug)]
pub struct Denied {
    at: Instant,
    alone: Duration,
    operation: Option<String>,
    failure: Failure,
}

impl Denied {
    fn covers(&self, operation: &str) -> bool {
        self.at.elapsed() < self.alone && self.operation.as_deref().is_none_or(|denied| denied == operation)
    }
}

impl Session {
    /// Asks, and logs in as it is wanted.
    pub async fn ask(
        &mut self,
        address: &Address,
        to: &Target,
        question: &Question<'_>,
    ) -> Result<Element, Failure> {
        if let Some(denied) = self.denied.as_ref().filter(|denied| denied.covers(question.operation)) {
            return Err(denied.failure.clone());
        }
        let reply = match self.login {
            Login::Token => self.with_token(address, to, question).await?,
            Login::Digest | Login::Unasked => self.as_stranger(address, to, question).await?,
        };
        if reply.is_about_login() {
            return Err(self.deny(address, question, &reply));
        }
        reply.result(&place(&address.at.host, to.port))
    }

    async fn as_stranger(
        &mut self,
        address: &Address,
        to: &Target,
        question: &Question<'_>,
    ) -> Result<Reply, Failure> {
        let bare = self.send(to, question, "", None).await?;
        if address.user.is_empty() || !bare.may_want_login() {
            return Ok(bare);
        }
        if let Some(challenge) = bare.challenge() {
            return self.with_digest(address, to, question, challenge).await;
        }
        if self.login == Login::Digest {
            return Ok(bare);
        }
        let reply = self.with_token(address, to, question).await?;
        if self.login == Login::Unasked && (bare.is_about_login() || matches!(reply.said, Said::Done(_))) {
            self.login = Login::Token;
        }
        Ok(reply)
    }

    async fn with_digest(
        &mut self,
        address: &Address,
        to: &Target,
        question: &Question<'_>,
        challenge: Challenge,
    ) -> Result<Reply, Failure> {
        self.login = Login::Digest;
        let mut reply = self.send(to, question, "", Some((address, &challenge))).await?;
        if let Some(fresh) = reply.challenge().filter(|fresh| fresh.stale) {
            reply = self.send(to, question, "", Some((address, &fresh))).await?;
        }
        self.note(&reply);
        Ok(reply)
    }

    async fn with_token(
        &mut self,
        address: &Address,
        to: &Target,
        question: &Question<'_>,
    ) -> Result<Reply, Failure> {
        let token = |ahead: Ahead| wsse::token(&address.user, &address.password, ahead.now());
        let reply = self.send(to, question, &token(self.ahead), None).await?;
        if !reply.is_about_login() {
            self.note(&reply);
            return Ok(reply);
        }
        if let Some(challenge) = reply.challenge().filter(|_| !self.proven) {
            return self.with_digest(address, to, question, challenge).await;
        }
        let Some(other) = self.other_time(address).await? else { return Ok(reply) };
        let again = self.send(to, question, &token(other), None).await?;
        if !again.is_about_login() {
            self.ahead = other;
            self.note(&again);
        }
        Ok(again)
    }

    /// Another time that a refused token might have been wanted with.
    async fn other_time(&mut self, address: &Address) -> Result<Option<Ahead>, Failure> {
        let measured = self.time(address).await?;
        if let Some(changed) = measured.filter(|measured| measured.differs(self.ahead)) {
            return Ok(Some(changed));
        }
        Ok((!self.proven && self.ahead.is_a_zone()).then(Ahead::default))
    }

    fn note(&mut self, reply: &Reply) {
        if !reply.is_about_login() && !matches!(reply.said, Said::Nothing(_)) {
            self.proven = true;
            self.denied = self.denied.take().filter(|denied| denied.operation.is_some());
        }
    }

    fn deny(&mut self, address: &Address, question: &Question<'_>, reply: &Reply) -> Failure {
        let place = place(&address.at.host, address.at.port);
        if address.user.is_empty() {
            return Failure::new(Why::Unauthorised, format!("{place} wants a user and a password"));
        }
        let said = match &reply.said {
            Said::Refused(fault) => format!("; the camera says: {}", fault.shown()),
            Said::Done(_) | Said::Nothing(_) => String::new(),
        };
        let user = &address.user;
        let text = if self.proven {
            let operation = question.operation;
            format!(
                "{place} does not let user {user:?} do {operation}: the user lacks the right, or the password was changed{said}"
            )
        } else {
            format!(
                "{place} does not take user {user:?} with this password; many cameras have users for \
                 ONVIF apart from those of their web page, or ONVIF switched off: see the camera's \
                 settings{said}"
            )
        };
        let failure = Failure::new(Why::Unauthorised, text);
        let before = self.denied.take().filter(|denied| denied.operation.is_none());
        self.denied = Some(Denied {
            at: Instant::now(),
            alone: before.map_or(ALONE, |denied| LONGEST.min(denied.alone * 2)),
            operation: self.proven.then(|| question.operation.to_owned()),
            failure: failure.clone(),
        });
        self.proven = false;
        failure
    }
}

/// The `Authorization` header for a request of this path and body.
pub fn authorization(address: &Address, challenge: &Challenge, path: &str, body: &[u8]) -> String {
    let cnonce = hex(&rand::random::<[u8; 8]>());
    let (user, password) = (address.user.as_str(), address.password.expose());
    let credentials = Credentials { user, password, cnonce: &cnonce, count: 1 };
    answer(challenge, &credentials, &Asked { method: "POST", uri: path, body })
}
