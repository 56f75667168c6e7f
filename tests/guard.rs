//! What keeps other sites' pages off the box, and what browsers are told: no session without its being
//! named, no foreign frames, and a certificate that is replaced while the daemon runs.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;

use h5edge::base::pin::pinned;
use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use support::daemon::{Daemon, DaemonOptions};
use support::{http, scene};

/// What a browser sends with a form that a page of `origin` has posted, cookies and all.
fn cross_site(daemon: &Daemon, origin: &str, call: &str, form: &str) -> http::Response {
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", origin),
        ("Sec-Fetch-Site", "cross-site"),
        ("Cookie", &*format!("session={}; token={0}; strSession={0}", daemon.session)),
        ("Authorization", "Basic YWRtaW46MTIzNDU="),
        ("Referer", &*format!("http://127.0.0.1:{}/?session={}", daemon.http, daemon.session)),
    ];
    http::request(daemon.http, "POST", &format!("/api/v1/{call}"), &headers, form.as_bytes())
}

#[test]
fn a_form_of_another_site_changes_nothing() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", "rtsp://127.0.0.1:9/x", &[]);
    let form =
        "token=a&name=b&url=rtsp%3A%2F%2F127.0.0.1%3A9%2Fx&user=eve&password=looking+around&roletoken=viewer";
    for call in ["DelSrc", "AddSrcRTSP", "CreateUser", "SetFrames", "RenewCertificate", "Logout"] {
        let answer = cross_site(&daemon, "https://evil.example", call, form);
        assert_eq!((answer.status, &answer.json()["bStatus"]), (401, &json!(false)), "{call}");
        assert!(
            answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")),
            "{call}: {:?}",
            answer.headers
        );
    }
    assert!(daemon.source("a").is_some(), "and the session is alive");
    assert_eq!(daemon.api_ok("GetUserList", &[])["user"].as_array().map(Vec::len), Some(1));
}

#[test]
fn no_answer_sets_a_cookie_or_lets_credentials_cross() {
    let listed = "https://wall.example";
    let mut daemon = scene::daemon(&format!("[http]\ncors_origins = ['{listed}']\n"));
    daemon.login();
    let login = "/api/v1/Login?user=admin&password=12345".to_owned();
    let list = format!("/api/v1/GetSrc?session={}", daemon.session);
    for target in [login, list, "/".into(), "/api/v1/GetSrc".into()] {
        for (origin, may) in [(listed, true), ("https://evil.example", false), ("null", false)] {
            let answer = http::request(daemon.http, "GET", &target, &[("Origin", origin)], b"");
            assert_eq!(answer.header("set-cookie"), None, "{target}");
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{target}");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, may.then_some(origin), "{target} from {origin}");
        }
    }
}

/// An answer by way of a balancer that begins with `header`, over TLS if `tls`; nothing where it was hung up on.
fn balanced(daemon: &Daemon, header: &[u8], tls: bool, target: &str) -> Option<http::Response> {
    let port = if tls { daemon.https } else { daemon.http };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.write_all(header).expect("a header sent");
    let exchange = std::panic::AssertUnwindSafe(|| match tls {
        false => http::exchange(stream, "box", "GET", target, &[], b""),
        true => {
            let client = pinned(Some(daemon.pin())).expect("TLS");
            let name = ServerName::try_from("localhost").expect("a name");
            let secured = ClientConnection::new(Arc::new(client), name).expect("TLS");
            http::exchange(StreamOwned::new(secured, stream), "box", "GET", target, &[], b"")
        }
    });
    std::panic::catch_unwind(exchange).ok()
}

