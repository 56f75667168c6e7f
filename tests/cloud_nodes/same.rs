//! Calls about a site answer alike at the node that has its tunnel (`b`) and at those that have not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::kept::Footage;
use crate::support::ws::Viewer;
use crate::support::{http, scene, wait_for};
use crate::yard::{MAPPED, REGISTERED, SPREAD, Yard};

const TOKEN: (&str, &str) = ("token", MAPPED);
const SPAN: [(&str, &str); 2] = [("start", "2020-01-01T00:00:00Z"), ("end", "2100-01-01T00:00:00Z")];
const FOUND: [(&str, &str); 4] = [TOKEN, ("type", "record"), SPAN[0], SPAN[1]];
/// Many times what is on its way between two nodes.
const LARGE: usize = 24 << 20;

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or_else(|| panic!("no {field} in {item}"))
}

fn file(node: &Daemon, target: &str) -> (u16, Vec<u8>) {
    let joint = if target.contains('?') { '&' } else { '?' };
    let answer = http::get(node.http, &format!("{target}{joint}session={}", node.session));
    (answer.status, answer.body)
}

/// The one answer that `ask` has at all nodes.
fn alike<T: PartialEq>(yard: &Yard, what: &str, ask: impl Fn(&Daemon) -> T) -> T {
    let mut answers: Vec<T> = yard.nodes.iter().map(ask).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{what}: not alike");
    answers.swap_remove(0)
}

