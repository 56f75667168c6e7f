//! Files written from any frames read back as what was written, whole or cut off anywhere.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::base::Kind;
use crate::base::time::{MediaTime, MonoTime};
use crate::media::frame::{Frame, Track};
use crate::media::{aac, h264};

const HIGH: &str =
    "01640014ffe1001e67640014acd94150878888c05a83030352800000030080000019478a14cb01000568ebecb22c";

pub(crate) const LABEL: Label =
    Label { start: Wall(1_774_000_000_123), offset: Offset(-210), cause: Cause::Alarm };

fn params(sound: bool) -> Params {
    let config: Bytes =
        (0..HIGH.len() / 2).map(|i| u8::from_str_radix(&HIGH[2 * i..2 * i + 2], 16).unwrap()).collect();
    let audio = sound.then(|| aac::from_config(&Bytes::from_static(&[0x11, 0x90])).unwrap());
    Params { video: h264::from_avcc(&config).unwrap(), audio }
}

fn frame(track: Track, dts: i64, offset: i64, key: bool, size: usize) -> Arc<Frame> {
    let data: Bytes = (0..size).map(|i| (dts as usize + i) as u8).collect();
    Arc::new(Frame {
        track,
        dts: MediaTime(dts),
        pts: MediaTime(dts + offset),
        duration: MediaTime(1920),
        key,
        data,
        arrived: MonoTime::default(),
    })
}

/// A file, what its writer knows of it, and where each fragment ends; the first end is the head's.
pub(crate) struct Written {
    pub bytes: Vec<u8>,
    pub index: Index,
    pub ends: Vec<usize>,
}

