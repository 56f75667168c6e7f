//! Calls: recording (manual 5.5.1 to 5.5.4) and schedules.

use super::*;

pub static CALLS: &[Call] = &[
    missing("Record", "manual 5.5.1", OPERATOR),
    missing("ManualRecordStart", "manual 5.5.2", OPERATOR),
    missing("ManualRecordStop", "manual 5.5.3", OPERATOR),
    missing("PathRecord", "manual 5.5.4", OPERATOR),
];
