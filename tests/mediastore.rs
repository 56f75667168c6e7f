//! `/mediastore/…`: recordings and snapshots as files (manual 5.5.4 and 5.5.6), fetched by a client that
//! sends every byte as it is written here.

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{
    daemon::{Daemon, DaemonOptions},
    footage,
    http::{self, Response},
    kept::{Footage, database},
    scene, wait_for,
};

const START: i64 = 1_524_655_925_000;
const FILE: Footage = Footage {
    what: "record",
    token: "token1",
    cause: "H5_REC_MANUAL",
    volume: "main",
    path: "2018-3-29TZ8/20-3-29/filename.mp4",
    start: START,
    end: START + 1000,
};

/// Larger than what is read at once, and nowhere the same.
fn content() -> Vec<u8> {
    (0..300_001_u32).flat_map(|n| (n % 65_521).to_be_bytes()).take(700_000).collect()
}

fn daemon(config: &str) -> Daemon {
    let config = format!("[recording]\nkeep_days = 0\nkeep_snapshot_days = 0\n{config}");
    let mut daemon = Daemon::start(DaemonOptions { config, ..DaemonOptions::default() });
    daemon.login();
    FILE.add(daemon.data_dir(), &content());
    daemon
}

fn get(daemon: &Daemon, path: &str, headers: &[(&str, &str)]) -> Response {
    request(daemon, "GET", path, headers)
}

fn request(daemon: &Daemon, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let target = format!("{path}?session={}", daemon.session);
    http::request(daemon.http, method, &target, headers, b"")
}