fn write(params: &Params, fragments: &[Vec<Arc<Frame>>], end: i64) -> Written {
    let mut bytes = head(params, &LABEL);
    let mut index = Index::new(params);
    let mut ends = vec![bytes.len()];
    for (number, frames) in fragments.iter().enumerate() {
        let mut later = fragments[number + 1..].iter().flatten();
        let until = later.find(|frame| frame.track == Track::Video).map_or(MediaTime(end), |next| next.dts);
        let fragment = index.fragment(frames, until, bytes.len() as u64);
        assert_eq!(fragment.bytes, fragment.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
        bytes.extend(fragment.pieces.concat());
        ends.push(bytes.len());
    }
    Written { bytes, index, ends }
}

/// As `recover` and a session do it.
pub(crate) fn complete(written: &Written, params: &Params) -> Vec<u8> {
    let mut bytes = written.bytes.clone();
    let end = bytes.len();
    bytes.extend(written.index.moov(params, &LABEL));
    bytes[COVER_AT as usize..][..COVER_SIZE].copy_from_slice(&cover(end as u64));
    bytes
}

fn scan_bytes(bytes: &[u8], verify: bool) -> crate::base::Result<Scan> {
    scan(&mut Cursor::new(bytes), bytes.len() as u64, verify)
}

fn samples(index: &Index) -> Vec<Sample> {
    index.samples(Track::Video).chain(index.samples(Track::Audio)).collect()
}

/// Frames with sound in fragments of any size, beginning somewhere on the stream's line.
fn recordings() -> impl Strategy<Value = (Vec<Vec<Arc<Frame>>>, i64)> {
    let step =
        (any::<bool>(), 1..20_000_i64, 0..4_i64, prop::bool::weighted(0.1), 0..300_usize, any::<bool>());
    (0..1_i64 << 40, prop::collection::vec(step, 1..120)).prop_map(|(origin, steps)| {
        let mut fragments = vec![vec![frame(Track::Video, origin, 3600, true, 100)]];
        let (mut video, mut audio) = (origin, origin - 3000);
        for (sound, distance, offset, key, size, cut) in steps {
            if cut && fragments.last().unwrap().len() > 2 {
                fragments.push(Vec::new());
            }
            let added = if sound {
                audio += distance;
                frame(Track::Audio, audio, 0, true, size)
            } else {
                video += distance;
                frame(Track::Video, video, offset * 3600, key, size)
            };
            fragments.last_mut().unwrap().push(added);
        }
        (fragments, video + 3600)
    })
}

proptest! {
    #[test]
    fn samples_follow_each_other_and_point_at_their_data((fragments, end) in recordings(), sound: bool) {
        let written = write(&params(sound), &fragments, end);
        let origin = fragments[0][0].dts;
        for track in [Track::Video, Track::Audio] {
            let wanted: Vec<_> = fragments.iter().flatten()
                .filter(|frame| frame.track == track && frame.dts >= origin)
                .filter(|_| sound || track == Track::Video)
                .collect();
            let found: Vec<_> = written.index.samples(track).collect();
            prop_assert_eq!(found.len(), wanted.len());
            for (sample, frame) in found.iter().zip(&wanted) {
                prop_assert_eq!(sample.dts, frame.dts - origin);
                prop_assert_eq!(sample.pts, frame.pts - origin);
                prop_assert_eq!(sample.key, frame.key);
                prop_assert_eq!(&written.bytes[sample.at as usize..][..sample.size as usize], &frame.data);
            }
            for pair in found.windows(2) {
                prop_assert_eq!(pair[0].dts + pair[0].duration, pair[1].dts);
            }
        }
        prop_assert_eq!(written.index.duration(), MediaTime(end) - origin);
        let whole: u64 = written.index.fragments().map(|fragment| fragment.bytes).sum();
        prop_assert_eq!(whole as usize + written.ends[0], written.bytes.len());
    }

    #[test]
    fn a_file_reads_back_as_it_was_written((fragments, end) in recordings(), sound: bool, verify: bool) {
        let params = params(sound);
        let written = write(&params, &fragments, end);
        for (bytes, done) in [(written.bytes.clone(), false), (complete(&written, &params), true)] {
            let found = scan_bytes(&bytes, verify).unwrap();
            prop_assert_eq!((found.label, &*found.params), (LABEL, &params));
            prop_assert_eq!((found.end as usize, found.complete), (written.bytes.len(), done));
            prop_assert_eq!(samples(&found.index), samples(&written.index));
            prop_assert!(found.index.fragments().eq(written.index.fragments()));
            prop_assert_eq!(found.index.moov(&params, &LABEL), written.index.moov(&params, &LABEL));
        }
    }

    #[test]
    fn places_are_found_as_by_looking_through_all((fragments, end) in recordings(), at in 0..600_000_i64) {
        let index = write(&params(true), &fragments, end).index;
        let at = MediaTime(at);
        for track in [Track::Video, Track::Audio] {
            let slow = index.samples(track).filter(|sample| sample.dts >= at);
            prop_assert!(index.samples_from(track, at).eq(slow));
        }
        let keys = || index.samples(Track::Video).filter(|sample| sample.key);
        prop_assert_eq!(index.key_at(at), keys().filter(|key| key.pts <= at).last().or(keys().next()));
    }

    #[test]
    fn whatever_a_file_says_reading_it_ends((fragments, end) in recordings(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let params = params(true);
        let mut bytes = complete(&write(&params, &fragments, end), &params);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for verify in [false, true] {
            if let Ok(found) = scan_bytes(&bytes, verify) {
                prop_assert!(found.end as usize <= bytes.len());
                prop_assert!(samples(&found.index).iter().all(|s| s.at + u64::from(s.size) <= found.end));
                found.index.moov(&found.params, &found.label);
            }
        }
    }
}

pub(crate) fn short_file() -> (Params, Written) {
    let video = |number: i64| frame(Track::Video, number * 3600, 3600, number % 4 == 0, 30);
    let audio = |number: i64| frame(Track::Audio, number * 1920, 0, true, 9);
    let fragments = vec![
        vec![video(0), audio(0), video(1), audio(1), video(2)],
        vec![audio(2), audio(3)],
        vec![video(4), video(5), audio(4)],
    ];
    let params = params(true);
    let written = write(&params, &fragments, 6 * 3600);
    (params, written)
}

#[test]
fn a_cut_at_any_byte_leaves_the_whole_fragments_before_it() {
    let (params, written) = short_file();
    let whole = complete(&written, &params);
    let media = written.bytes.len();
    for cut in 0..whole.len() {
        for verify in [false, true] {
            // A cut file of before completion and, beyond its media, one with half a `moov`.
            let bytes = if cut <= media { &written.bytes[..cut] } else { &whole[..cut] };
            let found = scan_bytes(bytes, verify);
            let Some(end) = written.ends.iter().rfind(|end| **end <= cut) else {
                assert_eq!(found.unwrap_err().kind(), Kind::BadInput, "{cut}");
                continue;
            };
            let found = found.unwrap();
            assert_eq!((found.end as usize, found.complete), (*end, false), "{cut}");
            let left = written.index.fragments().filter(|fragment| fragment.at < found.end);
            assert!(found.index.fragments().eq(left), "{cut}");
        }
    }
}

#[test]
fn a_last_fragment_that_was_not_written_whole_is_left_out() {
    let (_, written) = short_file();
    let [.., before, start, end] = written.ends[..] else { panic!() };
    let changed = |at: usize| {
        let mut bytes = written.bytes.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    for at in start..end {
        assert_eq!(scan_bytes(&changed(at), true).unwrap().end as usize, start, "{at}");
    }
    // A bad spot in data that was synced long ago costs nothing else.
    assert_eq!(scan_bytes(&changed(before - 20), true).unwrap().end as usize, end);
    let mut two = changed(start - 20);
    two[end - 1] ^= 1;
    assert_eq!(scan_bytes(&two, true).unwrap().end as usize, before);
}

#[test]
fn a_changed_beginning_is_refused() {
    let (_, written) = short_file();
    // `ftyp` and what becomes the cover carry nothing.
    for at in COVER_AT as usize + COVER_SIZE..written.ends[0] {
        let mut bytes = written.bytes.clone();
        bytes[at] ^= 0x10;
        assert_eq!(scan_bytes(&bytes, false).unwrap_err().kind(), Kind::BadInput, "{at}");
    }
}

#[test]
fn a_foreign_file_is_refused() {
    for bytes in [&b""[..], b"\0\0\0\x20ftypiso6", &[0; 4096]] {
        assert_eq!(scan_bytes(bytes, false).unwrap_err().kind(), Kind::BadInput);
    }
}

#[test]
fn a_fragment_without_frames_is_nothing() {
    let params = params(true);
    let mut index = Index::new(&params);
    let before_the_first_key = [frame(Track::Audio, 0, 0, true, 5), frame(Track::Video, 0, 0, false, 5)];
    let fragment = index.fragment(&before_the_first_key, MediaTime(3600), 0);
    assert!(fragment.pieces.is_empty() && index.is_empty());
    assert_eq!(index.duration(), MediaTime::ZERO);
}

#[test]
fn offsets_beyond_4_gib_are_64_bits_long() {
    let params = params(false);
    let movie = |at: u64| {
        let sample =
            Sample { at, size: 1, dts: MediaTime(0), pts: MediaTime(0), duration: MediaTime(1), key: true };
        let mut video = Tables::default();
        video.chunk([sample]);
        Movie { created: LABEL.start, video, audio: None }
    };
    let has = |moov: &[u8], name: &[u8; 4]| moov.windows(4).any(|at| at == name);
    let near = movie(u64::from(u32::MAX) - 100);
    assert!(has(&near.encode(&params, 0), b"stco"));
    assert!(has(&movie(1 << 32).encode(&params, 0), b"co64"));
    // The box in front pushes the data beyond the border.
    let pushed = near.plain_head(&params, 1);
    let (moov, mdat) = pushed.split_at(pushed.len() - 16);
    let wanted = u64::from(u32::MAX) - 100 + pushed.len() as u64;
    assert!(has(moov, b"co64") && moov.ends_with(&wanted.to_be_bytes()));
    assert_eq!(mdat, [&b"\0\0\0\x01mdat"[..], &17_u64.to_be_bytes()].concat());
}
