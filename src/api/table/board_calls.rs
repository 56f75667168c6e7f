//! Calls: what pages show of the box without asking for it.

use super::*;
use crate::api::board;

pub static CALLS: &[Call] = &[
    Call {
        name: "h5stateapi",
        origin: "h5edge",
        access: VIEWER,
        params: &[],
        doc: "WebSocket: what pages show, as JSON texts, and only what the user may see. First `H5S_STATE` with \
              `strVersion`, `bAppliance`, `strUser`, `strUserType`, `src` (as GetSrc), `run` (as GetRunInfo) and \
              `news` (the newest 50 of GetNews); one that is too slow gets it again. Then, when it happens, \
              `H5S_SRC` with the sources that changed in `src` and the tokens of deleted ones in `gone` (at most \
              once a second); `H5S_RUN` with `run`, every 5 s; `H5S_NEWS` with one of the `news`; \
              `H5S_ARCHIVE` with `archive` (as GetArchiveStatus, with `strToken`) as an export goes on; for \
              Administrators of a box `H5S_UPDATE` with `update` (as GetUpdate); and what h5seventapi tells. The \
              page sends `{\"type\":\"keepalive\"}`, which renews the session; after 120 s without, without a \
              session, or when the user's rights change, the socket closes.",
        run: Run::Socket(board::socket),
    },
    Call {
        name: "GetNews",
        origin: "h5edge",
        access: VIEWER,
        params: &[],
        doc: "What happened lately, newest first, at most 200, in `news`: `strTime`, `strType` (`online`, `offline`, \
              `motion`, `input`, `record`, `storage`, `update`), `strToken` and `strName` of the source, `strText`. \
              News without a token are of the box, and for Operators. The same of a source is told once a minute \
              at most. Kept until the next start.",
        run: Run::Read(|ask| Box::pin(board::get_news(ask))),
    },
    Call {
        name: "GetRunHistory",
        origin: "h5edge",
        access: VIEWER,
        params: &[],
        doc: "The load of the last hour in `run`, oldest first, every `nStep` seconds until `strEndTime`: \
              `nCPUUsage` and `nMemoryUsage` (percent), `nNetworkInK` and `nNetworkOutK` (kbit/s), `nCelsius` of \
              the hottest part (null where nothing measures it).",
        run: Run::Read(|ask| Box::pin(board::run_history(ask))),
    },
];
