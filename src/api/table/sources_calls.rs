//! Calls: sources that are changed, and tried out.

use super::*;
use crate::base::spec::{MAX_HOST, MAX_ONVIF_PATH, MAX_PROFILE};

const USER: Param =
    may("user", CREDENTIAL, "The camera's user. Empty in UpdateSrc: without one, and without a password.");
const PASSWORD: Param = may("password", super::PASSWORD, "The camera's password.");
const TRANSPORT: Param = may("transport", super::TRANSPORT, "How RTSP is carried.");
const IP: Param = may("ip", Kind::Text(MAX_HOST), "Address or name of an ONVIF camera.");
const PORT: Param = may("port", Kind::Whole(1, 65535), "Port of its web service.");
const PATH: Param = may("onvifaddr", Kind::Text(MAX_ONVIF_PATH), "Path of its device service.");
const HTTPS: Param = may(
    "https",
    Kind::Flag,
    "Whether its web service is asked over TLS. `true` without `pin`: the certificate of the next connection is \
     believed from then on.",
);
const PIN: Param =
    may("pin", Kind::Text(128), "With `https`: the certificate that is believed, as in AddSrcONVIF.");
const MAIN: Param =
    may("main", Kind::Text(MAX_PROFILE), "Token of its main profile; empty in UpdateSrc: the usual choice.");
const SUB: Param =
    may("sub", Kind::Text(MAX_PROFILE), "Token of its sub profile; empty in UpdateSrc: the usual choice.");

pub static CALLS: &[Call] = &[
    Call {
        name: "UpdateSrc",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            TOKEN,
            may("name", Kind::Text(MAX_NAME), "Name for people."),
            may("url", Kind::Text(MAX_URL), "The address, as in AddSrcRTSP or AddSrcFile."),
            URL_SUB,
            USER,
            PASSWORD,
            may("audio", Kind::Flag, "Whether AAC sound is carried along."),
            may("connect", CONNECT, "When the camera is pulled."),
            TRANSPORT,
            IP,
            PORT,
            PATH,
            HTTPS,
            PIN,
            MAIN,
            SUB,
        ],
        doc: "Changes a source in place: what is not named stays, and what comes as GetSrc shows it, masked, does too. \
              A parameter that sources of its type do not have is refused. Unless only the name changes the source is \
              restarted; its recordings, schedule and rights stay, and what is being recorded goes on in another file.",
        run: Run::Change(|ask| Box::pin(sources::update(ask))),
    },
    Call {
        name: "TestSrc",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            may(
                "token",
                Kind::Source,
                "A source; what else is named counts in place of what it has, as in UpdateSrc.",
            ),
            may("url", Kind::Text(MAX_URL), "An address, as in AddSrcRTSP, or a file as in AddSrcFile."),
            URL_SUB,
            USER,
            PASSWORD,
            TRANSPORT,
            IP,
            PORT,
            PATH,
            HTTPS,
            PIN,
            MAIN,
            SUB,
            may("profile", Kind::OneOf(&["main", "sub"]), "Which picture; default `main`."),
        ],
        doc: "Connects as a source would, and answers what came within 12 s, without keeping anything: \
              `strVideoType`, `nVideoWidth`, `nVideoHeight`, `nVideoFPS`, `nVideoBitrate`, `strAudioType` (empty: no AAC \
              sound), `nMillis` until the picture and `strImage`, a JPEG as `data:` address, or empty. On \
              failure `strCode` and `strOfflineReason` say what GetSrc would say of the source. Two at a time.",
        run: Run::Read(|ask| Box::pin(sources::test(ask))),
    },
];
