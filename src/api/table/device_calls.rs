//! Calls: our own ONVIF device and who may use it.

use super::*;
use crate::api::onvif_device::{self, users};
use crate::onvif::device::capabilities::{MAX_PASSWORD, MAX_USER};

const USER: Param = must("user", Kind::Text(MAX_USER), "Name of the ONVIF user.");
const LEVEL: Kind = Kind::OneOf(&["Administrator", "Operator", "User"]);

pub static CALLS: &[Call] = &[
    Call {
        name: "GetOnvifDevice",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The ONVIF device that this box is for others: whether it is on (`bEnable`) and can be found \
              (`bDiscovery`), who it says that it is, and how many users and channels it has.",
        run: Run::Read(|ask| Box::pin(onvif_device::get(ask))),
    },
    Call {
        name: "SetOnvifDevice",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            may("enable", Kind::Flag, "Whether the device is on, with its RTSP server."),
            may("discovery", Kind::Flag, "Whether others find it by WS-Discovery while it is on."),
        ],
        doc: "Switches the ONVIF device; at least one parameter is needed, and what is not named stays. It is \
              kept over restarts and goes before the configuration.",
        run: Run::Change(|ask| Box::pin(onvif_device::set(ask))),
    },
    Call {
        name: "GetOnvifUserList",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "Who may use the ONVIF device and the RTSP server: `user`, a list of `strUser` and `strLevel`.",
        run: Run::Read(|ask| Box::pin(users::list(ask))),
    },
    Call {
        name: "CreateOnvifUser",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            must("user", Kind::Text(MAX_USER), "Name of the new ONVIF user; without a colon."),
            must(
                "password",
                Kind::Secret(MAX_PASSWORD),
                "In clear text, never its MD5: ONVIF's digests need it. Kept encrypted, never shown.",
            ),
            may(
                "level",
                LEVEL,
                "`User` looks, `Operator` steers as well, `Administrator` sees users; default `User`.",
            ),
        ],
        doc: "Adds an ONVIF user. They are apart from the users of this API.",
        run: Run::Change(|ask| Box::pin(users::create(ask))),
    },
    Call {
        name: "UpdateOnvifUser",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            USER,
            may("password", Kind::Secret(MAX_PASSWORD), "The new password, in clear text."),
            may("level", LEVEL, "The new level."),
        ],
        doc: "Changes an ONVIF user; what is not named stays.",
        run: Run::Change(|ask| Box::pin(users::update(ask))),
    },
    Call {
        name: "DeleteOnvifUser",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[USER],
        doc: "Deletes an ONVIF user.",
        run: Run::Change(|ask| Box::pin(users::delete(ask))),
    },
];
