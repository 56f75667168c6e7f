//! The orders about update, restart, reset and journal. RAUC's service does the installing, so that an order
//! is answered at once and nothing has to be kept here while it goes on.
//!
//! Runs on the helper's one thread. Memory: a journal of [`MAX_JOURNAL`] bytes while it is sent.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::{self, Runtime};

use super::bundle;
use super::helper::Reply;
use super::order::Order;
use super::proven::Proven;
use super::rauc::Rauc;
use super::root::Root;
use super::update::{Bundle, State};
use crate::base::{Error, Kind, Result};

/// Lines of the journal that can be had at once.
pub const MAX_LINES: u32 = 50_000;
/// And bytes.
pub const MAX_JOURNAL: u64 = 16 << 20;
/// Between the answer and what ends the daemon, so that the answer arrives.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a program of the system may take. Less than the daemon waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Carries these orders out.
pub struct Maintenance {
    runtime: Runtime,
    root: Root,
    bundle: PathBuf,
    /// As it was before the installation that goes on.
    last: State,
    /// When systemd is to end everything, and how.
    farewell: Option<(Instant, &'static str)>,
}

impl Maintenance {
    /// # Errors
    /// `Internal` where the system gives no event queue.
    pub fn new(root: Root) -> Result<Self> {
        Ok(Self {
            runtime: runtime::Builder::new_current_thread().enable_all().build()?,
            bundle: root.at("/data/update").join(bundle::FILE),
            root,
            last: State::default(),
            farewell: None,
        })
    }

    /// A restart or the end is due.
    pub fn busy(&self) -> bool {
        self.farewell.is_some()
    }

    /// Lets systemd end everything when that is due. It ends the daemon too, and that its recordings.
    pub fn tick(&mut self) {
        let Some((_, verb)) = self.farewell.take_if(|(at, _)| *at <= Instant::now()) else { return };
        if let Err(error) = self.root.run("systemctl", &[verb], PATIENCE) {
            tracing::error!("{error}");
        }
    }

    /// # Errors
    /// Those of each order; `Internal` for one that is not about maintenance.
    pub fn carry_out(&mut self, order: Order) -> Result<Reply> {
        let value = match order {
            Order::Update => json!(self.state()?),
            Order::CheckBundle => {
                let state = self.idle()?;
                json!(self.check(&state)?)
            }
            Order::InstallBundle => {
                let state = self.idle()?;
                self.check(&state)?;
                self.rauc(async |rauc| rauc.install(&self.bundle).await)?;
                Value::Null
            }
            Order::RollBack => {
                let state = self.idle()?;
                let slot = state.roll_back_to()?;
                self.rauc(async |rauc| rauc.mark_active(slot).await)?;
                json!(slot.name)
            }
            Order::MarkGood => self.mark_good()?,
            Order::Reboot => {
                self.idle()?;
                self.say_farewell("reboot")
            }
            Order::PowerOff => {
                self.idle()?;
                self.say_farewell("poweroff")
            }
            Order::FactoryReset => {
                self.idle()?;
                self.root.run("fw_setenv", &["wipe", "1"], PATIENCE)?;
                self.say_farewell("reboot")
            }
            Order::Journal { lines } => return journal(&self.root, lines),
            other => return Err(Error::internal(format!("{other:?} is no order of maintenance"))),
        };
        Ok(value.into())
    }

    fn state(&mut self) -> Result<State> {
        let mut state = self.rauc(async |rauc| rauc.state(&self.last).await)?;
        match Proven::read(&self.root) {
            Ok(proven) => state = proven.mark(state),
            Err(error) => tracing::warn!("nothing is known of earlier systems: {error}"),
        }
        self.last = state.clone();
        Ok(state)
    }

    /// The state, when nothing is being installed.
    fn idle(&mut self) -> Result<State> {
        let state = self.state()?;
        if state.installing {
            return Err(Error::refused("an update is being installed"));
        }
        Ok(state)
    }

    fn check(&self, state: &State) -> Result<Bundle> {
        bundle::look(&self.bundle)?;
        let bundle = self.rauc(async |rauc| Ok(rauc.info(&self.bundle).await))?;
        let bundle = bundle.map_err(|error| match error.kind() {
            Kind::Internal => Error::refused(format!(
                "the bundle is not signed with a key of this box, or is damaged ({error})"
            )),
            _ => error,
        })?;
        if bundle.compatible != state.compatible {
            let Bundle { compatible, .. } = bundle;
            return Err(Error::refused(format!(
                "the bundle is not compatible: it is for {compatible:.64}, this is {}",
                state.compatible
            )));
        }
        Ok(bundle)
    }

    fn mark_good(&mut self) -> Result<Value> {
        let state = self.idle()?;
        let booted = state.booted().ok_or_else(|| Error::internal("the updater knows no running slot"))?;
        // First: without this note, the count must go on down.
        Proven::read(&self.root)?.note(&self.root, booted)?;
        self.rauc(async |rauc| rauc.mark_good().await)?;
        Ok(json!(booted.name))
    }

    fn say_farewell(&mut self, verb: &'static str) -> Value {
        self.farewell = Some((Instant::now() + FAREWELL, verb));
        Value::Null
    }

    fn rauc<T>(&self, work: impl AsyncFnOnce(&Rauc) -> Result<T>) -> Result<T> {
        self.runtime.block_on(async { work(&Rauc::connect().await?).await })
    }
}

/// The newest `lines` of the journal, at most [`MAX_JOURNAL`] bytes.
fn journal(root: &Root, lines: u32) -> Result<Reply> {
    if !(1..=MAX_LINES).contains(&lines) {
        return Err(Error::bad_input(format!("lines: not from 1 to {MAX_LINES}")));
    }
    let arguments = ["--no-pager", "--quiet", "-o", "short-iso", "-n", &lines.to_string()];
    let then = root.output("journalctl", &arguments, PATIENCE, MAX_JOURNAL)?;
    Ok(Reply { value: Value::Null, then })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_bounded() {
        for lines in [0, MAX_LINES + 1] {
            assert!(journal(&Root::new("/"), lines).err().unwrap().to_string().contains("lines"));
        }
    }
}
