//! The HTTP API on the wire: the manual's own sample requests, system calls, HTTPS, and what a rude
//! client can't do to others.

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use support::{daemon::Daemon, http, scene, wait_for, ws::Viewer};

/// The samples of both editions of the manual (1.00 and 1.0.3) where they differ from each other or
/// from plain `/api/v1/NAME?a=b`, byte for byte but for the line breaks of the print.
/// Calls that this version lacks answer so; the others must get as far as their own checks.
const SAMPLES: [(&str, &str); 26] = [
    ("/api/v1/GetSystemInfo?session=SESSION", ""),
    ("/api/v1/GetRunInfo?session=SESSION", ""),
    (
        "/api/v1/ UpdateUser?user=admin&oldpassword=xx&newpassword=xxxxxxx&session=SESSION",
        "wrong user or password",
    ),
    ("/api/v1/GetSrc?token=xxx&session=SESSION", "parameter token: there is no source xxx"),
    (
        "/api/v1/AddSrcFile?name=xxx&token=xxx&url=xxx&session=SESSION",
        "parameter url: is not an absolute path",
    ),
    (
        "/api/v1/ AddSrcFile?name=xxx&token=xxx&url=xxx&session=SESSION",
        "parameter url: is not an absolute path",
    ),
    (
        "/api/v1/AddSrcRTSP?name=xxx&token=xxx        &user=admin&password=12345&url=rtsp://192.168.0.1/stream&session=SESSION",
        "",
    ),
    (
        "/api/v1/AddSrcONVIF?name=name1&token=token1&user=admin&password=12345&ip=192.168.0.1&port=80&onvifaddr=/onvif/device_service&main=Profile_1&sub=Profile_2&session=SESSION",
        "parameter token: token1 is used already",
    ),
    (
        "/api/v1/AddSrcONVIF?name=name1&token=token4&user=admin&password=12345&ip=192.168.0.234&port=80&onvifaddr=/onvif/device_service&session=SESSION",
        "",
    ),
    ("/api/v1/DelSrc?token=xxx&session=SESSION", ""),
    (
        "/api/v1/ Ptz?token=token1&action=left&speed=0.5&session=SESSION",
        "parameter token: token1 is no ONVIF source, it cannot be steered",
    ),
    (
        "/api/v1/ SetPreset?token=token1& &presetname=2&presettoken=2&session=SESSION",
        "parameter token: token1 is no ONVIF source",
    ),
    (
        "/api/v1/DelPreset?token=token1&&presettoken=2&session=SESSION",
        "parameter token: token1 is no ONVIF source",
    ),
    (
        "/api/v1/ DelPreset?token=token1& & presettoken=2&session=SESSION",
        "parameter token: token1 is no ONVIF source",
    ),
    (
        "/api/v1/ OnvifProbe?ip=192.168.0.1&port=80&user=admin&password=12345&onvifaddr=/onvif/device_service&session=SESSION",
        "can't connect device",
    ),
    ("/api/v1/Record?token=token1&duration=100&filename=xxxxx&&session=SESSION", ""),
    ("/api/v1/ ManualRecordStart?token=token1& session=SESSION", ""),
    ("/api/v1/ ManualRecordStop?token=token1& session=SESSION", ""),
    (
        "/api/v1/PathRecord?token=token1&start1=2018-3-29&start2=3-3-5&duration=100&tz=8&filename=xxxxx& alwayscreate=true&session=SESSION",
        "",
    ),
    ("/api/v1/ Snapshot?token=token1&filename=xxxxx&&session=SESSION", ""),
    (
        "/api/v1/ PathSnapshot?token=token1&start1=2018-3-29&start2=3-3-5&tz=8&filename=xxxxx&&session=SESSION",
        "",
    ),
    (
        "/api/v1/ Search?type=xxx&start=2018-03-07T120101%2b08&end=2018-04-26T130101%2b08&token=xxx&session=SESSION",
        "parameter type is none of record, snapshot",
    ),
    ("/api/v1/ GetCloudClientInfo&session=SESSION", ""),
    ("/api/v1/GetServerList&session=SESSION", ""),
    ("/api/v1/h5swsapi/Status&session=SESSION", ""),
    ("/api/v1/h5srtcapi/Status&session=SESSION", ""),
];