#[test]
fn a_file_is_served_whole() {
    let daemon = daemon("");
    let (url, content) = (FILE.url(), content());
    let response = get(&daemon, &url, &[]);
    assert_eq!(response.status, 200);
    assert!(response.body == content, "{} bytes", response.body.len());
    for (name, value) in [
        ("content-type", "video/mp4"),
        ("content-length", "700000"),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("last-modified", "Wed, 25 Apr 2018 11:32:06 GMT"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    assert!(response.header("content-disposition").is_none());
    let head = request(&daemon, "HEAD", &url, &[("Range", "bytes=0-1")]);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("700000"), 0));
    assert_eq!(head.header("etag"), response.header("etag"));

    let snapshot = Footage { what: "snapshot", path: "2018-3-29TZ8/20-3-29/filename.jpg", ..FILE };
    snapshot.add(daemon.data_dir(), b"\xff\xd8jpeg");
    // As the manual prints it.
    let response = get(&daemon, "/mediastore/snapshot/token1/2018-3-29Tz8/20-3-29/filename.jpg", &[]);
    assert_eq!((response.status, response.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(response.body, b"\xff\xd8jpeg");
}

#[test]
fn addresses_come_crooked() {
    let daemon = daemon("");
    let odd = Footage { path: "2018-3-29TZ-3.5/20-3-29/大门 (1)_a+b.mp4", ..FILE };
    odd.add(daemon.data_dir(), b"odd");
    let session = &daemon.session;
    for target in [
        format!("/mediastore/record/token1/2018-3-29TZ8/20-3-29/filename.mp4?session={session}"),
        format!("//mediastore//record/token1/2018-3-29TZ8/20-3-29/filename.mp4?session={session}"),
        format!("/mediastore/record/token1/2018-3-29tz8/20-3-29/filename.mp4?&session={session}"),
        format!("/mediastore/record/token1/2018-03-29TZ08/20-03-29/filename.mp4&session={session}"),
        format!("/mediastore/record/token1/2018%2D3%2D29TZ8/20-3-29/filename%2emp4?session='{session}'"),
    ] {
        let response = http::get(daemon.http, &target);
        assert_eq!((response.status, response.body.len()), (200, 700_000), "{target}");
    }
    let encoded = "/mediastore/record/token1/2018-3-29TZ-3.5/20-3-29/%E5%A4%A7%E9%97%A8%20(1)_a+b.mp4";
    assert_eq!(get(&daemon, encoded, &[]).body, b"odd");
    let target = format!("{encoded}?download=1&session={session}");
    let response = http::get(daemon.http, &target);
    assert_eq!(
        response.header("content-disposition"),
        Some(
            "attachment; filename=\"___(1)_a+b.mp4\"; \
             filename*=UTF-8''%E5%A4%A7%E9%97%A8%20%281%29%5Fa%2Bb%2Emp4"
        )
    );
}

#[test]
fn parts_are_the_files_bytes() {
    let daemon = daemon("");
    let (url, content) = (FILE.url(), content());
    for (range, first, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 700_000),
        ("bytes=131071-131073", 131_071, 131_074),
        ("bytes=100000-599999", 100_000, 600_000),
        ("bytes=699999-", 699_999, 700_000),
        ("bytes=699990-1000000", 699_990, 700_000),
        ("bytes=-300000", 400_000, 700_000),
        ("bytes=-9999999", 0, 700_000),
    ] {
        let response = get(&daemon, &url, &[("Range", range)]);
        let told = format!("bytes {first}-{}/700000", end - 1);
        assert_eq!(
            (response.status, response.header("content-range")),
            (206, Some(told.as_str())),
            "{range}"
        );
        assert_eq!(response.header("content-length"), Some((end - first).to_string().as_str()));
        assert!(response.body == content[first..end], "{range}: {} bytes", response.body.len());
    }
    for range in ["bytes=700000-", "bytes=-0", "bytes=9999999999999999999999-"] {
        let response = get(&daemon, &url, &[("Range", range)]);
        assert_eq!((response.status, response.body.len()), (416, 0), "{range}");
        assert_eq!(response.header("content-range"), Some("bytes */700000"));
    }
    for range in ["bytes=0-1,5-6", "bytes=2-1", "lines=1-2", "bytes=x-"] {
        let response = get(&daemon, &url, &[("Range", range)]);
        assert_eq!((response.status, response.body.len()), (200, 700_000), "{range}");
        assert_eq!(response.header("content-range"), None);
    }
}

#[test]
fn a_copy_is_not_sent_again() {
    let daemon = daemon("");
    let url = FILE.url();
    let first = get(&daemon, &url, &[]);
    let tag = first.header("etag").expect("a tag");
    assert!(tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
    let weak = format!("W/{tag}");
    let list = format!("\"x\", {tag}");
    let modified = first.header("last-modified").expect("a date");
    for (name, value) in [
        ("If-None-Match", tag),
        ("If-None-Match", &weak),
        ("If-None-Match", &list),
        ("If-None-Match", "*"),
        ("If-Modified-Since", modified),
    ] {
        for method in ["GET", "HEAD"] {
            let response = request(&daemon, method, &url, &[(name, value)]);
            assert_eq!((response.status, response.body.len()), (304, 0), "{method} {name}: {value}");
            assert_eq!(response.header("etag"), Some(tag));
        }
    }
    assert_eq!(get(&daemon, &url, &[("If-None-Match", "\"x\"")]).status, 200);
    for (had, status) in [(tag, 206), (modified, 206), (weak.as_str(), 200), ("\"x\"", 200)] {
        let response = get(&daemon, &url, &[("Range", "bytes=1-2"), ("If-Range", had)]);
        assert_eq!(response.status, status, "{had}");
    }
    // Another file at the same place is another one.
    daemon.api_ok("DelRecord", &[("token", "token1"), ("path", &url)]);
    FILE.add(daemon.data_dir(), &content());
    assert_eq!(get(&daemon, &url, &[("If-None-Match", tag)]).status, 200);
}

#[test]
fn a_session_is_needed() {
    let url = FILE.url();
    for config in ["", "[auth]\nanonymous_view = true\n"] {
        let daemon = daemon(config);
        for target in [
            url.clone(),
            format!("{url}?session="),
            format!("{url}?session=undefined"),
            format!("{url}?session=x"),
        ] {
            for method in ["GET", "HEAD"] {
                let response = http::request(daemon.http, method, &target, &[("Range", "bytes=0-1")], b"");
                assert_eq!(response.status, 401, "{config} {target}");
            }
        }
        let header = format!("token {}", daemon.session);
        let response = http::request(daemon.http, "GET", &url, &[("Authorization", &header)], b"");
        assert_eq!(response.status, 200);
        daemon.api_ok("Logout", &[]);
        assert_eq!(get(&daemon, &url, &[]).status, 401);
    }
    let open = daemon("[auth]\nrequire_session = false\n");
    assert_eq!(http::get(open.http, &url).status, 200);
}

#[test]
fn nothing_but_footage_is_served() {
    let daemon = daemon("");
    // In the volume and outside of it, but in no row.
    let volume = daemon.data_dir().join("mediastore");
    std::fs::write(volume.join("record/token1/2018-3-29TZ8/20-3-29/stray.mp4"), b"stray").expect("a file");
    std::fs::write(volume.join("stray.mp4"), b"stray").expect("a file");
    std::fs::create_dir_all(volume.join("record/token1/2018-3-29TZ8/20-3-29/sub")).expect("a folder");
    let data = daemon.data_dir().display().to_string();
    for (path, status) in [
        ("/mediastore", 404),
        ("/mediastore/", 404),
        ("/mediastore/stray.mp4", 404),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/stray.mp4", 404),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/", 404),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/sub/filename.mp4", 404),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/FILENAME.mp4", 404),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/%.mp4", 404),
        ("/mediastore/record/token1/2018-3-29TZ9/20-3-29/filename.mp4", 404),
        ("/mediastore/record/token2/2018-3-29TZ8/20-3-29/filename.mp4", 404),
        ("/mediastore/.h5edge-volume", 404),
        ("/mediastore/../h5edge.db", 400),
        ("/mediastore/%2e%2e/h5edge.db", 400),
        ("/mediastore/%2E%2E%2Fh5edge.db", 400),
        ("/mediastore/..%5ch5edge.db", 400),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/../20-3-29/filename.mp4", 400),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/filename.mp4%00.jpg", 400),
        ("/mediastore/record/token1/2018-3-29TZ8/20-3-29/%ff.mp4", 400),
        ("/mediastore//etc/passwd", 404),
        ("/mediastore/%2fetc%2fpasswd", 400),
        ("/mediastore/....//h5edge.db", 404),
        (&format!("/mediastore/{data}/h5edge.db"), 404),
    ] {
        let response = get(&daemon, path, &[]);
        assert_eq!(response.status, status, "{path}: {}", response.text());
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert_eq!(request(&daemon, method, &FILE.url(), &[]).status, 404, "{method}");
    }
    assert!(FILE.file(daemon.data_dir()).exists());
}

