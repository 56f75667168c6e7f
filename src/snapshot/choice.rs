//! Which elements make a picture: hardware first where it has proved itself, software where it fails.
//!
//! An element of hardware is used when nobody denies it, it has passed the probe ([`super::probe`]), and
//! it did not fail [`STRIKES`] times within [`WINDOW`]: then software takes over for [`PAUSE`]. One that
//! could not even be killed is not touched again until the daemon restarts.
//!
//! No clock, no tasks: the caller brings the time. Memory: a few numbers for each element that there is.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::CodecSettings;
use super::inventory::{Duty, Found, Inventory};
use super::verdicts::Verdicts;
use crate::media::params::VideoCodec;

/// Failures of an element until it is left alone for a while.
const STRIKES: usize = 3;
/// The time in which they count.
const WINDOW: Duration = Duration::from_secs(600);
/// How long it is left alone.
const PAUSE: Duration = Duration::from_secs(600);

/// Two elements that make a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    pub decoder: Part,
    pub encoder: Part,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub duty: Duty,
    pub element: String,
    pub hardware: bool,
}

impl Recipe {
    pub fn has_hardware(&self) -> bool {
        self.decoder.hardware || self.encoder.hardware
    }
}

/// How an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ok,
    /// By the board's list, the configuration, or hardware being switched off.
    Denied,
    /// Not good enough in the probe, or too often not since.
    Failed,
    /// It hung so that its process could not be killed.
    Poisoned,
    /// Its probe is not over.
    Unprobed,
}

impl State {
    /// As `GetCodecInfo` says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Poisoned => "poisoned",
            Self::Unprobed => "unprobed",
        }
    }
}

/// What `GetCodecInfo` says of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecReport {
    pub duty: Duty,
    pub element: String,
    pub hardware: bool,
    pub state: State,
    /// Why the state is what it is, for people.
    pub reason: String,
    /// It would make the next picture.
    pub in_use: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Choice {
    settings: CodecSettings,
    found: Vec<Found>,
    pub verdicts: Verdicts,
    breakers: HashMap<(Duty, String), Breaker>,
    /// By element, with the reason.
    poisoned: HashMap<String, String>,
}

/// The failures of one element.
#[derive(Debug, Default)]
struct Breaker {
    strikes: Vec<Instant>,
    open_until: Option<Instant>,
    last: String,
}