#[test]
fn behind_a_balancer_everybody_is_who_they_are() {
    let config = "[http]\nproxies = ['127.0.0.1']\n".to_owned();
    let daemon = Daemon::start(DaemonOptions { config, ..DaemonOptions::default() });
    let login = |header: &[u8], tls, password: &str| {
        let target = format!("/api/v1/Login?user=admin&password={password}");
        balanced(&daemon, header, tls, &target).map(|answer| answer.json())
    };
    let guesser = b"PROXY TCP4 203.0.113.9 10.0.0.1 40000 8443\r\n";
    let mut locked = Value::Null;
    for turn in 0..6 {
        locked = login(guesser, turn % 2 == 0, "wrong").expect("an answer");
    }
    assert_ne!(locked["tLockTimeResidue"], 0, "{locked}");
    assert_eq!(login(guesser, false, "12345").expect("an answer")["bStatus"], false);
    // Version 2, of 203.0.113.10.
    let other = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x0a\x0a\0\0\x01\x9c\x40\x20\xfb";
    for tls in [false, true] {
        let answer = login(other, tls, "12345").expect("an answer");
        assert_eq!(answer["bStatus"], true, "{answer}");
        let session = answer["strSession"].as_str().expect("a session");
        let target = format!("/api/v1/GetAuditList?session={session}");
        let audit = balanced(&daemon, other, tls, &target).expect("an answer").text();
        assert!(audit.contains("203.0.113.9") && !audit.contains("127.0.0.1"), "{audit}");
    }
    for wrong in [&b""[..], b"PROXY TCP4 a b c d\r\n", b"PROXY TCP6 203.0.113.9 10.0.0.1 1 1\r\n"] {
        assert!(login(wrong, false, "12345").is_none(), "{}", String::from_utf8_lossy(wrong));
    }
}

fn policy(daemon: &Daemon) -> (String, Option<String>) {
    let page = http::get(daemon.http, "/");
    assert_eq!(page.status, 200);
    let header = |name| page.header(name).map(str::to_owned);
    (header("content-security-policy").expect("a policy"), header("x-frame-options"))
}

#[test]
fn only_named_sites_show_the_pages_in_a_frame() {
    let mut daemon = scene::daemon("");
    let (before, same) = policy(&daemon);
    assert!(before.ends_with("; frame-ancestors 'self'"), "{before}");
    assert_eq!(same.as_deref(), Some("SAMEORIGIN"));
    for loose in ["unsafe", "ws:", "http:", "*"] {
        assert!(!before.contains(loose), "{loose} in {before}");
    }
    assert_eq!(daemon.api_ok("GetFrames", &[])["origins"], json!([]));

    let origins = "https://Wall.Example:8443, http://192.168.1.9";
    daemon.api_ok("SetFrames", &[("origins", origins)]);
    for _ in 0..2 {
        let allowed = json!(["https://wall.example:8443", "http://192.168.1.9"]);
        assert_eq!(daemon.api_ok("GetFrames", &[])["origins"], allowed);
        let (policy, same) = policy(&daemon);
        let expected = "; frame-ancestors 'self' https://wall.example:8443 http://192.168.1.9";
        assert!(policy.ends_with(expected), "{policy}");
        assert_eq!(same, None, "it has no word for other sites");
        daemon.terminate();
        daemon.restart();
        daemon.login();
    }
    for bad in ["*", "https://a/b", "https://a;script-src", "https://*.a", "a", "https://a, ftp://b"] {
        let (_, answer) = daemon.api("SetFrames", &[("origins", bad)]);
        let text = answer["strCode"].as_str().expect("text");
        assert!(answer["bStatus"] == false && text.starts_with("parameter origins: "), "{bad}: {answer}");
    }
    assert_eq!(daemon.api_ok("GetFrames", &[])["origins"].as_array().map(Vec::len), Some(2));
    daemon.api_ok("SetFrames", &[("origins", "")]);
    assert_eq!(policy(&daemon), (before, Some("SAMEORIGIN".into())));
}

/// A certificate for localhost by an authority of its own: the authority's PEM, the chain, the key.
fn issued(years: [i32; 2]) -> (String, String, String) {
    let mut root = CertificateParams::new(vec![]).expect("parameters");
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let root_pem = root.self_signed(&root_key).expect("a certificate").pem();
    let mut own = CertificateParams::new(vec!["localhost".into()]).expect("parameters");
    own.not_before = date_time_ymd(years[0], 1, 1);
    own.not_after = date_time_ymd(years[1], 1, 1);
    own.distinguished_name.push(rcgen::DnType::CommonName, "issued for the test");
    let cert = own.signed_by(&key, &Issuer::new(root, root_key)).expect("a certificate").pem();
    (root_pem, cert, key.serialize_pem())
}

fn set(daemon: &Daemon, cert: &str, key: &str) -> Value {
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("cert", cert), ("key", key), ("session", &daemon.session)])
        .finish();
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    http::request(daemon.http, "POST", "/api/v1/SetCertificate", &headers, form.as_bytes()).json()
}

