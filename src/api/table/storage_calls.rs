//! Calls: volumes.

use super::Call;

pub static CALLS: &[Call] = &[];
