//! Calls: exports of a time span as one file.

use super::*;
use crate::api::exports;

const TIME: Kind = Kind::Text(64);
const OF: Param = must("token", Kind::Source, "The source, which may be gone.");
const FILE: Param = must("filename", Kind::Text(128), "`strFileName` of the answer, `.mp4` or not.");

const fn start(name: &'static str) -> Param {
    may(name, TIME, "A further span of `duration`.")
}

const ARCHIVE: &[Param] = &[
    OF,
    may("start", TIME, "From when: ISO 8601, like `2018-03-07T120101+08`; without a zone the server's."),
    may("end", TIME, "Until when. All spans together are at most 24 hours long."),
    may("begintime", TIME, "`start` by another name."),
    may("endtime", TIME, "`end` by another name."),
    may("start1", TIME, "Instead of `start` and `end`: start of a span of `duration`."),
    start("start2"),
    start("start3"),
    start("start4"),
    start("start5"),
    start("start6"),
    start("start7"),
    start("start8"),
    start("start9"),
    start("start10"),
    start("start11"),
    start("start12"),
    start("start13"),
    start("start14"),
    start("start15"),
    start("start16"),
    may("duration", Kind::Whole(1, 86_400), "Length of each of `start1` to `start16`, in seconds."),
    may("filename", Kind::Text(128), "Name of the file; default one of its own."),
    may("speed", Kind::Text(16), "Sent by later pages; only `1`."),
];

pub static CALLS: &[Call] = &[
    Call {
        name: "Archive",
        origin: "later pages",
        access: OPERATOR,
        params: ARCHIVE,
        doc: "Begins to write what was recorded in a time, or in several, into one MP4 at `strUrl`: from \
              the key frame at or before each start on, gaps closed up, with sound. Answers at once; 2 \
              exports work at the same time and 16 more may wait. Kept as long as recordings are by age.",
        run: Run::Change(|ask| Box::pin(exports::archive(ask))),
    },
    Call {
        name: "GetArchiveStatus",
        origin: "later pages",
        access: VIEWER,
        params: &[OF, FILE],
        doc: "How far an export is: `strState` is `working`, `done` or `failed`, then with the reason in \
              `strCode`; `nPercentage`; `nBytes` when it is done.",
        run: Run::Read(|ask| Box::pin(exports::status(ask))),
    },
    Call {
        name: "GetArchiveList",
        origin: "h5edge",
        access: VIEWER,
        params: &[OF],
        doc: "All exports of a source, oldest first, in `archive`.",
        run: Run::Read(|ask| Box::pin(exports::list(ask))),
    },
    Call {
        name: "DelArchive",
        origin: "h5edge",
        access: OPERATOR,
        params: &[OF, FILE],
        doc: "Ends an export that is under way, or deletes one.",
        run: Run::Change(|ask| Box::pin(exports::delete(ask))),
    },
];
