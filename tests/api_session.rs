//! Log-in, sessions, roles and passwords of the HTTP API (manual 5.2.1 to 5.2.3 and 5.2.6), and who
//! may call without a session. That sessions end by themselves is tested with a simulated clock
//! (`src/auth/tests.rs`): the shortest life that can be configured is 30 s.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    daemon::{Daemon, DaemonOptions},
    http, scene, wait_for,
    ws::Viewer,
};

/// MD5 of `12345`.
const DEFAULT_MD5: &str = "827ccb0eea8a706c4c34a16891f84e7b";

fn fresh(config: &str) -> Daemon {
    Daemon::start(DaemonOptions { config: config.to_owned(), ..DaemonOptions::default() })
}

fn login(daemon: &Daemon, user: &str, password: &str) -> Value {
    let (status, answer) = daemon.get(&format!("/api/v1/Login?user={user}&password={password}"));
    assert_eq!(status, 200, "a failed log-in is no HTTP error: {answer}");
    answer
}

/// The call's status with that session.
fn status(daemon: &Daemon, call: &str, session: &str) -> u16 {
    daemon.get(&format!("/api/v1/{call}?session={session}")).0
}

#[test]
fn login_takes_plain_text_and_md5_and_warns_of_the_default() {
    let daemon = fresh("");
    let mut sessions = Vec::new();
    for password in ["12345", DEFAULT_MD5, &DEFAULT_MD5.to_uppercase()] {
        let answer = login(&daemon, "admin", password);
        let names: Vec<_> = answer.as_object().expect("an object").keys().take(3).collect();
        assert_eq!(names, ["bStatus", "strSession", "nTimeout"], "{answer}");
        assert_eq!((&answer["bStatus"], &answer["nTimeout"]), (&json!(true), &json!(600)));
        assert_eq!(
            (&answer["bDefaultPassword"], &answer["bMustChangePassword"]),
            (&json!(true), &json!(false))
        );
        assert!(answer["strCode"].as_str().expect("text").contains("default password"), "{answer}");
        let session = answer["strSession"].as_str().expect("text").to_owned();
        // 8-4-4-4-12 hex digits, version 4.
        let groups: Vec<_> = session.split('-').map(str::len).collect();
        assert_eq!((&groups[..], session.as_bytes()[14]), (&[8, 4, 4, 4, 12][..], b'4'), "{session}");
        sessions.push(session);
    }
    assert!(sessions.iter().all(|session| status(&daemon, "Keepalive", session) == 200));
    sessions.dedup();
    assert_eq!(sessions.len(), 3, "each log-in has its own session");
    assert!(daemon.process.log().contains("DEFAULT PASSWORD IN USE"), "{}", daemon.process.log());
}

#[test]
fn login_refuses_without_telling_why_and_names_what_is_missing() {
    let daemon = fresh("");
    let wrong = login(&daemon, "admin", "wrong");
    let nobody = login(&daemon, "nobody", "12345");
    assert_eq!(wrong, nobody, "no telling whether there is such a user");
    assert_eq!(wrong["bStatus"], false);
    assert_eq!(wrong.get("strSession"), None);
    for (query, parameter) in [
        ("", "user"),
        ("user=admin", "password"),
        ("password=12345", "user"),
        ("user=&password=12345", "user"),
        ("user=admin&password=", "password"),
        ("user=admin&password=%00", "password"),
        (&format!("user={}&password=x", "u".repeat(300)), "user"),
    ] {
        let (code, answer) = daemon.get(&format!("/api/v1/Login?{query}"));
        assert_eq!((code, &answer["bStatus"]), (200, &json!(false)), "{query}");
        let text = answer["strCode"].as_str().expect("text");
        assert!(text.contains(parameter), "{query}: {text}");
    }
}

#[test]
fn five_wrong_passwords_lock_and_the_lock_ends() {
    let daemon = fresh("[auth]\nlock_seconds = 3\n");
    for faults in 1..=5 {
        let answer = login(&daemon, "admin", "wrong");
        assert_eq!((&answer["bStatus"], &answer["nFaultTimes"]), (&json!(false), &json!(faults)), "{answer}");
    }
    let locked = login(&daemon, "admin", "12345");
    assert_eq!((&locked["bStatus"], &locked["nFaultTimes"]), (&json!(false), &json!(5)), "{locked}");
    assert!((1..=3).contains(&locked["tLockTimeResidue"].as_u64().expect("a number")), "{locked}");
    assert!(locked["strCode"].as_str().expect("text").contains("try again in"), "{locked}");
    wait_for("the end of the lock", Duration::from_secs(10), || {
        (login(&daemon, "admin", "12345")["bStatus"] == true).then_some(())
    });
}

