//! Pictures on a box with hardware, as far as that can be had here: a GStreamer plugin that says it is
//! hardware and misbehaves on request (`examples/fakehw`), under the real daemon.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::{Daemon, DaemonOptions};
use support::ws::Viewer;
use support::{http, process, wait_for};
use tempfile::TempDir;

const DECODER: &str = "fakehwh264dec";
const ENCODER: &str = "fakehwjpegenc";
const PATIENCE: Duration = Duration::from_secs(60);

/// What GStreamer is given besides its own plugins, and its list of all of them.
struct Plugins(TempDir);

impl Plugins {
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Plugins> = OnceLock::new();
        SHARED.get_or_init(|| {
            let plugin = process::programs().join("examples/libfakehw.so");
            assert!(plugin.exists(), "not built: run `cargo build --example fakehw`");
            let dir = tempfile::tempdir().unwrap();
            fs::copy(plugin, dir.path().join("libfakehw.so")).unwrap();
            Self(dir)
        })
    }

    fn env(&self, fakes: &Path) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![
            ("GST_PLUGIN_PATH".into(), text(self.0.path())),
            ("GST_REGISTRY".into(), text(&self.0.path().join("registry.bin"))),
            ("GST_FAKEHW".into(), text(fakes)),
        ]
    }
}

/// A box with that hardware, and a source `token1` that shows colour bars of 640 x 480.
struct Machine {
    daemon: Daemon,
    fakes: TempDir,
    /// Each picture is asked for in another width: no answer is a cached one.
    width: u32,
}

impl Machine {
    /// `words`: what the fakes do from the beginning.
    fn start(config: &str, words: &[(&str, &str)]) -> Self {
        let fakes = tempfile::tempdir().unwrap();
        for (file, word) in words {
            fs::write(fakes.path().join(file), word).unwrap();
        }
        let env = Plugins::shared().env(fakes.path());
        let mut daemon =
            Daemon::start(DaemonOptions { config: config.into(), env, ..DaemonOptions::default() });
        daemon.login();
        let clip = clip(daemon.data_dir());
        let params = [("name", "bars"), ("token", "token1"), ("url", &clip), ("connect", "H5_ALWAYS")];
        daemon.api_ok("AddSrcFile", &params);
        wait_for("the source to come online", PATIENCE, || {
            (daemon.source("token1")?["nVideoWidth"] == 640).then_some(())
        });
        Self { daemon, fakes, width: 300 }
    }

    /// With both fakes probed and in use.
    fn warm(config: &str) -> Self {
        let machine = Self::start(config, &[]);
        machine.wait_for_state(DECODER, "ok");
        machine.wait_for_state(ENCODER, "ok");
        machine
    }

    fn set(&self, file: &str, word: &str) {
        fs::write(self.fakes.path().join(file), word).unwrap();
    }

    /// A new picture, which must be right, and how long it took.
    fn picture(&mut self) -> Duration {
        self.width += 4;
        let session = &self.daemon.session;
        let target = format!("/api/v1/GetImage?token=token1&width={}&session={session}", self.width);
        let begun = Instant::now();
        let answer = http::get(self.daemon.http, &target);
        let took = begun.elapsed();
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/jpeg")));
        check_bars(&answer.body, self.width);
        took
    }

    /// The entry of GetCodecInfo.
    fn codec(&self, element: &str) -> Value {
        let info = self.daemon.api_ok("GetCodecInfo", &[]);
        let mut all = ["decoder", "jpeg"].iter().flat_map(|list| info[list].as_array().unwrap());
        let found = all.find(|entry| entry["strElement"] == element);
        found.cloned().unwrap_or_else(|| panic!("no {element} in {info}"))
    }

    fn wait_for_state(&self, element: &str, state: &str) -> Value {
        let mut last = Value::Null;
        wait_for(&format!("{element} to be {state}"), PATIENCE, || {
            last = self.codec(element);
            (last["strState"] == state).then_some(())
        });
        last
    }

    /// What the fakes did so far, one line a picture.
    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.fakes.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// What the fakes do while a picture is made.
    fn used_by_a_picture(&mut self) -> Vec<String> {
        let before = self.log().len();
        self.picture();
        self.log().split_off(before)
    }
}

