//! Finding, locking and deleting what is kept (manual 5.5.7; docs/protocol.md 4), asked from outside.
//! Files are fetched in `tests/mediastore.rs`.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{
    daemon::{Daemon, DaemonOptions},
    kept::{Footage, database},
    scene, wait_for,
};

/// 2018-04-25T19:32:05+08:00, as in the manual's answer.
const START: i64 = 1_524_655_925_000;
const SECOND: i64 = 1000;
const DAY: i64 = 24 * 60 * 60 * SECOND;
const PASSWORD: &str = "looking around";

/// A daemon in Shanghai with the manual's two recordings, of a source that is gone, and a snapshot.
fn daemon() -> Daemon {
    let env = vec![("TZ".to_owned(), "Asia/Shanghai".to_owned())];
    // What was recorded so long ago is kept for this test.
    let config = "[recording]\nkeep_days = 0\nkeep_snapshot_days = 0\n".to_owned();
    let mut daemon = Daemon::start(DaemonOptions { config, env, ..DaemonOptions::default() });
    daemon.login();
    for footage in recordings() {
        footage.add(daemon.data_dir(), b"0123456789");
    }
    let path = "2018-4-25TZ8/19-33-5/1234.jpg";
    let at = START + 60 * SECOND;
    Footage { what: "snapshot", path, start: at, end: at, ..Footage::default() }
        .add(daemon.data_dir(), b"jpeg");
    daemon
}

fn recordings() -> [Footage<'static>; 2] {
    let first = Footage {
        path: "2018-4-25TZ8/19-32-5/1234.mp4",
        start: START,
        end: START + 300 * SECOND + 600,
        ..Footage::default()
    };
    let second = Footage {
        path: "2018-4-25TZ8/19-37-5/1234.mp4",
        start: first.end,
        end: first.end + 10 * SECOND,
        cause: "H5_REC_ALARM",
        ..Footage::default()
    };
    [first, second]
}

fn texts<'a>(answer: &'a Value, field: &str) -> Vec<&'a str> {
    let items = answer["record"].as_array().unwrap_or_else(|| panic!("no record in {answer}"));
    items.iter().map(|item| item[field].as_str().expect("a text")).collect()
}

fn search<'a>(start: &'a str, end: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("type", "record"), ("token", "token1"), ("start", start), ("end", end)]
}

fn refusal(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &json!(false)), "{call} {params:?}: {answer}");
    answer["strCode"].as_str().expect("text").to_owned()
}

#[test]
fn the_manuals_search_is_answered_as_it_says() {
    let daemon = daemon();
    // Blank and doubled & as printed; the line break of the other manual is a blank inside a time.
    let asked = "/api/v1/%20Search?type=record&start=2018-03-07T120101%2b08&end=2018-04-26T130101%2b08\
                 &token=token1&&session=";
    let (status, answer) = daemon.get(&format!("{asked}{}", daemon.session));
    assert_eq!(status, 200);
    let expected = json!({
        "record": [{
            "strToken": "token1",
            "strStartTime": "2018-04-25T19:32:05+08:00",
            "strDuration": "301",
            "strPath": "/mediastore/record/token1/2018-4-25TZ8/19-32-5/1234.mp4",
            "strUrl": "/mediastore/record/token1/2018-4-25TZ8/19-32-5/1234.mp4",
            "strEndTime": "2018-04-25T19:37:05+08:00",
            "nType": "H5_REC_MANUAL",
            "nBytes": 10,
            "bLocked": false,
            "strVolume": "main",
            "bAvailable": true,
        }, {
            "strToken": "token1",
            "strStartTime": "2018-04-25T19:37:05+08:00",
            "strDuration": "10",
            "strPath": "/mediastore/record/token1/2018-4-25TZ8/19-37-5/1234.mp4",
            "strUrl": "/mediastore/record/token1/2018-4-25TZ8/19-37-5/1234.mp4",
            "strEndTime": "2018-04-25T19:37:15+08:00",
            "nType": "H5_REC_ALARM",
            "nBytes": 10,
            "bLocked": false,
            "strVolume": "main",
            "bAvailable": true,
        }],
        "bMore": false,
    });
    assert_eq!(answer.to_string(), expected.to_string());
    let by_time = search("2018-03-07T120101+08", "2018-04-26T130101+08");
    assert_eq!(daemon.api_ok("SearchDeviceRecordByTime", &by_time[1..]), expected);
}

#[test]
fn snapshots_are_found_like_recordings() {
    let daemon = daemon();
    let mut asked = search("2018-04-25T193305+08", "2018-04-25T193306+08");
    asked[0].1 = "snapshot";
    let answer = daemon.api_ok("Search", &asked);
    let item = &answer["record"][0];
    assert_eq!(item["strPath"], "/mediastore/snapshot/token1/2018-4-25TZ8/19-33-5/1234.jpg");
    assert_eq!((&item["strDuration"], &item["strEndTime"]), (&json!("0"), &item["strStartTime"]));
    assert_eq!(answer["record"].as_array().map(Vec::len), Some(1));
}

