//! Calls: volumes.

use super::*;
use crate::api::storage;

pub static CALLS: &[Call] = &[Call {
    name: "GetStorageInfo",
    origin: "h5edge",
    access: VIEWER,
    params: &[],
    doc: "The volumes with their states (`online`, `checking`, `full`, `readonly`, `gone`; `strText` says why), \
          how much lies on each and how many files were set aside, what was written in the last 30 days, and \
          how long footage is kept.",
    run: Run::Read(|ask| Box::pin(storage::storage_info(ask))),
}];
