//! The init segment: `ftyp` and a `moov` without samples (ISO/IEC 14496-12 8.2 to 8.8, sample entries
//! of 14496-14 and 14496-15). Runs once per epoch or viewer, so it is written for reading: nested
//! closures in the shape of the box tree.

use bytes::{BufMut, Bytes};

use super::track_id;
use crate::base::time::TICKS_PER_SECOND;
use crate::media::frame::Track;
use crate::media::params::{AudioParams, Params, VideoCodec, VideoParams};

/// Unity, as `mvhd` and `tkhd` have it: 16.16 fixed point, the last column 2.30.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// `ftyp` and `moov`: video is track 1, sound track 2, both in 90 kHz ticks.
pub fn init_segment(params: &Params) -> Bytes {
    let mut out = Vec::with_capacity(1024 + params.video.config.len());
    // `iso5` brings default-base-is-moof, `iso6` brings `tfdt` and signed offsets.
    put_box(&mut out, b"ftyp", |out| {
        out.put_slice(b"iso6");
        out.put_u32(0);
        out.put_slice(b"isomiso5iso6mp41");
    });
    put_box(&mut out, b"moov", |out| {
        put_movie_header(out);
        put_track(out, &TrackHeader::video(&params.video), |out| put_video_entry(out, &params.video));
        if let Some(audio) = &params.audio {
            put_track(out, &TrackHeader::AUDIO, |out| put_audio_entry(out, audio));
        }
        put_box(out, b"mvex", |out| {
            put_track_defaults(out, Track::Video);
            if params.audio.is_some() {
                put_track_defaults(out, Track::Audio);
            }
        });
    });
    out.into()
}

/// A box around what `body` writes.
fn put_box(out: &mut Vec<u8>, name: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.put_u32(0);
    out.put_slice(name);
    body(out);
    let size = (out.len() - start) as u32;
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&size.to_be_bytes());
    }
}

/// A box that starts with a version and flags.
fn put_full_box(out: &mut Vec<u8>, name: &[u8; 4], version: u8, flags: u32, body: impl FnOnce(&mut Vec<u8>)) {
    put_box(out, name, |out| {
        out.put_u32(u32::from(version) << 24 | flags);
        body(out);
    });
}

fn put_matrix(out: &mut Vec<u8>) {
    for value in MATRIX {
        out.put_u32(value);
    }
}

fn put_movie_header(out: &mut Vec<u8>) {
    put_full_box(out, b"mvhd", 0, 0, |out| {
        // Created, modified: not known.
        out.put_u64(0);
        out.put_u32(TICKS_PER_SECOND as u32);
        // Duration 0: the movie is in the fragments.
        out.put_u32(0);
        // Rate 1.0, volume 1.0, reserved.
        out.put_u32(0x1_0000);
        out.put_u16(0x100);
        out.put_bytes(0, 10);
        put_matrix(out);
        out.put_bytes(0, 24);
        let next_track = track_id(Track::Audio) + 1;
        out.put_u32(next_track);
    });
}

/// What differs between the two kinds of track.
struct TrackHeader {
    track: Track,
    handler: &'static [u8; 4],
    /// 8.8 fixed point.
    volume: u16,
    width: u32,
    height: u32,
}

impl TrackHeader {
    const AUDIO: Self = Self { track: Track::Audio, handler: b"soun", volume: 0x100, width: 0, height: 0 };

    fn video(params: &VideoParams) -> Self {
        let (width, height) = (params.width, params.height);
        Self { track: Track::Video, handler: b"vide", volume: 0, width, height }
    }
}

fn put_track(out: &mut Vec<u8>, header: &TrackHeader, entry: impl FnOnce(&mut Vec<u8>)) {
    const ENABLED_IN_MOVIE: u32 = 3;
    put_box(out, b"trak", |out| {
        put_full_box(out, b"tkhd", 0, ENABLED_IN_MOVIE, |out| {
            out.put_u64(0);
            out.put_u32(track_id(header.track));
            // Reserved, duration 0, reserved, layer and group 0.
            out.put_bytes(0, 20);
            out.put_u16(header.volume);
            out.put_u16(0);
            put_matrix(out);
            // 16.16 fixed point.
            out.put_u32(header.width << 16);
            out.put_u32(header.height << 16);
        });
        put_box(out, b"mdia", |out| {
            put_full_box(out, b"mdhd", 0, 0, |out| {
                const UNDETERMINED: u16 = 0x55c4;
                out.put_u64(0);
                out.put_u32(TICKS_PER_SECOND as u32);
                out.put_u32(0);
                out.put_u16(UNDETERMINED);
                out.put_u16(0);
            });
            put_full_box(out, b"hdlr", 0, 0, |out| {
                out.put_u32(0);
                out.put_slice(header.handler);
                // Reserved, then an empty name.
                out.put_bytes(0, 13);
            });
            put_media_information(out, header.track, entry);
        });
    });
}