#[test]
fn times_are_understood_as_sent_and_shown_in_their_zone() {
    let daemon = daemon();
    for (start, end, shown) in [
        ("2018-04-25T193205+08", "2018-04-25T193206+08", "2018-04-25T19:32:05+08:00"),
        ("2018-04-25T19:32:05+08:00", "2018-04-25T19:32:06+08:00", "2018-04-25T19:32:05+08:00"),
        ("2018-04-25T11:32:05Z", "2018-04-25T11:32:06Z", "2018-04-25T11:32:05+00:00"),
        // toISOString(), and with the page's zone glued to it.
        ("2018-04-25T11:32:05.000Z+08", "2018-04-25T11:32:06.000Z+08", "2018-04-25T19:32:05+08:00"),
        ("2018-04-25T11:32:05.000Z08:00", "2018-04-25T11:32:06.000Z08:00", "2018-04-25T19:32:05+08:00"),
        ("2018-04-25T07:32:05-0400", "2018-04-25T07:32:06-0400", "2018-04-25T07:32:05-04:00"),
        // The server's zone.
        ("2018-04-25 19:32:05", "2018-04-25 19:32:06", "2018-04-25T19:32:05+08:00"),
    ] {
        let answer = daemon.api_ok("Search", &search(start, end));
        assert_eq!(texts(&answer, "strStartTime"), [shown], "{start}");
    }
    // Not encoded at all: as it is, and with the plus decoded to a blank on the way.
    for plus in ["+", "%2B", "%2b", "%20"] {
        let target = format!(
            "/api/v1/Search?type=record&token=token1&start=2018-04-25T193205{plus}08\
             &end=2018-04-25T193206{plus}08&session={}",
            daemon.session
        );
        let (_, answer) = daemon.get(&target);
        assert_eq!(texts(&answer, "strStartTime"), ["2018-04-25T19:32:05+08:00"], "{plus}");
    }
}

#[test]
fn the_span_decides() {
    let daemon = daemon();
    let durations = |start: &str, end: &str| -> Vec<String> {
        let answer = daemon.api_ok("Search", &search(start, end));
        texts(&answer, "strDuration").into_iter().map(str::to_owned).collect()
    };
    assert_eq!(durations("2018-04-25T193600+08", "2018-04-25T193601+08"), ["301"]);
    assert_eq!(durations("2018-04-25T193700+08", "2018-04-25T193800+08"), ["301", "10"]);
    assert_eq!(durations("2018-04-25T193706+08", "2018-04-25T193800+08"), ["10"]);
    assert_eq!(durations("2018-04-25T193716+08", "2018-04-25T240000+08"), [""; 0]);
    assert_eq!(durations("2018-04-25T000000+08", "2018-04-25T193205+08"), [""; 0]);
    assert_eq!(durations("1970-01-01", "2200-01-01"), ["301", "10"]);
    scene::add(&daemon, "token9", "rtsp://127.0.0.1:9/x", &[]);
    let mut nothing = search("1970-01-01", "2200-01-01");
    nothing[1].1 = "token9";
    assert_eq!(daemon.api_ok("Search", &nothing), json!({ "record": [], "bMore": false }));
    let alarms = [search("1970-01-01", "2200-01-01"), vec![("nType", "H5_REC_ALARM")]].concat();
    assert_eq!(texts(&daemon.api_ok("Search", &alarms), "strDuration"), ["10"]);
}

#[test]
fn faults_are_named() {
    let daemon = daemon();
    let good = search("2018-03-07T120101+08", "2018-04-26T130101+08");
    for (name, value, what) in [
        ("type", "", "parameter type is missing"),
        ("type", "film", "parameter type is none of record, snapshot"),
        ("token", "", "parameter token is missing"),
        ("token", "a/b", "parameter token may hold only"),
        ("token", "token2", "parameter token: there is no source token2"),
        ("start", "", "parameter start is missing"),
        (
            "start",
            "yesterday",
            "parameter start: yesterday is not a time like 2018-03-07T120101+08: the date",
        ),
        ("start", "0", "parameter start: 0 is not a time"),
        ("end", "2018-02-30T120101+08", "parameter end: 2018-02-30T120101+08 is not a time"),
        ("end", "2018-03-07T120100+08", "parameter end: it lies before start"),
        ("end", "2018-03-07T050101", "parameter end: it lies before start"),
        ("limit", "0", "parameter limit is not a whole number from 1 to 5000"),
        ("limit", "5001", "parameter limit is not a whole number from 1 to 5000"),
        ("nType", "H5_REC_ALL", "parameter nType is none of"),
        ("next", "here", "parameter next is not the strNext of an answer"),
    ] {
        let mut asked = good.clone();
        asked.retain(|(known, _)| *known != name);
        asked.push((name, value));
        let text = refusal(&daemon, "Search", &asked);
        assert!(text.starts_with(what), "{name}={value}: {text}");
    }
    let month = |year, month| [("token", "token1"), ("year", year), ("month", month)];
    for (asked, what) in [
        (month("2018", "13"), "parameter month is not a whole number from 1 to 12"),
        (month("1969", "1"), "parameter year is not a whole number from 1970 to 2261"),
        (month("2018", ""), "parameter month is missing"),
    ] {
        assert_eq!(refusal(&daemon, "SearchDeviceRecordCalendar", &asked), what);
    }
}

