//! MPEG transport stream (ISO/IEC 13818-1) for HLS v1 and, later, `.ts` downloads.
//!
//! A muxer belongs to one task. It keeps one scratch buffer, as large as the largest frame so far.

use bytes::{BufMut, Bytes};

use super::aac::Adts;
use super::frame::{Frame, Track};
use super::nal;
use super::params::{Params, VideoCodec};
use crate::base::time::{MediaTime, TICKS_PER_SECOND};

/// How far the time stamps are ahead of the clock reference, which is the media time: what a decoder
/// may need to buffer before it shows the first frame.
pub const DELAY: MediaTime = MediaTime(TICKS_PER_SECOND / 2);

const PACKET: usize = 188;
const PAT_PID: u16 = 0;
const PMT_PID: u16 = 0x1000;
const VIDEO_PID: u16 = 0x100;
const AUDIO_PID: u16 = 0x101;

/// Writes one program: video on PID 0x100, sound on PID 0x101.
#[derive(Debug)]
pub struct TsMuxer {
    codec: VideoCodec,
    /// Parameter sets in Annex B form, as they go in front of key frames.
    sets: Bytes,
    /// `None` without sound, and for sound that ADTS cannot describe, which is then left out.
    adts: Option<Adts>,
    counters: Counters,
    pes: Vec<u8>,
}

/// The next `continuity_counter` of each PID.
#[derive(Debug, Default)]
struct Counters {
    pat: u8,
    pmt: u8,
    video: u8,
    audio: u8,
}

impl TsMuxer {
    pub fn new(params: &Params) -> Self {
        let video = &params.video;
        let mut sets = Vec::new();
        for set in video.vps.iter().chain(&video.sps).chain(&video.pps) {
            put_unit(&mut sets, set);
        }
        let adts = params.audio.as_ref().and_then(|audio| Adts::new(audio).ok());
        let counters = Counters::default();
        Self { codec: video.codec, sets: sets.into(), adts, counters, pes: Vec::new() }
    }

    /// PAT and PMT; to be written at the start of each segment.
    pub fn write_tables(&mut self, out: &mut Vec<u8>) {
        const PROGRAM: u16 = 1;
        let mut pat = Vec::new();
        pat.put_u16(PROGRAM);
        pat.put_u16(0xe000 | PMT_PID);
        write_section(out, PAT_PID, &mut self.counters.pat, 0, &pat);

        let video_type = match self.codec {
            VideoCodec::H264 => 0x1b,
            VideoCodec::H265 => 0x24,
        };
        let mut pmt = Vec::new();
        pmt.put_u16(0xe000 | VIDEO_PID);
        pmt.put_u16(0xf000);
        put_stream(&mut pmt, video_type, VIDEO_PID);
        if self.adts.is_some() {
            const ADTS_AAC: u8 = 0x0f;
            put_stream(&mut pmt, ADTS_AAC, AUDIO_PID);
        }
        write_section(out, PMT_PID, &mut self.counters.pmt, 2, &pmt);
    }

    /// One frame as a PES packet, with PCR on video.
    pub fn write_frame(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        self.pes.clear();
        match frame.track {
            Track::Video => self.write_video(frame, out),
            Track::Audio => self.write_audio(frame, out),
        }
    }

    fn write_video(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        // Length 0: not said, which is allowed for video, whose frames may be larger than 64 KiB.
        put_pes_head(&mut self.pes, 0xe0, 0, frame);
        // Access unit delimiter: any kind of picture.
        put_unit(
            &mut self.pes,
            match self.codec {
                VideoCodec::H264 => &[0x09, 0xf0],
                VideoCodec::H265 => &[0x46, 0x01, 0x50],
            },
        );
        if frame.key {
            self.pes.put_slice(&self.sets);
        }
        for unit in nal::units(&frame.data) {
            put_unit(&mut self.pes, unit);
        }
        let adaptation = Adaptation { key: frame.key, clock: Some(frame.dts) };
        write_packets(out, VIDEO_PID, &mut self.counters.video, adaptation, &self.pes);
    }

