//! Calls: recording (manual 5.5.1 to 5.5.4) and schedules.

use super::*;
use crate::api::records;

/// A day: longer ones are started and stopped.
const DURATION: Param = must("duration", Kind::Whole(1, 86_400), "For how long, from now on, in seconds.");
/// Checked as a name, too: see `record::place`.
const FILE_NAME: Kind = Kind::Text(256);
const DATE: Kind = Kind::Text(16);

pub static CALLS: &[Call] = &[
    Call {
        name: "Record",
        origin: "manual 5.5.1",
        access: OPERATOR,
        params: &[
            TOKEN,
            DURATION,
            may(
                "filename",
                FILE_NAME,
                "Name of the file, with or without `.mp4`: at most 100 bytes of letters, digits, blanks and \
                 `. _ - + ( )`. Without it, one is made up.",
            ),
            may(
                "type",
                Kind::OneOf(&["manual", "alarm"]),
                "Why it is recorded (`nType` in Search); default `manual`. One of each may run.",
            ),
        ],
        doc: "Records, beginning with what was shown just before. If a recording runs that was started by \
              hand, it becomes longer by the duration. Answers when there is a file, with `strPath`, `strUrl` \
              and `bExtended`; fails when the source shows nothing within 10 s.",
        run: Run::Change(|ask| Box::pin(records::record(ask))),
    },
    Call {
        name: "ManualRecordStart",
        origin: "manual 5.5.2",
        access: OPERATOR,
        params: &[TOKEN],
        doc: "Records until `ManualRecordStop`. If a recording runs that was started by hand, it goes on \
              until then. Answers as `Record`.",
        run: Run::Change(|ask| Box::pin(records::manual_start(ask))),
    },
    Call {
        name: "ManualRecordStop",
        origin: "manual 5.5.3",
        access: OPERATOR,
        params: &[TOKEN],
        doc: "Ends all recordings of the source that were started by hand, also those with a duration; \
              answers when their files are complete. A failure when there is none.",
        run: Run::Change(|ask| Box::pin(records::manual_stop(ask))),
    },
    Call {
        name: "PathRecord",
        origin: "manual 5.5.4",
        access: OPERATOR,
        params: &[
            TOKEN,
            must("start1", DATE, "Day, such as `2018-3-29`: first part of the path."),
            must("start2", DATE, "Hour, minute and second, such as `20-3-29`: second part of the path."),
            DURATION,
            may(
                "tz",
                Kind::Text(8),
                "Zone of the two in hours east of UTC, such as `8`, `-8` or `5.5`; default the device's.",
            ),
            must("filename", FILE_NAME, "As in `Record`; refused when it is used at that place."),
            may(
                "alwayscreate",
                Kind::Flag,
                "`true`: a recording of its own, beside the running one; at most 8. Default `false`: the \
                 running one becomes longer by the duration.",
            ),
        ],
        doc: "Records to `/mediastore/record/token1/2018-3-29TZ8/20-3-29/filename.mp4`. Answers as `Record`. \
              If the file has to end early (the camera changed or was away, or an hour is over), it goes on \
              in `filename-2.mp4`.",
        run: Run::Change(|ask| Box::pin(records::path_record(ask))),
    },
    Call {
        name: "GetRecordStatus",
        origin: "own",
        access: VIEWER,
        params: &[TOKEN],
        doc: "The running recordings of a source, in `record`: `nType` as in Search, `strState` (`recording`, \
              `waiting` for the source, `trouble` with the disk) and `strText` why, `strPath` of the newest \
              file, `strStartTime` of the one that is written, `strBeginTime` of the first one, and `nSkipped`: \
              how often pictures were lost because the disk was too slow.",
        run: Run::Read(|ask| Box::pin(records::status(ask))),
    },
    Call {
        name: "SetRecordSchedule",
        origin: "own",
        access: ADMINISTRATOR,
        params: &[
            TOKEN,
            may(
                "week",
                Kind::Text(168),
                "In which hours the source is recorded: `always`, `never`, or 168 times `0` or `1`, from \
                 Monday 0:00 on, local time.",
            ),
            may(
                "snapshotseconds",
                Kind::Whole(0, 86_400),
                "How often a snapshot is taken, in seconds; 0: not at all.",
            ),
        ],
        doc: "Sets what is kept of a source without being asked. What is not named stays as it is.",
        run: Run::Change(|ask| Box::pin(records::set_schedule(ask))),
    },
    Call {
        name: "GetRecordSchedule",
        origin: "own",
        access: VIEWER,
        params: &[TOKEN],
        doc: "What is kept of a source without being asked: `strWeek` (168 times `0` or `1`) and \
              `nSnapshotSeconds`.",
        run: Run::Read(|ask| Box::pin(records::get_schedule(ask))),
    },
];
