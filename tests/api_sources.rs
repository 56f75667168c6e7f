//! Adding, listing and deleting sources over the HTTP API (manual 5.3.1 to 5.3.4): each call with good
//! input, and each of its bad inputs, which name the parameter and change nothing.

mod support;

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use support::{daemon::Daemon, scene};

/// Nobody listens there, and nothing is played.
const ABSENT: &str = "rtsp://127.0.0.1:9/x";

/// The fields of a GetSrc entry, in the manual's order.
const FIELDS: [&str; 23] = [
    "nType",
    "strName",
    "strToken",
    "strUrl",
    "strUser",
    "strPasswd",
    "bPasswdEncrypt",
    "bEnableAudio",
    "nConnectType",
    "nRTSPType",
    "strSrcIpAddress",
    "strSrcPort",
    "nChannelNumber",
    "bOnvifProfileAuto",
    "strOnvifAddr",
    "strOnvifProfileMain",
    "strOnvifProfileSub",
    "bOnline",
    "strSnapshotUrl",
    "bRec",
    "strServerToken",
    "strOriginalToken",
    "strServerUuid",
];

fn list(daemon: &Daemon) -> Value {
    let mut list = daemon.api_ok("GetSrc", &[]);
    for entry in list["src"].as_array_mut().expect("a list") {
        // These change by themselves.
        let fields = entry.as_object_mut().expect("an entry");
        fields.retain(|name, _| !matches!(name.as_str(), "bOnline" | "strOfflineReason" | "strOfflineText"));
    }
    list
}

/// The call has to fail with a text that contains `complaint`, and to change nothing.
fn refused(daemon: &Daemon, call: &str, params: &[(&str, &str)], complaint: &str) {
    let before = list(daemon);
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &json!(false)), "{call} {params:?}: {answer}");
    let text = answer["strCode"].as_str().expect("text");
    assert!(text.contains(complaint), "{call} {params:?}: {text}");
    assert_eq!(list(daemon), before, "{call} {params:?} changed something");
}

/// A file in the folder that is always allowed.
fn allowed_file(daemon: &Daemon, name: &str) -> PathBuf {
    let folder = daemon.data_dir().join("files");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    fs::write(&file, b"not really a clip").expect("a file");
    file.canonicalize().expect("a path")
}