impl Choice {
    pub fn new(settings: CodecSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// What there is now, best first.
    pub fn set_found(&mut self, inventory: Inventory) {
        let mut found = inventory.found;
        let prefer = &self.settings.prefer;
        found.sort_by_cached_key(|f| {
            let preferred = prefer.iter().position(|name| *name == f.element).unwrap_or(prefer.len());
            (f.duty, preferred, !f.hardware, Reverse(f.rank), f.element.clone())
        });
        self.found = found;
    }

    /// How a picture is made: what to try, in this order. Hardware only in the first recipe: where that
    /// fails, somebody waits for the picture already.
    pub fn plan(&self, codec: VideoCodec, now: Instant) -> Vec<Recipe> {
        let decoders: Vec<_> = self.usable(codec.into(), now).collect();
        let encoders: Vec<_> = self.usable(Duty::Jpeg, now).collect();
        let recipe =
            |decoder: &Found, encoder: &Found| Recipe { decoder: decoder.into(), encoder: encoder.into() };
        let best = decoders.first().zip(encoders.first()).map(|(decoder, encoder)| recipe(decoder, encoder));
        let encoder = encoders.iter().find(|encoder| !encoder.hardware);
        let software = decoders.iter().filter(|decoder| !decoder.hardware);
        let safe =
            encoder.into_iter().flat_map(|encoder| software.clone().map(|decoder| recipe(decoder, encoder)));
        let mut plan: Vec<_> = best.into_iter().chain(safe).collect();
        plan.dedup();
        plan
    }

    /// Hardware that is to be probed, each with an element for the other half of the work.
    pub fn unprobed(&self) -> Vec<(Found, Recipe)> {
        let now = Instant::now();
        let waiting = self.found.iter().filter(|f| self.state(f, now).0 == State::Unprobed);
        let with = |f: &Found| {
            let other = if f.duty == Duty::Jpeg { Duty::H264 } else { Duty::Jpeg };
            let partner = self.found.iter().find(|p| p.duty == other && !p.hardware)?;
            let (decoder, encoder) = if f.duty == Duty::Jpeg { (partner, f) } else { (f, partner) };
            Some((f.clone(), Recipe { decoder: decoder.into(), encoder: encoder.into() }))
        };
        waiting.filter_map(with).collect()
    }

    /// Hardware has failed where software did the same work.
    pub fn strike(&mut self, part: &Part, why: &str, now: Instant) {
        let breaker = self.breakers.entry((part.duty, part.element.clone())).or_default();
        breaker.strikes.retain(|&at| now - at < WINDOW);
        breaker.strikes.push(now);
        why.clone_into(&mut breaker.last);
        if breaker.strikes.len() >= STRIKES {
            breaker.strikes.clear();
            breaker.open_until = Some(now + PAUSE);
            let minutes = PAUSE.as_secs() / 60;
            let (element, duty) = (&part.element, part.duty.as_str());
            tracing::warn!(
                "{element} failed {STRIKES} times ({why}): software does {duty} for {minutes} minutes"
            );
        }
    }

    /// Never to be touched again.
    pub fn poison(&mut self, element: &str) {
        tracing::error!("{element} hangs in the kernel: it is not used again before a restart");
        let reason = "its process hung in the kernel and could not be killed; needs a restart";
        self.poisoned.insert(element.to_owned(), reason.to_owned());
    }

    pub fn report(&self, now: Instant) -> Vec<CodecReport> {
        let used: Vec<_> = Duty::ALL.iter().filter_map(|&duty| self.usable(duty, now).next()).collect();
        let report = |f: &Found| {
            let (state, reason) = self.state(f, now);
            CodecReport {
                duty: f.duty,
                element: f.element.clone(),
                hardware: f.hardware,
                state,
                reason,
                in_use: used.contains(&f),
            }
        };
        self.found.iter().map(report).collect()
    }

    fn usable(&self, duty: Duty, now: Instant) -> impl Iterator<Item = &Found> {
        self.found.iter().filter(move |f| f.duty == duty && self.state(f, now).0 == State::Ok)
    }

    fn state(&self, found: &Found, now: Instant) -> (State, String) {
        if let Some(reason) = self.settings.deny.get(&found.element) {
            return (State::Denied, reason.clone());
        }
        if !found.hardware {
            return (State::Ok, "software".into());
        }
        if !self.settings.hardware {
            return (State::Denied, "hardware is switched off in the configuration".into());
        }
        if let Some(reason) = self.poisoned.get(&found.element) {
            return (State::Poisoned, reason.clone());
        }
        match self.verdicts.of(found) {
            None => return (State::Unprobed, "its probe is not over".into()),
            Some(Err(fault)) => return (State::Failed, format!("probe: {fault}")),
            Some(Ok(())) => {}
        }
        let breaker = self.breakers.get(&(found.duty, found.element.clone()));
        let open =
            breaker.and_then(|breaker| Some((breaker, breaker.open_until.filter(|&until| now < until)?)));
        match open {
            Some((breaker, until)) => {
                let seconds = (until - now).as_secs();
                let reason =
                    format!("{STRIKES} failures, the last: {}; used again in {seconds} s", breaker.last);
                (State::Failed, reason)
            }
            None => (State::Ok, "hardware that passed its probe".into()),
        }
    }
}

impl From<&Found> for Part {
    fn from(found: &Found) -> Self {
        Self { duty: found.duty, element: found.element.clone(), hardware: found.hardware }
    }
}

#[cfg(test)]
mod tests;
