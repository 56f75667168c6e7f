//! What a site records, started, found, played and deleted at the central.

use std::time::Duration;

use h5edge::base::wall::Wall;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::support::ws::Viewer;
use crate::support::{scene, wait_for};
use crate::yard::{MAPPED, Yard};

const TOKEN: (&str, &str) = ("token", MAPPED);
const SPAN: [(&str, &str); 2] = [("start", "2020-01-01T00:00:00Z"), ("end", "2100-01-01T00:00:00Z")];

fn found(yard: &Yard, what: &str) -> Vec<Value> {
    let params = [&[TOKEN, ("type", what)], &SPAN[..]].concat();
    yard.central.api_ok("Search", &params)["record"].as_array().expect("entries").clone()
}

pub fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().expect("a text")
}

/// Records a few seconds; the entry.
pub fn record(yard: &Yard) -> Value {
    yard.central.api_ok("ManualRecordStart", &[TOKEN]);
    wait_for("a recording", scene::PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        (yard.central.source(MAPPED)?["bRec"] == true).then_some(())
    });
    std::thread::sleep(Duration::from_secs(6));
    yard.central.api_ok("ManualRecordStop", &[TOKEN]);
    found(yard, "record").remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_goes_its_whole_way() {
    let yard = Yard::new("administration");
    let entry = record(&yard);
    assert_eq!(entry["strToken"], MAPPED, "{entry}");
    let (url, path) = (text(&entry, "strUrl"), text(&entry, "strPath"));
    assert!(url.starts_with("/mediastore/@site1/record/cam1/"), "{url}");
    // The file, by parts.
    let part = yard.get(url, &[("Range", "bytes=4-7")]);
    assert_eq!((part.status, part.text().as_str()), (206, "ftyp"));
    let whole = yard.get(url, &[]);
    assert_eq!(whole.header("content-length"), Some(whole.body.len().to_string().as_str()));
    let range = format!("bytes 4-7/{}", whole.body.len());
    assert_eq!(part.header("content-range"), Some(range.as_str()));
    let known = yard.get(url, &[("If-None-Match", whole.header("etag").expect("a tag"))]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    let kept = yard.get(&format!("{url}?download=true"), &[]);
    assert!(kept.header("content-disposition").is_some_and(|text| text.contains("attachment")));
    let target = format!("{url}?session={}", yard.central.session);
    let head = crate::support::http::request(yard.central.http, "HEAD", &target, &[], b"");
    assert_eq!((head.status, head.header("content-length")), (200, whole.header("content-length")));
    assert!(head.body.is_empty());
    assert_eq!(yard.get("/mediastore/@site1/record/cam1/none.mp4", &[]).status, 404);
    assert_eq!(yard.get("/mediastore/@site2/record/cam1/none.mp4", &[]).status, 404);
    // Locked, and not deleted by the path of another site.
    yard.central.api_ok("LockRecord", &[TOKEN, ("path", path)]);
    assert_eq!(found(&yard, "record")[0]["bLocked"], true);
    let foreign = path.replace("@site1", "@site2");
    let refused = yard.refusal("DelRecord", &[TOKEN, ("path", foreign.as_str())]);
    assert_eq!(refused, "parameter path: it is not of site site1");
    // Played on a socket, and as HLS.
    let (begin, end) = (text(&entry, "strStartTime").to_owned(), text(&entry, "strEndTime").to_owned());
    play(&yard, &begin, &end).await;
    let encode = |text: &str| text.replace('+', "%2B");
    let target = format!(
        "/hls/vod/{MAPPED}/hls.m3u8?begintime={}&endtime={}&session={}",
        encode(&begin),
        encode(&end),
        yard.central.session
    );
    let playlist = crate::support::http::get(yard.central.http, &target);
    assert_eq!(playlist.status, 200, "{}", playlist.text());
    let playlist = playlist.text();
    let segments: Vec<&str> = playlist.lines().filter(|line| !line.starts_with('#')).collect();
    let session = format!("?session={}", yard.central.session.replace('-', "%2D"));
    for segment in &segments {
        assert!(segment.starts_with("/mediastore/@site1/record/cam1/"), "{playlist}");
        assert!(segment.ends_with(&session), "{playlist}");
        let answer = crate::support::http::get(yard.central.http, segment);
        assert_eq!(answer.status, 200, "{segment}: {}", answer.text());
    }
    assert!(!segments.is_empty() && playlist.matches("session=").count() == segments.len() + 1, "{playlist}");
    let init = playlist.split_once("#EXT-X-MAP:URI=\"").and_then(|(_, rest)| rest.split_once('"'));
    let init = format!("/hls/vod/{MAPPED}/{}", init.expect("an init segment").0);
    assert_eq!(crate::support::http::get(yard.central.http, &init).status, 200, "{init}");
    // A picture of it, and the days.
    let (start, offset) = Wall::parse(&begin, &TimeZone::system()).expect("a time");
    let middle = start.plus_millis(3000).iso(offset.expect("a zone"));
    let image = yard.get(&format!("/api/v1/GetRecordImage?token={MAPPED}&time={}", encode(&middle)), &[]);
    assert_eq!(image.header("content-type"), Some("image/jpeg"), "{}", image.text());
    // Exported.
    let span = [("start", begin.as_str()), ("end", end.as_str())];
    let started = yard.central.api_ok("Archive", &[&[TOKEN], &span[..]].concat());
    let name = ("filename", text(&started, "strFileName"));
    let done = wait_for("the export", scene::PATIENCE, || {
        let status = yard.central.api_ok("GetArchiveStatus", &[TOKEN, name]);
        (status["strState"] != "working").then_some(status)
    });
    assert_eq!(done["strState"], "done", "{done}");
    let file = yard.get(text(&done, "strUrl"), &[]);
    assert_eq!((file.status, &file.body[4..8]), (200, &b"ftyp"[..]));
    yard.central.api_ok("DelArchive", &[TOKEN, name]);
    assert_eq!(yard.get(text(&done, "strUrl"), &[]).status, 404);
    let refused = yard.refusal("DelRecord", &[TOKEN, ("path", path)]);
    assert!(
        refused.starts_with("site site1: parameter path: ") && refused.ends_with(" is locked"),
        "{refused}"
    );
    yard.central.api_ok("LockRecord", &[TOKEN, ("path", path), ("lock", "false")]);
    yard.central.api_ok("DelRecord", &[TOKEN, ("path", path)]);
    assert!(found(&yard, "record").is_empty());
    assert_eq!(yard.get(url, &[]).status, 404);
}

async fn play(yard: &Yard, begin: &str, end: &str) {
    let encode = |text: &str| text.replace('+', "%2B");
    let target = |more: &str| {
        format!(
            "/api/v1/h5swsapi?token={MAPPED}&playback=true&begintime={}&endtime={}&serverpb=true&session={}{more}",
            encode(begin),
            encode(end),
            yard.central.session
        )
    };
    let mut viewer = Viewer::open(yard.central.http, &target("")).await.expect("a socket");
    viewer.send(r#"{"cmd":"H5_START"}"#).await;
    viewer.watch_for(Duration::from_secs(4)).await;
    assert!(viewer.check_but_pace().frames() > 40);
    viewer.leave().await;
    // What is wrong is told on the socket.
    let wrong = target("").replace("site1-cam1", "site1-cam7");
    let mut viewer = Viewer::open(yard.central.http, &wrong).await.expect("a socket");
    viewer.until_closed(Duration::from_secs(20)).await;
    assert!(viewer.farewell.expect("a farewell").1.contains("no source cam7"));
}

#[test]
fn a_snapshot_is_kept_at_the_edge() {
    let yard = Yard::new("control");
    let kept = yard.central.api_ok("Snapshot", &[TOKEN]);
    let url = text(&kept, "strUrl");
    assert!(url.starts_with("/mediastore/@site1/snapshot/cam1/"), "{url}");
    assert!(yard.get(url, &[]).body.starts_with(&[0xFF, 0xD8]));
    assert_eq!(found(&yard, "snapshot")[0]["strUrl"], kept["strUrl"]);
    let place = [TOKEN, ("start1", "2018-3-29"), ("start2", "20-3-29"), ("tz", "8"), ("filename", "gate")];
    let kept = yard.central.api_ok("PathSnapshot", &place);
    let url = text(&kept, "strUrl");
    assert_eq!(url, "/mediastore/@site1/snapshot/cam1/2018-3-29TZ8/20-3-29/gate.jpg");
    assert!(yard.get(url, &[]).body.starts_with(&[0xFF, 0xD8]));
    let recorded = yard.central.api_ok("Record", &[TOKEN, ("duration", "3"), ("filename", "short")]);
    assert!(text(&recorded, "strUrl").starts_with("/mediastore/@site1/record/cam1/"), "{recorded}");
    let running = yard.central.api_ok("GetRecordStatus", &[TOKEN]);
    assert_eq!(running["strToken"], MAPPED, "{running}");
}
