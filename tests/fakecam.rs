//! The camera simulator keeps its word: what it serves, how it is paced and stamped, and how it
//! misbehaves. Everything else that is tested with it rests on this.

mod support;

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use support::{fakecam::Fakecam, stamp, wait_for};

const PATIENCE: Duration = Duration::from_secs(20);
/// Small and short, so that encoding takes a moment; the GOP is half a second.
const SMALL: [&str; 8] = ["--size", "320x180", "--bitrate", "500", "--gop", "12", "--clip-seconds", "2"];
const VIDEO_CLOCK: u32 = 90_000;

fn small(more: &[&str]) -> Fakecam {
    Fakecam::start(&[&SMALL, more].concat())
}

/// ffprobe's view of an address: one `codec_name` (with width and height) per stream, or its error.
fn probe(url: &str, transport: &str) -> Result<Vec<String>, String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-rtsp_transport", transport, "-of", "compact=p=0:nk=1"])
        .args(["-show_entries", "stream=codec_name,width,height,sample_rate,channels", url])
        .output()
        .expect("ffprobe");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    if !output.status.success() {
        return Err(text(output.stderr));
    }
    Ok(text(output.stdout).lines().map(str::to_owned).collect())
}

/// A client that hands out the video's RTP packets as they come.
struct Puller {
    pipeline: gst::Pipeline,
    sink: AppSink,
}

/// One RTP packet, as far as H.264 over RTP (RFC 6184) is of interest here.
struct Packet {
    timestamp: u32,
    /// Type of the NAL unit in it, or of which it is a part.
    nal: u8,
    bytes: Vec<u8>,
    at: Instant,
    wall_us: u64,
}

impl Puller {
    fn start(url: &str) -> Self {
        gst::init().expect("GStreamer");
        let line = format!(
            "rtspsrc location={url} protocols=tcp latency=0 ! application/x-rtp,media=video \
             ! appsink name=out sync=false"
        );
        let pipeline: gst::Pipeline =
            gst::parse::launch(&line).expect("a pipeline").downcast().expect("a pipeline");
        let sink = pipeline.by_name("out").expect("a sink").downcast().expect("an appsink");
        pipeline.set_state(gst::State::Playing).expect("playing");
        Self { pipeline, sink }
    }

    /// The next packet; `None` after `patience` or at the end.
    fn next(&self, patience: Duration) -> Option<Packet> {
        let patience = gst::ClockTime::try_from(patience).expect("a short time");
        let sample = self.sink.try_pull_sample(patience)?;
        let bytes = sample.buffer()?.map_readable().expect("a packet").to_vec();
        let nal = match bytes[12] & 31 {
            28 => bytes[13] & 31,
            single => single,
        };
        let timestamp = u32::from_be_bytes(bytes[4..8].try_into().expect("four bytes"));
        Some(Packet { timestamp, nal, bytes, at: Instant::now(), wall_us: stamp::now_us() })
    }

    fn must(&self) -> Packet {
        self.next(PATIENCE).expect("a packet")
    }

    /// The packets of `count` whole access units, beginning with the next that starts.
    fn units(&self, count: usize) -> Vec<Vec<Packet>> {
        let first = self.must().timestamp;
        let mut units: Vec<Vec<Packet>> = Vec::new();
        loop {
            let packet = self.must();
            let enough = units.len() == count;
            match units.last_mut() {
                Some(unit) if unit[0].timestamp == packet.timestamp => unit.push(packet),
                None if packet.timestamp == first => {}
                _ if enough => return units,
                _ => units.push(vec![packet]),
            }
        }
    }
}