/// Records a few seconds, started at one node and stopped at another; the entry.
fn record(yard: &Yard) -> Value {
    yard.nodes[0].api_ok("ManualRecordStart", &[TOKEN]);
    wait_for("a recording", scene::PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        (yard.edge.source("cam1")?["bRec"] == true).then_some(())
    });
    std::thread::sleep(Duration::from_secs(5));
    yard.nodes[2].api_ok("ManualRecordStop", &[TOKEN]);
    let found = yard.nodes[0].api_ok("Search", &FOUND);
    found["record"].as_array().and_then(|all| all.last()).expect("a recording").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_site_answer_alike_at_all_nodes() {
    let client = format!("{REGISTERED}grant = \"administration\"\n");
    let yard = tokio::task::block_in_place(|| Yard::new(1, &client));
    let entry = tokio::task::block_in_place(|| {
        (0..3).for_each(|node| drop(yard.wait_listed(node, true)));
        assert_eq!(yard.home(), Some(1));
        let listed = |node: &Daemon| node.api_ok("GetServerList", &[])["server"][0].clone();
        for field in ["strServerUuid", "strServerIp", "strVersion"] {
            assert_ne!(alike(&yard, field, |node| listed(node)[field].clone()), "", "{field}");
        }
        let entry = record(&yard);
        files(&yard, &entry);
        calls(&yard, &entry);
        entry
    });
    // Played on a socket.
    let players = yard.nodes.iter().map(async |node| {
        let target = format!(
            "/api/v1/h5swsapi?token={MAPPED}&playback=true&begintime={}&endtime={}&serverpb=true&session={}",
            text(&entry, "strStartTime").replace('+', "%2B"),
            text(&entry, "strEndTime").replace('+', "%2B"),
            node.session
        );
        let mut viewer = Viewer::open(node.http, &target).await.expect("a socket");
        viewer.send(r#"{"cmd":"H5_START"}"#).await;
        viewer.watch_for(Duration::from_secs(3)).await;
        let frames = viewer.check_but_pace().frames();
        assert!(frames > 30, "{frames} frames of the recording");
        viewer.leave().await;
    });
    futures_util::future::join_all(players).await;
}

fn files(yard: &Yard, entry: &Value) {
    let (status, body) = alike(yard, "a recording", |node| file(node, text(entry, "strUrl")));
    assert_eq!((status, &body[4..8]), (200, &b"ftyp"[..]));

    // A large one, of which no node keeps more than a little.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
    let large = Footage {
        token: "cam1",
        path: "2018-3-29TZ8/20-3-29/one.mp4",
        start: now - 90_000,
        end: now - 60_000,
        ..Footage::default()
    };
    let content: Vec<u8> =
        (0..LARGE as u32 / 4).flat_map(|n| n.wrapping_mul(0x9E37_79B9).to_be_bytes()).collect();
    large.add(yard.edge.data_dir(), &content);
    let url = format!("/mediastore/@site1/{}", large.place());
    let (status, body) = alike(yard, "a large file", |node| file(node, &url));
    assert!(status == 200 && body == content, "{status}, {} bytes", body.len());
    std::fs::remove_file(large.file(yard.edge.data_dir())).expect("the file");

    // An export begun at one node is asked after at another and fetched at all.
    let span = [("start", text(entry, "strStartTime")), ("end", text(entry, "strEndTime"))];
    let started = yard.nodes[0].api_ok("Archive", &[&[TOKEN], &span[..]].concat());
    let name = ("filename", text(&started, "strFileName"));
    let done = wait_for("the export", scene::PATIENCE, || {
        let status = yard.nodes[2].api_ok("GetArchiveStatus", &[TOKEN, name]);
        (status["strState"] != "working").then_some(status)
    });
    let (status, body) = alike(yard, "an export", |node| file(node, text(&done, "strUrl")));
    assert_eq!((status, &body[4..8]), (200, &b"ftyp"[..]), "{done}");

    // A snapshot taken at one.
    let kept = yard.nodes[2].api_ok("Snapshot", &[TOKEN]);
    let (status, body) = alike(yard, "a snapshot", |node| file(node, text(&kept, "strUrl")));
    assert!(status == 200 && body.starts_with(&[0xFF, 0xD8]), "{status}");
}

fn calls(yard: &Yard, entry: &Value) {
    let none = ("token", "site1-none");
    let path = ("path", text(entry, "strPath"));
    let foreign = ("path", "/mediastore/@site2/record/cam1/a.mp4");
    for (call, params, succeeds) in [
        ("Search", &FOUND[..], true),
        ("LockRecord", &[TOKEN, path], true),
        ("GetArchiveList", &[TOKEN], true),
        ("GetPresets", &[TOKEN], false),
        ("Ptz", &[TOKEN, ("action", "left"), ("speed", "0.5")], false),
        ("Ptz", &[TOKEN, ("action", "sideways"), ("speed", "0.5")], false),
        ("Ptz", &[none, ("action", "left"), ("speed", "0.5")], false),
        ("LockRecord", &[TOKEN, foreign], false),
        ("GetCloudDeviceSrc", &[("token", "site2")], false),
    ] {
        let answer = alike(yard, call, |node| node.api(call, params));
        assert_eq!(answer.1["bStatus"] != false, succeeds, "{call} {params:?}: {answer:?}");
    }
    // Two pictures are not the same.
    for node in &yard.nodes {
        let (status, image) = file(node, &format!("/api/v1/GetImage?token={MAPPED}&width=160"));
        assert!(status == 200 && image.starts_with(&[0xFF, 0xD8]), "{status}");
    }
    // A camera is added at one node, seen at all and deleted at another.
    let url = yard.camera.rtsp_url(0);
    let camera = [("name", "Second"), ("token", "cam-2"), ("url", url.as_str()), ("servertoken", "site1")];
    yard.nodes[0].api_ok("AddSrcRTSP", &camera);
    for node in &yard.nodes {
        wait_for("the second camera", SPREAD, || node.source("site1-cam-2"));
    }
    let twice = alike(yard, "one more of that token", |node| node.api("AddSrcRTSP", &camera));
    assert_eq!(twice.1["bStatus"], false, "{twice:?}");
    yard.nodes[2].api_ok("DelSrc", &[("token", "site1-cam-2")]);
    for node in &yard.nodes {
        wait_for("it to go", SPREAD, || node.source("site1-cam-2").is_none().then_some(()));
    }
}
