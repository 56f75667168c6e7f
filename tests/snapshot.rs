//! Snapshots with the real binary as the child: pictures of real key frames, and a child that hangs,
//! dies, or is asked by many at once.

#[allow(dead_code)]
mod clips;

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clips::Clip;
use h5edge::base::Kind;
use h5edge::media::frame::Frame;
use h5edge::media::hub::Picture;
use h5edge::snapshot::{CodecSettings, Placeholder, Snapshots};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_util::sync::CancellationToken;

fn snapshots() -> Snapshots {
    started_by(env!("CARGO_BIN_EXE_h5edge"), CancellationToken::new())
}

fn started_by(exe: &str, shutdown: CancellationToken) -> Snapshots {
    Snapshots::new(PathBuf::from(exe), CodecSettings::default(), shutdown)
}

/// The key frames of a clip.
fn pictures(clip: Clip) -> Vec<Picture> {
    let params = Arc::new(clip.params);
    let keys = clip.frames.into_iter().filter(Frame::is_entry).enumerate();
    keys.map(|(n, frame)| Picture { params: params.clone(), frame: Arc::new(frame), stamp: (1, n as u64) })
        .collect()
}

/// Width, height and pixels (red, green, blue) of a JPEG, as ffmpeg sees it.
fn look(jpeg: &Bytes) -> (u32, u32, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jpg");
    std::fs::write(&path, jpeg).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output =
            Command::new(program).args(["-v", "warning", "-i"]).arg(&path).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let size = run("ffprobe", &["-show_entries", "stream=width,height", "-of", "csv=p=0"]);
    let size = String::from_utf8(size).unwrap();
    let (width, height) = size.trim().split_once(',').unwrap();
    let pixels = run("ffmpeg", &["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
    (width.parse().unwrap(), height.parse().unwrap(), pixels)
}

fn signal(snapshots: &Snapshots, signal: Signal) -> Pid {
    let pid = Pid::from_raw(snapshots.worker_pid().unwrap() as i32);
    kill(pid, signal).unwrap();
    pid
}

async fn gone(pid: Pid) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while kill(pid, None).is_ok() {
        assert!(Instant::now() < deadline, "{pid} is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn key_frames_of_both_codecs_become_pictures() {
    let snapshots = snapshots();
    for clip in [Clip::h264_baseline(), Clip::h264_high(), Clip::h265()] {
        let picture = pictures(clip).remove(1);
        let jpeg = snapshots.jpeg("cam", &picture, None).await.unwrap();
        let (width, height, pixels) = look(&jpeg.bytes);
        assert_eq!((width, height), (320, 240));
        // The test card: a white bar at the left, then yellow; full range, so not greyish.
        let at = |x: usize, y: usize| &pixels[(y * 320 + x) * 3..][..3];
        assert!(at(10, 50).iter().all(|&c| c > 180), "{:?}", at(10, 50));
        let yellow = at(65, 50);
        assert!(yellow[0] > 170 && yellow[1] > 170 && yellow[2] < 40, "{yellow:?}");
        let small = snapshots.jpeg("cam", &picture, Some(160)).await.unwrap();
        assert_eq!(look(&small.bytes).0, 160);
        assert_eq!(look(&small.bytes).1, 120);
    }
}

#[tokio::test]
async fn one_key_frame_is_decoded_once_however_many_ask() {
    let snapshots = Arc::new(snapshots());
    let pictures = pictures(Clip::h264_baseline());
    let askers: Vec<_> = (0..20)
        .map(|_| {
            let (snapshots, picture) = (snapshots.clone(), pictures[0].clone());
            tokio::spawn(async move { snapshots.jpeg("cam", &picture, None).await.unwrap().bytes })
        })
        .collect();
    let mut answers = Vec::new();
    for asker in askers {
        answers.push(asker.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    // Wider than the video is the video's own size.
    snapshots.jpeg("cam", &pictures[0], Some(4000)).await.unwrap();
    assert_eq!(snapshots.decodes(), 1);
    let next = snapshots.jpeg("cam", &pictures[1], None).await.unwrap();
    assert_ne!(next.bytes, answers[0]);
    assert_eq!(snapshots.decodes(), 2);
}

#[tokio::test]
async fn a_child_that_hangs_costs_one_picture() {
    let snapshots = snapshots();
    let pictures = pictures(Clip::h264_baseline());
    snapshots.jpeg("cam", &pictures[0], None).await.unwrap();
    let hung = signal(&snapshots, Signal::SIGSTOP);
    let start = Instant::now();
    let error = snapshots.jpeg("cam", &pictures[1], None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!((1.9..3.0).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
    gone(hung).await;
    // The same key frame: the failure was not the frame's.
    snapshots.jpeg("cam", &pictures[1], None).await.unwrap();
}

#[tokio::test]
async fn a_child_that_died_is_replaced_unnoticed() {
    let snapshots = snapshots();
    let pictures = pictures(Clip::h264_baseline());
    snapshots.jpeg("cam", &pictures[0], None).await.unwrap();
    let dead = signal(&snapshots, Signal::SIGKILL);
    snapshots.jpeg("cam", &pictures[1], None).await.unwrap();
    assert_ne!(snapshots.worker_pid(), Some(dead.as_raw() as u32));
    gone(dead).await;
}

#[tokio::test]
async fn a_damaged_frame_is_an_error_and_harms_no_other() {
    let snapshots = snapshots();
    let pictures = pictures(Clip::h265());
    let with = |data: Bytes| {
        let frame = Frame { data, ..(*pictures[0].frame).clone() };
        Picture { frame: Arc::new(frame), ..pictures[0].clone() }
    };
    let noise: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (data, named) in
        [(noise.into(), "does not decode"), (vec![0; (8 << 20) + 1].into(), "more than 8388608 bytes")]
    {
        let error = snapshots.jpeg("cam", &with(data), None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::BadInput);
        assert!(error.to_string().contains(named), "{error}");
    }
    let narrow = snapshots.jpeg("cam", &pictures[0], Some(8)).await.unwrap_err();
    assert!(narrow.to_string().starts_with("width"), "{narrow}");
    let pid = snapshots.worker_pid();
    snapshots.jpeg("cam", &pictures[0], None).await.unwrap();
    assert_eq!(snapshots.worker_pid(), pid);
}

#[tokio::test]
async fn shutdown_ends_the_child() {
    let shutdown = CancellationToken::new();
    let snapshots = started_by(env!("CARGO_BIN_EXE_h5edge"), shutdown.clone());
    let pictures = pictures(Clip::h264_baseline());
    snapshots.jpeg("cam", &pictures[0], None).await.unwrap();
    let pid = Pid::from_raw(snapshots.worker_pid().unwrap() as i32);
    shutdown.cancel();
    gone(pid).await;
    assert_eq!(snapshots.jpeg("cam", &pictures[1], None).await.unwrap_err().kind(), Kind::Refused);
}

#[tokio::test]
async fn an_idle_child_ends() {
    let snapshots = snapshots();
    let pictures = pictures(Clip::h264_baseline());
    snapshots.jpeg("cam", &pictures[0], None).await.unwrap();
    let pid = Pid::from_raw(snapshots.worker_pid().unwrap() as i32);
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert!(snapshots.worker_pid().is_some());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(snapshots.worker_pid(), None);
    tokio::time::resume();
    gone(pid).await;
    snapshots.jpeg("cam", &pictures[1], None).await.unwrap();
}

#[tokio::test]
async fn the_child_does_not_outlive_its_parent() {
    // A shell as the parent; the child's input stays open here, so that this does not end it.
    let mut shell = Command::new("sh")
        .args(["-c", "\"$0\" snapshot-worker; true", env!("CARGO_BIN_EXE_h5edge")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [1; 5];
    shell.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    assert_eq!(ready[0], 0);
    let children = format!("/proc/{0}/task/{0}/children", shell.id());
    let child = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    shell.kill().unwrap();
    gone(Pid::from_raw(child)).await;
    shell.wait().unwrap();
}

#[tokio::test]
async fn a_missing_binary_is_an_error_not_a_hang() {
    let snapshots = started_by("/nonexistent/h5edge", CancellationToken::new());
    let error = snapshots.jpeg("cam", &pictures(Clip::h264_baseline())[0], None).await.unwrap_err();
    assert!(error.to_string().contains("does not start"), "{error}");
}

#[tokio::test]
async fn placeholders_are_pictures() {
    for placeholder in [Placeholder::Offline, Placeholder::Loading] {
        let (width, height, _) = look(&placeholder.jpeg());
        assert_eq!((width, height), (640, 360));
    }
}
