//! The harness itself: its checks let good streams pass and catch each kind of bad one. Without this
//! a test built on it could not fail.

mod support;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use support::{
    boxes,
    fakecam::Fakecam,
    http, stamp,
    ws::{Received, Viewer, Watched, check},
};
use tokio_tungstenite::tungstenite::Message;

const TIMESCALE: u32 = 1000;
const FRAME: u32 = 40;

/// A box around `parts`.
fn wrap(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes(), kind.as_slice(), &body].concat()
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// `ftyp` and a `moov` with one video track, number 1.
fn init() -> Vec<u8> {
    let tkhd = wrap(b"tkhd", &[&words(&[0, 0, 0, 1])]);
    let mdhd = wrap(b"mdhd", &[&words(&[0, 0, 0, TIMESCALE])]);
    let hdlr = wrap(b"hdlr", &[&words(&[0, 0]), b"vide"]);
    let stsd = wrap(b"stsd", &[&words(&[0, 1]), &wrap(b"avc1", &[])]);
    let minf = wrap(b"minf", &[&wrap(b"stbl", &[&stsd])]);
    let trak = wrap(b"trak", &[&tkhd, &wrap(b"mdia", &[&mdhd, &hdlr, &minf])]);
    [wrap(b"ftyp", &[b"iso6"]), wrap(b"moov", &[&trak])].concat()
}

/// One frame of [`FRAME`] ticks at `time`, stamped 5 ms ago.
fn fragment(time: u32, key: bool) -> Vec<u8> {
    let media = stamp::stamp_nal(&[6], stamp::now_us() - 5000);
    let tfhd = wrap(b"tfhd", &[&words(&[0x2_0008, 1, FRAME])]);
    let tfdt = wrap(b"tfdt", &[&words(&[0x0100_0000, 0, time])]);
    let flags = if key { 0 } else { 0x1_0000 };
    let trun = wrap(b"trun", &[&words(&[0x600, 1, media.len() as u32, flags])]);
    let moof = wrap(b"moof", &[&wrap(b"traf", &[&tfhd, &tfdt, &trun])]);
    [moof, wrap(b"mdat", &[&media])].concat()
}

fn at(start: Instant, millis: u32, bytes: impl Into<Vec<u8>>) -> Received {
    let at = start + Duration::from_millis(millis.into());
    Received { at, wall_us: stamp::now_us(), message: Message::binary(bytes.into()) }
}

const MIME: &str = r#"video/mp4; codecs="avc1.640028""#;

/// Five seconds of a faultless stream, one second of it sent ahead.
fn stream(start: Instant) -> Vec<Received> {
    let mut messages = vec![at(start, 1, MIME), at(start, 1, init())];
    for frame in 0..150 {
        let sent = 2 + frame.max(25) * FRAME - 25 * FRAME;
        messages.push(at(start, sent, fragment(frame * FRAME, frame % 25 == 0)));
    }
    messages
}

fn faultless() -> (Instant, Vec<Received>) {
    let start = Instant::now();
    (start, stream(start))
}

fn complaint(messages: &[Received], start: Instant) -> String {
    let judged = std::panic::catch_unwind(|| drop::<Watched>(check(start, messages)));
    let panic = judged.expect_err("a complaint");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()))
        .expect("a text")
}

#[test]
fn a_faultless_stream_passes() {
    let (start, messages) = faultless();
    let watched = check(start, &messages);
    assert_eq!((watched.mime.as_str(), watched.frames()), (MIME, 150));
    assert_eq!(watched.media_seconds(), 6.0);
    assert_eq!(watched.first_media, Duration::from_millis(2));
    assert_eq!(watched.delays_us.len(), 150);
    assert!(watched.delays_us.iter().all(|delay| (5000..1_000_000).contains(delay)));
}

#[test]
fn any_slicing_passes() {
    let (start, messages) = faultless();
    let mut sliced = vec![messages[0].clone()];
    for message in &messages[1..] {
        for slice in message.message.clone().into_data().chunks(13) {
            sliced.push(Received { message: Message::binary(slice.to_vec()), ..message.clone() });
        }
    }
    assert_eq!(check(start, &sliced).frames(), 150);
}

