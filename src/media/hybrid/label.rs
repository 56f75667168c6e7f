//! The label's box: 8 bytes head, 8 bytes that the covering `mdat` needs later, then 24 bytes that stay.

use bytes::{Buf, BufMut};

use super::{COVER_SIZE, Label};
use crate::base::footage::Cause;
use crate::base::wall::{Offset, Wall};

/// Size of the box.
pub const BOX_SIZE: usize = 40;

/// The last byte is the version of the file format.
const MAGIC: &[u8; 8] = b"h5edge\0\x01";

/// `movie` is the `moov` that follows: the checksum includes it.
pub fn put(out: &mut Vec<u8>, label: &Label, movie: &[u8]) {
    out.put_u32(BOX_SIZE as u32);
    out.put_slice(b"free");
    out.put_u64(0);
    let start = out.len();
    out.put_slice(MAGIC);
    out.put_i64(label.start.0);
    out.put_i16(label.offset.0);
    out.put_u8(match label.cause {
        Cause::Manual => 0,
        Cause::Schedule => 1,
        Cause::Alarm => 2,
    });
    out.put_u8(0);
    let sum = checksum(out.get(start..).unwrap_or_default(), movie);
    out.put_u32(sum);
}

/// The label in a box, whatever the first 16 bytes of that have become.
pub fn read(label_box: &[u8]) -> Option<Label> {
    let mut rest = label_box.get(COVER_SIZE..BOX_SIZE)?.strip_prefix(MAGIC)?;
    let start = Wall(rest.get_i64());
    let offset = Offset(rest.get_i16());
    let cause = match rest.get_u8() {
        0 => Cause::Manual,
        1 => Cause::Schedule,
        2 => Cause::Alarm,
        _ => return None,
    };
    Some(Label { start, offset, cause })
}

/// Whether label and `moov` are as they were written.
pub fn agrees(label_box: &[u8], movie: &[u8]) -> bool {
    let signed = label_box.get(COVER_SIZE..BOX_SIZE).and_then(|signed| signed.split_last_chunk::<4>());
    signed.is_some_and(|(text, sum)| checksum(text, movie) == u32::from_be_bytes(*sum))
}

fn checksum(text: &[u8], movie: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(text);
    sum.update(movie);
    sum.finalize()
}
