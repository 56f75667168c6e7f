//! Calls: finding, locking and deleting footage (manual 5.5.7).

use super::*;

pub static CALLS: &[Call] = &[missing("Search", "manual 5.5.7", VIEWER)];