#[test]
fn the_manuals_samples_work_character_for_character() {
    let mut daemon = scene::daemon("");
    let cameras = scene::cameras(25, &[]);
    scene::add(&daemon, "token1", &cameras.rtsp_url(0), &[]);
    for (sample, complaint) in SAMPLES {
        let (status, answer) = daemon.get(&sample.replace("SESSION", &daemon.session));
        assert_eq!(status, 200, "{sample}: {answer}");
        let failed = answer["bStatus"] == false;
        assert_eq!(failed, !complaint.is_empty(), "{sample}: {answer}");
        let text = answer["strCode"].as_str().unwrap_or_default();
        assert!(text.contains(complaint), "{sample}: {text}");
    }
    // Last, since it ends the session that the others need.
    for sample in ["/api/v1/Keepalive?session=SESSION", "/api/v1/Logout?session=SESSION"] {
        let (status, answer) = daemon.get(&sample.replace("SESSION", &daemon.session));
        assert_eq!((status, &answer["bStatus"]), (200, &json!(true)), "{sample}: {answer}");
    }
    daemon.login();
    for token in ["token1", "token4"] {
        daemon.api_ok("DelSrc", &[("token", token)]);
    }
    // Several crooked requests on one connection.
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");
    for _ in 0..3 {
        write!(stream, "GET //api/v1/ GetSrc&&session={} HTTP/1.1\r\nHost: x\r\n\r\n", daemon.session)
            .expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"src\":[]}\r\n") {
            let mut some = [0; 512];
            let read = stream.read(&mut some).expect("an answer");
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&some[..read]);
        }
    }
}

