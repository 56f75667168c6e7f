//! Calls: our own ONVIF device and who may use it.

use super::*;

pub static CALLS: &[Call] = &[];
