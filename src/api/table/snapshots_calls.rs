//! Calls: snapshots (manual 5.5.5 and 5.5.6) and what pictures are made with.

use super::*;
use crate::api::snapshots;

const FILE_NAME: &str = "Name of the file, without extension: letters, digits, blanks and `. _ - + ( )`";

pub static CALLS: &[Call] = &[
    Call {
        name: "Snapshot",
        origin: "manual 5.5.5",
        access: OPERATOR,
        params: &[TOKEN, may("filename", Kind::Text(256), FILE_NAME), WIDTH],
        doc: "Keeps the newest key frame as JPEG. `strUrl` (and `strPath`) say where it is served.",
        run: Run::Change(|ask| Box::pin(snapshots::snapshot(ask))),
    },
    Call {
        name: "PathSnapshot",
        origin: "manual 5.5.6",
        access: OPERATOR,
        params: &[
            TOKEN,
            must("start1", Kind::Text(32), "Day folder, `2018-3-29`."),
            must("start2", Kind::Text(32), "Time folder, `20-3-29` (hour, minute, second)."),
            may("tz", Kind::Text(16), "Zone of the folders in hours, `8` or `-8`; default the server's."),
            must("filename", Kind::Text(256), FILE_NAME),
            WIDTH,
        ],
        doc: "Keeps the newest key frame as `/mediastore/snapshot/<token>/<start1>TZ<tz>/<start2>/<filename>.jpg`. \
              Nothing is overwritten.",
        run: Run::Change(|ask| Box::pin(snapshots::path_snapshot(ask))),
    },
    Call {
        name: "GetCodecInfo",
        origin: "later pages",
        access: VIEWER,
        params: &[],
        doc: "The processor, and what pictures are made with: `decoder` and `jpeg` list each element with \
              `strState` (`ok`, `denied`, `failed`, `poisoned`, `unprobed`), `strReason`, and `bInUse` for the \
              one that makes the next picture.",
        run: Run::Read(|ask| Box::pin(snapshots::codec_info(ask))),
    },
];
