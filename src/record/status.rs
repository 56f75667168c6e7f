//! What is recorded of a source at the moment, and why not.

use std::sync::Arc;

use super::Recorder;
use super::control::{Control, Files, Phase};
use crate::base::footage::Cause;

/// One running recording as others see it.
#[derive(Clone, Debug)]
pub struct Report {
    pub cause: Cause,
    /// Never `Ended`.
    pub phase: Phase,
    /// Paths below `/mediastore/`.
    pub files: Files,
    /// How often frames were lost because the disk was too slow.
    pub skips: u64,
}

/// What is recorded of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecState {
    /// Nothing is to be recorded.
    Idle,
    /// A file is open.
    Recording,
    /// For the source.
    Waiting,
    /// The volume takes nothing.
    Trouble,
}

impl RecState {
    /// As `strRecState` in GetSrc.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Recording => "recording",
            Self::Waiting => "waiting",
            Self::Trouble => "trouble",
        }
    }
}

impl Recorder {
    /// The recordings of a source, in the order in which they were started.
    pub fn status(&self, token: &str) -> Vec<Report> {
        let report = |control: Arc<Control>| {
            let (cause, phase) = (control.cause, control.phase());
            let (files, skips) = (control.files(), control.skips());
            (!matches!(phase, Phase::Ended(_))).then_some(Report { cause, phase, files, skips })
        };
        self.controls(token, |_| true).into_iter().filter_map(report).collect()
    }

    /// All of them in one word, and why it is not recording, in words for people.
    pub fn rec_state(&self, token: &str) -> (RecState, String) {
        let mut worst = (RecState::Idle, String::new());
        for report in self.status(token) {
            match report.phase {
                Phase::Recording { .. } => return (RecState::Recording, String::new()),
                Phase::Trouble(error) => worst = (RecState::Trouble, error.to_string()),
                Phase::Waiting(text) if worst.0 != RecState::Trouble => worst = (RecState::Waiting, text),
                _ => {}
            }
        }
        worst
    }
}
