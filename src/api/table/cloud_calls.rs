//! Calls: cloud registration (manual 5.6), of an edge and of a central.

use super::*;
use crate::api::cloud::{calls, door};
use crate::base::config::GRANTS;

const SITE: Param = must("servertoken", Kind::Token, "Server token of the site.");
const SITE_NAME: Param =
    may("name", Kind::Text(64), "Its name for people; default what the box calls itself.");

pub static CALLS: &[Call] = &[
    Call {
        name: "GetCloudClientInfo",
        origin: "manual 5.6.1",
        access: VIEWER,
        params: &[],
        doc: "How this box stands to a central server. Beyond the manual: `strServerToken` (while online the one that \
              the central has given), `strState` (`off`, `connecting`, `unclaimed`, `online`, `offline`) with \
              `strStateText`, `strOnlineSince`, `strNameAtCentral`, `strDeviceKey` for AddServer, `strPin` and \
              `strPinOffered` (the pin that would fit a certificate that is not trusted), `strGrant`; and for \
              Administrators `strClaimCode` while it is unclaimed.",
        run: Run::Read(|ask| Box::pin(calls::client_info(ask))),
    },
    Call {
        name: "SetCloudInfo",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[
            may("enable", Kind::Flag, "Whether this box connects to a central."),
            may("servername", Kind::Text(64), "Its name for people at the central; empty: its host name."),
            may(
                "servertoken",
                Kind::Token,
                "The server token that it asks for; the central may give another one.",
            ),
            may("cloudip", Kind::Text(256), "Host name or address of the central."),
            may("cloudport", Kind::Whole(1, 65535), "HTTP or HTTPS port of the central."),
            may("ssl", Kind::Flag, "Whether the connection is TLS."),
            may(
                "user",
                CREDENTIAL,
                "Administrator of the central, for the first time; empty: the claim code is used.",
            ),
            may("password", PASSWORD, "Password of that user, or its MD5 in hex. Forgotten once it served."),
            may("keepalivetime", Kind::Whole(1, 60), "Seconds between signs of life; default 3."),
            may("edgetranscoding", Kind::Ignored, "Sent by later pages."),
            may(
                "pin",
                Kind::Text(128),
                "SHA-256 of the central's certificate, 64 hex digits, with or without colons; empty: one that a \
                 public authority signed.",
            ),
            may("grant", Kind::OneOf(&GRANTS), "What the central may do here; default `playback`."),
        ],
        doc: "Connects this box to a central server, or ends that. Changes only what is given, takes effect at once, \
              and counts from then on instead of `[cloud.client]`. Another address forgets password and pin.",
        run: Run::Change(|ask| Box::pin(calls::set_client(ask))),
    },
    Call {
        name: "GetServerList",
        origin: "manual 5.6.2",
        access: VIEWER,
        params: &[],
        doc: "The sites of this central of which the user may see something. Beyond the manual: `strServerName`, \
              `strServerUuid`, `bEnable`, `strSince` (online since, or away since), `strVersion`, `nSources`, for \
              Administrators `strDeviceKey`; and `bCentral`, with `bCentralNext` for after the next start.",
        run: Run::Read(|ask| Box::pin(calls::servers(ask))),
    },
    Call {
        name: "GetCloudDevice",
        origin: "later pages",
        access: VIEWER,
        params: &[],
        doc: "The same sites: `dev[]` with `strName`, `strToken`, `strIp`.",
        run: Run::Read(|ask| Box::pin(calls::devices(ask))),
    },
    Call {
        name: "GetCloudDeviceSrc",
        origin: "later pages",
        access: VIEWER,
        params: &[must("token", Kind::Token, "Server token of the site.")],
        doc: "The sources of a site as in GetSrc.",
        run: Run::Read(|ask| Box::pin(calls::device_sources(ask))),
    },
    Call {
        name: "GetClaimList",
        origin: "ours",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The boxes that wait for their code to be typed here: `claim[]` with `strServerToken`, `strServerName`, \
              `strIp`, `strDeviceKey`.",
        run: Run::Read(|ask| Box::pin(calls::claims(ask))),
    },
    Call {
        name: "ClaimServer",
        origin: "ours",
        access: ADMINISTRATOR,
        params: &[
            must(
                "code",
                Kind::Secret(32),
                "The code that the box shows; dashes, blanks and case do not count.",
            ),
            may("servertoken", Kind::Token, "Its server token here; default the one that it asks for."),
            SITE_NAME,
        ],
        doc: "Takes in the box that shows this code. Answers `strServerToken`.",
        run: Run::Change(|ask| Box::pin(calls::claim(ask))),
    },
    Call {
        name: "AddServer",
        origin: "ours",
        access: ADMINISTRATOR,
        params: &[SITE, SITE_NAME, must("key", Kind::Secret(64), "The box's `strDeviceKey`, 64 hex digits.")],
        doc: "Registers a box before it connects, by its device key.",
        run: Run::Change(|ask| Box::pin(calls::add_server(ask))),
    },
    Call {
        name: "UpdateServer",
        origin: "ours",
        access: ADMINISTRATOR,
        params: &[
            SITE,
            may("name", Kind::Text(64), "Its name for people."),
            may("enable", Kind::Flag, "`false` disconnects it and keeps it out; `true` lets it in again."),
        ],
        doc: "Renames a site, or takes it out of service and back.",
        run: Run::Change(|ask| Box::pin(calls::update_server(ask))),
    },
    Call {
        name: "DelServer",
        origin: "ours",
        access: ADMINISTRATOR,
        params: &[SITE],
        doc: "Forgets a site and disconnects it. What it recorded stays on the box.",
        run: Run::Change(|ask| Box::pin(calls::del_server(ask))),
    },
    Call {
        name: "SetCloudServer",
        origin: "ours",
        access: ADMINISTRATOR,
        params: &[must("enable", Kind::Flag, "Whether this box is a central server.")],
        doc: "Makes this box a central server from its next start on, or ends that; counts instead of \
              `[cloud.server] enabled`.",
        run: Run::Change(|ask| Box::pin(calls::set_central(ask))),
    },
    Call {
        name: "h5cloudapi",
        origin: "ours",
        access: Access::Open,
        params: &[],
        doc: "WebSocket: where boxes register with a central server and stay connected (docs/protocol.md 4).",
        run: Run::Socket(door::open),
    },
];
