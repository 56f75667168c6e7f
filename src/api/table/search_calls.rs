//! Calls: finding, looking at, locking and deleting footage (manual 5.5.7).

use super::*;
use crate::api::{playback, search};

const TYPE: Kind = Kind::OneOf(&["record", "snapshot"]);
const TIME: Kind = Kind::Text(64);
const START: Param =
    must("start", TIME, "ISO 8601, like `2018-03-07T120101+08`; without a zone it is the server's.");
const END: Param = must("end", TIME, "The same; not before `start`.");
const CAUSE: Param = may(
    "nType",
    Kind::OneOf(&["H5_REC_MANUAL", "H5_REC_SCHEDULE", "H5_REC_ALARM"]),
    "Only what was made for this reason.",
);
const LIMIT: Param =
    may("limit", Kind::Whole(1, search::MOST), "Most entries in the answer; default and most 5000.");
const NEXT: Param = may("next", Kind::Text(64), "`strNext` of the answer before: goes on behind it.");
const PATH: Param = must("path", Kind::Text(1024), "`strPath` of the entry.");

/// A source that was deleted is known by its token for as long as there is footage of it.
const OF: Param = must("token", Kind::Source, "The source, which may be gone.");

pub static CALLS: &[Call] = &[
    Call {
        name: "Search",
        origin: "manual 5.5.7",
        access: VIEWER,
        params: &[OF, must("type", TYPE, "What is looked for."), START, END, CAUSE, LIMIT, NEXT],
        doc: "What overlaps the span, by start, in `record` (snapshots too). Times are in the zone of \
              `start`. `strDuration` is in seconds, and `0` while the recording runs: then \
              `nDurationNow` grows. `strPath` is where the file is served. `bAvailable` is false while \
              its volume is not there. With `bMore`, `strNext` leads to the rest.",
        run: Run::Read(|ask| Box::pin(search::search(ask))),
    },
    Call {
        name: "SearchDeviceRecordByTime",
        origin: "later pages",
        access: VIEWER,
        params: &[OF, may("type", TYPE, "Default `record`."), START, END, CAUSE, LIMIT, NEXT],
        doc: "As `Search`.",
        run: Run::Read(|ask| Box::pin(search::search(ask))),
    },
    Call {
        name: "SearchDeviceRecordCalendar",
        origin: "later pages",
        access: VIEWER,
        params: &[
            OF,
            must("year", Kind::Whole(1970, 2261), "The year."),
            must("month", Kind::Whole(1, 12), "The month."),
        ],
        doc: "For each day of the month in the server's zone, whether there is a recording of it: \
              `record` with `nDay` and `bHasRec`.",
        run: Run::Read(|ask| Box::pin(search::calendar(ask))),
    },
    Call {
        name: "GetRecordImage",
        origin: "h5edge",
        access: VIEWER,
        params: &[
            OF,
            must("time", TIME, "The moment, as `start` of Search."),
            may("width", Kind::Whole(16, 3840), "Width in pixels, at most the video's own; default 320."),
        ],
        doc: "What was recorded of a moment as JPEG: the key frame at `time` or the last one before it, from the \
              recording itself, also one that is still written. Fails where nothing was recorded. Browsers may \
              keep it for an hour. Made for scrubbing: requests wait for each other, of one session the newest \
              goes first, and when too many wait, the oldest of the session or the new one is refused.",
        run: Run::File("image/jpeg", |ask| Box::pin(playback::image(ask))),
    },
    Call {
        name: "LockRecord",
        origin: "h5edge",
        access: OPERATOR,
        params: &[OF, PATH, may("lock", Kind::Flag, "Whether it is locked; default true.")],
        doc: "Locks a recording or snapshot, or no longer: a locked one is not deleted for its age, and \
              when space is needed it goes last. Its file may still be written.",
        run: Run::Change(|ask| Box::pin(search::lock(ask))),
    },
    Call {
        name: "DelRecord",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[OF, PATH],
        doc: "Deletes a recording. One that is written, played, downloaded or locked is refused.",
        run: Run::Change(|ask| Box::pin(search::del_record(ask))),
    },
    Call {
        name: "DelSnapshot",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[OF, PATH],
        doc: "Deletes a snapshot, as `DelRecord` does a recording.",
        run: Run::Change(|ask| Box::pin(search::del_snapshot(ask))),
    },
];
