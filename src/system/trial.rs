//! A change of the network is tried before it is kept: whoever made it has [`CONFIRM`] to say that the box
//! can still be reached, else all is as it was.
//!
//! A trial is rendered into `/run` and not saved, so that a restart ends it. [`MARKER`] is there from before
//! the first file is changed until the last one is changed back: a helper that finds it at its start reverts.
//! A second change during a trial joins it, and the time starts anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::order::{Link, Method};
use super::render::network;
use super::root::{RUN, Root};
use super::settings::Settings;
use super::{check, ports, units};
use crate::base::time::{Clock, MonoTime};
use crate::base::{Error, Result};

/// How long a trial waits to be confirmed.
pub const CONFIRM: Duration = Duration::from_secs(60);
/// The answer has to be on its way before the address changes under it.
const SETTLE: Duration = Duration::from_millis(500);
/// After this long it is tried again to go back.
const RETRY: Duration = Duration::from_secs(5);

const MARKER: &str = "trial";

/// See the module.
#[derive(Debug)]
pub struct Trial {
    clock: Clock,
    running: Option<Running>,
    /// Why the last one ended by itself.
    failure: Option<Error>,
}

#[derive(Debug)]
struct Running {
    /// What is tried, by interface; nothing more once it is to be taken back.
    links: BTreeMap<String, Link>,
    /// The interfaces that may not be as they were.
    touched: BTreeSet<String>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Rendered; networkd is told then.
    Rendered(MonoTime),
    /// In force until then.
    Tried(MonoTime),
    /// To be taken back then.
    Ending(MonoTime),
}

