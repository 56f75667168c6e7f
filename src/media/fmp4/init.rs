//! `ftyp` and `moov` (ISO/IEC 14496-12 8.2 to 8.8, sample entries of 14496-14 and 14496-15): the init
//! segment, and the shared parts of the `moov` of a completed file. Runs once per epoch, viewer or
//! file, so it is written for reading: nested closures in the shape of the box tree.

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
    put_file_type(&mut out);
    put_init_movie(&mut out, params);
    out.into()
}

/// `ftyp`, 32 bytes, fit for a fragmented and for a plain file.
pub(crate) fn put_file_type(out: &mut Vec<u8>) {
    // `iso5` brings default-base-is-moof, `iso6` brings `tfdt` and signed offsets.
    put_box(out, b"ftyp", |out| {
        out.put_slice(b"iso6");
        out.put_u32(0);
        out.put_slice(b"isomiso5iso6mp41");
    });
}

/// The `moov` of a fragmented file: tracks without samples.
pub(crate) fn put_init_movie(out: &mut Vec<u8>, params: &Params) {
    put_box(out, b"moov", |out| {
        put_movie_header(out, 0, 0);
        put_track(out, params, Track::Video, &TrackTimes::default(), put_no_samples);
        if params.audio.is_some() {
            put_track(out, params, Track::Audio, &TrackTimes::default(), put_no_samples);
        }
        put_box(out, b"mvex", |out| {
            put_track_defaults(out, Track::Video);
            if params.audio.is_some() {
                put_track_defaults(out, Track::Audio);
            }
        });
    });
}

/// A box around what `body` writes.
pub(crate) fn put_box(out: &mut Vec<u8>, name: &[u8; 4], body: impl FnOnce(&mut Vec<u8>)) {
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
pub(crate) fn put_full_box(
    out: &mut Vec<u8>,
    name: &[u8; 4],
    version: u8,
    flags: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    put_box(out, name, |out| {
        out.put_u32(u32::from(version) << 24 | flags);
        body(out);
    });
}

/// What a track says of times, in ticks where not said otherwise. All zero in an init segment, whose
/// movie is in its fragments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TrackTimes {
    /// Seconds since 1904; 0: not known.
    pub created: u64,
    /// Of all samples together.
    pub duration: u64,
    /// How long the movie runs before the track begins; with `begin` an edit list (8.6.6) if not 0.
    pub wait: u64,
    /// Presentation time, on the track's own line, of what is shown first.
    pub begin: u64,
    /// How long the track is shown.
    pub shown: u64,
}

impl TrackTimes {
    /// When the track is over in the movie.
    pub fn end(&self) -> u64 {
        self.wait + self.shown
    }
}

/// Times are 32 bits long in version 0 of a box and 64 in version 1.
fn version_for(times: &[u64]) -> u8 {
    u8::from(times.iter().any(|&time| time > u64::from(u32::MAX)))
}

fn put_time(out: &mut Vec<u8>, version: u8, time: u64) {
    match version {
        0 => out.put_u32(time as u32),
        _ => out.put_u64(time),
    }
}

fn put_matrix(out: &mut Vec<u8>) {
    for value in MATRIX {
        out.put_u32(value);
    }
}

