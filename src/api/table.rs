//! The calls, in the manual's order. Nothing else says who may call what with which parameters:
//! the router runs this table and docs/api.md is made from it.
//!
//! The manual prints the same three levels under every call; here the level is the least role that
//! suffices: who watches is a Viewer, who steers and records an Operator, who changes the set of
//! sources an Administrator.

use super::calls::{Access, Call, Kind, Param, Run};
use super::{media, session, sources, streams, system};
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

/// A call of the manual that this version answers with a refusal.
const fn missing(name: &'static str, origin: &'static str, access: Access) -> Call {
    Call { name, origin, access, params: &[], doc: "Not in this version.", run: Run::Missing }
}

/// Users and passwords are short; the bound keeps the hash from chewing on novels.
const CREDENTIAL: Kind = Kind::Text(256);
const TOKEN: Param = must("token", Kind::Token, "The source.");
const NAME: Param = must("name", Kind::Text(MAX_NAME), "Name for people.");
const NEW_TOKEN: Param = must("token", Kind::Token, "Token of the new source; must not be in use.");
const SERVER_TOKEN: Param =
    may("servertoken", Kind::NotYet, "Adds to a registered server; the manual's \"next version\".");
const CONNECT: Kind = Kind::OneOf(&["H5_AUTO", "H5_ONDEMAND", "H5_ALWAYS"]);
const TRANSPORT: Kind = Kind::OneOf(&["H5_RTSP_AUTO", "H5_RTSP_TCP", "H5_RTSP_UDP"]);

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
    may("user", CREDENTIAL, "The camera's user."),
    may("password", CREDENTIAL, "The camera's password. Kept encrypted, never shown."),
    may("audio", Kind::Flag, "Whether AAC sound is carried along; default false."),
    may("connect", CONNECT, "When the camera is pulled; default `H5_AUTO`, as the configuration says."),
    may("nConnectType", CONNECT, "The same, by its name in GetSrc."),
    may("transport", TRANSPORT, "How RTSP is carried; default `H5_RTSP_AUTO`: TCP, then UDP."),
    may("nRTSPType", TRANSPORT, "The same, by its name in GetSrc."),
    may("playback", Kind::Ignored, "Sent by later pages."),
    SERVER_TOKEN,
];

const LIVE: &[Param] = &[
    TOKEN,
    may("profile", Kind::Ignored, "There is one profile; whatever is asked for, it is served."),
    may("hevc", Kind::Ignored, "The codec is what the camera sends."),
];

const IMAGE: &[Param] =
    &[TOKEN, may("width", Kind::Whole(16, 3840), "Width in pixels; default the picture's own.")];

