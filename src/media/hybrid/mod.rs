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

mod fragment;
mod index;
mod label;
mod movie;
mod scan;
#[cfg(test)]
pub(crate) mod tests;

use bytes::{BufMut, Bytes};

use super::fmp4::{put_file_type, put_init_movie};
use super::params::Params;
use crate::base::footage::Cause;
use crate::base::wall::{Offset, Wall};

pub use index::{Index, Position, Sample};
pub use movie::{Movie, Tables};
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
    /// Nothing when there were no frames.
    pub pieces: Vec<Bytes>,
    /// Sum of the pieces' lengths.
    pub bytes: u64,
}

/// The beginning of a file: everything up to the first fragment. A few hundred bytes.
pub fn head(params: &Params, label: &Label) -> Vec<u8> {
    let mut movie = Vec::with_capacity(1024 + params.video.config.len());
    put_init_movie(&mut movie, params);
    let mut out = Vec::with_capacity(COVER_AT as usize + label::BOX_SIZE + movie.len());
    put_file_type(&mut out);
    label::put(&mut out, label, &movie);
    out.put_slice(&movie);
    out
}

/// What turns the label's box, at [`COVER_AT`], into the head of the `mdat` that covers all media.
/// `end` is the offset behind the last fragment, where the final `moov` begins.
pub fn cover(end: u64) -> [u8; 16] {
    const SIZE_FOLLOWS: u32 = 1;
    let mut out = [0; COVER_SIZE];
    let mut rest = out.as_mut_slice();
    rest.put_u32(SIZE_FOLLOWS);
    rest.put_slice(b"mdat");
    rest.put_u64(end.saturating_sub(COVER_AT));
    out
}

/// Offset of the label's box: the length of `ftyp`.
pub const COVER_AT: u64 = 32;

/// Length of [`cover`]; lies within one sector.
const COVER_SIZE: usize = 16;
