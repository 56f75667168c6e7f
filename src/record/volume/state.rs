//! From what is known of a volume to its state.

use super::look::{Look, Space, Unfit};

/// What a volume is good for. Texts are for people and name the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Reading and writing.
    Online,
    /// Reading: rows and files are being compared after a start or a return; recordings wait for that.
    Checking(String),
    /// Reading: nothing can be deleted any more and less is free than should be.
    Full(String),
    /// Reading only, for another reason.
    ReadOnly(String),
    /// Nothing: not mounted, unplugged, broken.
    Gone(String),
}

impl State {
    /// As `strState` has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Checking(_) => "checking",
            Self::Full(_) => "full",
            Self::ReadOnly(_) => "readonly",
            Self::Gone(_) => "gone",
        }
    }

    /// Empty when all is well.
    pub fn text(&self) -> &str {
        match self {
            Self::Online => "",
            Self::Checking(text) | Self::Full(text) | Self::ReadOnly(text) | Self::Gone(text) => text,
        }
    }
}

/// How far the comparing of rows and files is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Entries compared by the run that goes on, or went last.
    pub done: u64,
    /// Entries in the database when it began.
    pub of: u64,
    /// Files that lie in `set-aside`.
    pub set_aside: u64,
}

/// What has to be compared before the volume is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    Nothing,
    /// Rows that say "open": their files were interrupted when the room ran out.
    OpenRows,
    /// All rows and all files.
    #[default]
    Everything,
}

/// What is known of a volume.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// `None` while it is gone.
    pub space: Option<Space>,
    pub unfit: Option<Unfit>,
    pub read_only: bool,
    /// A writer was told that there is no room, or retention finds nothing to delete.
    pub full: bool,
    /// A writer's call failed: the next look writes, too.
    pub suspect: bool,
    pub owed: Owed,
    /// Goes up whenever more is owed.
    pub generation: u64,
    pub checked: Checked,
}

impl Facts {
    pub fn take_in(&mut self, look: Result<Look, Unfit>, keep_free: u64) {
        match look {
            Ok(look) => {
                self.unfit = None;
                self.space = Some(look.space);
                self.read_only = look.read_only;
                self.suspect &= !look.wrote;
                if self.full && look.wrote && look.space.has_room(enough_free(keep_free, look.space.total)) {
                    self.full = false;
                    self.owe(Owed::OpenRows);
                }
                if look.changed {
                    self.owe(Owed::Everything);
                }
            }
            Err(unfit) => {
                self.unfit = Some(unfit);
                self.space = None;
            }
        }
        if self.read_only || self.unfit.is_some() {
            self.suspect = true;
            self.owe(Owed::Everything);
        }
    }

    /// Rows and files may differ from now on.
    fn owe(&mut self, owed: Owed) {
        self.generation += 1;
        self.owed = self.owed.max(owed);
    }

    pub fn state(&self, name: &str, keep_free: u64) -> State {
        let Checked { done, of, .. } = self.checked;
        match (&self.unfit, self.space) {
            (Some(unfit), _) => State::Gone(unfit.0.clone()),
            (None, None) => State::Checking(format!("volume {name} is being looked at")),
            _ if self.read_only => State::ReadOnly(format!("volume {name} can only be read from")),
            _ if self.owed != Owed::Nothing => State::Checking(format!(
                "volume {name} is being checked: {done} of {of} entries compared with their files"
            )),
            (_, Some(space)) if self.full => State::Full(full_text(name, space, keep_free)),
            _ => State::Online,
        }
    }
}

fn full_text(name: &str, space: Space, keep_free: u64) -> String {
    let Space { total, free, .. } = space;
    format!(
        "volume {name} is full: {} of {} MiB are free where {} should be, and nothing more can be deleted",
        free >> 20,
        total >> 20,
        keep_free >> 20
    )
}

/// What has to be free before a full volume is used again: somewhat more than what makes it full, so
/// that it does not go to and fro.
pub(super) fn enough_free(keep_free: u64, total: u64) -> u64 {
    keep_free.saturating_add((keep_free / 8).max((total / 64).min(16 << 20)))
}
