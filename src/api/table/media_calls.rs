//! Calls: streams (manual 5.7), pictures and sockets.

use super::*;
use crate::api::{media, streams};

const PROFILE: Param = may(
    "profile",
    Kind::Text(64),
    "`sub`: the small picture of a source that has one. Whatever else is asked for: main.",
);
const PLAY: &[Param] = &[
    TOKEN,
    PROFILE,
    may("hevc", Kind::Ignored, "The codec is what the camera sends."),
    may(
        "playback",
        Kind::Flag,
        "`true`: recordings are played, which needs the role Viewer and a session. Orders are \
         `{\"cmd\":\"H5_START\"}`, `H5_PAUSE`, `H5_RESUME`, `H5_SEEK` (`nSeekTime`, seconds from begintime), \
         `H5_SPEED` (`nSpeed`, 0.5 to 16) and `H5_MOVETO` (`strMovetoTime`).",
    ),
    may("begintime", Kind::Text(64), "Where playback begins, as in Search; `0` with a file name."),
    may("endtime", Kind::Text(64), "Where it ends; what is recorded until then follows as it grows."),
    may("filename", Kind::Text(300), "Plays this one file, with or without `.mp4`; `fake` says none."),
    may("moveto", Kind::Text(64), "Begins here instead."),
    may("serverpb", Kind::Ignored, "The recordings played are always this server's."),
];

pub static CALLS: &[Call] = &[
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
        params: &[TOKEN, PROFILE, WIDTH],
        doc: "The newest picture as JPEG; a placeholder for a source that has none.",
        run: Run::File("image/jpeg", |ask| Box::pin(media::image(ask))),
    },
    Call {
        name: "GetLoadingImage",
        origin: "pages since 2020",
        access: Access::View,
        params: &[],
        doc: "The placeholder picture as JPEG.",
        run: Run::File("image/jpeg", |ask| Box::pin(media::loading_image(ask))),
    },
    Call {
        name: "GetVidStreamStatus",
        origin: "later pages",
        access: VIEWER,
        params: &[TOKEN, may("stream", Kind::Text(64), "The profile by its name here."), PROFILE],
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
        params: PLAY,
        doc: "WebSocket: live fMP4 or a recording, the MIME type first.",
        run: Run::Socket(media::ws),
    },
    Call {
        name: "h5srtcapi",
        origin: "manual 6.3",
        access: Access::View,
        params: PLAY,
        doc: "WebSocket: signalling of a WebRTC viewer, live or of a recording.",
        run: Run::Socket(media::rtc),
    },
    Call {
        name: "h5srtcapi2",
        origin: "later pages",
        access: Access::View,
        params: PLAY,
        doc: "The same as `h5srtcapi`.",
        run: Run::Socket(media::rtc),
    },
    Call {
        name: "h5swscmnapi",
        origin: "HLS pages since mid 2018",
        access: Access::View,
        params: &[TOKEN, PROFILE],
        doc: "WebSocket: keeps an on-demand source up while its HLS is played.",
        run: Run::Socket(media::keep_up),
    },
];