/// Whether a client that trusts `root` alone is content with the box.
async fn trusts(daemon: &Daemon, root: &str) -> bool {
    let root = reqwest::Certificate::from_pem(root.as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_only([root]).build().expect("a client");
    client.get(format!("https://localhost:{}/api/v1/GetSetup", daemon.https)).send().await.is_ok()
}

fn file(daemon: &Daemon) -> String {
    let answer = http::get(daemon.http, &format!("/api/v1/GetCertificateFile?session={}", daemon.session));
    assert!(answer.header("content-disposition").is_some_and(|value| value.contains(".pem")));
    answer.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_while_it_runs_and_stays() {
    let mut daemon = scene::daemon("");
    let made = file(&daemon);
    assert!(trusts(&daemon, &made).await);
    let facts = daemon.api_ok("GetCertificate", &[]);
    assert_eq!((&facts["bSelfSigned"], &facts["strTrouble"]), (&json!(true), &json!("")));
    assert!(facts["names"].as_array().expect("names").contains(&json!("localhost")), "{facts}");

    let (root, cert, key) = issued([2020, 2095]);
    assert_eq!(set(&daemon, &cert, &key)["bStatus"], true);
    for _ in 0..2 {
        assert!(trusts(&daemon, &root).await && !trusts(&daemon, &made).await);
        let facts = daemon.api_ok("GetCertificate", &[]);
        assert!(facts["strSubject"].as_str().expect("text").contains("issued for the test"), "{facts}");
        assert_eq!((&facts["bSelfSigned"], &facts["names"]), (&json!(false), &json!(["localhost"])));
        assert_eq!(facts["strNotBefore"], "2020-01-01T00:00:00+00:00");
        assert_eq!(facts["strFingerprint"].as_str().map(str::len), Some(95));
        daemon.terminate();
        daemon.restart();
        daemon.login();
    }
    let secret = key.lines().nth(1).expect("a line");
    let audit = daemon.api_ok("GetAuditList", &[]).to_string();
    assert!(audit.contains("SetCertificate") && !audit.contains(secret), "{audit}");
    assert!(!daemon.process.log().contains(secret) && !file(&daemon).contains("PRIVATE"));

    daemon.api_ok("RenewCertificate", &[]);
    let renewed = file(&daemon);
    assert!(renewed != made && trusts(&daemon, &renewed).await && !trusts(&daemon, &root).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_certificate_is_named_and_nothing_changes() {
    let daemon = scene::daemon("");
    let made = file(&daemon);
    let (root, cert, key) = issued([2020, 2095]);
    let [(_, old, old_key), (_, new, new_key)] = [issued([2001, 2002]), issued([2090, 2095])];
    for (cert, key, complaint) in [
        ("", &*key, "parameter cert is missing"),
        (&*cert, "", "parameter key is missing"),
        ("hello", &key, "parameter cert: holds no certificate"),
        (&cert, &cert, "parameter key: holds no private key"),
        (&cert, &old_key, "parameter cert and parameter key: do not belong together"),
        (&format!("{old}{root}"), &old_key, "expired at 2002-01-01"),
        (&new, &new_key, "is not valid before 2090-01-01"),
        (&format!("{cert}{old}"), &key, "expired at 2002-01-01"),
        (&format!("{cert}{cert}"), &key, "behind "),
    ] {
        let answer = set(&daemon, cert, key);
        let text = answer["strCode"].as_str().expect("text");
        assert!(answer["bStatus"] == false && text.contains(complaint), "{complaint}: {answer}");
        assert!(!text.contains(key.lines().nth(1).unwrap_or("nothing")), "{answer}");
    }
    let (_, by_address) = daemon.api("SetCertificate", &[("cert", "c"), ("key", "k")]);
    assert_eq!(by_address["strCode"], "SetCertificate is called with POST");
    assert_eq!(file(&daemon), made);
    assert!(trusts(&daemon, &made).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_pair_keeps_nobody_out() {
    let mut daemon = scene::daemon("");
    daemon.terminate();
    let key = daemon.data_dir().join("tls/key.pem");
    std::fs::write(&key, "half").expect("a file");
    daemon.restart();
    daemon.login();
    let facts = daemon.api_ok("GetCertificate", &[]);
    assert!(facts["strTrouble"].as_str().expect("text").contains("key.pem: "), "{facts}");
    assert!(trusts(&daemon, &file(&daemon)).await);
    assert_eq!(std::fs::read(&key).expect("a file"), b"half", "it is its owner's to mend");
    daemon.api_ok("RenewCertificate", &[]);
    assert_eq!(daemon.api_ok("GetCertificate", &[])["strTrouble"], "");
    let renewed = file(&daemon);
    daemon.terminate();
    daemon.restart();
    assert!(trusts(&daemon, &renewed).await);
}