impl Drop for Puller {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

#[test]
fn serves_every_kind_of_stream_over_tcp_and_udp() {
    let kinds: [(&[&str], &[&str]); 4] = [
        (&["--codec", "h264"], &["h264|320|180"]),
        (&["--codec", "h265", "--audio", "aac"], &["hevc|320|180", "aac|48000|2"]),
        (&["--codec", "h264", "--audio", "pcma", "--bframes", "2"], &["h264|320|180", "pcm_alaw|8000|1"]),
        (&["--codec", "h265", "--audio", "pcmu"], &["hevc|320|180", "pcm_mulaw|8000|1"]),
    ];
    for (args, streams) in kinds {
        let cam = small(args);
        for transport in ["tcp", "udp"] {
            let seen = probe(&cam.rtsp_url(0), transport).expect("a stream");
            assert_eq!(seen, streams, "{args:?} over {transport}");
        }
    }
}

#[test]
fn asks_for_the_right_password() {
    for auth in ["basic", "digest"] {
        let cam = small(&["--auth", auth, "--user", "ann", "--password", "s3cret"]);
        assert!(probe(&cam.rtsp_url_as(0, "ann", "s3cret"), "tcp").is_ok(), "{auth}");
        for url in [cam.rtsp_url(0), cam.rtsp_url_as(0, "ann", "wrong"), cam.rtsp_url_as(0, "bob", "s3cret")]
        {
            let error = probe(&url, "tcp").expect_err("a refusal");
            assert!(error.contains("401"), "{auth}: {error}");
        }
    }
}

#[test]
fn stamps_every_access_unit_and_keeps_pace_through_the_loop() {
    let cam = small(&[]);
    let puller = Puller::start(&cam.rtsp_url(0));
    let units = puller.units(120);
    let mut delays = Vec::new();
    for unit in &units {
        let stamps: Vec<u64> = unit.iter().filter_map(|packet| stamp::find_stamp(&packet.bytes)).collect();
        let [stamp] = stamps[..] else { panic!("{} stamps in one access unit", stamps.len()) };
        let seen = unit.iter().map(|packet| packet.wall_us).max().expect("packets");
        delays.push(seen.checked_sub(stamp).expect("a stamp from the past"));
    }
    delays.sort_unstable();
    assert!(delays[delays.len() / 2] < 100_000, "median delay {} µs", delays[delays.len() / 2]);
    for pair in units.windows(2) {
        let step = pair[1][0].timestamp.wrapping_sub(pair[0][0].timestamp);
        // Payloaders round media time down to ticks of the RTP clock.
        assert!(step.abs_diff(VIDEO_CLOCK / 25) <= 1, "a step of {step}");
    }
    let wall = (units[119][0].at - units[20][0].at).as_secs_f64();
    assert!((wall - 99.0 / 25.0).abs() < 0.3, "99 frames took {wall} s");
}

#[test]
fn presents_reordered_frames_without_gaps() {
    let cam = small(&["--bframes", "2"]);
    let puller = Puller::start(&cam.rtsp_url(0));
    let stamps: Vec<u32> = puller.units(75).iter().map(|unit| unit[0].timestamp).collect();
    assert!(stamps.windows(2).any(|pair| pair[1] < pair[0]), "no B-frames in {stamps:?}");
    let frame = |stamp: &u32| (stamp.wrapping_sub(stamps[0]) as i32 as f64 / 3600.0).round() as i32;
    let shown: BTreeSet<i32> = stamps.iter().map(frame).collect();
    assert_eq!(shown.len(), stamps.len(), "two frames at one time");
    // Only at the ends can frames be missing, whose neighbours were not captured.
    let (first, last) = (shown.first().expect("one") + 3, shown.last().expect("one") - 3);
    assert!((first..last).all(|frame| shown.contains(&frame)), "holes in {shown:?}");
}

#[test]
fn shares_one_pipeline_and_counts_its_clients() {
    let cam = small(&["--cams", "2"]);
    let pullers = [Puller::start(&cam.rtsp_url(0)), Puller::start(&cam.rtsp_url(0))];
    pullers.iter().for_each(|puller| drop(puller.must()));
    assert_eq!((cam.sessions(0), cam.sessions(1)), (2, 0));
    assert_eq!(cam.control("stats")["cams"][0]["starts"], 1);
    drop(pullers);
    wait_for("no sessions", PATIENCE, || (cam.sessions(0) == 0).then_some(()));
    wait_for("a stop without clients", PATIENCE, || {
        let frames = cam.frames(0);
        std::thread::sleep(Duration::from_millis(200));
        (cam.frames(0) == frames).then_some(())
    });
}

#[test]
fn stalls_and_goes_on_with_a_key_frame() {
    let cam = small(&[]);
    let puller = Puller::start(&cam.rtsp_url(0));
    let before = puller.units(5).pop().expect("a unit").pop().expect("a packet");
    cam.control("stall?cam=0&seconds=2");
    let mut last = before;
    let after = loop {
        let packet = puller.must();
        if packet.at - last.at > Duration::from_millis(1500) {
            break packet;
        }
        last = packet;
    };
    assert_eq!(cam.sessions(0), 1, "the connection lasts");
    let media = f64::from(after.timestamp.wrapping_sub(last.timestamp)) / f64::from(VIDEO_CLOCK);
    let wall = (after.at - last.at).as_secs_f64();
    assert!((media - wall).abs() < 0.2, "time stamps went on by {media} s in {wall} s");
    let unit: Vec<u8> = std::iter::repeat_with(|| puller.must())
        .map(|packet| packet.nal)
        .take_while(|&nal| nal != 1)
        .collect();
    assert!(unit.contains(&5), "it goes on with NAL types {unit:?}");
}

#[test]
fn drops_connections_and_takes_new_ones() {
    let cam = small(&["--cams", "2"]);
    let [dropped, other] = [0, 1].map(|index| Puller::start(&cam.rtsp_url(index)));
    dropped.must();
    other.must();
    cam.control("drop?cam=0");
    wait_for("the end of the stream", PATIENCE, || {
        dropped.next(Duration::from_millis(100)).is_none().then(|| dropped.sink.is_eos()).filter(|&end| end)
    });
    assert_eq!((cam.sessions(0), cam.sessions(1)), (0, 1));
    assert_eq!(other.units(30).len(), 30, "the other camera goes on");
    assert!(probe(&cam.rtsp_url(0), "tcp").is_ok());
}

#[test]
fn is_gone_for_a_while() {
    let cam = small(&["--cams", "2"]);
    let puller = Puller::start(&cam.rtsp_url(0));
    puller.must();
    let asked = Instant::now();
    cam.control("restart?cam=0&down=2");
    let error = probe(&cam.rtsp_url(0), "tcp").expect_err("a refusal");
    assert!(error.contains("404"), "{error}");
    assert!(probe(&cam.rtsp_url(1), "tcp").is_ok(), "the other camera is there");
    wait_for("its return", PATIENCE, || probe(&cam.rtsp_url(0), "tcp").ok());
    assert!(asked.elapsed() >= Duration::from_secs(2));

    cam.control("restart?cam=all&down=1");
    let error = probe(&cam.rtsp_url(1), "tcp").expect_err("a refusal");
    assert!(error.contains("refused"), "{error}");
    wait_for("both again", PATIENCE, || probe(&cam.rtsp_url(1), "tcp").ok());
    assert!(probe(&cam.rtsp_url(0), "tcp").is_ok());
}

#[test]
fn hangs_and_wakes_without_a_burst() {
    let cam = small(&[]);
    let puller = Puller::start(&cam.rtsp_url(0));
    puller.units(5);
    cam.freeze();
    while puller.next(Duration::from_secs(1)).is_some() {}
    std::thread::sleep(Duration::from_secs(1));
    let frames = {
        cam.thaw();
        let woken = Instant::now();
        let units = puller.units(15);
        units.iter().filter(|unit| unit[0].at - woken < Duration::from_millis(200)).count()
    };
    assert!(frames < 12, "{frames} frames in the first moment");
}

#[test]
fn jumps_its_time_stamps() {
    let cam = small(&[]);
    let puller = Puller::start(&cam.rtsp_url(0));
    let mut last = puller.units(3).pop().expect("a unit")[0].timestamp;
    for seconds in [10, -25] {
        cam.control(&format!("jump?cam=0&ms={}", seconds * 1000));
        let jump = std::iter::repeat_with(|| puller.must())
            .take(2000)
            .find_map(|packet| {
                let step = packet.timestamp.wrapping_sub(last) as i32;
                last = packet.timestamp;
                (step.abs() > 90_000).then_some(step)
            })
            .expect("a jump");
        assert!((jump - seconds * 90_000).abs() < 4 * 3600, "{jump} ticks for {seconds} s");
    }
}

#[test]
fn leaves_out_parameter_sets_for_a_gop() {
    let cam = small(&[]);
    let puller = Puller::start(&cam.rtsp_url(0));
    puller.units(3);
    cam.control("noparams?cam=0");
    let has_sets = |unit: &Vec<Packet>| unit.iter().any(|packet| packet.nal == 7);
    let units = puller.units(60);
    let keys = units.iter().filter(|unit| unit.iter().any(|packet| packet.nal == 5));
    let with_sets: Vec<bool> = keys.map(has_sets).collect();
    assert_eq!(with_sets.iter().filter(|&&has| !has).count(), 1, "{with_sets:?}");
    assert_eq!(with_sets.last(), Some(&true), "they come back");
}

#[test]
fn changes_size_in_mid_stream() {
    let cam = small(&["--codec", "h264"]);
    let puller = Puller::start(&cam.rtsp_url(0));
    let next_set = || {
        let mut packets = std::iter::repeat_with(|| puller.must());
        packets.find(|packet| packet.nal == 7).map(|packet| packet.bytes[12..].to_vec())
    };
    let first = next_set();
    assert_eq!(next_set(), first);
    cam.control("resize?cam=0&size=256x144");
    wait_for("another parameter set", PATIENCE, || (next_set() != first).then_some(()));
    assert_eq!(probe(&cam.rtsp_url(0), "tcp").as_deref(), Ok(&["h264|256|144".to_owned()][..]));
}

#[test]
fn refuses_bad_calls_by_name() {
    let cam = small(&[]);
    for (call, reason) in [
        ("stall?cam=1&seconds=1", "cam"),
        ("stall?seconds=1", "cam is missing"),
        ("stall?cam=0", "seconds is missing"),
        ("stall?cam=0&seconds=-1", "seconds"),
        ("jump?cam=0&ms=soon", "ms"),
        ("resize?cam=0&size=9x9", "size"),
        ("dance?cam=0", "dance"),
    ] {
        let refusal = cam.refused(call);
        assert!(refusal.contains(reason), "{call}: {refusal}");
    }
}

#[test]
fn a_stamp_survives_any_value() {
    let zeros_and_threes = [0, 1, 0x0003_0000_0003, 0x0000_0100_0000_0003, u64::MAX, 0x0006_4000_0000_0000];
    for value in zeros_and_threes.into_iter().chain([stamp::now_us()]) {
        for header in [&[6u8][..], &[39 << 1, 1]] {
            let nal = stamp::stamp_nal(header, value);
            assert_eq!(stamp::find_stamp(&nal), Some(value));
            let emulates = |window: &[u8]| window[..2] == [0, 0] && window[2] < 3;
            assert!(!nal.windows(3).any(emulates), "a start code in {nal:x?}");
        }
    }
    assert_eq!(stamp::find_stamp(b"no stamp"), None);
    assert_eq!(stamp::find_stamp(stamp::MARKER), None, "cut off");
}
