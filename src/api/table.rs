//! The calls, in the manual's order, one file for each group. Nothing else says who may call what with which parameters:
//! the router runs this table and docs/api.md is made from it.
//!
//! The manual prints the same three levels under every call; here the level is the least role that
//! suffices: who watches is a Viewer, who steers and records an Operator, who changes the set of
//! sources an Administrator.

mod appliance_calls;
mod board_calls;
mod certificate_calls;
mod cloud_calls;
mod device_calls;
mod events_calls;
mod exports_calls;
mod media_calls;
mod onvif_calls;
mod ptz_calls;
mod records_calls;
mod search_calls;
mod setup_calls;
mod snapshots_calls;
mod sources_calls;
mod storage_calls;
mod update_calls;
mod users_calls;
mod views_calls;

use super::calls::{Access, Call, Kind, Param, Run};
use super::{session, sources, system};
use crate::auth::Role;
use crate::base::spec::{MAX_NAME, MAX_URL};

const VIEWER: Access = Access::Role(Role::Viewer);
const OPERATOR: Access = Access::Role(Role::Operator);
const ADMINISTRATOR: Access = Access::Role(Role::Administrator);

const fn must(name: &'static str, kind: Kind, doc: &'static str) -> Param {
    Param { name, required: true, kind, doc }
}

const fn may(name: &'static str, kind: Kind, doc: &'static str) -> Param {
    Param { name, required: false, kind, doc }
}

/// Users and passwords are short; the bound keeps the hash from chewing on novels.
const CREDENTIAL: Kind = Kind::Text(256);
const PASSWORD: Kind = Kind::Secret(256);
const TOKEN: Param = must("token", Kind::Source, "The source.");
const NAME: Param = must("name", Kind::Text(MAX_NAME), "Name for people.");
const NEW_TOKEN: Param = must("token", Kind::Token, "Token of the new source; must not be in use.");
const SERVER_TOKEN: Param = may(
    "servertoken",
    Kind::Site,
    "At a central: acts at this site, and takes the right to all of its sources.",
);
const CONNECT: Kind = Kind::OneOf(&["H5_AUTO", "H5_ONDEMAND", "H5_ALWAYS"]);
const TRANSPORT: Kind = Kind::OneOf(&["H5_RTSP_AUTO", "H5_RTSP_TCP", "H5_RTSP_UDP"]);

const URL_SUB: Param = may(
    "urlsub",
    Kind::Text(MAX_URL),
    "Address of a small picture of the same camera, with the same user and password; shown as `profile=sub`. Empty \
     in UpdateSrc: there is none.",
);

const ADD_FILE: &[Param] = &[
    NAME,
    NEW_TOKEN,
    must("url", Kind::Text(MAX_URL), "Absolute path of the file, in one of the allowed folders."),
    may("audio", Kind::Flag, "Whether AAC sound is carried along; default false."),
    may("connect", CONNECT, "When the file is played; default `H5_AUTO`, as the configuration says."),
    may("nConnectType", CONNECT, "The same, by its name in GetSrc."),
    SERVER_TOKEN,
];

const ADD_RTSP: &[Param] = &[
    NAME,
    NEW_TOKEN,
    must(
        "url",
        Kind::Text(MAX_URL),
        "`rtsp://`, `rtsps://`, `rtmp://` or `rtmps://`, percent-encoded. User and password inside it \
         move to their own fields.",
    ),
    URL_SUB,
    may("user", CREDENTIAL, "The camera's user."),
    may("password", PASSWORD, "The camera's password. Kept encrypted, never shown."),
    may("audio", Kind::Flag, "Whether AAC sound is carried along; default false."),
    may("connect", CONNECT, "When the camera is pulled; default `H5_AUTO`, as the configuration says."),
    may("nConnectType", CONNECT, "The same, by its name in GetSrc."),
    may("transport", TRANSPORT, "How RTSP is carried; default `H5_RTSP_AUTO`: TCP, then UDP."),
    may("nRTSPType", TRANSPORT, "The same, by its name in GetSrc."),
    may("playback", Kind::Ignored, "Sent by later pages."),
    SERVER_TOKEN,
];

const WIDTH: Param = may("width", Kind::Whole(16, 3840), "Width in pixels; default the picture's own.");

/// Every call there is.
pub fn calls() -> impl Iterator<Item = &'static Call> {
    groups().into_iter().flat_map(|(_, calls)| calls)
}

/// Whether a call tells of what was recorded.
pub fn is_of_the_past(call: &Call) -> bool {
    let groups = [search_calls::CALLS, exports_calls::CALLS, snapshots_calls::CALLS, records_calls::CALLS];
    groups.into_iter().flatten().any(|known| std::ptr::eq(known, call))
}

