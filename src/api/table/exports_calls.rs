//! Calls: exports of a time span as one file.

use super::Call;

pub static CALLS: &[Call] = &[];
