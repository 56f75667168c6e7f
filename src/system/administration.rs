//! The orders that change the box's settings: network, time, name, SSH.
//!
//! Runs on the helper's one thread. An order is checked whole before anything changes; what cannot be
//! applied is not kept.

use serde::Serialize;
use serde_json::Value;

use super::helper::Reply;
use super::order::Order;
use super::published::Published;
use super::render::{names, time};
use super::root::Root;
use super::settings::Settings;
use super::trial::{CONFIRM, Trial};
use super::{check, clock, ports, ssh, wifi};
use crate::base::time::Clock;
use crate::base::{Error, Result};

/// See the module.
#[derive(Debug)]
pub struct Administration {
    root: Root,
    trial: Trial,
    published: Published,
}

impl Administration {
    /// Takes back a trial that an earlier helper left behind.
    pub fn new(root: Root, clock: Clock) -> Self {
        let trial = Trial::new(&root, clock.clone());
        Self { root, trial, published: Published::new(clock) }
    }

    /// # Errors
    /// Names the parameter, or what failed.
    pub fn carry_out(&mut self, order: Order) -> Result<Reply> {
        let root = &self.root;
        if matches!(order, Order::SetNetwork { .. } | Order::RevertNetwork | Order::SetName { .. }) {
            self.published.watch();
        }
        match order {
            Order::Network => {
                let ports = ports::list(root, &self.trial.over(&Settings::load(root)));
                reply(&ports::State { ports, trial: self.trial.left() })
            }
            Order::SetNetwork { interface, link } => {
                self.trial.begin(root, &interface, link)?;
                reply(&CONFIRM.as_secs())
            }
            Order::ConfirmNetwork => reply(&self.trial.confirm(root)?),
            Order::RevertNetwork => reply(&self.trial.revert()?),
            Order::ScanWifi { interface } => reply(&wifi::scan(root, &interface)?),
            Order::Time => reply(&clock::time(root, &Settings::load(root))),
            Order::SetTime { zone, ntp, at } => reply(&set_time(root, zone, ntp, at)?),
            Order::Name => reply(&clock::name(root, &Settings::load(root))?),
            Order::SetName { name } => reply(&set_name(root, name)?),
            Order::Ssh => reply(&ssh::state(root, &Settings::load(root))?),
            Order::SetSsh { keys } => reply(&set_ssh(root, keys)?),
            _ => Err(Error::unsupported("this order is none about settings")),
        }
    }

    /// The box has come up.
    pub fn started(&mut self) {
        self.published.watch();
    }

    /// A trial runs, or the name on the LAN is looked after.
    pub fn busy(&self) -> bool {
        self.trial.is_running() || self.published.is_watched()
    }

    pub fn tick(&mut self) {
        let tried = self.trial.is_running();
        self.trial.tick(&self.root);
        if tried && !self.trial.is_running() {
            self.published.watch();
        }
        self.published.tick(&self.root);
    }
}

fn reply(value: &impl Serialize) -> Result<Reply> {
    let value: Value = serde_json::to_value(value)
        .map_err(|error| Error::internal(format!("the answer cannot be written: {error}")))?;
    Ok(value.into())
}

fn set_time(root: &Root, zone: Option<String>, ntp: Option<Vec<String>>, at: Option<i64>) -> Result<()> {
    clock::check(root, zone.as_deref(), ntp.as_deref(), at)?;
    let other_servers = ntp.is_some();
    let edit = |settings: &mut Settings| {
        settings.zone = zone.or(settings.zone.take());
        settings.ntp = ntp.unwrap_or_else(|| std::mem::take(&mut settings.ntp));
    };
    change(root, edit, clock::apply)?;
    if other_servers {
        later("the NTP servers", time::reload_servers(root));
    }
    at.map_or(Ok(()), |at| root.set_clock(at))
}

fn set_name(root: &Root, name: Option<String>) -> Result<()> {
    name.as_deref().map_or(Ok(()), |name| check::label("name", name))?;
    change(root, |settings| settings.name = name, clock::apply_name)?;
    later("the name on the LAN", names::reload(root));
    Ok(())
}

fn set_ssh(root: &Root, keys: Vec<String>) -> Result<()> {
    ssh::check(&keys)?;
    let apply = |root: &Root, settings: &Settings| {
        ssh::render(root, settings).and_then(|()| ssh::switch(root, settings))
    };
    change(root, |settings| settings.keys = keys, apply)
}

/// Saves the settings after `edit` and has them hold; if that fails, all is as it was.
fn change(
    root: &Root,
    edit: impl FnOnce(&mut Settings),
    apply: impl Fn(&Root, &Settings) -> Result<()>,
) -> Result<()> {
    let old = Settings::load(root);
    let mut new = old.clone();
    edit(&mut new);
    new.save(root)?;
    let Err(error) = apply(root, &new) else { return Ok(()) };
    later("going back", old.save(root).and_then(|()| apply(root, &old)));
    Err(error)
}

/// What fails here holds from the next start on: no reason to call the order failed.
fn later(what: &str, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!("{what}: {error}");
    }
}

#[cfg(test)]
mod tests;
