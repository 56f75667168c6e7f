//! Edges and centrals that are not what they should be: an edge with another one's name, an edge that asks its central,
//! and a central that asks its edge for more than it was granted.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Trap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use h5edge::api::calls::Run;
use h5edge::api::table::calls;
use h5edge::api::tls::Certificate;
use h5edge::base::pin::{fingerprint, pinned};
use h5edge::cloud::edge::PATH;
use h5edge::cloud::hello::{Challenge, Hello, VERSION, Verdict, hear, say};
use h5edge::cloud::key::DeviceKey;
use h5edge::cloud::tunnel::{Side, Tunnel, socket_config};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async_with_config, client_async_with_config};

use crate::support::daemon::Daemon;
use crate::support::{http, scene, wait_for};
use crate::yard::{self, MAPPED, Yard};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_foreign_box_does_not_get_a_server_token_that_is_taken() {
    let yard = Yard::new("control");
    let key = |central: &Daemon| central.api_ok("GetServerList", &[])["server"][0]["strDeviceKey"].clone();
    let own = yard.edge.api_ok("GetCloudClientInfo", &[])["strDeviceKey"].clone();
    assert_eq!(key(&yard.central), own);
    // It even has an administrator's password.
    let foreign = yard::edge(&yard.central, "site1", "administration");
    let said = wait_for("the refusal", scene::PATIENCE, || {
        let info = foreign.api_ok("GetCloudClientInfo", &[]);
        (info["strState"] == "offline").then(|| info["strStateText"].as_str().unwrap_or_default().to_owned())
    });
    assert!(said.contains("site1 is in use"), "{said}");
    assert_eq!(key(&yard.central), own);
    assert_eq!(yard.central.api_ok("GetServerList", &[])["server"].as_array().map(Vec::len), Some(1));
    yard.central.api_ok("GetRecordStatus", &[("token", MAPPED)]);
}

