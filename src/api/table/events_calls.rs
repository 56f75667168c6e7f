//! Calls: what cameras report, and recordings that it starts.

use super::*;

pub static CALLS: &[Call] = &[];