#[test]
fn sessions_live_until_they_are_ended() {
    let mut daemon = fresh("");
    let [first, second] = [daemon.login(), daemon.login()];
    assert_eq!(status(&daemon, "Keepalive", &first), 200);
    let (code, answer) = daemon.get(&format!("/api/v1/Logout?session={first}"));
    assert_eq!((code, &answer["bStatus"]), (200, &json!(true)));
    assert!(answer["strCode"].is_string());
    assert_eq!(status(&daemon, "Keepalive", &second), 200, "others are not touched");

    let dead = "c1782caf-b670-42d8-ba90-2244d0b0ee83";
    for session in [first.as_str(), dead, "", "undefined", "null", "x"] {
        for call in ["Keepalive", "Logout", "GetSrc", "GetRunInfo", "GetSystemInfo", "DelSrc", "UpdateUser"] {
            let (code, answer) = daemon.get(&format!("/api/v1/{call}?session={session}"));
            assert_eq!((code, &answer["bStatus"]), (401, &json!(false)), "{call} with {session:?}");
            assert!(answer["strCode"].as_str().expect("text").contains("session"), "{answer}");
        }
    }
    assert_eq!(daemon.get("/api/v1/GetSrc").0, 401);
    assert_eq!(daemon.get(&format!("/api/v1/GetImage?token=t&session={dead}")).0, 401);
}