    fn write_audio(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        let Some(header) = self.adts.and_then(|adts| adts.header(frame.data.len())) else { return };
        put_pes_head(&mut self.pes, 0xc0, header.len() + frame.data.len(), frame);
        self.pes.put_slice(&header);
        self.pes.put_slice(&frame.data);
        let adaptation = Adaptation { key: true, clock: None };
        write_packets(out, AUDIO_PID, &mut self.counters.audio, adaptation, &self.pes);
    }
}

/// A NAL unit behind a start code.
fn put_unit(out: &mut Vec<u8>, unit: &[u8]) {
    out.put_slice(&[0, 0, 0, 1]);
    out.put_slice(unit);
}

fn put_stream(pmt: &mut Vec<u8>, kind: u8, pid: u16) {
    pmt.put_u8(kind);
    pmt.put_u16(0xe000 | pid);
    pmt.put_u16(0xf000);
}

/// A section of PSI (2.4.4) in one packet: table `table` for id 1 with the given body.
fn write_section(out: &mut Vec<u8>, pid: u16, counter: &mut u8, table: u8, body: &[u8]) {
    // Id, version, section numbers and CRC count as well.
    let length = body.len() + 9;
    // The pointer field: the section starts at once.
    let mut section = vec![0, table];
    section.put_u16(0xb000 | length as u16);
    // Transport stream or program 1; version 0, current; section 0 of 0.
    section.put_slice(&[0, 1, 0xc1, 0, 0]);
    section.put_slice(body);
    let crc = crc32(section.get(1..).unwrap_or_default());
    section.put_u32(crc);
    section.resize(PACKET - 4, 0xff);
    put_packet_head(out, pid, true, false, counter);
    out.put_slice(&section);
}