/// Two seconds of colour bars in the data directory's folder for files.
fn clip(data_dir: &Path) -> String {
    let folder = data_dir.join("files");
    fs::create_dir_all(&folder).unwrap();
    let file: PathBuf = folder.join("bars.mp4");
    let arguments =
        "-v error -f lavfi -i smptebars=size=640x480:rate=25 -t 2 -pix_fmt yuv420p -c:v libx264 -g 25";
    let made = Command::new("ffmpeg").args(arguments.split(' ')).arg(&file).status().unwrap();
    assert!(made.success());
    file.to_str().unwrap().to_owned()
}

/// Grey, yellow, cyan, green, magenta, red, blue from left to right.
fn check_bars(jpeg: &[u8], width: u32) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.jpg");
    fs::write(&file, jpeg).unwrap();
    let arguments = "-v error -f rawvideo -pix_fmt rgb24 -";
    let run = Command::new("ffmpeg").arg("-i").arg(&file).args(arguments.split(' ')).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let (width, pixels) = (width as usize, run.stdout);
    let height = pixels.len() / 3 / width;
    assert_eq!((pixels.len(), height), (width * height * 3, width * 3 / 4));
    let expected = [0b111, 0b110, 0b011, 0b010, 0b101, 0b100, 0b001];
    for (bar, bits) in expected.iter().enumerate() {
        let at = (height / 3 * width + (2 * bar + 1) * width / 14) * 3;
        for (color, &value) in pixels[at..at + 3].iter().enumerate() {
            let bright = bits >> (2 - color) & 1 == 1;
            assert!(if bright { value > 150 } else { value < 50 }, "bar {bar}: {:?}", &pixels[at..at + 3]);
        }
    }
}