#[test]
fn what_is_not_there_now_says_so() {
    let daemon = daemon("");
    let elsewhere = Footage { volume: "stick", path: "2018-3-29TZ8/20-3-29/stick.mp4", ..FILE };
    elsewhere.insert(&database(daemon.data_dir()), 10);
    let response = get(&daemon, &elsewhere.url(), &[]);
    assert_eq!(response.status, 503);
    assert!(response.text().contains("volume stick of record/token1/"), "{}", response.text());
    std::fs::remove_file(FILE.file(daemon.data_dir())).expect("a file");
    let response = get(&daemon, &FILE.url(), &[]);
    assert_eq!(response.status, 404);
    assert!(response.text().contains("the file of record/token1/"), "{}", response.text());
    assert!(!response.text().contains("/mediastore/"), "{}", response.text());
}

/// The one recording of `cam`, as Search shows it now.
fn running(daemon: &Daemon) -> Option<Value> {
    let span = [("type", "record"), ("token", "cam"), ("start", "2020-01-01"), ("end", "2200-01-01")];
    let answer = daemon.api_ok("Search", &span);
    assert!(answer["record"].as_array().is_some_and(|found| found.len() < 2), "{answer}");
    answer["record"].get(0).cloned()
}

#[test]
fn a_running_recording_grows() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "cam", &camera.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "cam");
    daemon.api_ok("Record", &[("token", "cam"), ("duration", "600")]);
    let grown = |seconds: i64| {
        wait_for("the recording to grow", scene::PATIENCE, || {
            running(&daemon).filter(|item| item["nDurationNow"].as_i64().is_some_and(|now| now >= seconds))
        })
    };
    let early = grown(2);
    assert_eq!((&early["strDuration"], &early["nType"]), (&"0".into(), &"H5_REC_MANUAL".into()));
    let url = early["strPath"].as_str().expect("a path");
    let file = footage::file(&daemon, url);
    let first = get(&daemon, url, &[]);
    assert_eq!((first.status, first.header("content-type")), (200, Some("video/mp4")));
    assert!(first.header("etag").is_some_and(|tag| tag.starts_with("W/\"")));
    assert!(first.body.len() as u64 >= early["nBytes"].as_u64().expect("bytes"));
    let on_disk = std::fs::read(&file).expect("the file");
    assert!(on_disk.starts_with(&first.body), "what was served is what is on the disk");
    // It can be played as it is: whole fragments, checksums right.
    let copy = daemon.data_dir().join("copy.mp4");
    std::fs::write(&copy, &first.body).expect("a copy");
    assert!(footage::seconds(&footage::read(&copy)) >= 1.9);
    let path = [("token", "cam"), ("path", url)];
    let (_, refused) = daemon.api("DelRecord", &path);
    assert!(refused["strCode"].as_str().is_some_and(|text| text.ends_with("is being written")), "{refused}");

    let later = grown(early["nDurationNow"].as_i64().expect("seconds") + 2);
    assert!(later["strEndTime"].as_str() > early["strEndTime"].as_str(), "{later}");
    assert!(later["nBytes"].as_u64() > early["nBytes"].as_u64(), "{later}");
    let part = get(&daemon, url, &[("Range", &format!("bytes={}-", first.body.len()))]);
    assert_eq!(part.status, 206);
    let on_disk = std::fs::read(&file).expect("the file");
    assert_eq!(part.body, on_disk[first.body.len()..first.body.len() + part.body.len()]);

    daemon.api_ok("ManualRecordStop", &[("token", "cam")]);
    let done = wait_for("the recording to be closed", Duration::from_secs(20), || {
        running(&daemon).filter(|item| item["nDurationNow"].is_null())
    });
    let seconds: i64 = done["strDuration"].as_str().and_then(|text| text.parse().ok()).expect("seconds");
    assert!(seconds >= later["nDurationNow"].as_i64().expect("seconds"), "{done}");
    let whole = get(&daemon, url, &[]);
    assert!(whole.header("etag").is_some_and(|tag| tag.starts_with('"')));
    assert!(whole.body == std::fs::read(&file).expect("the file"));
    assert_eq!(done["nBytes"].as_u64(), Some(whole.body.len() as u64));
    daemon.api_ok("DelRecord", &path);
    assert!(running(&daemon).is_none() && !file.exists());
}