/// A frame of yamux with data that opens a stream.
fn opening(stream: u32, data: &str) -> Message {
    let mut frame = vec![0, 0, 0, 1];
    frame.extend(stream.to_be_bytes());
    frame.extend((data.len() as u32).to_be_bytes());
    frame.extend(data.as_bytes());
    Message::binary(frame)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_reaches_neither_the_central_nor_another_edge() {
    let yard = Yard::new("administration");
    let since = || yard.central.api_ok("GetServerList", &[])["server"].clone();
    let dir = tempfile::tempdir().unwrap();
    let key = DeviceKey::open(dir.path()).unwrap();
    yard.central.api_ok("AddServer", &[("servertoken", "rogue"), ("key", &key.public())]);
    // What an edge opens has even numbers, and ends its tunnel; a number of the central's own is no stream at all.
    for (stream, target, ends) in [
        (2, "GetUserList", true),
        (2, "GetRecordStatus?token=site1-cam1", true),
        (1, "GetSrc", false),
        (3, "GetSrc", false),
    ] {
        let request = format!(
            "GET /api/v1/{target} HTTP/1.1\r\nHost: central\r\nh5edge-user: admin\r\nh5edge-role: Administrator\r\n\
             h5edge-sight: *\r\nAuthorization: Bearer {}\r\n\r\n",
            yard.central.session
        );
        let tls = Arc::new(pinned(Some(yard.central.pin())).unwrap());
        let stream_of = TcpStream::connect(("127.0.0.1", yard.central.https)).await.unwrap();
        let name = ServerName::try_from("central").unwrap();
        let secured = TlsConnector::from(tls).connect(name, stream_of).await.unwrap();
        let url = format!("wss://central{PATH}");
        let (mut socket, _) = client_async_with_config(url, secured, Some(socket_config())).await.unwrap();
        let Challenge { challenge, .. } = hear(&mut socket, PATIENCE).await.unwrap();
        say(&mut socket, &Hello::new(&key, &challenge, "rogue")).await.unwrap();
        let verdict: Verdict = hear(&mut socket, PATIENCE).await.unwrap();
        assert!(matches!(verdict, Verdict::Welcome { .. }), "{verdict:?}");
        socket.send(opening(stream, &request)).await.unwrap();
        let mut heard = Vec::new();
        let over = async {
            while let Some(Ok(message)) = socket.next().await {
                heard.extend(message.into_data());
            }
        };
        let patience = if ends { PATIENCE } else { Duration::from_secs(2) };
        assert!(timeout(patience, over).await.is_ok() || !ends, "{stream} {target}: it is still on");
        let heard = String::from_utf8_lossy(&heard);
        // The central's own request may be among it, an answer may not.
        assert!(!heard.contains("HTTP/1.1 2") && !heard.contains("strToken"), "{stream} {target}: {heard}");
    }
    let site = since().as_array().unwrap().iter().find(|site| site["strServerToken"] == "site1").cloned();
    assert_eq!(site.expect("the site")["bOnline"], true);
    yard.central.api_ok("GetRecordStatus", &[("token", MAPPED)]);
}

/// A central that says what it likes to a real edge.
struct Rogue {
    edge: Daemon,
    tunnel: Tunnel,
}

impl Rogue {
    async fn of(grant: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let certificate = Certificate::open(dir.path()).unwrap();
        let pin = fingerprint(&certificate.shown().chain[0]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let edge = yard::edge_of(listener.local_addr().unwrap().port(), &pin, "site1", grant);
        scene::add(&edge, "cam1", "rtsp://127.0.0.1:9/x", &[]);
        let accepted = async {
            loop {
                // An attempt that the edge has given up meanwhile is none.
                let stream = listener.accept().await.unwrap().0;
                let Ok(stream) = certificate.acceptor().accept(stream).await else { continue };
                let Ok(mut socket) = accept_async_with_config(stream, Some(socket_config())).await else {
                    continue;
                };
                let challenge = Challenge { version: VERSION, challenge: "0".repeat(64) };
                if say(&mut socket, &challenge).await.is_err()
                    || hear::<_, Hello>(&mut socket, PATIENCE).await.is_err()
                {
                    continue;
                }
                let welcome = Verdict::Welcome { token: "site1".to_owned(), name: "Site".to_owned() };
                if say(&mut socket, &welcome).await.is_ok() {
                    break Tunnel::start(socket, Side::Central).0;
                }
            }
        };
        let tunnel = timeout(PATIENCE, accepted).await.expect("an edge that dials");
        Self { edge, tunnel }
    }

    /// What the edge answers to these lines, to which the body is added.
    async fn ask(&self, lines: &[&str], body: &str) -> String {
        let mut stream = self.tunnel.open().await.unwrap();
        let head = format!(
            "{}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            lines.join("\r\n"),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.unwrap_or_else(|_| panic!("no answer to {lines:?}")).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The same as somebody of this role who sees all sources.
    async fn ask_as(&self, role: &str, line: &str, more: &[&str], body: &str) -> String {
        let role = format!("h5edge-role: {role}");
        let name = ["h5edge-user: admin", "h5edge-sight: *", role.as_str()];
        let host: &[&str] =
            if more.iter().any(|line| line.starts_with("Host:")) { &[] } else { &["Host: edge"] };
        self.ask(&[&[line], host, &name[..], more].concat(), body).await
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
}

/// Pages get a status, calls a text.
fn is_refused(answer: &str) -> bool {
    (400..=405).contains(&status(answer)) || answer.contains("\"bStatus\":false")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_the_tunnel_reaches_the_boxs_own_routes_only() {
    let rogue = Rogue::of("administration").await;
    let trap = Trap::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    trap.set_nonblocking(true).unwrap();
    let elsewhere = trap.local_addr().unwrap();
    // Its configuration, with the password of delivery, lies beside the recordings.
    for target in [
        "/mediastore/../test.toml",
        "/mediastore/%2e%2e/test.toml",
        "/mediastore/..%2ftest.toml",
        "/mediastore/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/mediastore//etc/passwd",
        "/mediastore/record/cam1/../../../test.toml",
        "/cloud/live/../../test.toml",
        "/cloud/live/cam1/../../api/v1/GetUserList",
        "/cloud/sources/../../etc/passwd",
        "/hls/vod/../../test.toml",
        "/../test.toml",
        "/..\\test.toml",
        "/test.toml",
        "/",
        "/index.html",
        "/onvif/device_service",
        "/hls/v1/cam1/hls.m3u8",
        "/api/v1/NoSuchCall",
        "/x/../api/v1/GetSrc",
    ] {
        let answer = rogue.ask_as("Administrator", &format!("GET {target} HTTP/1.1"), &[], "").await;
        assert!(is_refused(&answer), "{target}: {answer}");
        assert!(!answer.contains("initial_password") && !answer.contains("root:"), "{target}: {answer}");
    }
    let proxied = format!("GET http://{elsewhere}/api/v1/GetSrc HTTP/1.1");
    let own = ["GET //api/v1//GetSrc HTTP/1.1", "GET /x/api/v1/GetSrc HTTP/1.1", &proxied];
    for line in own {
        let foreign_host = format!("Host: {elsewhere}");
        for more in
            [&[][..], &[foreign_host.as_str()], &["X-Forwarded-Host: elsewhere", "Forwarded: host=elsewhere"]]
        {
            let answer = rogue.ask_as("Viewer", line, more, "").await;
            assert!(status(&answer) == 200 && answer.contains("cam1"), "{line} {more:?}: {answer}");
        }
    }
    for line in [
        format!("CONNECT {elsewhere} HTTP/1.1"),
        format!("GET http://{elsewhere}/ HTTP/1.1"),
        "OPTIONS * HTTP/1.1".to_owned(),
    ] {
        let answer = rogue.ask_as("Administrator", &line, &[], "").await;
        assert!(is_refused(&answer), "{line}: {answer}");
    }
    assert!(trap.accept().is_err(), "the box went elsewhere");
    assert_eq!(http::get(rogue.edge.http, "/").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_central_gets_no_more_than_it_was_granted() {
    let rogue = Rogue::of("administration").await;
    let session = rogue.edge.session.as_str();
    // Somebody's session of the box gives a guest nothing.
    let query = format!("GET /api/v1/GetUserList?session={session} HTTP/1.1");
    let (bearer, token) =
        (format!("Authorization: Bearer {session}"), format!("Authorization: token {session}"));
    let plain = "GET /api/v1/GetUserList HTTP/1.1";
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let body = format!("session={session}");
    for (line, more, body) in [
        (plain, vec![], ""),
        (query.as_str(), vec![], ""),
        (plain, vec![bearer.as_str()], ""),
        (plain, vec![token.as_str()], ""),
        ("POST /api/v1/GetUserList HTTP/1.1", form.to_vec(), body.as_str()),
    ] {
        let answer = rogue.ask_as("Viewer", line, &more, body).await;
        let refused = ["needs the role", "session is given twice"];
        assert!(refused.iter().any(|text| answer.contains(text)), "{line} {more:?}: {answer}");
        assert!(!answer.contains("strUser"), "{line} {more:?}: {answer}");
    }
    // A request in nobody's name is not answered.
    for lines in [
        &[plain, "Host: edge"][..],
        &[plain, "Host: edge", "h5edge-user: a", "h5edge-role: God", "h5edge-sight: *"],
    ] {
        let answer = rogue.ask(lines, "").await;
        assert!(answer.contains("the central "), "{answer}");
    }
    // What protects the box is out of reach for everybody, however it is spelt.
    let people = || {
        let changes = calls().filter(|call| matches!(call.run, Run::Change(_) | Run::Post(_)));
        changes.filter(|call| call.name.contains("User") || call.name.contains("Role"))
    };
    assert!(people().count() >= 9);
    let spelt =
        ["Login", "createuser", "SetCloudInfo", "FactoryReset", "SetCertificate", "//SetSsh", "AddCamToRole"];
    for call in spelt.into_iter().chain(people().map(|call| call.name)) {
        for method in ["GET", "POST"] {
            let line = format!("{method} /api/v1/{call}?user=eve HTTP/1.1");
            let answer = rogue.ask_as("Administrator", &line, &[], "").await;
            assert!(answer.contains("nothing at this address"), "{line}: {answer}");
        }
    }
    drop(rogue);
    let rogue = Rogue::of("view").await;
    let answer = rogue.ask_as("Administrator", "GET /api/v1/DelSrc?token=cam1 HTTP/1.1", &[], "").await;
    assert!(answer.contains("the box grants its central view only"), "{answer}");
    assert!(rogue.edge.source("cam1").is_some());
}
