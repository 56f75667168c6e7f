//! A device without a user: nobody can log in, and for a while after the start its first user can be made.
//! Who may ask for that is for the API to say; here is made sure that it happens once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Auth, LoginFailure, crowded, first_user, password, poor};
use crate::base::{Error, Result};

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// There is no user yet.
    pub required: bool,
    /// How long one can still be made; zero too where there is one.
    pub left: Duration,
}

impl Auth {
    pub fn setup(&self) -> Setup {
        let required = !self.claimed.load(Ordering::Acquire);
        let left = if required { self.setup_ends.since(self.clock.mono()) } else { Duration::ZERO };
        Setup { required, left }
    }

    /// Whether [`Auth::claim`] would be heard.
    ///
    /// # Errors
    /// `Refused`: there is a user, or the time is over.
    pub fn may_be_claimed(&self) -> Result<()> {
        match self.setup() {
            Setup { required: false, .. } => Err(claimed_before()),
            Setup { left: Duration::ZERO, .. } => Err(Error::refused(
                "the time to set this device up is over: switch it off and on, then try again",
            )),
            _ => Ok(()),
        }
    }

    /// Makes the first user, `admin`, with `password`: plain text or its MD5 hex. Of several at once, one
    /// succeeds.
    ///
    /// # Errors
    /// As [`Auth::may_be_claimed`]; `BadInput` for a password that is no good; `Full` as in
    /// [`Auth::login`].
    pub async fn claim(&self, password: &str) -> Result<()> {
        self.may_be_claimed()?;
        let hex = poor::checked_first(password)?;
        let _waiting = self.waiting.try_acquire().map_err(|_| crowded())?;
        let first = move |store: &crate::store::Store| {
            store.insert_first_user(&first_user(password::hash(&hex)?, false))
        };
        let made = self.blocking(first).await?;
        self.changed().await?;
        if !made {
            return Err(claimed_before());
        }
        tracing::info!("set up: admin has a password");
        Ok(())
    }

    /// The answer to every log-in of a device without a user. It takes as long as any other and counts as
    /// no guess, since there is nothing to be guessed.
    pub(super) async fn not_set_up(&self, user: &str, password: &str) -> LoginFailure {
        let Ok(_waiting) = self.waiting.try_acquire() else { return crowded().into() };
        match self.verified(user, password).await {
            Ok(_) => LoginFailure {
                setup_required: true,
                ..Error::refused("this device is not set up: it has no password yet").into()
            },
            Err(error) => error.into(),
        }
    }
}

fn claimed_before() -> Error {
    Error::refused("this device is set up already")
}