#[test]
fn a_long_answer_comes_in_pages() {
    let daemon = daemon();
    let db = database(daemon.data_dir());
    db.execute_batch("BEGIN").expect("a transaction");
    for n in 0..5010_i64 {
        let path = format!("2018-5-1TZ8/0-0-{n}/a.mp4");
        let start = START + DAY + n * 10 * SECOND;
        Footage { token: "many", path: &path, start, end: start + 10 * SECOND, ..Footage::default() }
            .insert(&db, 10);
    }
    db.execute_batch("COMMIT").expect("a commit");
    for limit in ["", "1700"] {
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let mut asked = search("2018-01-01", "2019-01-01");
            asked[1].1 = "many";
            asked.extend([("limit", limit), ("next", &next)]);
            let answer = daemon.api_ok("Search", &asked);
            all.extend(texts(&answer, "strPath").into_iter().map(str::to_owned));
            if answer["bMore"] == false {
                assert!(answer["strNext"].is_null());
                break;
            }
            next = answer["strNext"].as_str().expect("where it goes on").to_owned();
            let expected = if limit.is_empty() { 5000 } else { 1700 };
            assert_eq!(answer["record"].as_array().map(Vec::len), Some(expected));
        }
        let path = |n| format!("/mediastore/record/many/2018-5-1TZ8/0-0-{n}/a.mp4");
        assert_eq!(all, Vec::from_iter((0..5010).map(path)), "limit {limit:?}");
    }
}

#[test]
fn the_calendar_is_the_servers() {
    let daemon = daemon();
    // 23:50 to 0:10 in Shanghai, which in UTC is one day.
    let start = 1_525_103_400_000;
    let path = "2018-4-30TZ8/23-50-0/night.mp4";
    Footage { path, start, end: start + 20 * 60 * SECOND, ..Footage::default() }
        .add(daemon.data_dir(), b"night");
    let days = |month: &str| -> Vec<i64> {
        let asked = [("token", "token1"), ("year", "2018"), ("month", month)];
        let answer = daemon.api_ok("SearchDeviceRecordCalendar", &asked);
        let days = answer["record"].as_array().expect("days").clone();
        let numbers: Vec<_> = days.iter().map(|day| day["nDay"].as_i64().expect("a day")).collect();
        assert_eq!(numbers, Vec::from_iter(1..=numbers.len() as i64));
        assert_eq!(numbers.len(), if month == "5" { 31 } else { 30 });
        let has = days.iter().filter(|day| day["bHasRec"] == true);
        has.map(|day| day["nDay"].as_i64().expect("a day")).collect()
    };
    assert_eq!(days("04"), [25, 30]);
    assert_eq!(days("5"), [1]);
    assert_eq!(days("6"), [0; 0]);
}

#[test]
fn footage_without_its_volume_is_shown_as_such() {
    let daemon = daemon();
    let path = "2018-4-25TZ8/20-0-0/stick.mp4";
    let start = START + 3600 * SECOND;
    Footage { volume: "stick", path, start, end: start + SECOND, ..Footage::default() }
        .insert(&database(daemon.data_dir()), 10);
    let answer = daemon.api_ok("Search", &search("2018-04-25T200000+08", "2018-04-25T230000+08"));
    assert_eq!(
        (&answer["record"][0]["bAvailable"], &answer["record"][0]["strVolume"]),
        (&json!(false), &json!("stick"))
    );
    let place = format!("/mediastore/record/token1/{path}");
    let text = refusal(&daemon, "DelRecord", &[("token", "token1"), ("path", &place)]);
    assert!(text.starts_with("parameter path: volume stick of "), "{text}");
}

