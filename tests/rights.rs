//! Users, roles, and that whoever may see one source learns nothing of another one: asked from outside, for
//! every call of the table and every address that a source is found at.

mod support;

use std::time::Duration;

use h5edge::api::calls::{Call, Kind, Run};
use h5edge::api::table::calls;
use serde_json::Value;
use support::{
    daemon::Daemon,
    http,
    kept::{Footage, database},
    scene, wait_for,
    ws::Viewer,
};

const MINE: &str = "courtyard";
const HIDDEN: &str = "hidden-gate";
const NEVER: &str = "never-there";
const PASSWORD: &str = "looking at one";
/// 2018-04-25T19:32:05+08:00
const START: i64 = 1_524_655_925_000;

/// A user `eve` of the level `level` who may see `MINE` and not `HIDDEN`, both of which left something of
/// everything.
fn daemon(level: &str) -> Daemon {
    let mut daemon = scene::daemon("[recording]\nkeep_days = 0\nkeep_snapshot_days = 0\n");
    for token in [MINE, HIDDEN] {
        scene::add(&daemon, token, "rtsp://127.0.0.1:9/x", &[]);
        daemon.api_ok("SetRecordSchedule", &[("token", token), ("week", "always")]);
        recording(token).add(daemon.data_dir(), b"0123456789");
        snapshot(token).add(daemon.data_dir(), b"jpeg");
        let event =
            "INSERT INTO events (source, at, kind, item, active) VALUES (?1, ?2, 'motion', 'here', 1)";
        database(daemon.data_dir()).execute(event, (token, START)).expect("a row");
    }
    wait_for("news of both", scene::PATIENCE, || {
        let told = told(&daemon.api_ok("GetNews", &[])["news"]);
        [MINE, HIDDEN].iter().all(|token| told.iter().any(|about| about == token)).then_some(())
    });
    daemon.api_ok("CreateRole", &[("role", "Yard"), ("roletoken", "yard"), ("level", level)]);
    daemon.api_ok("AddCamToRole", &[("roletoken", "yard"), ("camtoken", MINE)]);
    daemon.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "yard")]);
    daemon.login_as("eve", PASSWORD);
    daemon
}

/// Whom the items are about.
fn told(items: &Value) -> Vec<String> {
    let items = items.as_array().expect("items").iter();
    items.map(|item| item["strToken"].as_str().expect("a token").to_owned()).collect()
}

fn recording(token: &str) -> Footage<'_> {
    let path = "2018-4-25TZ8/19-32-5/one.mp4";
    Footage { token, path, start: START, end: START + 300_000, ..Footage::default() }
}

fn snapshot(token: &str) -> Footage<'_> {
    let path = "2018-4-25TZ8/19-33-5/one.jpg";
    Footage { what: "snapshot", token, path, start: START, end: START, ..Footage::default() }
}

/// Parameters that the call takes, about `token`.
fn parameters(call: &Call, token: &str) -> Vec<(&'static str, String)> {
    let value = |name: &str, kind: Kind| match (name, kind) {
        ("start" | "begintime", _) => "2018-01-01T000000Z".to_owned(),
        ("end" | "endtime", _) => "2019-01-01T000000Z".to_owned(),
        ("start1", _) => "2018-3-29".to_owned(),
        ("start2", _) => "3-3-5".to_owned(),
        ("filename", _) => "one.mp4".to_owned(),
        ("speed", _) => "0.5".to_owned(),
        ("week", _) => "always".to_owned(),
        ("path", _) if call.name == "DelSnapshot" => snapshot(token).url(),
        ("path", _) => recording(token).url(),
        (_, Kind::Whole(least, _)) => least.to_string(),
        (_, Kind::OneOf(words)) => words[0].to_owned(),
        (_, Kind::Flag) => "true".to_owned(),
        (_, Kind::Source) => token.to_owned(),
        _ => "1".to_owned(),
    };
    let wanted = |name: &str| matches!(name, "token" | "start" | "end" | "week");
    let params = call.params.iter().filter(|param| param.required || wanted(param.name));
    params.map(|param| (param.name, value(param.name, param.kind))).collect()
}

/// What the call says about `token`, with the token taken out of it.
fn answer(daemon: &Daemon, call: &Call, token: &str) -> String {
    let given = parameters(call, token);
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (status, answer) = daemon.api(call.name, &given);
    format!("{status} {answer}").replace(token, "TOKEN")
}

