//! Single pictures of recordings, for scrubbing: `GetRecordImage` as a page asks for it.

use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use h5edge::base::wall::Wall;

use crate::clips::Clip;
use crate::kept::{Site, ZONE};
use crate::support::daemon::Daemon;
use crate::support::http::{self, Response};
use crate::support::{scene, wait_for};

const PATIENCE: Duration = Duration::from_secs(30);
const COLOURS: [&str; 3] = ["red", "green", "blue"];

fn ask(daemon: &Daemon, time: &str, more: &str) -> Response {
    let time = time.replace('+', "%2B");
    let target = format!("/api/v1/GetRecordImage?token=token1&time={time}{more}&session={}", daemon.session);
    http::get(daemon.http, &target)
}

/// Of a picture: width, height, and the colour of its mean. Of a refusal: nothing, and why.
fn look(answer: &Response) -> (u32, u32, String) {
    assert_eq!(answer.status, 200);
    if answer.header("content-type") != Some("image/jpeg") {
        let answer = answer.json();
        assert_eq!(answer["bStatus"], false, "{answer}");
        return (0, 0, answer["strCode"].as_str().expect("words").to_owned());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.jpg");
    std::fs::write(&path, &answer.body).expect("a file");
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(["-v", "warning", "-i"]).arg(&path).args(arguments).output();
        let output = output.expect(program);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let size = run("ffprobe", &["-show_entries", "stream=width,height", "-of", "csv=p=0"]);
    let size = String::from_utf8(size).expect("text");
    let (width, height) = size.trim().split_once(',').expect("two numbers");
    let mean = run("ffmpeg", &["-vf", "scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
    let brightest = (0..3).max_by_key(|&n| mean[n]).expect("a colour");
    assert!((0..3).all(|n| n == brightest || mean[n] < 60) && mean[brightest] > 100, "{mean:?}");
    (width.parse().expect("a width"), height.parse().expect("a height"), COLOURS[brightest].to_owned())
}

fn check_colours(clip: fn(&str) -> Clip) {
    let clips = COLOURS.map(clip);
    let site = Site::new(&[]);
    let of = |shown: &[usize], name: &str, from, to| {
        let shown: Vec<&Clip> = shown.iter().map(|&n| &clips[n]).collect();
        site.add(name, &shown, from, to)
    };
    // Red, green and blue for two seconds each, and after a minute green and red.
    of(&[0, 1, 2], "a", 0, 6);
    of(&[1, 0], "b", 60, 64);
    let colour = |seconds: i64, millis: &str| {
        let time = site.time(seconds).replace("+05:45", &format!("{millis}+05:45"));
        look(&ask(&site.daemon, &time, "")).2
    };
    for (seconds, millis, wanted) in [
        (0, "", "red"),
        (1, "", "red"),
        (1, ".999", "red"),
        // Pictures out of order are shown somewhat later than they are decoded.
        (2, ".300", "green"),
        (3, ".999", "green"),
        (5, "", "blue"),
        (61, "", "green"),
        (63, "", "red"),
        (1, "", "red"),
    ] {
        assert_eq!(colour(seconds, millis), wanted, "{seconds}{millis}");
    }
    assert_eq!(colour(30, ""), format!("nothing is recorded of token1 at {}", site.time(30)));
    assert_eq!(colour(-60, ""), format!("nothing is recorded of token1 at {}", site.time(-60)));
}

#[test]
fn the_picture_is_that_of_the_time() {
    check_colours(Clip::plain);
}

#[test]
fn the_picture_is_that_of_the_time_in_h265() {
    check_colours(Clip::plain_h265);
}

#[test]
fn a_picture_has_its_width_and_may_be_kept() {
    let site = Site::new(&[("a", &Clip::plain("red"), 0, 6)]);
    let (time, last) = (site.time(3), site.time(7));
    for (width, wanted) in [("", (320, 240)), ("&width=160", (160, 120)), ("&width=1920", (320, 240))] {
        let answer = ask(&site.daemon, &time, width);
        assert_eq!(answer.header("cache-control"), Some("private, max-age=3600"));
        let (wide, high, _) = look(&answer);
        assert_eq!((wide, high), wanted, "{width}");
        assert_eq!(ask(&site.daemon, &time, width).body, answer.body);
    }
    // The last one before: what is recorded of that moment may still come.
    let answer = ask(&site.daemon, &last, "");
    assert_eq!((answer.header("cache-control"), look(&answer).2.as_str()), (Some("no-store"), "red"));
    let fault = |time: &str, more: &str| look(&ask(&site.daemon, time, more)).2;
    assert_eq!(fault("", ""), "parameter time is missing");
    assert!(fault("yesterday", "").starts_with("parameter time: yesterday is not a time"));
    assert_eq!(fault(&time, "&width=8"), "parameter width is not a whole number from 16 to 3840");
    let (_, other) = site.daemon.api("GetRecordImage", &[("token", "token2"), ("time", &time)]);
    assert_eq!(other["strCode"], "parameter token: there is no source token2");
    let (status, _) = site.daemon.get("/api/v1/GetRecordImage?token=token1&time=2018-01-01");
    assert_eq!(status, 401);
}

#[test]
fn what_is_deleted_has_no_picture_any_more() {
    let site = Site::new(&[]);
    let (red, green) = (Clip::plain("red"), Clip::plain("green"));
    let first = site.add("a", &[&red], 0, 6);
    let behind = site.add("b", &[&red], 60, 66);
    site.add("c", &[&green], 62, 64);
    let picture = |seconds: i64| look(&ask(&site.daemon, &site.time(seconds), "")).2;
    assert_eq!((picture(3), picture(61), picture(63)), ("red".into(), "red".into(), "red".into()));
    site.daemon.api_ok("DelRecord", &[("token", "token1"), ("path", &first)]);
    assert!(picture(3).starts_with("nothing is recorded of token1 at "));
    // A file that went without being asked: what another one has of that time is shown.
    let file = site.daemon.data_dir().join(behind.trim_start_matches('/'));
    std::fs::remove_file(file).expect("a file");
    assert_eq!(picture(63), "green");
    assert_eq!(picture(61), format!("the file of {} is gone", behind.trim_start_matches("/mediastore/")));
    // And one that is no recording.
    let broken = site.add("d", &[&red], 120, 126);
    let file = site.daemon.data_dir().join(broken.trim_start_matches('/'));
    std::fs::write(file, [b'x'; 100_000]).expect("a file");
    assert!(picture(122).starts_with(&format!("{broken}: its beginning is not that of a recording")));
}

#[test]
fn many_ask_at_once_and_each_is_answered() {
    let site = Site::new(&[("a", &Clip::plain("red"), 0, 100)]);
    let (shown, refused): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let askers: Vec<_> = (0..40)
            .map(|n| {
                let (daemon, time) = (&site.daemon, site.time(2 * n));
                scope.spawn(move || ask(daemon, &time, "&width=64"))
            })
            .collect();
        let answers = askers.into_iter().map(|asker| asker.join().expect("an answer"));
        answers.partition(|answer| answer.header("content-type") == Some("image/jpeg"))
    });
    assert!(shown.len() >= 9, "{} of 40", shown.len());
    for answer in refused {
        assert_eq!(answer.json()["strCode"], "newer pictures were asked for meanwhile");
    }
    assert_eq!(look(&ask(&site.daemon, &site.time(99), "")).2, "red");
}

#[test]
fn a_recording_that_grows_has_pictures_and_no_camera_is_woken() {
    let camera = scene::cameras(25, &[]);
    let mut daemon = scene::daemon("[sources]\nwarm_seconds = 1\n");
    let demand = [("connect", "H5_ONDEMAND")];
    scene::add(&daemon, "token1", &camera.rtsp_url(0), &demand);
    daemon.api_ok("ManualRecordStart", &[("token", "token1")]);
    let begun = Wall::from(SystemTime::now()).0;
    let time = |seconds: i64| Wall(begun + seconds * 1000).iso(ZONE);
    let picture = |daemon: &Daemon, seconds: i64| {
        let answer = ask(daemon, &time(seconds), "");
        (answer.header("cache-control") == Some("private, max-age=3600")).then_some(answer.body)
    };
    let growing: Vec<Vec<u8>> =
        [1, 2, 5].map(|at| wait_for("a picture", PATIENCE, || picture(&daemon, at))).into();
    assert!(growing[0] != growing[1] && growing[1] != growing[2], "it moves");
    let (_, open) = daemon.api("GetRecordStatus", &[("token", "token1")]);
    assert_eq!(open["record"][0]["strState"], "recording");
    daemon.api_ok("ManualRecordStop", &[("token", "token1")]);
    // Made anew from the completed file, by another process, and without the camera.
    daemon.terminate();
    daemon.restart();
    daemon.login();
    wait_for("nobody at the camera", PATIENCE, || (camera.sessions(0) == 0).then_some(()));
    let later = [1, 2, 5].map(|at| picture(&daemon, at).expect("a picture"));
    assert!(later.iter().eq(&growing), "the same pictures");
    assert_eq!(camera.sessions(0), 0);
    daemon.terminate();
}
