//! Calls: snapshots (manual 5.5.5 and 5.5.6) and pictures.

use super::*;

pub static CALLS: &[Call] =
    &[missing("Snapshot", "manual 5.5.5", OPERATOR), missing("PathSnapshot", "manual 5.5.6", OPERATOR)];