/// Calls whose answers are of the moment, or end the session; none of them is about a source.
const OF_THE_MOMENT: [&str; 7] =
    ["Login", "Logout", "GetRunInfo", "GetRunHistory", "GetLoadingImage", "Setup", "UploadUpdate"];

/// Calls that may answer otherwise a moment later: a disk fills, and cameras come and go on the network.
const CHANGING: [&str; 2] = ["GetStorageInfo", "OnvifSearch"];

#[test]
fn no_call_tells_of_a_source_that_is_not_to_be_seen() {
    for level in ["Viewer", "Operator"] {
        let daemon = daemon(level);
        let mut about_a_source = 0;
        for call in calls().filter(|call| !matches!(call.run, Run::Socket(_))) {
            if OF_THE_MOMENT.contains(&call.name) {
                continue;
            }
            let (hidden, never) = (answer(&daemon, call, HIDDEN), answer(&daemon, call, NEVER));
            assert!(
                hidden == never || CHANGING.contains(&call.name),
                "{level}: {}: {hidden} {never}",
                call.name
            );
            if call.params.iter().any(|param| matches!(param.kind, Kind::Source)) {
                about_a_source += 1;
                let refused =
                    hidden.contains("there is no source TOKEN") || hidden.contains("needs the role");
                assert!(refused, "{level}: {}: {hidden}", call.name);
            }
            let (_, without) = daemon.api(call.name, &[]);
            let without = without.to_string();
            assert!(!without.contains(HIDDEN), "{level}: {}: {without}", call.name);
        }
        assert!(about_a_source >= 25, "only {about_a_source} calls about a source");
        assert_eq!(told(&daemon.api_ok("GetSrc", &[])["src"]), [MINE]);
        assert_eq!(told(&daemon.api_ok("GetNews", &[])["news"]), [MINE]);
        daemon.api_ok("SearchEvents", &[("token", MINE), ("start", "2018-01-01"), ("end", "2019-01-01")]);
    }
}

