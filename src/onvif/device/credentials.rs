//! Who asks: a WS-UsernameToken in the SOAP header, or HTTP Digest. A password is looked at only where
//! [`Site::may_try`] says so, which is the brake on guessing.
//!
//! Memory: what [`Tokens`] and [`Authority`] remember against replays.

use std::net::IpAddr;
use std::time::SystemTime;

use super::fault::Fault;
use super::site::{Level, Outcome, Site, User};
use super::{Request, Response};
use crate::base::secret::Secret;
use crate::base::wall::Wall;
use crate::onvif::digest::{Asked, Authority, Hash, Verdict};
use crate::onvif::wsse::{Refusal, Tokens};
use crate::onvif::xml::Element;

/// Of HTTP Digest.
const REALM: &str = "h5edge";

/// Checks credentials.
#[derive(Debug)]
pub struct Guard {
    tokens: Tokens,
    authority: Authority,
}

/// Why somebody does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// HTTP 401 with challenges; `stale`: the credentials may be right, but their nonce is too old.
    Challenge {
        stale: bool,
    },
    Fault(Fault),
}

impl Default for Guard {
    fn default() -> Self {
        Self { tokens: Tokens::default(), authority: Authority::new(REALM) }
    }
}

impl Guard {
    /// Lets pass who has `needed`; everybody where that is `None`.
    ///
    /// # Errors
    /// What to answer.
    pub fn admit<S: Site>(
        &self,
        site: &S,
        request: &Request,
        header: Option<&Element>,
        needed: Option<Level>,
    ) -> Result<(), Denial> {
        let Some(needed) = needed else { return Ok(()) };
        let try_of = Try { site, peer: request.peer.ip().to_canonical(), users: site.users() };
        let user = match (header.and_then(|header| header.child("Security")), &request.authorization) {
            (Some(security), _) => self.by_token(&try_of, security)?,
            (None, Some(authorization)) => self.by_digest(&try_of, request, authorization)?,
            (None, None) => return Err(Denial::Challenge { stale: false }),
        };
        if user.level < needed {
            let text = format!("this needs the level {}", needed.as_str());
            return Err(Denial::Fault(Fault::not_authorized(text)));
        }
        Ok(())
    }

    fn by_token<S: Site>(&self, try_of: &Try<'_, S>, security: &Element) -> Result<User, Denial> {
        let refused = |text: &str| Denial::Fault(Fault::not_authorized(text));
        let verdict = self.tokens.verify(security, |name| try_of.password(name), now());
        match verdict {
            Ok(name) => try_of.passed(&name).ok_or_else(|| refused("the user is not known")),
            Err(Refusal::Wrong) => {
                try_of.failed(security.find("Username").map_or("", |name| &name.text));
                Err(refused("user or password is wrong, or was tried too often"))
            }
            Err(Refusal::Replayed) => {
                try_of.undecided(security.find("Username").map_or("", |name| &name.text));
                Err(refused("the token was used before"))
            }
            Err(Refusal::WrongTime) => Err(refused("the token's time is more than 5 minutes away from ours")),
            Err(Refusal::NoDigest) => Err(refused("the password must come as a digest")),
            Err(Refusal::Incomplete) => Err(refused("the token needs Username, Password, Nonce and Created")),
        }
    }

    fn by_digest<S: Site>(
        &self,
        try_of: &Try<'_, S>,
        request: &Request,
        authorization: &str,
    ) -> Result<User, Denial> {
        let asked = Asked { method: request.method, uri: &request.path, body: &request.body };
        let mut tried = String::new();
        let password = |name: &str| {
            name.clone_into(&mut tried);
            try_of.password(name)
        };
        match self.authority.verify(authorization, &asked, password, now()) {
            Verdict::User(name) => try_of.passed(&name).ok_or(Denial::Challenge { stale: false }),
            Verdict::Stale => {
                try_of.undecided(&tried);
                Err(Denial::Challenge { stale: true })
            }
            Verdict::Unusable => Err(Denial::Challenge { stale: false }),
            Verdict::Wrong => {
                try_of.failed(&tried);
                Err(Denial::Challenge { stale: false })
            }
        }
    }

    /// What is answered to somebody who does not pass. MD5 comes first: old clients read no further.
    pub fn response(&self, denial: Denial) -> Response {
        match denial {
            Denial::Fault(fault) => fault.response(),
            Denial::Challenge { stale } => {
                let challenge = |hash| self.authority.challenge(hash, stale, now());
                let challenges = [Hash::Md5, Hash::Sha256].map(challenge).into();
                Response {
                    status: 401,
                    challenges,
                    ..Fault::not_authorized("credentials are needed").response()
                }
            }
        }
    }
}

fn now() -> Wall {
    Wall::from(SystemTime::now())
}

/// One look at a password.
struct Try<'a, S> {
    site: &'a S,
    peer: IpAddr,
    users: Vec<User>,
}

impl<S: Site> Try<'_, S> {
    fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The user's password; `None` also where none may be tried now.
    fn password(&self, name: &str) -> Option<Secret> {
        let allowed = self.site.may_try(self.peer, name);
        self.user(name).filter(|_| allowed).map(|user| user.password.clone())
    }

    fn passed(&self, name: &str) -> Option<User> {
        self.site.tried(self.peer, name, Outcome::Right);
        self.user(name).cloned()
    }

    fn undecided(&self, name: &str) {
        self.site.tried(self.peer, name, Outcome::Undecided);
    }

    /// It was counted before.
    fn failed(&self, name: &str) {
        tracing::warn!(user = %format_args!("{name:.64}"), peer = %self.peer, "ONVIF: wrong user or password");
    }
}