#[test]
fn hardware_that_works_is_chosen_and_remembered() {
    let mut machine = Machine::start("", &[]);
    let decoder = machine.wait_for_state(DECODER, "ok");
    let encoder = machine.wait_for_state(ENCODER, "ok");
    assert_eq!((&decoder["bHardware"], &decoder["bInUse"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!((&decoder["strCodec"], &encoder["strCodec"]), (&"H264".into(), &"JPEG".into()));
    let used = [format!("{DECODER} ok"), format!("{ENCODER} ok")];
    assert_eq!(machine.used_by_a_picture(), used);
    let info = machine.daemon.api_ok("GetCodecInfo", &[]);
    assert_eq!((&info["strHWDecoders"], &info["strHWEncoders"]), (&DECODER.into(), &ENCODER.into()));
    assert!(info["strSWDecoders"].as_str().unwrap().contains("avdec_h264"), "{info}");

    // After a restart nothing is probed again: whatever the probe would say now.
    machine.daemon.terminate();
    machine.daemon.restart();
    machine.daemon.login();
    let before = machine.log().len();
    assert_eq!(machine.codec(DECODER)["strState"], "ok");
    assert_eq!(machine.log().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoder_that_hangs_costs_a_second_and_no_more() {
    let mut machine = Machine::warm("");
    let mut viewer = Viewer::watch(machine.daemon.http, "token1", &machine.daemon.session).await.unwrap();
    machine.set("decoder", "hang");
    let watching = tokio::spawn(async move {
        viewer.watch_for(Duration::from_secs(8)).await;
        viewer
    });
    let (machine, took, from, to) = tokio::task::spawn_blocking(move || {
        machine.picture();
        let from = Instant::now();
        let took = machine.picture();
        (machine, took, from, Instant::now())
    })
    .await
    .unwrap();
    // A second of hardware, a new child, software.
    assert!((1.0..5.0).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(machine.log().last().unwrap(), &format!("{DECODER} hang"));
    let viewer = watching.await.unwrap();
    assert!(!viewer.closed);
    let frames = viewer.received.iter().filter(|message| (from..to).contains(&message.at)).count();
    assert!(frames >= 15, "{frames} frames while the decoder hung for {took:?}");
    assert_eq!(machine.codec(DECODER)["strState"], "ok");
}

#[test]
fn after_three_strikes_software_takes_over() {
    let mut machine = Machine::warm("");
    machine.set("decoder", "crash");
    for _ in 0..3 {
        assert_eq!(machine.codec(DECODER)["strState"], "ok");
        assert_eq!(machine.used_by_a_picture(), [format!("{DECODER} crash")]);
    }
    let decoder = machine.codec(DECODER);
    assert_eq!((&decoder["strState"], &decoder["bInUse"]), (&"failed".into(), &Value::Bool(false)));
    let reason = decoder["strReason"].as_str().unwrap();
    assert!(reason.starts_with("3 failures, the last: snapshot worker, in fakehwh264dec: "), "{reason}");
    // The encoder did nothing wrong.
    assert_eq!(machine.used_by_a_picture(), [format!("{ENCODER} ok")]);
    assert_eq!(machine.codec("avdec_h264")["bInUse"], true);
    let told = machine.daemon.process.log().matches("software does H264 for 10 minutes").count();
    assert_eq!(told, 1);
}

#[test]
fn an_encoder_that_fails_is_told_from_its_decoder() {
    let mut machine = Machine::warm("");
    for word in ["error", "crash", "error"] {
        machine.set("encoder", word);
        assert_eq!(machine.used_by_a_picture(), [format!("{DECODER} ok"), format!("{ENCODER} {word}")]);
    }
    assert_eq!(machine.codec(ENCODER)["strState"], "failed");
    let reason = machine.codec(ENCODER)["strReason"].as_str().unwrap().to_owned();
    assert!(reason.contains("device is gone") || reason.contains("not encoded"), "{reason}");
    assert_eq!(machine.codec(DECODER)["strState"], "ok");
    assert_eq!(machine.used_by_a_picture(), [format!("{DECODER} ok")]);
}

#[test]
fn an_error_or_a_wrong_picture_is_made_good_by_software() {
    let mut machine = Machine::warm("");
    for word in ["error", "wrongsize"] {
        machine.set("decoder", word);
        assert_eq!(machine.used_by_a_picture(), [format!("{DECODER} {word}")]);
    }
    // Twice is not three times.
    machine.set("decoder", "ok");
    assert_eq!(machine.used_by_a_picture(), [format!("{DECODER} ok"), format!("{ENCODER} ok")]);
}

#[test]
fn what_fails_the_probe_is_never_used() {
    for (word, fault) in [
        ("wrongsize", "probe: key frame does not decode: "),
        ("hang", "probe: no picture within 3 s"),
        ("crash", "probe: its process died"),
        ("error", "probe: key frame does not decode: "),
    ] {
        let mut machine = Machine::start("", &[("decoder", word)]);
        // Nobody waits for the probe.
        let took = machine.picture();
        assert!(word != "hang" || took < Duration::from_millis(2900), "{took:?}");
        let decoder = machine.wait_for_state(DECODER, "failed");
        assert!(decoder["strReason"].as_str().unwrap().starts_with(fault), "{decoder}");
        machine.wait_for_state(ENCODER, "ok");
        machine.set("decoder", "ok");
        assert_eq!(machine.used_by_a_picture(), [format!("{ENCODER} ok")]);
        assert_eq!(machine.log().iter().filter(|line| line.starts_with(DECODER)).count(), 1);
    }
}

#[test]
fn the_administrator_denies_and_prefers() {
    let deny = format!("[snapshot]\ndeny = [\"{DECODER}\"]\nprefer = [\"jpegenc\"]");
    let mut machine = Machine::start(&deny, &[]);
    machine.wait_for_state(ENCODER, "ok");
    let decoder = machine.codec(DECODER);
    assert_eq!((&decoder["strState"], &decoder["bInUse"]), (&"denied".into(), &Value::Bool(false)));
    assert_eq!(decoder["strReason"], "denied in the configuration");
    assert_eq!(machine.codec("jpegenc")["bInUse"], true);
    assert_eq!(machine.used_by_a_picture(), Vec::<String>::new());

    let mut machine = Machine::start("[snapshot]\nhardware = false", &[]);
    machine.picture();
    assert_eq!(machine.codec(ENCODER)["strState"], "denied");
    assert_eq!(machine.log(), Vec::<String>::new());
}
