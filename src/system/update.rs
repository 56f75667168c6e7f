//! What there is to say of the two systems on the disk, as the helper tells it to the daemon.

use serde::{Deserialize, Serialize};

use crate::base::{Error, Result};

/// Both slots, and what the updater does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Which bundles fit this box.
    pub compatible: String,
    /// By name.
    pub slots: Vec<Slot>,
    /// Name of the slot that is started next.
    pub next: String,
    /// An installation goes on.
    pub installing: bool,
    /// Of the installation, 0 to 100.
    pub percent: u8,
    /// The step that the updater is at.
    pub step: String,
    /// Why the last installation failed; empty when it did not.
    pub last_error: String,
}

/// One of the two systems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// `A` or `B`.
    pub name: String,
    /// This one runs.
    pub booted: bool,
    /// It has starts left: the boot loader would take it.
    pub good: bool,
    /// Of the bundle it was installed from; empty for one that was flashed.
    pub version: String,
    /// When that was (ISO 8601); empty for one that was flashed.
    pub installed: String,
    /// SHA-256 of what was installed; empty for one that was flashed.
    pub sha256: String,
    /// This very installation was found good once.
    pub proven: bool,
}

/// What a checked bundle is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    pub version: String,
    pub compatible: String,
}

impl State {
    pub fn booted(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.booted)
    }

    /// The slot that does not run.
    pub fn other(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| !slot.booted)
    }

    /// Another slot than the running one is started next.
    pub fn reboot_needed(&self) -> bool {
        self.booted().is_some_and(|slot| slot.name != self.next)
    }

    /// Where a roll-back leads: to the slot that would not be started next. After an update, that is the
    /// running one.
    ///
    /// # Errors
    /// `Refused` where no system that works is known to be there.
    pub fn roll_back_to(&self) -> Result<&Slot> {
        let slot = self.slots.iter().find(|slot| slot.name != self.next);
        let slot = slot.ok_or_else(|| Error::refused("there is no other system to go back to"))?;
        if slot.booted || slot.proven {
            return Ok(slot);
        }
        if slot.installed.is_empty() {
            return Err(Error::refused(format!("slot {} holds no system that ever worked here", slot.name)));
        }
        if !slot.good {
            return Err(Error::refused(format!("the system in slot {} did not start well", slot.name)));
        }
        Ok(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &str, booted: bool) -> Slot {
        Slot { name: name.into(), booted, good: true, ..Slot::default() }
    }

    fn state(next: &str, a: Slot, b: Slot) -> State {
        State { slots: vec![a, b], next: next.into(), ..State::default() }
    }

    #[test]
    fn a_roll_back_leads_to_a_system_that_works() {
        let to =
            |state: &State| state.roll_back_to().map(|slot| slot.name.clone()).map_err(|e| e.to_string());
        let empty = state("A", slot("A", true), slot("B", false));
        assert_eq!(to(&empty).unwrap_err(), "slot B holds no system that ever worked here");
        let proven = Slot { proven: true, ..slot("B", false) };
        assert_eq!(to(&state("A", slot("A", true), proven)).unwrap(), "B");
        let untried = Slot { installed: "2026-11-22T08:00:00Z".into(), ..slot("B", false) };
        assert_eq!(to(&state("A", slot("A", true), untried.clone())).unwrap(), "B");
        let broken = Slot { good: false, ..untried.clone() };
        let text = to(&state("A", slot("A", true), broken)).unwrap_err();
        assert_eq!(text, "the system in slot B did not start well");
        // An update that waits for its restart is taken back.
        let waiting = state("B", slot("A", true), untried);
        assert_eq!((to(&waiting).unwrap(), waiting.reboot_needed()), ("A".into(), true));
    }
}