/// Every call there is.
pub static CALLS: &[Call] = &[
    Call {
        name: "Login",
        origin: "manual 5.2.1",
        access: Access::Open,
        params: &[
            must("user", CREDENTIAL, "User name, `admin` at first."),
            must("password", CREDENTIAL, "Password or its MD5 in hex, `12345` at first."),
        ],
        doc: "Opens a session: `strSession`, alive for `nTimeout` seconds after its last use. While the \
              default password is in use, `bDefaultPassword` is true and `strCode` warns. A failure adds \
              `nFaultTimes` and `tLockTimeResidue` (seconds).",
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
        doc: "Run time, CPU, memory, network and disk, as texts and as numbers.",
        run: Run::Read(|ask| Box::pin(system::run_info(ask))),
    },
    Call {
        name: "UpdateUser",
        origin: "manual 5.2.6",
        access: Access::Own,
        params: &[
            must("user", CREDENTIAL, "The user."),
            must("oldpassword", CREDENTIAL, "The password so far, or its MD5 in hex."),
            must("newpassword", CREDENTIAL, "The new password, or its MD5 in hex."),
        ],
        doc: "Changes a password.",
        run: Run::Change(|ask| Box::pin(session::update_user(ask))),
    },
    Call {
        name: "GetSrc",
        origin: "manual 5.3.1",
        access: VIEWER,
        params: &[
            may("token", Kind::Token, "Only this source; unknown is a failure."),
            may(
                "type",
                Kind::OneOf(&["H5_FILE", "H5_STREAM", "H5_ONVIF", "H5_CLOUD", "H5_RTMP_PUSH"]),
                "Only sources of this kind.",
            ),
            may("getonline", Kind::Ignored, "`bOnline` is always told."),
        ],
        doc: "The sources. Beyond the manual: `nViewers`; `strOfflineReason` and `strOfflineText` of one \
              that is not online; `strVideoType`, `nVideoWidth` and `nVideoHeight` of one that is.",
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
    missing("AddSrcONVIF", "manual 5.3.3", ADMINISTRATOR),
    Call {
        name: "DelSrc",
        origin: "manual 5.3.4",
        access: ADMINISTRATOR,
        params: &[TOKEN, may("edit", Kind::Ignored, "Sent by later pages.")],
        doc: "Deletes a source; answers when it has stopped.",
        run: Run::Change(|ask| Box::pin(sources::del_src(ask))),
    },
    missing("Ptz", "manual 5.3.5", OPERATOR),
    missing("SetPreset", "manual 5.3.6", OPERATOR),
    missing("DelPreset", "manual 5.3.7", OPERATOR),
    missing("OnvifSearch", "manual 5.4.1", OPERATOR),
    missing("OnvifProbe", "manual 5.4.2", OPERATOR),
    missing("Record", "manual 5.5.1", OPERATOR),
    missing("ManualRecordStart", "manual 5.5.2", OPERATOR),
    missing("ManualRecordStop", "manual 5.5.3", OPERATOR),
    missing("PathRecord", "manual 5.5.4", OPERATOR),
    missing("Snapshot", "manual 5.5.5", OPERATOR),
    missing("PathSnapshot", "manual 5.5.6", OPERATOR),
    missing("Search", "manual 5.5.7", VIEWER),
    missing("GetCloudClientInfo", "manual 5.6.1", VIEWER),
    missing("GetServerList", "manual 5.6.2", VIEWER),
    Call {
        name: "h5swsapi/Status",
        origin: "manual 5.7.1",
        access: VIEWER,
        params: &[],
        doc: "How many WebSocket viewers there are.",
        run: Run::Read(|ask| Box::pin(streams::ws_status(ask))),
    },
    Call {
        name: "h5srtcapi/Status",
        origin: "manual 5.7.2",
        access: VIEWER,
        params: &[],
        doc: "How many WebRTC viewers there are.",
        run: Run::Read(|ask| Box::pin(streams::rtc_status(ask))),
    },
    Call {
        name: "GetImage",
        origin: "GetSrc's strSnapshotUrl",
        access: Access::View,
        params: IMAGE,
        doc: "The newest picture as JPEG; a placeholder for a source that has none.",
        run: Run::Read(|ask| Box::pin(media::image(ask))),
    },
    Call {
        name: "GetLoadingImage",
        origin: "pages since 2020",
        access: Access::View,
        params: &[],
        doc: "The placeholder picture as JPEG.",
        run: Run::Read(|ask| Box::pin(media::loading_image(ask))),
    },
    Call {
        name: "GetVidStreamStatus",
        origin: "later pages",
        access: VIEWER,
        params: &[TOKEN, may("stream", Kind::Ignored, "There is one profile.")],
        doc: "Codecs, size, frame rate and bit rates (kbit/s) of a source that is being pulled.",
        run: Run::Read(|ask| Box::pin(streams::vid_stream_status(ask))),
    },
    Call {
        name: "GetVersion",
        origin: "later pages",
        access: VIEWER,
        params: &[],
        doc: "The version.",
        run: Run::Read(|ask| Box::pin(system::version(ask))),
    },
    Call {
        name: "GetDevice",
        origin: "later pages",
        access: VIEWER,
        params: &[],
        doc: "Devices behind a vendor's SDK; always none.",
        run: Run::Read(|ask| Box::pin(system::device(ask))),
    },
    Call {
        name: "cluster/GetClusterStatus",
        origin: "later pages",
        access: Access::Open,
        params: &[],
        doc: "Asked by pages before they play; there is no cluster.",
        run: Run::Read(|ask| Box::pin(system::cluster_status(ask))),
    },
    Call {
        name: "h5swsapi",
        origin: "manual 6.2",
        access: Access::View,
        params: LIVE,
        doc: "WebSocket: live fMP4, the MIME type first.",
        run: Run::Socket(media::ws),
    },
    Call {
        name: "h5srtcapi",
        origin: "manual 6.3",
        access: Access::View,
        params: LIVE,
        doc: "WebSocket: signalling of a WebRTC viewer.",
        run: Run::Socket(media::rtc),
    },
    Call {
        name: "h5srtcapi2",
        origin: "later pages",
        access: Access::View,
        params: LIVE,
        doc: "The same as `h5srtcapi`.",
        run: Run::Socket(media::rtc),
    },
    Call {
        name: "h5swscmnapi",
        origin: "HLS pages since mid 2018",
        access: Access::View,
        params: &[TOKEN],
        doc: "WebSocket: keeps an on-demand source up while its HLS is played.",
        run: Run::Socket(media::keep_up),
    },
];