#[test]
fn a_session_that_is_not_used_expires() {
    let mut daemon = fresh("[auth]\nsession_seconds = 5");
    let [used, idle] = [daemon.login(), daemon.login()];
    let begun = Instant::now();
    // Each look renews `used`; nobody looks at `idle` before its time is over.
    while begun.elapsed() < Duration::from_millis(5500) {
        assert_eq!(status(&daemon, "Keepalive", &used), 200);
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(status(&daemon, "GetSrc", &idle), 401);
    assert_eq!(status(&daemon, "GetSrc", &used), 200);
}

#[test]
fn the_session_may_come_in_a_header() {
    let mut daemon = fresh("");
    let session = daemon.login();
    for scheme in ["token", "Bearer"] {
        let header = [("Authorization", &*format!("{scheme} {session}"))];
        assert_eq!(http::request(daemon.http, "GET", "/api/v1/GetSrc", &header, b"").status, 200, "{scheme}");
    }
    let header = [("Authorization", "token nonsense")];
    assert_eq!(http::request(daemon.http, "GET", "/api/v1/GetSrc", &header, b"").status, 401);
}

#[test]
fn a_password_is_changed_only_with_the_old_one() {
    let mut daemon = fresh("");
    let [mine, other] = [daemon.login(), daemon.login()];
    daemon.session = mine.clone();
    for (user, old, new, complaint) in [
        ("admin", "wrong", "fresh", "wrong user or password"),
        ("nobody", "12345", "fresh", "wrong user or password"),
        ("admin", "12345", "12345", "newpassword"),
        ("admin", "12345", DEFAULT_MD5, "newpassword"),
        ("admin", "12345", "", "newpassword"),
        ("admin", "", "fresh", "oldpassword"),
        ("", "12345", "fresh", "user"),
    ] {
        let change = [("user", user), ("oldpassword", old), ("newpassword", new)];
        let (code, answer) = daemon.api("UpdateUser", &change);
        assert_eq!((code, &answer["bStatus"]), (200, &json!(false)), "{change:?}");
        let text = answer["strCode"].as_str().expect("text");
        assert!(text.contains(complaint), "{change:?}: {text}");
        assert!(!text.contains("fresh") && !text.contains("12345"), "a password is quoted: {text}");
    }
    assert_eq!(login(&daemon, "admin", "12345")["bStatus"], true, "nothing has changed");
    assert_eq!(status(&daemon, "Keepalive", &other), 200);

    // The manual's way: both as MD5. This is the MD5 of `secret`.
    let md5 = "5ebe2294ecd0e0f08eab7690d2a6ee69";
    let answer =
        daemon.api_ok("UpdateUser", &[("user", "admin"), ("oldpassword", DEFAULT_MD5), ("newpassword", md5)]);
    assert_eq!(answer, json!({"bStatus": true, "strCode": "Update user successfully"}));
    assert_eq!(status(&daemon, "Keepalive", &mine), 200);
    assert_eq!(status(&daemon, "Keepalive", &other), 401, "other sessions of the user end");
    assert_eq!(login(&daemon, "admin", "12345")["bStatus"], false);
    for password in ["secret", md5] {
        let answer = login(&daemon, "admin", password);
        assert_eq!(
            (&answer["bStatus"], &answer["bDefaultPassword"]),
            (&json!(true), &json!(false)),
            "{answer}"
        );
        assert_eq!(answer["strCode"], "Login successfully");
    }
    assert!(!daemon.process.log().contains("secret") && !daemon.process.log().contains(md5));
}

#[test]
fn under_the_switch_the_default_password_must_be_changed_first() {
    let mut daemon = fresh("[auth]\nrequire_password_change = true\n");
    daemon.login();
    assert_eq!(login(&daemon, "admin", "12345")["bMustChangePassword"], true);
    for call in ["GetSrc", "GetRunInfo", "GetSystemInfo", "h5swsapi/Status", "GetLoadingImage"] {
        let (code, answer) = daemon.api(call, &[]);
        assert_eq!((code, &answer["bStatus"]), (200, &json!(false)), "{call}");
        assert!(answer["strCode"].as_str().expect("text").contains("UpdateUser"), "{call}: {answer}");
    }
    daemon.api_ok("Keepalive", &[]);
    daemon.api_ok("UpdateUser", &[("user", "admin"), ("oldpassword", "12345"), ("newpassword", "mine")]);
    daemon.api_ok("GetSrc", &[]);
    assert_eq!(login(&daemon, "admin", "mine")["bMustChangePassword"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_can_be_turned_off() {
    let daemon = fresh("[auth]\nrequire_session = false\n");
    let add = "/api/v1/AddSrcRTSP?name=a&token=a&url=rtsp%3A%2F%2F127.0.0.1%3A9%2Fx";
    assert_eq!(daemon.get(&format!("{add}&session=undefined")).1["bStatus"], true);
    assert_eq!(daemon.get("/api/v1/GetSrc").1["src"].as_array().map(Vec::len), Some(1));
    assert_eq!(daemon.get("/api/v1/Keepalive?session=whatever").1["bStatus"], true);
    let change = "/api/v1/UpdateUser?user=admin&oldpassword=12345&newpassword=x";
    assert_eq!(daemon.get(change).1["bStatus"], false, "whose password would it be?");
    assert!(Viewer::watch(daemon.http, "a", "").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_alone_can_be_open_to_all() {
    let cam = scene::cameras(25, &[]);
    let daemon = scene::daemon("[auth]\nanonymous_view = true\n");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[]);
    for session in ["", "undefined", "gone"] {
        let image = http::get(daemon.http, &format!("/api/v1/GetImage?token=a&session={session}"));
        assert_eq!((image.status, image.header("content-type")), (200, Some("image/jpeg")));
        let mut viewer = Viewer::watch(daemon.http, "a", session).await.expect("a socket");
        assert!(viewer.next(scene::PATIENCE).await.is_some());
        for call in ["GetSrc", "GetRunInfo", "h5swsapi/Status", "DelSrc"] {
            assert_eq!(status(&daemon, call, session), 401, "{call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_pictures_need_a_session() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", "rtsp://127.0.0.1:9/x", &[]);
    for target in ["h5swsapi?token=a", "h5srtcapi?token=a&session=no", "h5swscmnapi?token=a&session=null"] {
        match Viewer::open(daemon.http, &format!("/api/v1/{target}")).await.err() {
            Some(tokio_tungstenite::tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), 401),
            other => panic!("{target}: {other:?}"),
        }
    }
    assert_eq!(http::get(daemon.http, "/api/v1/GetImage?token=a").status, 401);
}

#[test]
fn each_role_may_do_its_part_and_no_more() {
    let mut daemon = fresh("");
    daemon.login();
    for (user, role) in [("vera", "viewer"), ("otto", "operator")] {
        daemon.api_ok("CreateUser", &[("user", user), ("password", "looking around"), ("roletoken", role)]);
    }
    let source = [("name", "a"), ("token", "a"), ("url", "rtsp://127.0.0.1:9/x")];
    for (user, role) in [("vera", "Viewer"), ("otto", "Operator")] {
        daemon.login_as(user, "looking around");
        for call in
            ["GetSrc", "GetSystemInfo", "GetRunInfo", "Keepalive", "h5swsapi/Status", "h5srtcapi/Status"]
        {
            daemon.api_ok(call, &[]);
        }
        let others = [("user", "admin"), ("oldpassword", "12345"), ("newpassword", "taken over")];
        for (call, params) in [
            ("AddSrcRTSP", &source[..]),
            ("AddSrcFile", &source),
            ("DelSrc", &source[1..2]),
            ("UpdateUser", &others),
        ] {
            let (code, answer) = daemon.api(call, params);
            assert_eq!((code, &answer["bStatus"]), (200, &json!(false)), "{role}: {call}");
            let text = answer["strCode"].as_str().expect("text");
            assert!(text.contains("Administrator"), "{role}: {call}: {text}");
        }
        assert_eq!(daemon.api_ok("GetSrc", &[])["src"], json!([]));
        let own = [("user", user), ("oldpassword", "looking around"), ("newpassword", "my own")];
        daemon.api_ok("UpdateUser", &own);
    }
    daemon.login();
    scene::add(&daemon, "a", "rtsp://127.0.0.1:9/x", &[]);
    daemon.api_ok("DelSrc", &[("token", "a")]);
}

#[test]
fn calls_may_come_as_a_form() {
    let daemon = fresh("");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let post = |target: &str, body: &str| http::request(daemon.http, "POST", target, &form, body.as_bytes());
    let session = post("/api/v1/Login", "user=admin&password=12345").json()["strSession"].clone();
    let session = session.as_str().expect("a session");
    let body = format!("name=Back+door&token=t&url=rtsp%3A%2F%2F127.0.0.1%3A9%2Fa%26b&session={session}");
    assert_eq!(post("/api/v1/AddSrcRTSP", &body).json()["bStatus"], true);
    let listed = post(&format!("/api/v1/GetSrc?session={session}"), "token=t").json();
    assert_eq!(listed["src"][0]["strName"], "Back door");
    assert_eq!(listed["src"][0]["strUrl"], "rtsp://127.0.0.1:9/a&b");

    let twice = post("/api/v1/Login?user=admin", "user=other&password=12345").json();
    assert!(twice["strCode"].as_str().expect("text").contains("user"), "{twice}");
    let long = post("/api/v1/Login", &format!("user=admin&password={}", "x".repeat(70_000)));
    assert_eq!((long.status, &long.json()["bStatus"]), (200, &json!(false)));
    let put = http::request(daemon.http, "PUT", "/api/v1/Login?user=admin&password=12345", &[], b"");
    assert_eq!(put.json()["bStatus"], false);
}

#[test]
fn pages_from_elsewhere_may_call_only_if_listed() {
    let listed = "https://wall.example:8443";
    let daemon = fresh(&format!("[http]\ncors_origins = ['{listed}']\n"));
    let ask = |method: &str, origin: &str| {
        http::request(daemon.http, method, "/api/v1/GetSrc", &[("Origin", origin)], b"")
    };
    let preflight = ask("OPTIONS", listed);
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some(listed));
    for (header, part) in
        [("access-control-allow-methods", "POST"), ("access-control-allow-headers", "Authorization")]
    {
        assert!(preflight.header(header).is_some_and(|value| value.contains(part)), "{header}");
    }
    // Also a refusal has to be readable for the page.
    let refused = ask("GET", listed);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), Some(listed));
    for origin in ["https://evil.example", "http://wall.example:8443", "null"] {
        for method in ["OPTIONS", "GET"] {
            assert_eq!(ask(method, origin).header("access-control-allow-origin"), None, "{method} {origin}");
        }
    }
    let closed = fresh("");
    let answer = http::request(closed.http, "GET", "/api/v1/GetSrc", &[("Origin", listed)], b"");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
