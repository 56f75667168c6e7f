//! Reads a file's own structure back, whole or cut off anywhere.

use std::io::{Read, Seek};

use super::*;
use crate::base::Result;

/// What a file turned out to hold.
#[derive(Clone, Debug)]
pub struct Scan {
    pub label: Label,
    pub params: Arc<Params>,
    pub index: Index,
    /// Offset behind the last whole fragment.
    pub end: u64,
    /// The final `moov` and the covering `mdat` are there: nothing is left to do.
    pub complete: bool,
}

/// Walks the boxes of a file of `length` bytes up to the first that is not whole. With `verify`,
/// checksums are compared, which reads all data.
///
/// # Errors
/// `BadInput` when its beginning is not one that [`head`] wrote; then nothing in it can be trusted.
pub fn scan(file: &mut (impl Read + Seek), length: u64, verify: bool) -> Result<Scan> {
    let _ = (file, length, verify);
    unimplemented!()
}