/// `created` in seconds since 1904, `duration` in ticks; 0: not known.
pub(crate) fn put_movie_header(out: &mut Vec<u8>, created: u64, duration: u64) {
    let version = version_for(&[created, duration]);
    put_full_box(out, b"mvhd", version, 0, |out| {
        // Created, modified.
        put_time(out, version, created);
        put_time(out, version, created);
        out.put_u32(TICKS_PER_SECOND as u32);
        put_time(out, version, duration);
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

/// A `trak` whose sample tables, all but `stsd`, `tables` writes. Nothing for sound that `params` do
/// not have.
pub(crate) fn put_track(
    out: &mut Vec<u8>,
    params: &Params,
    track: Track,
    times: &TrackTimes,
    tables: impl FnOnce(&mut Vec<u8>),
) {
    let entry: &dyn Fn(&mut Vec<u8>) = match (track, &params.audio) {
        (Track::Video, _) => &|out| put_video_entry(out, &params.video),
        (Track::Audio, Some(audio)) => &|out| put_audio_entry(out, audio),
        (Track::Audio, None) => return,
    };
    put_box(out, b"trak", |out| {
        put_track_header(out, params, track, times);
        if (times.wait, times.begin) != (0, 0) {
            put_edits(out, times);
        }
        put_box(out, b"mdia", |out| {
            put_media_header(out, times);
            put_full_box(out, b"hdlr", 0, 0, |out| {
                out.put_u32(0);
                out.put_slice(match track {
                    Track::Video => b"vide",
                    Track::Audio => b"soun",
                });
                // Reserved, then an empty name.
                out.put_bytes(0, 13);
            });
            put_media_information(out, track, |out| {
                put_full_box(out, b"stsd", 0, 0, |out| {
                    out.put_u32(1);
                    entry(out);
                });
                tables(out);
            });
        });
    });
}

fn put_track_header(out: &mut Vec<u8>, params: &Params, track: Track, times: &TrackTimes) {
    const ENABLED_IN_MOVIE: u32 = 3;
    const FULL_VOLUME: u16 = 0x100;
    let (volume, width, height) = match track {
        Track::Video => (0, params.video.width, params.video.height),
        Track::Audio => (FULL_VOLUME, 0, 0),
    };
    let version = version_for(&[times.created, times.end()]);
    put_full_box(out, b"tkhd", version, ENABLED_IN_MOVIE, |out| {
        put_time(out, version, times.created);
        put_time(out, version, times.created);
        out.put_u32(track_id(track));
        out.put_u32(0);
        put_time(out, version, times.end());
        // Reserved, layer and group 0.
        out.put_bytes(0, 12);
        out.put_u16(volume);
        out.put_u16(0);
        put_matrix(out);
        // 16.16 fixed point.
        out.put_u32(width << 16);
        out.put_u32(height << 16);
    });
}

fn put_edits(out: &mut Vec<u8>, times: &TrackTimes) {
    const NOTHING: i64 = -1;
    const AT_NORMAL_RATE: u32 = 0x1_0000;
    let edits = [(times.wait, NOTHING), (times.shown, times.begin as i64)];
    let edits = edits.map(|edit| (edit.0 > 0).then_some(edit));
    // Always 64 bits: a delay is rare and the box small.
    put_box(out, b"edts", |out| {
        put_full_box(out, b"elst", 1, 0, |out| {
            out.put_u32(edits.iter().flatten().count() as u32);
            for (duration, media_time) in edits.into_iter().flatten() {
                out.put_u64(duration);
                out.put_i64(media_time);
                out.put_u32(AT_NORMAL_RATE);
            }
        });
    });
}

fn put_media_header(out: &mut Vec<u8>, times: &TrackTimes) {
    const UNDETERMINED: u16 = 0x55c4;
    let version = version_for(&[times.created, times.duration]);
    put_full_box(out, b"mdhd", version, 0, |out| {
        put_time(out, version, times.created);
        put_time(out, version, times.created);
        out.put_u32(TICKS_PER_SECOND as u32);
        put_time(out, version, times.duration);
        out.put_u16(UNDETERMINED);
        out.put_u16(0);
    });
}

fn put_media_information(out: &mut Vec<u8>, track: Track, tables: impl FnOnce(&mut Vec<u8>)) {
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
        put_box(out, b"stbl", tables);
    });
}

fn put_no_samples(out: &mut Vec<u8>) {
    for empty in [b"stts", b"stsc", b"stco"] {
        put_full_box(out, empty, 0, 0, |out| out.put_u32(0));
    }
    put_full_box(out, b"stsz", 0, 0, |out| out.put_u64(0));
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
