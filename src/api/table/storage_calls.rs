//! Calls: volumes, and how long footage is kept.

use super::*;
use crate::api::storage;

const DAYS: Kind = Kind::Whole(0, 3650);

pub static CALLS: &[Call] = &[
    Call {
        name: "GetStorageInfo",
        origin: "h5edge",
        access: VIEWER,
        params: &[],
        doc: "The volumes with their states (`online`, `checking`, `full`, `readonly`, `gone`; `strText` says why), \
              how much lies on each and how many files were set aside, what was written in the last 30 days, and \
              how long footage is kept. `nBytePerDay` is the mean of the last full days (7 at most; today and the \
              first day that is known do not count), and `nForecastDays` how many days of footage the volume \
              will hold at that rate, with its part of the free space and by the retention; both `null` while \
              nothing was measured.",
        run: Run::Read(|ask| Box::pin(storage::storage_info(ask))),
    },
    Call {
        name: "GetRetention",
        origin: "h5edge",
        access: VIEWER,
        params: &[],
        doc: "How long footage is kept: `nKeepDays`, `nKeepSnapshotDays`, `nMaxMbPerSource` (MiB); 0 is without \
              end: until its space is needed.",
        run: Run::Read(|ask| Box::pin(storage::get_retention(ask))),
    },
    Call {
        name: "SetRetention",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            may("days", DAYS, "Recordings older than this are deleted; 0: none for its age."),
            may("snapshotdays", DAYS, "The same for snapshots."),
            may(
                "sourcemb",
                Kind::Whole(0, 1_000_000_000),
                "How much one source may take, in MiB, recordings and snapshots on all volumes; 0: no bound.",
            ),
        ],
        doc: "Sets how long footage is kept, and answers as `GetRetention`. What is not named stays. It holds at \
              once: what is beyond it is deleted within seconds. What was set here is kept over a restart and \
              holds over `keep_days`, `keep_snapshot_days` and `max_mb_per_source` of the configuration file; \
              what was never set is as the file says.",
        run: Run::Change(|ask| Box::pin(storage::set_retention(ask))),
    },
];
