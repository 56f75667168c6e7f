//! Calls: steering and presets (manual 5.3.5 to 5.3.7).

use super::*;

pub static CALLS: &[Call] = &[
    missing("Ptz", "manual 5.3.5", OPERATOR),
    missing("SetPreset", "manual 5.3.6", OPERATOR),
    missing("DelPreset", "manual 5.3.7", OPERATOR),
];