#[test]
fn no_address_tells_of_it_either() {
    let mut daemon = daemon("Operator");
    let get = |daemon: &Daemon, target: &str| {
        let joint = if target.contains('?') { '&' } else { '?' };
        http::get(daemon.http, &format!("{target}{joint}session={}", daemon.session))
    };
    let addresses = |token: &str| {
        let span = "begintime=2018-01-01T000000Z&endtime=2019-01-01T000000Z";
        vec![
            format!("/hls/v1/{token}/hls.m3u8"),
            format!("/hls/v2/{token}/hls.m3u8"),
            format!("/hls/vod/{token}/hls.m3u8?{span}"),
            recording(token).url(),
            snapshot(token).url(),
            format!("/mediastore/archive/{token}/one.mp4"),
        ]
    };
    for (hidden, never) in addresses(HIDDEN).iter().zip(addresses(NEVER)) {
        let (hidden, never) = (get(&daemon, hidden), get(&daemon, &never));
        assert!(hidden.status != 200, "{}", hidden.text());
        let plain =
            |answer: &http::Response, token: &str| (answer.status, answer.text().replace(token, "TOKEN"));
        assert_eq!(plain(&hidden, HIDDEN), plain(&never, NEVER));
    }
    let offer = |token: &str| {
        let target = format!("/whep/{token}?session={}", daemon.session);
        let answer = http::request(daemon.http, "POST", &target, &[], b"v=0\r\n");
        (answer.status, answer.text().replace(token, "TOKEN"))
    };
    assert_eq!(offer(HIDDEN), offer(NEVER));
    // Whoever may see it finds it at the same addresses.
    assert_eq!(get(&daemon, &recording(MINE).url()).status, 200);
    daemon.login();
    assert_eq!(get(&daemon, &recording(HIDDEN).url()).status, 200);
    assert_eq!(get(&daemon, &snapshot(HIDDEN).url()).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_socket_tells_of_it_either() {
    let daemon = daemon("Viewer");
    let said = async |target: String, token: &str| {
        let target = format!("/api/v1/{}&session={}", target.replace("TOKEN", token), daemon.session);
        match Viewer::open(daemon.http, &target).await {
            Err(error) => error.to_string().replace(token, "TOKEN"),
            Ok(mut viewer) => {
                viewer.until_closed(Duration::from_secs(20)).await;
                let texts = viewer.received.iter().filter_map(|received| received.message.to_text().ok());
                format!("{:?} {:?}", texts.collect::<Vec<_>>(), viewer.farewell).replace(token, "TOKEN")
            }
        }
    };
    let span = "playback=true&begintime=2018-01-01T000000Z&endtime=2019-01-01T000000Z";
    for target in [
        "h5swsapi?token=TOKEN".to_owned(),
        "h5srtcapi?token=TOKEN".to_owned(),
        "h5swscmnapi?token=TOKEN".to_owned(),
        format!("h5swsapi?token=TOKEN&{span}"),
        format!("h5swsapi?token=TOKEN&playback=true&filename={}", recording("TOKEN").url()),
    ] {
        let (hidden, never) = (said(target.clone(), HIDDEN).await, said(target.clone(), NEVER).await);
        assert_eq!(hidden, never, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_told_to_those_who_may_see_it() {
    let mut daemon = daemon("Operator");
    let target = format!("/api/v1/h5stateapi?session={}", daemon.session);
    let mut page = Viewer::open(daemon.http, &target).await.expect("a socket");
    let mut next = async || {
        let text = page.next(scene::PATIENCE).await.expect("a message").message.to_string();
        assert!(!text.contains(HIDDEN), "{text}");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let state = next().await;
    assert_eq!((&state["strUser"], &state["strUserType"]), (&"eve".into(), &"Operator".into()));
    assert_eq!([told(&state["src"]), told(&state["news"])], [[MINE], [MINE]]);
    daemon.login();
    // What was recorded is no film, so that exports of it fail.
    let span = [("start", "2018-04-25T193205+08"), ("end", "2018-04-25T193705+08")];
    for token in [HIDDEN, MINE] {
        daemon.api_ok("Archive", &[&[("token", token)], &span[..]].concat());
    }
    daemon.api_ok("DelSrc", &[("token", HIDDEN)]);
    let archive = loop {
        let archive = next().await["archive"].take();
        if archive["strState"] == "failed" {
            break archive;
        }
    };
    assert_eq!(archive["strToken"], MINE);
    daemon.api_ok("DelSrc", &[("token", MINE)]);
    while next().await["gone"] != serde_json::json!([MINE]) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_ends_what_is_being_watched() {
    let camera = scene::cameras(25, &[]);
    let mut daemon = scene::daemon("");
    scene::add(&daemon, MINE, &camera.rtsp_url(0), &[]);
    scene::wait_pictures(&daemon, MINE);
    let admin = daemon.session.clone();
    daemon.api_ok("CreateRole", &[("role", "Yard"), ("roletoken", "yard")]);
    daemon.api_ok("AddCamToRole", &[("roletoken", "yard"), ("camtoken", MINE)]);
    for user in ["eve", "ivan"] {
        daemon.api_ok("CreateUser", &[("user", user), ("password", PASSWORD), ("roletoken", "yard")]);
    }
    let eve = daemon.login_as("eve", PASSWORD);
    let ivan = daemon.login_as("ivan", PASSWORD);
    daemon.session.clone_from(&admin);
    let mut watched = Vec::new();
    for session in [&admin, &eve, &ivan] {
        let mut viewer = Viewer::watch(daemon.http, MINE, session).await.expect("a viewer");
        viewer.watch_for(Duration::from_secs(1)).await;
        watched.push(viewer);
    }
    let [mut by_admin, mut by_eve, mut by_ivan] = <[Viewer; 3]>::try_from(watched).ok().expect("three");
    daemon.api_ok("DeleteUser", &[("user", "ivan")]);
    by_ivan.until_closed(Duration::from_secs(5)).await;
    let (status, _) = daemon.get(&format!("/api/v1/GetSrc?session={ivan}"));
    assert_eq!(status, 401);
    while let Ok(Some(_)) = tokio::time::timeout(Duration::ZERO, by_eve.next(Duration::ZERO)).await {}
    assert!(!by_eve.closed);
    daemon.api_ok("DelCamInRole", &[("roletoken", "yard"), ("camtoken", MINE)]);
    by_eve.until_closed(Duration::from_secs(5)).await;
    let (_, seen) = daemon.get(&format!("/api/v1/GetSrc?session={eve}"));
    assert_eq!(seen["src"], serde_json::json!([]));
    by_admin.watch_for(by_admin.opened.elapsed() + Duration::from_secs(2)).await;
    assert!(!by_admin.closed && by_admin.check_but_pace().frames() > 75);
}

/// Who has a stolen session, or watches at a desk that its owner left, is not to go on after it was ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_ends_what_is_being_watched() {
    let camera = scene::cameras(25, &[]);
    let mut daemon = scene::daemon("");
    scene::add(&daemon, MINE, &camera.rtsp_url(0), &[]);
    scene::wait_pictures(&daemon, MINE);
    let admin = daemon.session.clone();
    daemon.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "viewer")]);
    let sessions = [(); 3].map(|()| daemon.login_as("eve", PASSWORD));
    daemon.session.clone_from(&admin);
    let mut watched = Vec::new();
    for session in &sessions {
        let mut viewer = Viewer::watch(daemon.http, MINE, session).await.expect("a viewer");
        viewer.watch_for(Duration::from_secs(1)).await;
        watched.push(viewer);
    }
    let [mut out, mut other, mut own] = <[Viewer; 3]>::try_from(watched).ok().expect("three");
    let _ = daemon.get(&format!("/api/v1/Logout?session={}", sessions[0]));
    out.until_closed(Duration::from_secs(5)).await;
    let fresh = "another one 8";
    let (_, answer) = daemon.get(&format!(
        "/api/v1/UpdateUser?session={}&user=eve&oldpassword={}&newpassword={}",
        sessions[2],
        PASSWORD.replace(' ', "%20"),
        fresh.replace(' ', "%20")
    ));
    assert_eq!(answer["bStatus"], true, "{answer}");
    other.until_closed(Duration::from_secs(5)).await;
    own.watch_for(own.opened.elapsed() + Duration::from_secs(1)).await;
    assert!(!own.closed, "who changes the own password goes on");
    daemon.api_ok("ResetUserPassword", &[("user", "eve"), ("password", PASSWORD)]);
    own.until_closed(Duration::from_secs(5)).await;
}

#[test]
fn users_are_made_and_changed_by_administrators_only() {
    let mut daemon = scene::daemon("");
    let refused = |daemon: &Daemon, call: &str, params: &[(&str, &str)]| {
        let (_, answer) = daemon.api(call, params);
        assert_eq!(answer["bStatus"], false, "{call}: {answer}");
        answer["strCode"].as_str().expect("a text").to_owned()
    };
    for (user, password, role, why) in [
        ("", PASSWORD, "viewer", "parameter user"),
        ("e\u{1}ve", PASSWORD, "viewer", "parameter user"),
        (&"e".repeat(65), PASSWORD, "viewer", "parameter user"),
        ("admin", PASSWORD, "viewer", "parameter user: admin is there already"),
        ("eve", "short", "viewer", "parameter password: the password has fewer than 8"),
        ("eve", "password1", "viewer", "parameter password: the password is one of the first"),
        ("eve", PASSWORD, "nobody", "parameter roletoken: there is no role nobody"),
    ] {
        let text =
            refused(&daemon, "CreateUser", &[("user", user), ("password", password), ("roletoken", role)]);
        assert!(text.starts_with(why), "{user:?}: {text}");
    }
    assert_eq!(names(&daemon), ["admin"]);
    daemon.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "viewer")]);
    assert_eq!(names(&daemon), ["admin", "eve"]);
    let to_viewer = [("user", "admin"), ("roletoken", "viewer")];
    assert!(refused(&daemon, "SetUserRole", &to_viewer).contains("last administrator"));
    assert!(refused(&daemon, "DeleteUser", &[("user", "admin")]).contains("oneself"));
    assert!(refused(&daemon, "DeleteRole", &[("roletoken", "viewer")]).contains("built in"));
    let half = [("role", "Half"), ("roletoken", "half"), ("level", "Administrator")];
    assert!(refused(&daemon, "CreateRole", &half).contains("all sources"));
    let gone = [("roletoken", "viewer"), ("camtoken", "no")];
    assert!(refused(&daemon, "AddCamToRole", &gone).contains("parameter camtoken"));

    let admin = daemon.session.clone();
    let eve = daemon.login_as("eve", PASSWORD);
    for call in ["GetUserList", "GetRoleList"] {
        assert!(refused(&daemon, call, &[]).contains("Administrator"));
    }
    assert!(refused(&daemon, "GetUserInfo", &[("user", "admin")]).contains("parameter user"));
    let own = daemon.api_ok("GetUserInfo", &[]);
    assert_eq!(
        (&own["strUser"], &own["strUserType"], &own["bAllCam"]),
        (&"eve".into(), &"Viewer".into(), &true.into())
    );

    daemon.session.clone_from(&admin);
    daemon.api_ok("SetUserRole", &[("user", "eve"), ("roletoken", "operator")]);
    daemon.session.clone_from(&eve);
    assert_eq!(daemon.api_ok("GetUserInfo", &[])["strUserType"], "Operator");
    daemon.session.clone_from(&admin);
    daemon.api_ok("ResetUserPassword", &[("user", "eve"), ("password", "another one")]);
    daemon.session.clone_from(&eve);
    assert_eq!(daemon.api("GetSrc", &[]).0, 401);
    daemon.login_as("eve", "another one");
    daemon.session.clone_from(&admin);
    daemon.terminate();
    daemon.restart();
    daemon.login();
    assert_eq!(names(&daemon), ["admin", "eve"]);
}

