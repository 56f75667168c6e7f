//! Recording files from our own writer as ordinary players see them, open, cut and completed: ffprobe
//! without a word of complaint, and GStreamer's qtdemux.

mod clips;
mod support;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clips::Clip;
use h5edge::base::footage::Cause;
use h5edge::base::time::MediaTime;
use h5edge::base::wall::{Offset, Wall};
use h5edge::media::frame::{Frame, Track};
use h5edge::media::hybrid::{self, Index, Label, Sample};
use h5edge::record::recover;
use support::players::{self, Found};

const LABEL: Label = Label { start: Wall(1_774_000_000_000), offset: Offset(60), cause: Cause::Manual };

/// A clip as the recorder writes it, in fragments of at most half a second.
struct File {
    bytes: Vec<u8>,
    index: Index,
    /// Where each fragment ends.
    ends: Vec<usize>,
    frames: Vec<Arc<Frame>>,
}

impl File {
    fn new(clip: &Clip) -> Self {
        let mut bytes = hybrid::head(&clip.params, &LABEL);
        let mut index = Index::new(&clip.params);
        let mut ends = vec![bytes.len()];
        let frames: Vec<_> = clip.frames.iter().cloned().map(Arc::new).collect();
        let mut rest = frames.as_slice();
        while let Some(first) = rest.first() {
            let end = first.dts + MediaTime::from_millis(500);
            let next = rest.iter().position(|frame| frame.track == Track::Video && frame.dts >= end);
            let (frames, later) = rest.split_at(next.unwrap_or(rest.len()));
            let until = later.first().map_or_else(|| last_end(frames), |next| next.dts);
            let fragment = index.fragment(frames, until, bytes.len() as u64);
            bytes.extend(fragment.pieces.concat());
            ends.push(bytes.len());
            rest = later;
        }
        assert!(ends.len() > 3);
        Self { bytes, index, ends, frames }
    }

    fn completed(&self, clip: &Clip) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.extend(self.index.moov(&clip.params, &LABEL));
        let cover = hybrid::cover(self.bytes.len() as u64);
        bytes[hybrid::COVER_AT as usize..][..cover.len()].copy_from_slice(&cover);
        bytes
    }

    fn count(&self, track: Track) -> usize {
        self.frames.iter().filter(|frame| frame.track == track).count()
    }

    /// Sound that is over before the first picture is shown.
    fn early_sounds(&self) -> usize {
        let first = self.frames.iter().find(|frame| frame.is_entry()).unwrap().pts;
        let early = |frame: &&Arc<Frame>| frame.track == Track::Audio && frame.pts + frame.duration <= first;
        self.frames.iter().filter(early).count()
    }
}

fn last_end(frames: &[Arc<Frame>]) -> MediaTime {
    let last = frames.iter().rfind(|frame| frame.track == Track::Video).unwrap();
    last.dts + last.duration
}

fn saved(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(format!("{name}.mp4"));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// All players find everything in the file, and agree about its length. Some leave out sound that is
/// over before the first picture.
fn check_whole(path: &Path, video: usize, audio: RangeInclusive<usize>, seconds: f64) {
    let probed = players::ffprobe(path);
    assert_eq!((probed.video, probed.audio), (video, *audio.end()), "{path:?}");
    let demuxed = players::qtdemux(path);
    assert_eq!(demuxed.video, video, "{path:?}");
    assert!(audio.contains(&demuxed.audio), "{path:?}: {demuxed:?}, not {audio:?}");
    for Found { seconds: found, .. } in [probed, demuxed] {
        // Sound, and the last picture with B-frames, may end a little later.
        assert!((seconds - 0.001..seconds + 0.15).contains(&found), "{path:?}: {found}");
    }
    assert_eq!(players::decoded(path), video);
}

fn check(clip: &Clip) {
    let folder = tempfile::tempdir().unwrap();
    let file = File::new(clip);
    let (video, audio) = (file.count(Track::Video), file.count(Track::Audio));
    let seconds = file.index.duration().as_secs_f64();
    assert!((1.99..2.01).contains(&seconds));
    check_whole(&saved(folder.path(), "open", &file.bytes), video, audio..=audio, seconds);
    let completed = saved(folder.path(), "completed", &file.completed(clip));
    check_whole(&completed, video, audio - file.early_sounds()..=audio, seconds);
    check_times(&completed, &file);
}

/// Each packet of the completed file is where its frame was, the first picture at 0.
fn check_times(path: &Path, file: &File) {
    let report = players::probe(path, &["-show_entries", "packet=codec_type,pts_time,flags"]);
    let first = file.frames.iter().find(|frame| frame.is_entry()).unwrap().pts;
    for (track, kind) in [(Track::Video, "video"), (Track::Audio, "audio")] {
        let packets =
            report["packets"].as_array().unwrap().iter().filter(|packet| packet["codec_type"] == kind);
        let frames = file.frames.iter().filter(|frame| frame.track == track);
        for (packet, frame) in packets.zip(frames) {
            let found: f64 = packet["pts_time"].as_str().unwrap().parse().unwrap();
            let wanted = (frame.pts - first).as_secs_f64();
            assert!((found - wanted).abs() < 0.0001, "{kind} at {wanted}: {found}");
            assert_eq!(packet["flags"].as_str().unwrap().starts_with('K'), frame.key);
        }
    }
}

#[test]
fn h264_without_sound() {
    check(&Clip::h264_baseline());
}

#[test]
fn h264_with_b_frames_and_sound() {
    check(&Clip::h264_high().with_aac());
}

#[test]
fn h265_with_sound() {
    check(&Clip::h265().with_aac());
}

#[test]
fn a_cut_file_plays_up_to_the_cut_once_it_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::h264_high().with_aac();
    let file = File::new(&clip);
    for cut in (file.ends[1]..file.bytes.len()).step_by(file.bytes.len() / 20) {
        let path = saved(folder.path(), "cut", &file.bytes[..cut]);
        let found = recover::complete(&path).unwrap();
        let number = file.ends.iter().rposition(|end| *end <= cut).unwrap();
        let end = if number + 1 == file.ends.len() {
            file.index.duration()
        } else {
            file.index.fragments().nth(number).unwrap().start
        };
        assert_eq!(found.duration, end);
        let video = file.index.samples(Track::Video).filter(|sample| sample.dts < end).count();
        let written = |sample: &Sample| sample.at < file.ends[number] as u64;
        let audio = file.index.samples(Track::Audio).filter(written).count();
        check_whole(&path, video, audio - file.early_sounds()..=audio, end.as_secs_f64());
    }
}