/// The calls under their headings.
pub fn groups() -> [(&'static str, &'static [Call]); 20] {
    [
        ("Set-up", setup_calls::CALLS),
        ("Sessions, system and sources", FIRST),
        ("Changing and trying sources", sources_calls::CALLS),
        ("Users and roles", users_calls::CALLS),
        ("Views", views_calls::CALLS),
        ("ONVIF cameras", onvif_calls::CALLS),
        ("PTZ", ptz_calls::CALLS),
        ("Events", events_calls::CALLS),
        ("State, news and history", board_calls::CALLS),
        ("ONVIF device", device_calls::CALLS),
        ("Recording", records_calls::CALLS),
        ("Snapshots", snapshots_calls::CALLS),
        ("Search", search_calls::CALLS),
        ("Exports", exports_calls::CALLS),
        ("Storage", storage_calls::CALLS),
        ("Updates and maintenance", update_calls::CALLS),
        ("Cloud registration", cloud_calls::CALLS),
        ("Streams, pictures and sockets", media_calls::CALLS),
        ("Box", appliance_calls::CALLS),
        ("Certificate, frames and this list", certificate_calls::CALLS),
    ]
}

static FIRST: &[Call] = &[
    Call {
        name: "Login",
        origin: "manual 5.2.1",
        access: Access::Open,
        params: &[
            must("user", CREDENTIAL, "User name; `admin` is the first one's."),
            must("password", PASSWORD, "Password or its MD5 in hex."),
        ],
        doc: "Opens a session: `strSession`, alive for `nTimeout` seconds after its last use. While the \
              password of delivery is in use, `bDefaultPassword` is true and `strCode` warns. A failure adds \
              `nFaultTimes` and `tLockTimeResidue` (seconds), and `bSetupRequired` while the device has no \
              password yet, see Setup.",
        run: Run::Read(|ask| Box::pin(session::login(ask))),
    },
    Call {
        name: "Logout",
        origin: "manual 5.2.2",
        access: Access::Own,
        params: &[],
        doc: "Ends the session.",
        run: Run::Read(|ask| Box::pin(session::logout(ask))),
    },
    Call {
        name: "Keepalive",
        origin: "manual 5.2.3",
        access: Access::Own,
        params: &[],
        doc: "Renews the session, as every other call does too.",
        run: Run::Read(|ask| Box::pin(session::keepalive(ask))),
    },
    Call {
        name: "GetSystemInfo",
        origin: "manual 5.2.4",
        access: VIEWER,
        params: &[],
        doc: "Version, host and licence.",
        run: Run::Read(|ask| Box::pin(system::system_info(ask))),
    },
    Call {
        name: "GetRunInfo",
        origin: "manual 5.2.5",
        access: VIEWER,
        params: &[],
        doc: "Run time, CPU, memory, network and disk, as texts and as numbers; `temperature` lists what the machine \
              measures of itself (`strName`, `nCelsius`).",
        run: Run::Read(|ask| Box::pin(system::run_info(ask))),
    },
    Call {
        name: "UpdateUser",
        origin: "manual 5.2.6",
        access: Access::Own,
        params: &[
            must("user", CREDENTIAL, "The user."),
            must("oldpassword", PASSWORD, "The password so far, or its MD5 in hex."),
            must("newpassword", PASSWORD, "The new password, or its MD5 in hex."),
        ],
        doc: "Changes a password.",
        run: Run::Change(|ask| Box::pin(session::update_user(ask))),
    },
    Call {
        name: "GetSrc",
        origin: "manual 5.3.1",
        access: VIEWER,
        params: &[
            may("token", Kind::Source, "Only this source; unknown is a failure."),
            may(
                "type",
                Kind::OneOf(&["H5_FILE", "H5_STREAM", "H5_ONVIF", "H5_CLOUD", "H5_RTMP_PUSH"]),
                "Only sources of this kind.",
            ),
            may("getonline", Kind::Ignored, "`bOnline` is always told."),
        ],
        doc: "The sources. Beyond the manual: `nViewers`; `strRecState` (`idle`, \
              `recording`, `waiting` for the source, `trouble` with the disk) with `strRecText`; `strOfflineReason` and `strOfflineText` of one \
              that is not online; `strVideoType`, `nVideoWidth` and `nVideoHeight` of one that is. \
              Of an ONVIF source `strUrl`, `strOnvifProfileMain` and `strOnvifProfileSub` are what its camera said \
              last. `bEnableUrlSub` tells whether there is a small picture, with `strUrlSub` for its address; without, \
              `profile=sub` gives main.",
        run: Run::Read(|ask| Box::pin(sources::get_src(ask))),
    },
    Call {
        name: "AddSrcFile",
        origin: "manual 5.3.1 (second of that number)",
        access: ADMINISTRATOR,
        params: ADD_FILE,
        doc: "Adds a file on the device, played in a loop.",
        run: Run::Change(|ask| Box::pin(sources::add_file(ask))),
    },
    Call {
        name: "AddSrcRTSP",
        origin: "manual 5.3.2",
        access: ADMINISTRATOR,
        params: ADD_RTSP,
        doc: "Adds a camera.",
        run: Run::Change(|ask| Box::pin(sources::add_rtsp(ask))),
    },
    Call {
        name: "DelSrc",
        origin: "manual 5.3.4",
        access: ADMINISTRATOR,
        params: &[TOKEN, may("edit", Kind::Ignored, "Sent by later pages.")],
        doc: "Deletes a source; answers when it has stopped.",
        run: Run::Change(|ask| Box::pin(sources::del_src(ask))),
    },
];