#[test]
fn a_camera_is_added_listed_and_deleted() {
    let daemon = scene::daemon("");
    assert_eq!(daemon.api_ok("GetSrc", &[]), json!({"src": []}));
    let answer = daemon.api_ok(
        "AddSrcRTSP",
        &[
            ("name", "Front door"),
            ("token", "token1"),
            ("user", "admin"),
            ("password", "hunter2"),
            ("url", ABSENT),
        ],
    );
    assert_eq!(answer, json!({"bStatus": true, "strCode": "Add successfully"}));
    let entry = daemon.source("token1").expect("the source");
    let names: Vec<_> = entry.as_object().expect("an entry").keys().take(FIELDS.len()).collect();
    assert_eq!(names, FIELDS);
    for (field, value) in [
        ("nType", json!("H5_STREAM")),
        ("strName", json!("Front door")),
        ("strUrl", json!(ABSENT)),
        ("strUser", json!("admin")),
        ("strPasswd", json!("******")),
        ("bPasswdEncrypt", json!(false)),
        ("bEnableAudio", json!(false)),
        ("nConnectType", json!("H5_AUTO")),
        ("nRTSPType", json!("H5_RTSP_AUTO")),
        ("strSrcIpAddress", json!("127.0.0.1")),
        ("strSrcPort", json!("9")),
        ("nChannelNumber", json!(1)),
        ("strSnapshotUrl", json!("/api/v1/GetImage?token=token1")),
        ("bRec", json!(false)),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(daemon.api_ok("GetSrc", &[("token", "token1")])["src"][0]["strToken"], "token1");
    let deleted = daemon.api_ok("DelSrc", &[("token", "token1")]);
    assert_eq!(deleted["bStatus"], true);
    assert_eq!(daemon.api_ok("GetSrc", &[]), json!({"src": []}));
    scene::add(&daemon, "token1", ABSENT, &[]);
}

#[test]
fn every_option_of_a_source_is_kept() {
    let daemon = scene::daemon("");
    let options =
        [("connect", "H5_ALWAYS"), ("transport", "H5_RTSP_UDP"), ("audio", "true"), ("playback", "true")];
    scene::add(&daemon, "a.b_c-1", "rtmps://user@cam.example/live?x=1", &options);
    let entry = daemon.source("a.b_c-1").expect("the source");
    for (field, value) in [
        ("strUrl", json!("rtmps://cam.example/live?x=1")),
        ("strUser", json!("user")),
        ("strPasswd", json!("")),
        ("bEnableAudio", json!(true)),
        ("nConnectType", json!("H5_ALWAYS")),
        ("nRTSPType", json!("H5_RTSP_UDP")),
        ("strSrcPort", json!("443")),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
}

#[test]
fn a_file_is_added_from_allowed_folders_only() {
    let other = tempfile::tempdir().expect("a folder");
    let roots = format!("[sources]\nfile_roots = ['{}']\n", other.path().display());
    let daemon = scene::daemon(&roots);
    let inside = allowed_file(&daemon, "ä b.mp4");
    fs::write(other.path().join("x.ts"), b"x").expect("a file");
    scene::add(&daemon, "file", inside.to_str().expect("text"), &[]);
    scene::add(&daemon, "other", other.path().join("x.ts").to_str().expect("text"), &[]);
    let entry = daemon.source("file").expect("the source");
    assert_eq!((&entry["nType"], &entry["strUrl"]), (&json!("H5_FILE"), &json!(inside.to_str())));
    assert_eq!((&entry["strSrcIpAddress"], &entry["strSrcPort"]), (&json!(""), &json!("")));
    let by_type = |kind: &str| daemon.api_ok("GetSrc", &[("type", kind)])["src"].as_array().map(Vec::len);
    assert_eq!((by_type("H5_FILE"), by_type("H5_STREAM"), by_type("H5_ONVIF")), (Some(2), Some(0), Some(0)));

    let folder = daemon.data_dir().join("files");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("link.mp4")).expect("a link");
    let database = daemon.data_dir().join("h5edge.db");
    let path = |file: PathBuf| file.to_str().expect("text").to_owned();
    for (url, complaint) in [
        ("/etc/passwd".to_owned(), "outside"),
        (path(database), "outside"),
        (path(folder.join("../h5edge.db")), ".."),
        (path(folder.join("link.mp4")), "outside"),
        (path(folder.join("none.mp4")), "no such file"),
        (path(folder), "not a regular file"),
        ("clip.mp4".into(), "absolute"),
        (r"C:\xdev\h5ssample.mp4".into(), "absolute"),
        ("rtsp://h/x".into(), "absolute"),
        ("".into(), "missing"),
    ] {
        let params = [("name", "n"), ("token", "t"), ("url", url.as_str())];
        refused(
            &daemon,
            "AddSrcFile",
            &params,
            &format!("parameter url{}", if url.is_empty() { " " } else { ": " }),
        );
        refused(&daemon, "AddSrcFile", &params, complaint);
    }
}

#[test]
fn each_bad_input_is_refused_by_name() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "used", ABSENT, &[]);
    let (name, token, url) = (("name", "n"), ("token", "t"), ("url", ABSENT));
    let long = "x".repeat(3000);
    for (params, complaint) in [
        (vec![token, url], "parameter name is missing"),
        (vec![name, url], "parameter token is missing"),
        (vec![name, token], "parameter url is missing"),
        (vec![name, ("token", "used"), url], "parameter token: used is used already"),
        (vec![name, ("token", "a/b"), url], "parameter token may hold only"),
        (vec![name, ("token", ".."), url], "parameter token may hold only"),
        (vec![name, ("token", "tür"), url], "parameter token may hold only"),
        (vec![name, ("token", &long[..65]), url], "parameter token is longer than 64"),
        (vec![("name", &long), token, url], "parameter name is longer than"),
        (vec![("name", "a\nb"), token, url], "parameter name "),
        (vec![("name", "a\0b"), token, url], "parameter name "),
        (vec![name, token, ("url", &long)], "parameter url is longer than"),
        (vec![name, token, ("url", "http://h/x")], "parameter url must start with rtsp://"),
        (vec![name, token, ("url", "file:///etc/passwd")], "parameter url must start with rtsp://"),
        (vec![name, token, ("url", "rtsp://")], "parameter url "),
        (vec![name, token, ("url", "nonsense")], "parameter url is not a URL"),
        (vec![name, token, ("url", "rtsp://h/\u{7f}")], "parameter url "),
        (vec![name, token, url, ("audio", "maybe")], "parameter audio"),
        (vec![name, token, url, ("connect", "sometimes")], "parameter connect is none of"),
        (vec![name, token, url, ("nRTSPType", "H5_RTSP_HTTP")], "parameter nRTSPType is none of"),
        (vec![name, token, url, ("user", &long)], "parameter user is longer than"),
        (vec![name, token, url, ("password", &long)], "parameter password is longer than"),
        (vec![name, token, url, ("servertoken", "s")], "parameter servertoken: this box is no central"),
        (vec![name, token, url, ("profile", "Profile_1")], "parameter profile is not known"),
        (vec![name, token, url, ("token", "t2")], "parameter token is given twice"),
    ] {
        refused(&daemon, "AddSrcRTSP", &params, complaint);
    }
    refused(&daemon, "AddSrcFile", &[name, ("token", "used"), ("url", "/x")], "parameter url");
    refused(&daemon, "DelSrc", &[], "parameter token is missing");
    refused(&daemon, "DelSrc", &[("token", "unknown")], "parameter token");
    refused(&daemon, "DelSrc", &[("token", "used"), ("force", "1")], "parameter force is not known");
    refused(&daemon, "GetSrc", &[("token", "unknown")], "parameter token");
    refused(&daemon, "GetSrc", &[("type", "H5_NONE")], "parameter type is none of");
    refused(&daemon, "GetImage", &[("token", "unknown")], "parameter token");
    refused(&daemon, "GetImage", &[("token", "used"), ("width", "1")], "parameter width");
    refused(&daemon, "GetVidStreamStatus", &[("token", "used")], "delivers no picture now");
    refused(&daemon, "NoSuchCall", &[], "unknown call NoSuchCall");
    refused(&daemon, "h5swsapi", &[("token", "used")], "is a WebSocket");

    let bytes = format!("/api/v1/AddSrcRTSP?name=%ff%fe&token=t&url={ABSENT}&session={}", daemon.session);
    let (status, answer) = daemon.get(&bytes);
    assert_eq!((status, &answer["bStatus"]), (200, &json!(false)), "{answer}");
    assert!(answer["strCode"].as_str().expect("text").contains("parameter name"), "{answer}");
}