#[test]
fn each_broken_rule_is_named() {
    type Fault = fn(&mut Vec<Received>, Instant);
    let faults: [(&str, Fault); 9] = [
        ("rule 1", |messages, _| messages[0].message = Message::text(MIME)),
        ("rule 1", |messages, start| messages[0] = at(start, 1, format!("{MIME}\0"))),
        ("rule 2", |messages, _| drop(messages.remove(1))),
        ("rule 2", |messages, _| messages.swap(0, 1)),
        ("rule 3", |messages, _| drop(messages.drain(2..27))),
        ("rule 4", |messages, start| messages[2] = at(start, 2, fragment(0, false))),
        ("rule 4", |messages, start| messages.iter_mut().for_each(|message| message.at = start)),
        ("rule 5", |messages, _| drop(messages.remove(60))),
        ("rule 6", |messages, start| {
            messages.iter_mut().for_each(|message| message.at += (message.at - start) / 4);
        }),
    ];
    for (index, (rule, fault)) in faults.into_iter().enumerate() {
        let (start, mut messages) = faultless();
        fault(&mut messages, start);
        let said = complaint(&messages, start);
        // The second of swapped messages is not text at all, which is noticed first.
        assert!(said.contains(rule) || (index == 3 && said.contains("rule 1")), "{index}, {rule}: {said}");
    }
}

#[test]
fn boxes_of_another_writer_are_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("clip.mp4");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=128x96:rate=25:duration=2"])
        .args([
            "-f",
            "lavfi",
            "-i",
            "sine=sample_rate=48000:duration=2",
            "-pix_fmt",
            "yuv420p",
            "-bf",
            "2",
            "-x264-params",
            "b-adapt=0",
        ])
        .args(["-movflags", "frag_keyframe+empty_moov+default_base_moof"])
        .arg(&file)
        .status()
        .expect("ffmpeg");
    assert!(status.success());
    let bytes = std::fs::read(&file).expect("a file");
    let all = boxes::boxes(&bytes);
    let tracks = boxes::tracks(all.iter().find(|found| found.kind == *b"moov").expect("moov").body);
    let entries: Vec<_> = tracks.iter().map(|track| (&track.entry, track.video)).collect();
    assert_eq!(entries, [(b"avc1", true), (b"mp4a", false)]);
    let moofs = all.iter().filter(|found| found.kind == *b"moof");
    let runs: Vec<_> = moofs.flat_map(|moof| boxes::runs(moof.body)).collect();
    for track in tracks {
        let own: Vec<_> = runs.iter().filter(|run| run.track == track.id).collect();
        assert!(own.windows(2).all(|pair| pair[0].end() == pair[1].decode_time), "{own:?}");
        let seconds = own.last().expect("a run").end() as f64 / f64::from(track.timescale);
        assert!((1.9..2.2).contains(&seconds), "{track:?}: {seconds} s");
        let samples: Vec<_> = own.iter().flat_map(|run| &run.samples).collect();
        assert!(!track.video || samples.len() == 50);
        assert!(samples[0].key && (!track.video || !samples[1].key));
        assert!(!track.video || samples.iter().any(|sample| sample.offset != samples[0].offset), "B-frames");
    }
}

#[tokio::test]
async fn a_viewer_collects_until_the_server_closes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a client");
        let mut socket = tokio_tungstenite::accept_async(socket).await.expect("a handshake");
        for message in stream(Instant::now()).into_iter().take(20) {
            socket.send(message.message).await.expect("a client");
        }
        let keepalive = socket.next().await.expect("a message").expect("a message");
        socket.close(None).await.expect("a client");
        keepalive
    });
    let mut viewer = Viewer::watch(port, "token1", "s").await.expect("a socket");
    viewer.until_closed(Duration::from_secs(10)).await;
    assert_eq!(viewer.check().frames(), 18);
    let keepalive = server.await.expect("an orderly server");
    assert_eq!(keepalive, Message::text(r#"{"cmd":"H5_KEEPALIVE"}"#));
}

#[test]
fn a_child_is_measured_and_stopped() {
    let mut cam = Fakecam::start(&["--size", "128x96", "--clip-seconds", "1", "--bitrate", "100"]);
    assert!(cam.process.threads() >= 2);
    assert!(cam.process.fds() >= 4);
    assert!(cam.process.rss_kb() > 1000);
    assert!(cam.process.cpu_seconds() < 60.0);
    let (took, _) = cam.process.terminate();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_child_that_does_not_start_is_reported() {
    let mut command = Command::new("ls");
    command.arg("/no/such/folder");
    let error = support::process::Process::start(command, Duration::from_secs(10)).err().expect("an error");
    assert!(error.contains("did not start") && error.contains("/no/such/folder"), "{error}");
}

#[test]
fn chunked_answers_are_joined() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut socket, _) = listener.accept().expect("a client");
        let mut request = [0; 1024];
        let len = socket.read(&mut request).expect("a request");
        let answer =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\":1}\n\r\n0\r\n\r\n";
        socket.write_all(answer.as_bytes()).expect("a client");
        String::from_utf8_lossy(&request[..len]).into_owned()
    });
    let response = http::get(port, "/api/v1/ Login?&user=x");
    assert_eq!((response.status, response.json()["a"].as_u64()), (200, Some(1)));
    assert!(server.join().expect("a request").starts_with("GET /api/v1/ Login?&user=x HTTP/1.1\r\n"));
}