fn names(daemon: &Daemon) -> Vec<String> {
    let list = daemon.api_ok("GetUserList", &[]);
    let users = list["user"].as_array().expect("users").iter();
    users.map(|user: &Value| user["strUser"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn who_changed_what_is_kept() {
    let mut daemon = daemon("Viewer");
    let (_, wrong) = daemon.api("Login", &[("user", "eve"), ("password", "no")]);
    assert_eq!(wrong["bStatus"], false);
    assert_eq!(daemon.api("DelSrc", &[("token", MINE)]).1["bStatus"], false);
    daemon.login();
    daemon.api("Ptz", &[("token", MINE), ("action", "left"), ("speed", "0.5")]);
    let entries = |params: &[(&str, &str)]| {
        let list = daemon.api_ok("GetAuditList", params);
        list["audit"].as_array().expect("entries").clone()
    };
    let short = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().expect("a text").to_owned();
        format!("{} {} {} {}", text("strUser"), text("strCall"), text("strAbout"), text("strFailure"))
    };
    let shown: Vec<String> = entries(&[]).iter().map(short).collect();
    assert_eq!(
        shown[..6],
        [
            "admin Login  ",
            "eve DelSrc token=courtyard DelSrc needs the role Administrator",
            "eve Login  wrong user or password",
            "eve Login  ",
            "admin CreateUser user=eve password=****** roletoken=yard ",
            "admin AddCamToRole roletoken=yard camtoken=courtyard ",
        ]
    );
    let all = serde_json::to_string(&entries(&[])).expect("text");
    assert!(!all.contains(PASSWORD) && !all.contains(&daemon.session));
    let newest = daemon.api_ok("GetAuditList", &[("limit", "1"), ("user", "eve")]);
    assert_eq!((&newest["bMore"], newest["audit"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    let next = newest["strNext"].as_str().expect("a number");
    assert!(short(&entries(&[("user", "eve"), ("next", next)])[0]).starts_with("eve Login  wrong"));
    assert_eq!(entries(&[])[0]["strAddress"], "127.0.0.1");
}

#[test]
fn a_database_from_before_has_its_users_still() {
    let mut daemon = scene::daemon("");
    daemon.terminate();
    let db = database(daemon.data_dir());
    db.execute_batch(
        "CREATE TABLE before (name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL,
                              default_password INTEGER NOT NULL) STRICT;
         INSERT INTO before SELECT name, 'Administrator', password_hash, default_password FROM users;
         INSERT INTO before SELECT 'vera', 'Viewer', password_hash, 0 FROM users;
         DROP TABLE sites; DROP TABLE views; ALTER TABLE sources DROP COLUMN sub_url;
         ALTER TABLE sources DROP COLUMN sealed_sub_url;
         DROP TABLE users; DROP TABLE role_sources; DROP TABLE roles; DROP TABLE audit;
         ALTER TABLE before RENAME TO users;
         PRAGMA user_version = 4;",
    )
    .expect("the tables of version 4");
    drop(db);
    daemon.restart();
    daemon.login_as("vera", "12345");
    assert_eq!(daemon.api_ok("GetUserInfo", &[])["strRoleToken"], "viewer");
    daemon.login();
    wait_for("both users", Duration::from_secs(5), || (names(&daemon) == ["admin", "vera"]).then_some(()));
}