#[test]
fn what_is_deleted_is_gone() {
    let daemon = daemon();
    let [first, second] = recordings();
    let (url, file) = (first.url(), first.file(daemon.data_dir()));
    for (token, path, what) in [
        ("token1", "/mediastore/record/token1/2018-4-25TZ8/19-32-5/4321.mp4", "parameter path: there is no "),
        (
            "token1",
            "/mediastore/snapshot/token1/2018-4-25TZ8/19-33-5/1234.jpg",
            "parameter path: there is no ",
        ),
        ("token1", "../../../../etc/passwd", "parameter path: there is no "),
        ("token1", "", "parameter path is missing"),
        ("token2", url.as_str(), "parameter token: there is no source token2"),
    ] {
        let text = refusal(&daemon, "DelRecord", &[("token", token), ("path", path)]);
        assert!(text.starts_with(what), "{path}: {text}");
    }
    let asked = [("token", "token1"), ("path", url.as_str())];
    let locked = daemon.api_ok("LockRecord", &[&asked[..], &[("lock", "true")]].concat());
    assert_eq!((&locked["bLocked"], &locked["strPath"]), (&json!(true), &json!(url)));
    let all = search("2018-01-01", "2019-01-01");
    assert_eq!(daemon.api_ok("Search", &all)["record"][0]["bLocked"], true);
    assert!(refusal(&daemon, "DelRecord", &asked).ends_with("1234.mp4 is locked"));
    daemon.api_ok("LockRecord", &[&asked[..], &[("lock", "false")]].concat());

    daemon.api_ok("DelRecord", &asked);
    assert!(!file.exists() && !file.parent().expect("a folder").exists(), "the folder went with it");
    assert!(second.file(daemon.data_dir()).exists());
    assert_eq!(texts(&daemon.api_ok("Search", &all), "strPath"), [second.url()]);
    assert!(refusal(&daemon, "DelRecord", &asked).starts_with("parameter path: there is no "));
    let snapshot = "/mediastore/snapshot/token1/2018-4-25Tz8/19-33-5/1234.jpg";
    daemon.api_ok("DelSnapshot", &[("token", "token1"), ("path", snapshot)]);
    assert!(!daemon.data_dir().join("mediastore/snapshot/token1").exists());
}

#[test]
fn what_is_downloaded_is_not_deleted() {
    use std::io::{Read, Write};
    let daemon = daemon();
    let large =
        Footage { path: "2018-4-25TZ8/21-0-0/large.mp4", start: START, end: START, ..Footage::default() };
    large.add(daemon.data_dir(), &vec![7; 32 << 20]);
    let mut client = std::net::TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");
    let before = daemon.rss_kb();
    let request = format!("GET {}?session={} HTTP/1.1\r\nHost: h\r\n\r\n", large.url(), daemon.session);
    client.write_all(request.as_bytes()).expect("a request sent");
    let mut start = [0; 12];
    client.read_exact(&mut start).expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
    let url = large.url();
    let asked = [("token", "token1"), ("path", url.as_str())];
    let text = refusal(&daemon, "DelRecord", &asked);
    assert!(text.ends_with("large.mp4 is in use"), "{text}");
    let grown = daemon.rss_kb().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} kB for a client that does not read");
    drop(client);
    wait_for("the download to be given up", Duration::from_secs(20), || {
        (daemon.api("DelRecord", &asked).1["bStatus"] == true).then_some(())
    });
    assert!(!large.file(daemon.data_dir()).exists());
}

#[test]
fn each_role_may_do_its_part_and_no_more() {
    let mut daemon = daemon();
    for (user, role) in [("vera", "viewer"), ("otto", "operator")] {
        daemon.api_ok("CreateUser", &[("user", user), ("password", PASSWORD), ("roletoken", role)]);
    }
    let url = recordings()[0].url();
    let entry = [("token", "token1"), ("path", url.as_str())];
    let all = search("2018-01-01", "2019-01-01");
    let month = [("token", "token1"), ("year", "2018"), ("month", "4")];
    for user in ["vera", "otto"] {
        daemon.login_as(user, PASSWORD);
        assert_eq!(daemon.api_ok("Search", &all)["record"].as_array().map(Vec::len), Some(2));
        daemon.api_ok("SearchDeviceRecordByTime", &all);
        daemon.api_ok("SearchDeviceRecordCalendar", &month);
        assert_eq!(refusal(&daemon, "DelRecord", &entry), "DelRecord needs the role Administrator");
        assert_eq!(refusal(&daemon, "DelSnapshot", &entry), "DelSnapshot needs the role Administrator");
        match user {
            "vera" => {
                assert_eq!(refusal(&daemon, "LockRecord", &entry), "LockRecord needs the role Operator")
            }
            _ => assert_eq!(daemon.api_ok("LockRecord", &entry)["bLocked"], true),
        }
    }
    daemon.session.clear();
    for (call, params) in
        [("Search", &all[..]), ("SearchDeviceRecordCalendar", &month), ("DelRecord", &entry)]
    {
        assert_eq!(daemon.api(call, params).0, 401, "{call}");
    }
}