impl Trial {
    /// None, or the end of one that a helper before this left behind.
    pub fn new(root: &Root, clock: Clock) -> Self {
        let mut trial = Self { clock, running: None, failure: None };
        if let Ok(Some(names)) = root.read(&marker()) {
            tracing::warn!("the helper ended during a network trial, which is taken back");
            let names = names.lines().filter(|name| check::interface("", name).is_ok());
            let (links, touched) = (BTreeMap::new(), names.map(str::to_owned).collect());
            trial.running = Some(Running { links, touched, phase: Phase::Ending(trial.clock.mono()) });
            trial.tick(root);
        }
        trial
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Seconds that are left to confirm it.
    pub fn left(&self) -> Option<u64> {
        match self.running.as_ref()?.phase {
            Phase::Rendered(_) => Some(CONFIRM.as_secs()),
            Phase::Tried(until) => Some(until.since(self.clock.mono()).as_secs()),
            Phase::Ending(_) => None,
        }
    }

    /// `saved` with what is tried.
    pub fn over(&self, saved: &Settings) -> BTreeMap<String, Link> {
        let mut links = saved.links.clone();
        links.extend(self.running.iter().flat_map(|running| running.links.clone()));
        links
    }

    /// Begins to try `link`, or adds it to what is tried. Holds a moment later.
    ///
    /// # Errors
    /// Names the parameter, or what the box lacks. Then nothing has changed.
    pub fn begin(&mut self, root: &Root, interface: &str, mut link: Link) -> Result<()> {
        check::interface("interface", interface)?;
        check::link(&link)?;
        ports::find(root, interface)?;
        let saved = Settings::load(root);
        let mut links = self.over(&saved);
        self.complete(root, interface, &mut link, &links)?;
        ready(root)?;
        links.insert(interface.to_owned(), link.clone());
        let before = self.running.take().map(|running| (running.links, running.touched));
        let (mut tried, mut touched) = before.unwrap_or_default();
        tried.insert(interface.to_owned(), link);
        touched.insert(interface.to_owned());
        let names: String = touched.iter().map(|name| format!("{name}\n")).collect();
        let rendered = root.put(&marker(), &names, 0o600).and_then(|()| network::render(root, &links));
        self.failure = None;
        let now = self.clock.mono();
        self.running = Some(match rendered {
            Ok(()) => Running { links: tried, touched, phase: Phase::Rendered(now + SETTLE) },
            Err(_) => Running { links: BTreeMap::new(), touched, phase: Phase::Ending(now) },
        });
        rendered
    }

    /// A wireless interface stays with the network that it knows unless another is named.
    fn complete(
        &self,
        root: &Root,
        interface: &str,
        link: &mut Link,
        known: &BTreeMap<String, Link>,
    ) -> Result<()> {
        if !ports::is_wireless(root, interface) {
            return match link.ssid {
                Some(_) => Err(Error::bad_input(format!("parameter ssid: {interface} is not wireless"))),
                None => Ok(()),
            };
        }
        if link.ssid.is_none() {
            if let Some(known) = known.get(interface) {
                (link.ssid, link.psk) = (known.ssid.clone(), known.psk.clone());
            }
            if link.ssid.is_none() && link.method != Method::Off {
                return Err(Error::bad_input("parameter ssid is missing"));
            }
        }
        Ok(())
    }

    /// Keeps what is tried.
    ///
    /// # Errors
    /// `Refused` without a trial. Where it cannot be kept, the trial goes on.
    pub fn confirm(&mut self, root: &Root) -> Result<()> {
        if matches!(self.running, Some(Running { phase: Phase::Rendered(_), .. })) {
            self.apply(root);
        }
        let running = self.running.as_ref().filter(|running| matches!(running.phase, Phase::Tried(_)));
        let Some(running) = running else {
            let failed = self.failure.clone().map(|error| error.context("the network trial failed"));
            return Err(failed.unwrap_or_else(none));
        };
        let mut settings = Settings::load(root);
        settings.links.extend(running.links.clone());
        settings.save(root)?;
        self.running = None;
        root.remove(&marker())
    }

    /// Ends the trial a moment later.
    ///
    /// # Errors
    /// `Refused` without one.
    pub fn revert(&mut self) -> Result<()> {
        let running = self.running.as_mut().ok_or_else(none)?;
        running.links.clear();
        running.phase = Phase::Ending(self.clock.mono() + SETTLE);
        Ok(())
    }

    /// Does what is due.
    pub fn tick(&mut self, root: &Root) {
        let Some(running) = &self.running else { return };
        let now = self.clock.mono();
        match running.phase {
            Phase::Rendered(at) if at <= now => self.apply(root),
            Phase::Tried(until) if until <= now => {
                tracing::warn!("the network trial was not confirmed, and is taken back");
                self.go_back(root);
            }
            Phase::Ending(at) if at <= now => self.go_back(root),
            _ => {}
        }
    }

    fn apply(&mut self, root: &Root) {
        let links = self.over(&Settings::load(root));
        let Some(running) = &mut self.running else { return };
        match tell(root, &links, &running.touched) {
            Ok(()) => running.phase = Phase::Tried(self.clock.mono() + CONFIRM),
            Err(error) => {
                tracing::error!("a network trial failed: {error}");
                self.failure = Some(error);
                self.go_back(root);
            }
        }
    }

    fn go_back(&mut self, root: &Root) {
        let Some(running) = &mut self.running else { return };
        running.links.clear();
        let links = Settings::load(root).links;
        let done = network::render(root, &links)
            .and_then(|()| tell(root, &links, &running.touched))
            .and_then(|()| root.remove(&marker()));
        match done {
            Ok(()) => self.running = None,
            Err(error) => {
                tracing::error!("a network trial cannot be taken back yet: {error}");
                running.phase = Phase::Ending(self.clock.mono() + RETRY);
            }
        }
    }
}

fn marker() -> String {
    format!("{RUN}/{MARKER}")
}

fn none() -> Error {
    Error::refused("no network trial runs")
}

/// Whether a trial could work here at all.
fn ready(root: &Root) -> Result<()> {
    root.program("networkctl")?;
    match root.run("systemctl", &["is-active", "systemd-networkd.service"], units::PATIENCE) {
        Err(error) if error.kind() == crate::base::Kind::Internal => {
            Err(Error::refused("systemd-networkd does not run"))
        }
        other => other.map(|_| ()),
    }
}

/// Has networkd, and wpa_supplicant, take what was rendered for these interfaces.
fn tell(root: &Root, links: &BTreeMap<String, Link>, interfaces: &BTreeSet<String>) -> Result<()> {
    let mut done = root.run("networkctl", &["reload"], units::PATIENCE).map(|_| ());
    // One that was pulled out needs nothing, and one that fails must not keep the others from it.
    for interface in interfaces.iter().filter(|interface| ports::find(root, interface).is_ok()) {
        let wifi = switch_wifi(root, links, interface);
        let told = root.run("networkctl", &["reconfigure", interface], units::PATIENCE);
        done = done.and(wifi).and(told.map(|_| ()));
    }
    done
}

/// Starts Wi-Fi anew on an interface that is to join a network, and stops it on one that is not.
fn switch_wifi(root: &Root, links: &BTreeMap<String, Link>, interface: &str) -> Result<()> {
    let unit = format!("wpa_supplicant@{interface}.service");
    let joins = links.get(interface).is_some_and(|link| link.ssid.is_some() && link.method != Method::Off);
    match joins {
        true => units::tell(root, "restart", &unit),
        false if ports::is_wireless(root, interface) => units::tell(root, "stop", &unit),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