fn put_media_information(out: &mut Vec<u8>, track: Track, entry: impl FnOnce(&mut Vec<u8>)) {
    const SAME_FILE: u32 = 1;
    put_box(out, b"minf", |out| {
        match track {
            Track::Video => put_full_box(out, b"vmhd", 0, 1, |out| out.put_u64(0)),
            Track::Audio => put_full_box(out, b"smhd", 0, 0, |out| out.put_u32(0)),
        }
        put_box(out, b"dinf", |out| {
            put_full_box(out, b"dref", 0, 0, |out| {
                out.put_u32(1);
                put_full_box(out, b"url ", 0, SAME_FILE, |_| {});
            });
        });
        put_box(out, b"stbl", |out| {
            put_full_box(out, b"stsd", 0, 0, |out| {
                out.put_u32(1);
                entry(out);
            });
            for empty in [b"stts", b"stsc", b"stco"] {
                put_full_box(out, empty, 0, 0, |out| out.put_u32(0));
            }
            put_full_box(out, b"stsz", 0, 0, |out| out.put_u64(0));
        });
    });
}

fn put_video_entry(out: &mut Vec<u8>, params: &VideoParams) {
    let (entry, config) = match params.codec {
        VideoCodec::H264 => (b"avc1", b"avcC"),
        VideoCodec::H265 => (b"hvc1", b"hvcC"),
    };
    const DPI_72: u32 = 0x48_0000;
    put_box(out, entry, |out| {
        // Reserved, then data reference 1.
        out.put_bytes(0, 6);
        out.put_u16(1);
        out.put_bytes(0, 16);
        out.put_u16(params.width as u16);
        out.put_u16(params.height as u16);
        out.put_u32(DPI_72);
        out.put_u32(DPI_72);
        out.put_u32(0);
        // One frame per sample, no compressor name, depth 24, predefined.
        out.put_u16(1);
        out.put_bytes(0, 32);
        out.put_u16(24);
        out.put_i16(-1);
        put_box(out, config, |out| out.put_slice(&params.config));
    });
}

fn put_audio_entry(out: &mut Vec<u8>, params: &AudioParams) {
    put_box(out, b"mp4a", |out| {
        out.put_bytes(0, 6);
        out.put_u16(1);
        out.put_bytes(0, 8);
        out.put_u16(u16::from(params.channels));
        out.put_u16(16);
        out.put_u32(0);
        // 16.16 fixed point; a rate that does not fit stands in the configuration only.
        out.put_u16(u16::try_from(params.rate).unwrap_or(0));
        out.put_u16(0);
        put_full_box(out, b"esds", 0, 0, |out| put_elementary_stream(out, params));
    });
}

/// ES_Descriptor (ISO/IEC 14496-1 7.2.6.5) for AAC.
fn put_elementary_stream(out: &mut Vec<u8>, params: &AudioParams) {
    const AAC: u8 = 0x40;
    const AUDIO_STREAM: u8 = 0x15;
    const MP4_SYNC_LAYER: u8 = 2;
    put_descriptor(out, 3, |out| {
        out.put_u16(0);
        out.put_u8(0);
        put_descriptor(out, 4, |out| {
            out.put_u8(AAC);
            out.put_u8(AUDIO_STREAM);
            // Buffer size and bit rates: not known.
            out.put_bytes(0, 11);
            put_descriptor(out, 5, |out| out.put_slice(&params.config));
        });
        put_descriptor(out, 6, |out| out.put_u8(MP4_SYNC_LAYER));
    });
}

/// A descriptor with its length in the four-byte form (ISO/IEC 14496-1 8.3.3), 7 bits in each byte.
fn put_descriptor(out: &mut Vec<u8>, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.put_u8(tag);
    let start = out.len();
    out.put_u32(0);
    body(out);
    let size = out.len() - start - 4;
    let septets = [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8);
    if let (Some(field), [a, b, c, d]) = (out.get_mut(start..start + 4), septets) {
        field.copy_from_slice(&[0x80 | a, 0x80 | b, 0x80 | c, d]);
    }
}

fn put_track_defaults(out: &mut Vec<u8>, track: Track) {
    put_full_box(out, b"trex", 0, 0, |out| {
        out.put_u32(track_id(track));
        // Sample description 1; each run says the rest.
        out.put_u32(1);
        out.put_bytes(0, 12);
    });
}
