//! Recording files: hybrid MP4 (ISO/IEC 14496-12).
//!
//! While it is written, a file is a fragmented MP4, playable at any moment:
//!
//! ```text
//! ftyp | free (40 bytes: the label) | moov (init) | moof mdat free(crc) | moof mdat free(crc) | …
//! ```
//!
//! Completing it appends one `moov` with all samples and turns the first `free` into the head of one
//! large `mdat` that reaches up to that `moov`; the media data stays where it is:
//!
//! ```text
//! ftyp | mdat (64-bit size: label, init moov, all fragments) | moov
//! ```
//!
//! A cut at any byte leaves whole fragments in front of it, each with a checksum, from which
//! [`scan`] rebuilds the index. Pure functions; reading goes through `Read + Seek`.

mod index;
mod moov;
mod scan;

use std::sync::Arc;

use bytes::Bytes;

use super::frame::Frame;
use super::params::Params;
use crate::base::footage::Cause;
use crate::base::time::MediaTime;
use crate::base::wall::{Offset, Wall};

pub use index::{Index, Sample};
pub use scan::{Scan, scan};

/// What a file says about itself beyond its media; enough to adopt one whose row is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Wall time of the first picture.
    pub start: Wall,
    /// The zone that its folders are named in.
    pub offset: Offset,
    pub cause: Cause,
}

/// A fragment ready to be written in one call: pieces that follow each other.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// `moof` and the head of `mdat`, then the frames' data (shared, not copied), then the checksum.
    pub pieces: Vec<Bytes>,
    /// Sum of the pieces' lengths.
    pub bytes: u64,
}

/// The beginning of a file: everything up to the first fragment.
pub fn head(params: &Params, label: &Label) -> Vec<u8> {
    let _ = (params, label);
    unimplemented!()
}

/// What turns the label's box, at [`COVER_AT`], into the head of the `mdat` that covers all media.
/// `end` is the offset behind the last fragment, where the final `moov` begins.
pub fn cover(end: u64) -> [u8; 16] {
    let _ = end;
    unimplemented!()
}

/// Offset of the label's box: the length of `ftyp`.
pub const COVER_AT: u64 = 32;
