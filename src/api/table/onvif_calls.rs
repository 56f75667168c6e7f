//! Calls: ONVIF cameras as sources, finding and probing them (manual 5.3.3 and 5.4).

use super::*;
use crate::api::{onvif, onvif_search};
use crate::base::spec::{MAX_HOST, MAX_ONVIF_PATH, MAX_PROFILE};

const IP: Param = must("ip", Kind::Text(MAX_HOST), "The camera's address, or its name.");
const PORT: Param = must("port", Kind::Whole(1, 65535), "Port of its web service, 80 mostly.");
const USER: Param = may("user", CREDENTIAL, "The camera's ONVIF user; none for a camera without log-in.");
const CAMERA_PASSWORD: Param = may("password", PASSWORD, "Its password. Kept encrypted, never shown.");
const PATH: Param = may(
    "onvifaddr",
    Kind::Text(MAX_ONVIF_PATH),
    "Path of its device service; default `/onvif/device_service`. OnvifProbe without it tries other usual ones.",
);
const HTTPS: Param = may("https", Kind::Flag, "Whether the web service is asked over TLS; default false.");
const PIN: Param = may(
    "pin",
    Kind::Text(128),
    "With `https`: SHA-256 of the certificate that is believed, 64 hex digits, with or without colons, or `any`. \
     Without: the certificate of the first connection is, from then on.",
);

const ADD_ONVIF: &[Param] = &[
    NAME,
    NEW_TOKEN,
    USER,
    CAMERA_PASSWORD,
    IP,
    PORT,
    PATH,
    may(
        "main",
        Kind::Text(MAX_PROFILE),
        "Token of the main profile; default: the largest with H.264 or H.265.",
    ),
    may("sub", Kind::Text(MAX_PROFILE), "Token of the sub profile; default: the smallest of the same lens."),
    may("audio", Kind::Flag, "Whether AAC sound is carried along; default false."),
    may("connect", CONNECT, "When the camera is pulled; default `H5_AUTO`, as the configuration says."),
    may("nConnectType", CONNECT, "The same, by its name in GetSrc."),
    may("transport", TRANSPORT, "How RTSP is carried; default `H5_RTSP_AUTO`: TCP, then UDP."),
    may("nRTSPType", TRANSPORT, "The same, by its name in GetSrc."),
    HTTPS,
    PIN,
    SERVER_TOKEN,
];

pub static CALLS: &[Call] = &[
    Call {
        name: "AddSrcONVIF",
        origin: "manual 5.3.3",
        access: ADMINISTRATOR,
        params: ADD_ONVIF,
        doc: "Adds an ONVIF camera, which need not answer yet: GetSrc tells why it is offline. It is asked for \
              the address of its streams at each connection.",
        run: Run::Change(|ask| Box::pin(sources::add_onvif(ask))),
    },
    Call {
        name: "OnvifSearch",
        origin: "manual 5.4.1",
        access: OPERATOR,
        params: &[
            may("timeout", Kind::Whole(1, 60), "How long to search, in seconds; default 10."),
            SERVER_TOKEN,
        ],
        doc: "Looks for ONVIF devices on every network interface, by IPv4 and IPv6, and answers when the \
              time is over: `device[]` with `strIp`, `strPort`, `strOnvifAddr` and `strModel`, and beyond \
              the manual `strName`, `strEndpoint`, `bHttps` and `bAdded` (whether it is a source already). \
              Of link-local IPv6 addresses `strIp` names the interface as well: `fe80::1%eth0`.",
        run: Run::Read(|ask| Box::pin(onvif_search::search(ask))),
    },
    Call {
        name: "OnvifProbe",
        origin: "manual 5.4.2",
        access: OPERATOR,
        params: &[USER, CAMERA_PASSWORD, IP, PORT, PATH, HTTPS, PIN, SERVER_TOKEN],
        doc: "The camera's profiles. What a profile does not tell of its size and codec is taken from its stream. \
              Beyond the manual: `strOnvifAddr` that answered; \
              `strProfileMain` and `strProfileSub` that AddSrcONVIF would choose; `strModel`; `strName` of its scopes; \
              `bPtz`, `bEvents`; `strPin` of its certificate. Where the camera cannot be asked, `strReason` is `unreachable`, \
              `unauthorised`, `not_onvif`, `tls`, `refused` or `unsupported`, and `strText` says it in words.",
        run: Run::Read(|ask| Box::pin(onvif::probe(ask))),
    },
];