#[test]
fn there_are_only_so_many_sources() {
    let daemon = scene::daemon("[sources]\nmax_sources = 2\n");
    scene::add(&daemon, "a", ABSENT, &[]);
    scene::add(&daemon, "b", ABSENT, &[]);
    refused(&daemon, "AddSrcRTSP", &[("name", "c"), ("token", "c"), ("url", ABSENT)], "2 sources already");
    daemon.api_ok("DelSrc", &[("token", "a")]);
    scene::add(&daemon, "c", ABSENT, &[]);
}

/// Everything under the data directory that holds `needle`, in any file.
fn files_with(daemon: &Daemon, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![daemon.data_dir().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path).expect("a file").windows(needle.len()).any(|w| w == needle.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn camera_passwords_are_nowhere_to_be_read() {
    let mut daemon = scene::daemon("[log]\nlevel = 'trace'\n");
    let secret = "hunter2hunter2";
    scene::add(&daemon, "field", ABSENT, &[("user", "cam-user"), ("password", secret)]);
    scene::add(&daemon, "inside", &format!("rtsp://cam-user:{secret}@127.0.0.1:9/y"), &[]);
    // Part of the address, since the camera wants it there; not to be seen in lists and logs either.
    let in_query = "swordfish99";
    scene::add(&daemon, "query", &format!("rtsp://127.0.0.1:9/z?user=u&password={in_query}"), &[]);
    for token in ["field", "inside", "query"] {
        scene::wait_offline(&daemon, token, "refused");
    }
    let listed = daemon.api_ok("GetSrc", &[]).to_string();
    assert!(!listed.contains(secret) && !listed.contains(in_query), "{listed}");
    let inside = daemon.source("inside").expect("the source");
    assert_eq!(
        (&inside["strUrl"], &inside["strUser"], &inside["strPasswd"]),
        (&json!("rtsp://127.0.0.1:9/y"), &json!("cam-user"), &json!("******"))
    );
    assert_eq!(
        daemon.source("query").expect("the source")["strUrl"],
        "rtsp://127.0.0.1:9/z?user=u&password=******"
    );
    assert!(!files_with(&daemon, "cam-user").is_empty(), "the search finds what is there");
    let log = daemon.process.log();
    for secret in [secret, in_query] {
        assert!(!log.contains(secret), "in the log: {:?}", log.lines().find(|line| line.contains(secret)));
    }
    // Also not after the log of changes has been folded into the database.
    for secret in [secret, in_query] {
        assert_eq!(files_with(&daemon, secret), Vec::<String>::new());
    }
    daemon.terminate();
    for secret in [secret, in_query] {
        assert_eq!(files_with(&daemon, secret), Vec::<String>::new());
    }
}
