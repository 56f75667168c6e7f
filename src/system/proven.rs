//! Which installations were found good once, kept on the data partition; and from that, what to do when
//! the running one is not well.
//!
//! The boot loader's count alone does not tell a new system that never worked from an old one whose disk
//! is full: both have starts left at first, and both have none after three bad ones.

use super::root::Root;
use super::update::{Slot, State};
use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// What the helper must not forget, on a box.
const DIR: &str = "/data/system";
const FILE: &str = "/data/system/good.json";

/// Slot name to the installation that was good.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proven {
    good: BTreeMap<String, String>,
}

impl Proven {
    /// What is written on the data partition; nothing where there is no such file yet, or one that makes
    /// no sense.
    ///
    /// # Errors
    /// Names the file, when it cannot be read or the partition is away.
    pub fn read(root: &Root) -> Result<Self> {
        if !root.has(DIR) {
            return Err(Error::internal(format!("{DIR} is not there")));
        }
        let text = root.read(FILE)?.unwrap_or_else(|| "{}".to_owned());
        let good = serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!("{FILE}: {error}");
            BTreeMap::new()
        });
        Ok(Self { good })
    }

    pub fn holds(&self, slot: &Slot) -> bool {
        self.good.get(&slot.name).is_some_and(|good| *good == identity(slot))
    }

    /// Notes that `slot` is good; written before this returns.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note(&mut self, root: &Root, slot: &Slot) -> Result<()> {
        if self.holds(slot) {
            return Ok(());
        }
        self.good.insert(slot.name.clone(), identity(slot));
        root.keep(FILE, &format!("{:#}\n", serde_json::json!(self.good)), 0o644)
    }

    /// `state`, with what is known of its slots.
    pub fn mark(&self, mut state: State) -> State {
        for slot in &mut state.slots {
            slot.proven = self.holds(slot);
        }
        state
    }
}

/// Another bundle, or the same one again, is another installation.
fn identity(slot: &Slot) -> String {
    format!("{} {}", slot.installed, slot.sha256)
}

/// What a system does that is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illness {
    /// Start again: the boot loader counts, and after three times takes the other slot.
    Restart,
    /// Stay up, and let nobody count: it has worked, and the other slot is no cure.
    StayProven,
    /// Stay up: there is nothing to fall back to.
    Stay,
}

/// `known` is whether the records of what was good could be read.
pub fn when_ill(state: &State, known: bool) -> Illness {
    let (Some(booted), Some(other)) = (state.booted(), state.other()) else { return Illness::Stay };
    if known && booted.proven {
        return Illness::StayProven;
    }
    // Without records (the data partition is away) a system that just cannot mount it must fall back all the
    // same; once the other slot has used its starts up as well, this ends.
    if other.good && (other.proven || !known) { Illness::Restart } else { Illness::Stay }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(proven: [bool; 2], good: bool) -> State {
        let slot = |name: &str, booted, proven, good| Slot {
            name: name.into(),
            booted,
            good,
            proven,
            ..Slot::default()
        };
        let slots = vec![slot("A", false, proven[0], good), slot("B", true, proven[1], true)];
        State { slots, next: "B".into(), ..State::default() }
    }

    #[test]
    fn only_a_system_that_never_worked_falls_back_and_only_to_one_that_did() {
        assert_eq!(when_ill(&state([true, false], true), true), Illness::Restart);
        assert_eq!(when_ill(&state([true, true], true), true), Illness::StayProven);
        assert_eq!(when_ill(&state([false, true], true), true), Illness::StayProven);
        // Freshly flashed: the other slot is empty.
        assert_eq!(when_ill(&state([false, false], true), true), Illness::Stay);
        // The other one has used up its starts.
        assert_eq!(when_ill(&state([true, false], false), true), Illness::Stay);
        assert_eq!(when_ill(&state([false, false], true), false), Illness::Restart);
        assert_eq!(when_ill(&state([false, false], false), false), Illness::Stay);
        assert_eq!(when_ill(&State::default(), true), Illness::Stay);
    }

    #[test]
    fn another_installation_is_not_proven() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let away = Proven::read(&root).unwrap_err().to_string();
        assert!(away.contains(DIR), "{away}");
        root.folder(DIR, 0o700).unwrap();
        let mut proven = Proven::read(&root).unwrap();
        let first = Slot { name: "A".into(), installed: "2026-11-22T08:00:00Z".into(), ..Slot::default() };
        assert!(!proven.holds(&first));
        proven.note(&root, &first).unwrap();
        let proven = Proven::read(&root).unwrap();
        assert!(proven.holds(&first));
        assert!(!proven.holds(&Slot { sha256: "00".into(), ..first.clone() }));
        assert!(!proven.holds(&Slot { name: "B".into(), ..first }));
        root.put(FILE, "no JSON", 0o644).unwrap();
        let mut proven = Proven::read(&root).unwrap();
        assert!(proven.good.is_empty());
        proven.note(&root, &Slot { name: "B".into(), ..Slot::default() }).unwrap();
        assert_eq!(Proven::read(&root).unwrap(), proven);
    }
}
