//! A device without a user: what it answers, who may set it up and how often, and that afterwards it is
//! like any other. Addresses that are not on the link are in the tests of src/api/setup.rs.

mod support;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use h5edge::api::{
    calls::{Access, Run},
    table::calls,
};
use serde_json::{Value, json};
use support::{
    daemon::{Daemon, DaemonOptions},
    http, wait_for,
};

const PASSWORD: &str = "correct horse 7";

/// Without a password of delivery.
fn fresh(config: &str) -> Daemon {
    let mut table: toml::Table = config.parse().expect("TOML");
    let auth = table.entry("auth").or_insert_with(|| toml::Table::new().into());
    auth.as_table_mut().expect("a section").insert("initial_password".into(), "".into());
    Daemon::start(DaemonOptions { config: table.to_string(), ..DaemonOptions::default() })
}

fn post(daemon: &Daemon, call: &str, form: &str, headers: &[(&str, &str)]) -> Value {
    let mut all = vec![("Content-Type", "application/x-www-form-urlencoded")];
    all.extend(headers);
    let answer = http::request(daemon.http, "POST", &format!("/api/v1/{call}"), &all, form.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn state(daemon: &Daemon) -> Value {
    daemon.get("/api/v1/GetSetup").1
}

fn code(answer: &Value) -> &str {
    answer["strCode"].as_str().expect("text")
}

#[test]
fn nothing_but_the_set_up_is_open() {
    let daemon = fresh("[auth]\nanonymous_view = true\n");
    let told = state(&daemon);
    assert_eq!((&told["bStatus"], &told["bSetupRequired"]), (&json!(true), &json!(true)), "{told}");
    assert!((3500..=3600).contains(&told["nSecondsLeft"].as_u64().expect("seconds")), "{told}");
    assert_eq!(told["strVersion"], env!("CARGO_PKG_VERSION"));
    assert!(told["strDeviceId"].is_string() && told["strHostname"].is_string(), "{told}");

    let mut closed = 0;
    for call in calls().filter(|call| call.access != Access::Open && !matches!(call.run, Run::Socket(_))) {
        let (status, answer) = daemon.get(&format!("/api/v1/{}?session=undefined&token=a", call.name));
        assert_eq!((status, &answer["bStatus"]), (401, &json!(false)), "{}: {answer}", call.name);
        closed += 1;
    }
    assert!(closed > 50, "{closed} calls");
    for path in ["/hls/a/hls.m3u8", "/mediastore/a/b.mp4"] {
        assert_eq!(http::get(daemon.http, path).status, 401, "{path}");
    }
    assert_eq!(http::get(daemon.http, "/").status, 200, "the page on which it is set up");

    for password in ["12345", "827ccb0eea8a706c4c34a16891f84e7b", "admin"].repeat(4) {
        let answer = daemon.get(&format!("/api/v1/Login?user=admin&password={password}")).1;
        let told = (&answer["bStatus"], &answer["bSetupRequired"], &answer["nFaultTimes"]);
        assert_eq!(told, (&json!(false), &json!(true), &json!(0)), "{answer}");
        let here = format!("http://127.0.0.1:{}/", daemon.http);
        assert!(code(&answer).contains(&here) && answer["strSession"].is_null(), "{answer}");
    }
    assert!(daemon.process.log().contains("NOT SET UP"), "{}", daemon.process.log());
}

#[test]
fn it_is_set_up_once_and_the_password_is_in_no_log() {
    let mut daemon = fresh("[log]\nlevel = 'trace'\n");
    for (form, named) in [
        ("", "password"),
        ("password=", "password"),
        ("password=short", "password"),
        ("password=12345678", "password"),
        ("password=827ccb0eea8a706c4c34a16891f84e7b", "password"),
        ("password=correct+horse+7&name=edge", "name"),
        ("password=correct+horse+7&zone=Europe/Berlin", "zone"),
        ("password=correct+horse+7&user=me", "user"),
    ] {
        let answer = post(&daemon, "Setup", form, &[]);
        assert!(answer["bStatus"] == false && code(&answer).contains(named), "{form}: {answer}");
    }
    let good = "password=correct+horse+7";
    for headers in [&[("Origin", "http://evil.example")][..], &[("Origin", "null")]] {
        assert_eq!(post(&daemon, "Setup", good, headers)["bStatus"], false, "{headers:?}");
    }
    assert_eq!(daemon.get(&format!("/api/v1/Setup?{good}")).1["bStatus"], false, "a GET may be a picture");
    assert_eq!(state(&daemon)["bSetupRequired"], true, "nothing has changed");

    let ours = format!("http://127.0.0.1:{}", daemon.http);
    let answer = post(&daemon, "Setup", good, &[("Origin", &ours)]);
    assert_eq!(answer["bStatus"], true, "{answer}");
    let told = state(&daemon);
    assert_eq!((&told["bSetupRequired"], &told["nSecondsLeft"]), (&json!(false), &json!(0)));
    assert_eq!(post(&daemon, "Setup", "password=another+horse", &[])["bStatus"], false);
    daemon.login_as("admin", "correct%20horse%207");
    daemon.api_ok("GetSrc", &[]);
    let wrong = daemon.get("/api/v1/Login?user=admin&password=12345").1;
    assert_eq!((&wrong["nFaultTimes"], &wrong["bSetupRequired"]), (&json!(1), &Value::Null), "{wrong}");

    daemon.restart();
    let answer = post(&daemon, "Login", &format!("user=admin&password={}", PASSWORD.replace(' ', "+")), &[]);
    assert_eq!((&answer["bStatus"], &answer["bDefaultPassword"]), (&json!(true), &json!(false)), "{answer}");
    daemon.terminate();
    let log = daemon.process.log();
    assert!(!log.contains("horse"), "{log}");
}

#[test]
fn of_many_at_once_one_sets_it_up() {
    let daemon = fresh("");
    let won: Vec<_> = std::thread::scope(|scope| {
        let daemon = &daemon;
        let asker =
            |n| scope.spawn(move || post(daemon, "Setup", &format!("password=correct+horse+{n}"), &[]));
        let askers: Vec<_> = (0..6).map(asker).collect();
        askers.into_iter().map(|asker| asker.join().expect("an answer")["bStatus"] == true).collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    let winner = won.iter().position(|won| *won).expect("a winner");
    let answer = post(&daemon, "Login", &format!("user=admin&password=correct+horse+{winner}"), &[]);
    assert_eq!(answer["bStatus"], true, "{answer}");
}

#[test]
fn after_its_time_only_a_start_opens_it_again() {
    let mut daemon = fresh("[auth]\nsetup_window_seconds = 1\n");
    wait_for("the end of the time", Duration::from_secs(10), || {
        post(&daemon, "Setup", "password=short", &[]);
        code(&post(&daemon, "Setup", "password=short", &[])).contains("switch it off and on").then_some(())
    });
    let told = state(&daemon);
    assert_eq!((&told["bSetupRequired"], &told["nSecondsLeft"]), (&json!(true), &json!(0)), "{told}");
    assert_eq!(post(&daemon, "Setup", "password=correct+horse+7", &[])["bStatus"], false);
    daemon.restart();
    assert_eq!(post(&daemon, "Setup", "password=correct+horse+7", &[])["bStatus"], true);
}

/// The ONVIF device is on in a box from the beginning, so that it is found; it has users of its own, and
/// none yet.
#[test]
fn the_onvif_device_tells_no_more_than_anybody_may_know() {
    let rtsp = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let daemon = fresh(&format!("[onvif]\ndevice = true\ndiscovery = false\n[rtsp]\nport = {rtsp}\n"));
    let ask = |service: &str, namespace: &str, operation: &str| {
        let body = format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>\
             <{operation} xmlns=\"http://www.onvif.org/{namespace}\"/></s:Body></s:Envelope>"
        );
        let headers = [("Content-Type", "application/soap+xml; charset=utf-8")];
        http::request(daemon.http, "POST", &format!("/onvif/{service}"), &headers, body.as_bytes())
    };
    let open = ask("device_service", "ver10/device/wsdl", "GetSystemDateAndTime");
    assert_eq!(open.status, 200, "{}", open.text());
    for operation in
        ["GetDeviceInformation", "GetUsers", "GetNetworkInterfaces", "GetScopes", "GetDNS", "GetNTP"]
    {
        let answer = ask("device_service", "ver10/device/wsdl", operation);
        assert!(matches!(answer.status, 400 | 401), "{operation}: {} {}", answer.status, answer.text());
        assert!(
            answer.text().contains("NotAuthorized") || answer.status == 401,
            "{operation}: {}",
            answer.text()
        );
    }
    let mut stream =
        wait_for("the RTSP server", Duration::from_secs(15), || TcpStream::connect(("127.0.0.1", rtsp)).ok());
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    write!(stream, "DESCRIBE rtsp://127.0.0.1:{rtsp}/live/a RTSP/1.0\r\nCSeq: 1\r\n\r\n").expect("a request");
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("RTSP/1.0 401"), "{answer}");
}
