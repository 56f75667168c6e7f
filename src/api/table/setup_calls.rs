//! Calls: the first password of a device that has none.

use super::*;
use crate::api::setup;

pub static CALLS: &[Call] = &[
    Call {
        name: "GetSetup",
        origin: "h5edge",
        access: Access::Open,
        params: &[],
        doc: "Whether the device has no password yet (`bSetupRequired`) and for how many seconds one can still be set \
              (`nSecondsLeft`); `strDeviceId`, `strHostname`, `strVersion`; whether `Setup` takes name and zone \
              (`bAppliance`).",
        run: Run::Read(|ask| Box::pin(setup::get(ask))),
    },
    Call {
        name: "Setup",
        origin: "h5edge",
        access: Access::Open,
        params: &[
            must(
                "password",
                PASSWORD,
                "The password of `admin`, at least 8 characters and none that everybody tries first; or its MD5 in hex.",
            ),
            may("name", Kind::Text(63), "Host name of an appliance; default as it is."),
            may(
                "zone",
                Kind::Text(64),
                "Time zone of an appliance, such as `Europe/Berlin`; default as it is.",
            ),
        ],
        doc: "Sets the first password, with which one can then log in. Heard once, by POST only, from an address of the \
              device's own networks, within `auth.setup_window_seconds` of its start. Where the password was \
              set and something else was not, `strCode` says so.",
        run: Run::Post(|ask| Box::pin(setup::set(ask))),
    },
];
