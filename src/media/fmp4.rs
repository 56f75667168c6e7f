//! Fragmented MP4 (ISO/IEC 14496-12): the init segment and the head of each fragment.
//!
//! Pure functions. [`fragment_head`] runs once per viewer and frame: it computes all sizes first and
//! writes into one allocation.

mod init;

use bytes::BufMut;

use super::frame::Track;
use crate::base::time::MediaTime;

pub use init::init_segment;
pub(crate) use init::{
    TrackTimes, put_box, put_file_type, put_full_box, put_init_movie, put_movie_header, put_track,
};

/// One sample of a fragment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Distance to the next sample's decoding time, positive.
    pub duration: MediaTime,
    /// Presentation minus decoding time; may be negative (`trun` version 1).
    pub offset: MediaTime,
    pub key: bool,
    /// Bytes of data.
    pub size: u32,
}

/// Consecutive samples of one track.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    pub track: Track,
    /// Decoding time of the first sample.
    pub start: MediaTime,
    pub samples: &'a [Sample],
}

fn track_id(track: Track) -> u32 {
    match track {
        Track::Video => 1,
        Track::Audio => 2,
    }
}

/// `depends on no other`, and `depends on others, is no sync sample` (8.8.3.1).
const KEY_FLAGS: u32 = 0x0200_0000;
const DELTA_FLAGS: u32 = 0x0101_0000;

const MFHD_SIZE: usize = 16;
const TFHD_SIZE: usize = 16;
const TFDT_SIZE: usize = 20;
/// Without samples.
const TRUN_SIZE: usize = 20;
/// `traf`, `tfhd`, `tfdt` and `trun` without samples.
const TRAF_SIZE: usize = 8 + TFHD_SIZE + TFDT_SIZE + TRUN_SIZE;
const SAMPLE_SIZE: usize = 16;

/// `moof` and the head of the `mdat` that follows; the caller appends the samples' data, run by run.
///
/// Best one run per track. All runs but the last must have less than 2 GiB of data together.
pub fn fragment_head(sequence: u32, runs: &[Run<'_>]) -> Vec<u8> {
    let run_size = |run: &Run<'_>| run.samples.iter().map(|sample| u64::from(sample.size)).sum::<u64>();
    let moof_size = 8 + MFHD_SIZE + runs.iter().map(traf_size).sum::<usize>();
    let data_size: u64 = runs.iter().map(run_size).sum();
    let long = data_size + 8 > u64::from(u32::MAX);
    let mdat_head = if long { 16 } else { 8 };

    let mut out = Vec::with_capacity(moof_size + mdat_head);
    put_head(&mut out, moof_size, b"moof");
    put_head(&mut out, MFHD_SIZE, b"mfhd");
    out.put_u32(0);
    out.put_u32(sequence);
    let mut data_offset = (moof_size + mdat_head) as u64;
    for run in runs {
        put_run(&mut out, run, data_offset);
        data_offset += run_size(run);
    }
    if long {
        const SIZE_FOLLOWS: usize = 1;
        put_head(&mut out, SIZE_FOLLOWS, b"mdat");
        out.put_u64(data_size + 16);
    } else {
        put_head(&mut out, data_size as usize + 8, b"mdat");
    }
    out
}

fn traf_size(run: &Run<'_>) -> usize {
    TRAF_SIZE + SAMPLE_SIZE * run.samples.len()
}

fn put_head(out: &mut Vec<u8>, size: usize, name: &[u8; 4]) {
    out.put_u32(size as u32);
    out.put_slice(name);
}

fn put_run(out: &mut Vec<u8>, run: &Run<'_>, data_offset: u64) {
    const DEFAULT_BASE_IS_MOOF: u32 = 0x2_0000;
    const VERSION_1: u32 = 0x100_0000;
    // Data offset, then per sample: duration, size, flags, composition offset.
    const TRUN_FLAGS: u32 = 0x1 | 0x100 | 0x200 | 0x400 | 0x800;

    put_head(out, traf_size(run), b"traf");
    put_head(out, TFHD_SIZE, b"tfhd");
    out.put_u32(DEFAULT_BASE_IS_MOOF);
    out.put_u32(track_id(run.track));
    put_head(out, TFDT_SIZE, b"tfdt");
    out.put_u32(VERSION_1);
    out.put_u64(run.start.0.max(0) as u64);
    put_head(out, TRUN_SIZE + SAMPLE_SIZE * run.samples.len(), b"trun");
    out.put_u32(VERSION_1 | TRUN_FLAGS);
    out.put_u32(run.samples.len() as u32);
    out.put_u32(data_offset as u32);
    for sample in run.samples {
        out.put_u32(sample.duration.0 as u32);
        out.put_u32(sample.size);
        out.put_u32(if sample.key { KEY_FLAGS } else { DELTA_FLAGS });
        out.put_i32(sample.offset.0 as i32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(size: u32) -> Sample {
        Sample { duration: MediaTime(3600), offset: MediaTime(-1), key: size == 7, size }
    }

    fn word(data: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(data[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn a_fragment_of_one_frame_is_byte_for_byte_right() {
        let run = Run { track: Track::Video, start: MediaTime(1 << 33), samples: &[sample(7)] };
        let head = fragment_head(5, &[run]);
        let wanted = [
            b"\0\0\0\x68moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x05".as_slice(),
            b"\0\0\0\x50traf\0\0\0\x10tfhd\0\x02\0\0\0\0\0\x01",
            b"\0\0\0\x14tfdt\x01\0\0\0\0\0\0\x02\0\0\0\0",
            b"\0\0\0\x24trun\x01\0\x0f\x01\0\0\0\x01\0\0\0\x70",
            b"\0\0\x0e\x10\0\0\0\x07\x02\0\0\0\xff\xff\xff\xff",
            b"\0\0\0\x0fmdat",
        ];
        assert_eq!(head, wanted.concat());
        assert_eq!(head.capacity(), head.len());
    }

    #[test]
    fn each_run_points_at_its_own_data() {
        let video = Run { track: Track::Video, start: MediaTime(0), samples: &[sample(7), sample(100)] };
        let audio = Run { track: Track::Audio, start: MediaTime(0), samples: &[sample(9)] };
        let head = fragment_head(1, &[video, audio]);
        let truns: Vec<_> = (0..head.len() - 4).filter(|at| &head[*at..at + 4] == b"trun").collect();
        assert_eq!(word(&head, truns[0] + 12) as usize, head.len());
        assert_eq!(word(&head, truns[1] + 12) as usize, head.len() + 107);
        assert_eq!(word(&head, head.len() - 8), 8 + 116);
    }

    #[test]
    fn data_beyond_4_gib_gets_a_64_bit_size() {
        let samples = [sample(u32::MAX), sample(1)];
        let head = fragment_head(1, &[Run { track: Track::Video, start: MediaTime(0), samples: &samples }]);
        assert_eq!(word(&head, head.len() - 16), 1);
        assert_eq!(&head[head.len() - 8..], (16 + (1_u64 << 32)).to_be_bytes());
        let largest = [sample(u32::MAX - 8)];
        let head = fragment_head(1, &[Run { track: Track::Video, start: MediaTime(0), samples: &largest }]);
        assert_eq!(word(&head, head.len() - 8), u32::MAX);
    }
}
