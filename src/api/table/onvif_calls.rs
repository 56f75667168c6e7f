//! Calls: ONVIF cameras as sources, finding and probing them (manual 5.3.3 and 5.4).

use super::*;

pub static CALLS: &[Call] = &[
    missing("AddSrcONVIF", "manual 5.3.3", ADMINISTRATOR),
    missing("OnvifSearch", "manual 5.4.1", OPERATOR),
    missing("OnvifProbe", "manual 5.4.2", OPERATOR),
];