/// Annex A: polynomial 0x04C11DB7, from the highest bit, all ones at first, not inverted at the end.
fn crc32(data: &[u8]) -> u32 {
    data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

fn put_packet_head(out: &mut Vec<u8>, pid: u16, start: bool, adaptation: bool, counter: &mut u8) {
    const PAYLOAD: u8 = 0x10;
    out.put_u8(0x47);
    out.put_u16(u16::from(start) << 14 | pid);
    out.put_u8(u8::from(adaptation) << 5 | PAYLOAD | *counter);
    *counter = (*counter + 1) & 0xf;
}

/// 2.4.3.6, with a PTS, and a DTS where it differs. `size` is that of the data, 0 for not said.
fn put_pes_head(out: &mut Vec<u8>, stream: u8, size: usize, frame: &Frame) {
    let both = frame.pts != frame.dts;
    let stamps: u8 = if both { 10 } else { 5 };
    let length = match size {
        0 => 0,
        size => size + 3 + usize::from(stamps),
    };
    out.put_slice(&[0, 0, 1, stream]);
    out.put_u16(u16::try_from(length).unwrap_or(0));
    // Data aligned; then which stamps there are, and their size.
    out.put_slice(&[0x84, if both { 0xc0 } else { 0x80 }, stamps]);
    put_stamp(out, if both { 3 } else { 2 }, frame.pts);
    if both {
        put_stamp(out, 1, frame.dts);
    }
}

/// The 33 bits that wrap after 26.5 hours.
fn wrapped(time: MediaTime) -> u64 {
    time.0 as u64 & ((1 << 33) - 1)
}

fn put_stamp(out: &mut Vec<u8>, prefix: u8, time: MediaTime) {
    let ticks = wrapped(time + DELAY);
    out.put_u8(prefix << 4 | (ticks >> 29) as u8 & 0xe | 1);
    out.put_u16((ticks >> 14) as u16 | 1);
    out.put_u16((ticks << 1) as u16 | 1);
}

/// What stands in the adaptation field of a PES packet's first TS packet.
#[derive(Clone, Copy)]
struct Adaptation {
    key: bool,
    /// The program clock reference.
    clock: Option<MediaTime>,
}

impl Adaptation {
    /// Flags and clock; empty if there is nothing to say.
    fn field(self) -> Vec<u8> {
        const RANDOM_ACCESS: u8 = 0x40;
        const PCR: u8 = 0x10;
        let key = if self.key { RANDOM_ACCESS } else { 0 };
        let Some(clock) = self.clock else {
            return if self.key { vec![key] } else { Vec::new() };
        };
        let base = wrapped(clock);
        let mut field = vec![key | PCR];
        field.put_u32((base >> 1) as u32);
        // The last bit of the base, six reserved, and an extension of 0.
        field.put_u16((base << 15) as u16 | 0x7e00);
        field
    }
}

/// Cuts a PES packet into TS packets; the last is filled up in its adaptation field.
fn write_packets(out: &mut Vec<u8>, pid: u16, counter: &mut u8, first: Adaptation, pes: &[u8]) {
    let mut field = first.field();
    let mut rest = pes;
    let mut start = true;
    while !rest.is_empty() {
        let room = PACKET - 4 - if field.is_empty() { 0 } else { 1 + field.len() };
        let (part, after) = rest.split_at(rest.len().min(room));
        let stuffing = room - part.len();
        put_packet_head(out, pid, start, stuffing > 0 || !field.is_empty(), counter);
        put_adaptation(out, &field, stuffing);
        out.put_slice(part);
        (rest, start) = (after, false);
        field.clear();
    }
}

/// The field with its length, and `stuffing` bytes more.
fn put_adaptation(out: &mut Vec<u8>, field: &[u8], stuffing: usize) {
    match (field.len(), stuffing) {
        (0, 0) => {}
        // A length of 0 is the way to fill up a single byte.
        (0, 1) => out.put_u8(0),
        (0, _) => {
            out.put_u8(stuffing as u8 - 1);
            out.put_u8(0);
            out.put_bytes(0xff, stuffing - 2);
        }
        (size, _) => {
            out.put_u8((size + stuffing) as u8);
            out.put_slice(field);
            out.put_bytes(0xff, stuffing);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::MonoTime;
    use crate::media::params::{AudioParams, VideoParams};

    fn params() -> Params {
        let set = |bytes: &'static [u8]| vec![Bytes::from_static(bytes)];
        let video = VideoParams { sps: set(&[0x67, 1]), pps: set(&[0x68, 2]), ..Params::bare().video };
        let config = Bytes::from_static(&[0x11, 0x90]);
        let audio = AudioParams { config, rate: 48_000, channels: 2, codec_string: String::new() };
        Params { video, audio: Some(audio) }
    }

    fn frame(track: Track, dts: i64, pts: i64, key: bool, size: usize) -> Frame {
        let mut data = Vec::new();
        if track == Track::Video {
            data.put_u32(size as u32);
        }
        data.extend((0..size).map(|at| (at % 250) as u8 + 4));
        let (dts, pts, duration) = (MediaTime(dts), MediaTime(pts), MediaTime(3600));
        Frame { track, dts, pts, duration, key, data: data.into(), arrived: MonoTime::default() }
    }

    /// The PES packets on a PID, with the clock reference of each; checks sync and continuity.
    fn read(ts: &[u8], pid: u16) -> Vec<(Option<u64>, Vec<u8>)> {
        let mut found: Vec<(Option<u64>, Vec<u8>)> = Vec::new();
        let mut counter = None;
        assert_eq!(ts.len() % PACKET, 0);
        for packet in ts.chunks(PACKET) {
            assert_eq!(packet[0], 0x47);
            if u16::from_be_bytes([packet[1], packet[2]]) & 0x1fff != pid {
                continue;
            }
            assert!(counter.is_none_or(|c: u8| (c + 1) & 0xf == packet[3] & 0xf));
            counter = Some(packet[3] & 0xf);
            let field = if packet[3] & 0x20 != 0 { &packet[5..5 + usize::from(packet[4])] } else { &[] };
            let head = if packet[3] & 0x20 != 0 { 5 + field.len() } else { 4 };
            let clock = (field.first().is_some_and(|flags| flags & 0x10 != 0))
                .then(|| field[1..6].iter().fold(0, |base, byte| base << 8 | u64::from(*byte)) >> 7);
            if packet[1] & 0x40 != 0 {
                found.push((clock, Vec::new()));
            }
            found.last_mut().unwrap().1.extend(&packet[head..]);
        }
        found
    }

    /// Reads a stamp as 2.4.3.7 lays it out.
    fn stamp(bytes: &[u8]) -> u64 {
        let wide: Vec<_> = bytes.iter().map(|byte| u64::from(*byte)).collect();
        (wide[0] >> 1 & 7) << 30 | wide[1] << 22 | wide[2] >> 1 << 15 | wide[3] << 7 | wide[4] >> 1
    }

    #[test]
    fn crc_is_that_of_mpeg() {
        assert_eq!(crc32(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn tables_name_the_streams() {
        let mut out = Vec::new();
        let mut muxer = TsMuxer::new(&params());
        muxer.write_tables(&mut out);
        muxer.write_tables(&mut out);
        assert_eq!(out.len(), 4 * PACKET);
        assert_eq!(out[..13], [0x47, 0x40, 0, 0x10, 0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0]);
        assert_eq!(crc32(&out[5..21]), 0);
        let pmt = &out[PACKET..];
        assert_eq!(pmt[17..27], [0x1b, 0xe1, 0, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 0]);
        assert_eq!(read(&out, PMT_PID).len(), 2);
    }

    #[test]
    fn a_key_frame_has_delimiter_and_parameter_sets() {
        let mut out = Vec::new();
        let mut muxer = TsMuxer::new(&params());
        muxer.write_frame(&frame(Track::Video, 0, 3600, true, 3), &mut out);
        let (clock, pes) = read(&out, VIDEO_PID).remove(0);
        assert_eq!((clock, stamp(&pes[9..14]), stamp(&pes[14..19])), (Some(0), 48_600, 45_000));
        let units: Vec<_> = nal::annex_b_units(&pes[19..]).collect();
        assert_eq!(units, [&[9, 0xf0][..], &[0x67, 1], &[0x68, 2], &[4, 5, 6]]);
    }

    #[test]
    fn stamps_wrap_at_33_bits() {
        let mut out = Vec::new();
        let last = (1 << 33) - 1;
        TsMuxer::new(&params()).write_frame(&frame(Track::Video, last, last, false, 3), &mut out);
        let (clock, pes) = read(&out, VIDEO_PID).remove(0);
        assert_eq!((clock, stamp(&pes[9..14])), (Some(last as u64), 44_999));
    }

    #[test]
    fn sound_without_an_adts_header_is_left_out() {
        let mut params = params();
        params.audio.as_mut().unwrap().config = Bytes::from_static(&[0x11, 0x80]);
        let mut out = Vec::new();
        TsMuxer::new(&params).write_frame(&frame(Track::Audio, 0, 0, true, 3), &mut out);
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn frames_of_any_size_come_out_whole(sizes in prop::collection::vec(1..900_usize, 1..20)) {
            let mut muxer = TsMuxer::new(&params());
            let mut out = Vec::new();
            for (index, size) in sizes.iter().enumerate() {
                let time = index as i64 * 3600;
                muxer.write_frame(&frame(Track::Video, time, time, index % 3 == 0, *size), &mut out);
                muxer.write_frame(&frame(Track::Audio, time, time, true, *size), &mut out);
            }
            let (video, audio) = (read(&out, VIDEO_PID), read(&out, AUDIO_PID));
            prop_assert_eq!((video.len(), audio.len()), (sizes.len(), sizes.len()));
            for (index, size) in sizes.iter().enumerate() {
                let data = frame(Track::Audio, 0, 0, true, *size).data;
                prop_assert_eq!(nal::annex_b_units(&video[index].1[14..]).last(), Some(&data[..]));
                prop_assert_eq!(video[index].0, Some(index as u64 * 3600));
                prop_assert_eq!(&audio[index].1[14 + Adts::SIZE..], &data[..]);
                let length = u16::from_be_bytes([audio[index].1[4], audio[index].1[5]]);
                prop_assert_eq!(usize::from(length), audio[index].1.len() - 6);
            }
        }
    }
}