#[test]
fn the_box_tells_what_it_is_and_how_it_fares() {
    let daemon = scene::daemon("");
    let system = daemon.api_ok("GetSystemInfo", &[]);
    let names: Vec<_> = system.as_object().expect("an object").keys().collect();
    let expected = [
        "strVersion",
        "strHostId",
        "strLicenseType",
        "strLicenseFull",
        "strChannelLimit",
        "strEndtime",
        "strBuild",
        "bCentral",
    ];
    assert_eq!(names, expected);
    assert_eq!(daemon.api_ok("GetVersion", &[])["strBuild"], system["strBuild"]);
    assert!(system["strVersion"].as_str().expect("text").contains(env!("CARGO_PKG_VERSION")), "{system}");
    assert_eq!(system["strChannelLimit"], "unlimited");

    let run = daemon.api_ok("GetRunInfo", &[]);
    let names: Vec<_> = run.as_object().expect("an object").keys().take(5).collect();
    assert_eq!(names, ["strRunTime", "strCPU", "strMemory", "strNetworkIn", "strNetworkOut"]);
    assert_eq!(run["strRunTime"], "0H 0MIN");
    for (text, number, unit) in [
        ("strCPU", "nCPUUsage", "%"),
        ("strMemory", "nMemoryUsage", "%"),
        ("strNetworkIn", "nNetworkInK", "kpbs"),
    ] {
        let value = run[number].as_u64().expect("a number");
        assert_eq!(run[text], format!("{value}{unit}"));
    }
    let memory = std::fs::read_to_string("/proc/meminfo").expect("meminfo");
    let total = memory.split_whitespace().nth(1).expect("MemTotal").parse::<u64>().expect("a number");
    assert_eq!(run["nTotalMemoryByte"], total * 1024);
    assert!((1..=100).contains(&run["nMemoryUsage"].as_u64().expect("a number")), "{run}");
    let [free, all] = ["nFreeSpaceByte", "nTotalSpaceByte"].map(|name| run[name].as_u64().expect("a number"));
    assert!(0 < free && free <= all, "{run}");

    assert_eq!(daemon.get("/api/v1/cluster/GetClusterStatus").1, json!({"bEnable": false}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_viewers_is_true() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", "rtsp://127.0.0.1:9/x", &[]);
    let count = || daemon.api_ok("h5swsapi/Status", &[])["nConnectCount"].as_u64().expect("a number");
    assert_eq!(daemon.api_ok("h5srtcapi/Status", &[]), json!({"nConnectCount": 0}));
    assert_eq!(count(), 0);
    let mut viewers = Vec::new();
    for number in 1..=3 {
        viewers.push(Viewer::watch(daemon.http, "a", &daemon.session).await.expect("a socket"));
        wait_for("the new viewer", scene::PATIENCE, || (count() == number).then_some(()));
    }
    assert_eq!(daemon.source("a").expect("the source")["nViewers"], 3);
    drop(viewers);
    wait_for("the end of the viewers", scene::PATIENCE, || (count() == 0).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn https_answers_with_the_boxs_own_certificate() {
    let mut daemon = scene::daemon("");
    let mut certificates = Vec::new();
    for _ in 0..2 {
        let pem = std::fs::read(daemon.data_dir().join("tls/cert.pem")).expect("a certificate");
        let own = reqwest::Certificate::from_pem(&pem).expect("a certificate");
        certificates.push(pem);
        // Its own certificate and no other is trusted here.
        let client = reqwest::Client::builder().tls_certs_only([own]).build().expect("a client");
        let url = format!("https://localhost:{}/api/v1/Login?user=admin&password=12345", daemon.https);
        let answer = client.get(url).send().await.expect("an answer").text().await.expect("text");
        assert!(answer.starts_with("{\"bStatus\":true") && answer.ends_with("\r\n"), "{answer}");
        let url = format!("https://localhost:{}/api/v1/GetSrc", daemon.https);
        assert_eq!(client.get(url).send().await.expect("an answer").status(), 401);
        daemon.terminate();
        daemon.restart();
    }
    assert_eq!(certificates[0], certificates[1], "made once");
}

/// What comes back until the server closes, and when that was.
fn until_closed(mut stream: TcpStream) -> (Vec<u8>, Instant) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("still open: {error}"),
    }
    (answer, Instant::now())
}

#[test]
fn a_request_that_never_ends_is_given_up() {
    let daemon = scene::daemon("");
    let opened = Instant::now();
    let beginnings: [&[u8]; 4] =
        [b"", b"GET /api/v1/Get", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"\x16\x03\x01"];
    let ports = [daemon.http, daemon.http, daemon.http, daemon.https];
    let waiting: Vec<_> = beginnings
        .into_iter()
        .zip(ports)
        .map(|(beginning, port)| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            stream.write_all(beginning).expect("sent");
            std::thread::spawn(move || until_closed(stream))
        })
        .collect();
    let slow = TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");
    let dripping = std::thread::spawn(move || {
        let mut drip = slow.try_clone().expect("a clone");
        let dropping = std::thread::spawn(move || {
            let _ = drip.write_all(b"GET / HTTP/1.1\r\n");
            while drip.write_all(b"X-A: b\r\n").is_ok() && opened.elapsed() < Duration::from_secs(25) {
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        let closed = until_closed(slow);
        dropping.join().expect("the drip");
        closed
    });
    for waiter in waiting.into_iter().chain([dripping]) {
        let (answer, closed) = waiter.join().expect("a waiter");
        let took = closed - opened;
        assert!(took < Duration::from_secs(15), "{took:?}: {}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn connections_are_limited_and_freed() {
    let daemon: Arc<Daemon> = scene::daemon("[http]\nmax_connections = 16\n").into();
    let idle: Vec<_> =
        (0..16).map(|_| TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection")).collect();
    wait_for("a full house", scene::PATIENCE, || {
        let one_more = TcpStream::connect(("127.0.0.1", daemon.http)).expect("the backlog");
        one_more.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        // Closed at once, without an answer.
        matches!((&one_more).read(&mut [0]), Ok(0)).then_some(())
    });
    drop(idle);
    let target = format!("/api/v1/GetSrc?session={}", daemon.session);
    wait_for("room again", scene::PATIENCE, || {
        let mut stream = TcpStream::connect(("127.0.0.1", daemon.http)).expect("the backlog");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    });
}

#[test]
fn what_is_no_call_is_not_found() {
    let daemon = scene::daemon("");
    for target in ["/no/such/page", "/api/v2/GetSrc", "/%2e%2e/etc/passwd", "/../etc/passwd", "/h5edge.db"] {
        let response = http::get(daemon.http, target);
        assert!(matches!(response.status, 400 | 404), "{target}: {}", response.status);
    }
    let long = http::get(daemon.http, &format!("/api/v1/GetSrc?session={}", "x".repeat(20_000)));
    assert!(matches!(long.status, 200 | 414 | 431), "{}", long.status);
    assert!(daemon.api_ok("GetSrc", &[])["src"].is_array());
}
