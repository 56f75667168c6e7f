//! What real encoders make, put into our containers, as ffprobe sees it: no complaint, and every
//! frame where it was.

mod clips;

use std::path::Path;
use std::process::Command;

use clips::Clip;
use h5edge::base::time::MediaTime;
use h5edge::media::fmp4::{Run, Sample, fragment_head, init_segment};
use h5edge::media::frame::{Frame, Track};
use h5edge::media::ts::{self, TsMuxer};
use serde_json::Value;

#[test]
fn fmp4_h264_baseline() {
    check_fmp4(&Clip::h264_baseline(), "h264");
}

#[test]
fn fmp4_h264_high_with_b_frames() {
    check_fmp4(&Clip::h264_high(), "h264");
}

#[test]
fn fmp4_h265() {
    check_fmp4(&Clip::h265(), "hevc");
}

#[test]
fn fmp4_with_sound() {
    check_fmp4(&Clip::h264_baseline().with_aac(), "h264");
}

#[test]
fn fmp4_with_one_run_per_track() {
    let clip = Clip::h264_high().with_aac();
    let of = |track| clip.frames.iter().filter(move |f| f.track == track).collect::<Vec<_>>();
    let (video, audio) = (of(Track::Video), of(Track::Audio));
    let (video_samples, audio_samples) = (samples(&video), samples(&audio));
    let runs = [
        Run { track: Track::Video, start: video[0].dts, samples: &video_samples },
        Run { track: Track::Audio, start: audio[0].dts, samples: &audio_samples },
    ];
    let mut file = init_segment(&clip.params).to_vec();
    file.extend(fragment_head(1, &runs));
    file.extend(video.iter().chain(&audio).flat_map(|f| f.data.iter()));
    check(&clip, &file, "mp4", "h264", MediaTime::ZERO);
}

#[test]
fn ts_h264_baseline() {
    check_ts(&Clip::h264_baseline(), "h264");
}

#[test]
fn ts_h264_high_with_b_frames_and_sound() {
    check_ts(&Clip::h264_high().with_aac(), "h264");
}

#[test]
fn ts_h265() {
    check_ts(&Clip::h265(), "hevc");
}

/// Tables in front of each key frame, as in HLS segments that are put in a row.
fn check_ts(clip: &Clip, codec: &str) {
    let mut muxer = TsMuxer::new(&clip.params);
    let mut file = Vec::new();
    for frame in &clip.frames {
        if frame.is_entry() {
            muxer.write_tables(&mut file);
        }
        muxer.write_frame(frame, &mut file);
    }
    check(clip, &file, "ts", codec, ts::DELAY);
}

/// One fragment for each frame, as a live viewer gets it.
fn check_fmp4(clip: &Clip, codec: &str) {
    let mut file = init_segment(&clip.params).to_vec();
    for (number, frame) in clip.frames.iter().enumerate() {
        let samples = samples(&[frame]);
        let run = Run { track: frame.track, start: frame.dts, samples: &samples };
        file.extend(fragment_head(number as u32 + 1, &[run]));
        file.extend(&frame.data);
    }
    check(clip, &file, "mp4", codec, MediaTime::ZERO);
}

fn samples(frames: &[&Frame]) -> Vec<Sample> {
    let sample = |frame: &&Frame| Sample {
        duration: frame.duration,
        offset: frame.pts - frame.dts,
        key: frame.key,
        size: frame.data.len() as u32,
    };
    frames.iter().map(sample).collect()
}

/// Compares what ffprobe finds in `file` with what went in; times are `delay` later there.
fn check(clip: &Clip, file: &[u8], extension: &str, codec: &str, delay: MediaTime) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("clip.{extension}"));
    std::fs::write(&path, file).unwrap();

    let streams = probe(&path, &["-show_streams"]);
    let video = &streams["streams"][0];
    assert_eq!(video["codec_name"], codec);
    assert_eq!((&video["width"], &video["height"]), (&320.into(), &240.into()));
    let audio = &streams["streams"][1];
    match &clip.params.audio {
        Some(params) => {
            assert_eq!((&audio["codec_name"], &audio["profile"]), (&"aac".into(), &"LC".into()));
            assert_eq!(audio["sample_rate"], params.rate.to_string());
            assert_eq!(audio["channels"], params.channels);
        }
        None => assert!(audio.is_null()),
    }

    let packets = probe(&path, &["-show_packets"]);
    for (track, kind) in [(Track::Video, "video"), (Track::Audio, "audio")] {
        let found: Vec<_> =
            array(&packets["packets"]).iter().filter(|p| p["codec_type"] == kind).map(times).collect();
        let wanted: Vec<_> = clip
            .frames
            .iter()
            .filter(|f| f.track == track)
            .map(|f| ((f.pts + delay).0, (f.dts + delay).0, f.key))
            .collect();
        assert_eq!(found, wanted, "{kind}");
    }

    let decoded = probe(&path, &["-show_frames"]);
    let pictures = array(&decoded["frames"]).iter().filter(|f| f["media_type"] == "video").count();
    assert_eq!(pictures, clip.frames.iter().filter(|f| f.track == Track::Video).count());
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Presentation and decoding time of a packet, and whether it is a key frame.
fn times(packet: &Value) -> (i64, i64, bool) {
    let time = |name: &str| packet[name].as_i64().unwrap();
    (time("pts"), time("dts"), packet["flags"].as_str().unwrap().starts_with('K'))
}

/// What ffprobe says; that it says no word on stderr is part of each test.
fn probe(path: &Path, arguments: &[&str]) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(arguments)
        .arg(path)
        .output()
        .expect("ffprobe is installed");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}
