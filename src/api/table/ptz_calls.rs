//! Calls: steering and presets (manual 5.3.5 to 5.3.7).

use super::*;
use crate::api::ptz;

/// Percent-encoded by careful clients; cameras take 64 characters mostly.
const PRESET_NAME: Kind = Kind::Text(64);

pub static CALLS: &[Call] = &[
    Call {
        name: "Ptz",
        origin: "manual 5.3.5",
        access: OPERATOR,
        params: &[
            TOKEN,
            must(
                "action",
                Kind::OneOf(ptz::ACTIONS),
                "What to do. `focusin` is near, `focusout` far, `irisin` opens, `irisout` closes.",
            ),
            may(
                "speed",
                Kind::Text(16),
                "From 0 to 1, such as `0.5`, the default; of the camera's own range.",
            ),
            may("preset", Kind::Token, "Token of the preset that `preset` leads to."),
        ],
        doc: "Steers an ONVIF camera. A move goes on until `stop`, and for 60 s at most unless it is asked for \
              again. A failure at the camera says why in `strReason`: `unreachable`, `unauthorised`, \
              `not_onvif`, `tls`, `refused` or `unsupported`.",
        run: Run::Change(|ask| Box::pin(ptz::ptz(ask))),
    },
    Call {
        name: "SetPreset",
        origin: "manual 5.3.6",
        access: OPERATOR,
        params: &[
            TOKEN,
            must("presetname", PRESET_NAME, "Its name, such as `1`."),
            must("presettoken", Kind::Token, "Its token, such as `1`; one that is used is set anew."),
        ],
        doc: "Stores where an ONVIF camera looks now. Which token the camera itself gave is kept here.",
        run: Run::Change(|ask| Box::pin(ptz::set_preset(ask))),
    },
    Call {
        name: "DelPreset",
        origin: "manual 5.3.7",
        access: OPERATOR,
        params: &[TOKEN, must("presettoken", Kind::Token, "Its token.")],
        doc: "Deletes a preset of an ONVIF camera.",
        run: Run::Change(|ask| Box::pin(ptz::del_preset(ask))),
    },
    Call {
        name: "GetPresets",
        origin: "later pages",
        access: VIEWER,
        params: &[TOKEN],
        doc: "The presets of an ONVIF camera, in `preset`: `strName` and `strToken`. Those that were not set \
              here go by the camera's own tokens; those without a name are left out.",
        run: Run::Read(|ask| Box::pin(ptz::get_presets(ask))),
    },
];
