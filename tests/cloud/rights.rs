//! Whoever may see one camera of one site learns nothing else of it, nor of another site.

use std::time::Duration;

use h5edge::api::calls::{Call, Kind, Run};
use h5edge::api::table::calls;
use serde_json::{Value, json};

use crate::support::daemon::Daemon;
use crate::support::ws::Viewer;
use crate::support::{http, scene, wait_for};
use crate::yard;

const PASSWORD: &str = "looking at one";
const SEEN: &str = "site1-cam1";
/// Sources that there are, and such as there never were; each pair has to sound alike.
const HIDDEN: [(&str, &str); 2] = [("site1-cam2", "site1-cam9"), ("site2-cam1", "site9-cam1")];

/// Two sites with sources that need no camera; the user `eve` sees the first of the first.
fn daemons(level: &str) -> [Daemon; 3] {
    let mut central = yard::central();
    let edges = ["site1", "site2"].map(|site| {
        let edge = yard::edge(&central, site, "administration");
        for token in ["cam1", "cam2"] {
            scene::add(&edge, token, "rtsp://127.0.0.1:9/x", &[]);
        }
        yard::wait_listed(&central, &format!("{site}-cam2"));
        edge
    });
    central.api_ok("CreateRole", &[("role", "One"), ("roletoken", "one"), ("level", level)]);
    central.api_ok("AddCamToRole", &[("roletoken", "one"), ("camtoken", SEEN)]);
    let unknown = central.api("AddCamToRole", &[("roletoken", "one"), ("camtoken", "site1-cam9")]).1;
    assert!(
        unknown["strCode"].as_str().is_some_and(|text| text.contains("no source site1-cam9")),
        "{unknown}"
    );
    central.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "one")]);
    central.login_as("eve", PASSWORD);
    let [first, second] = edges;
    [central, first, second]
}

fn parameters(call: &Call, token: &str) -> Vec<(&'static str, String)> {
    let value = |name: &str, kind: Kind| match (name, kind) {
        ("start" | "begintime", _) => "2018-01-01T000000Z".to_owned(),
        ("end" | "endtime", _) => "2019-01-01T000000Z".to_owned(),
        ("start1", _) => "2018-3-29".to_owned(),
        ("start2", _) => "3-3-5".to_owned(),
        ("filename", _) => "one.mp4".to_owned(),
        ("speed", _) => "0.5".to_owned(),
        ("week", _) => "always".to_owned(),
        ("path", _) => "/mediastore/@site1/record/cam2/one.mp4".to_owned(),
        (_, Kind::Site) => token.split('-').next().unwrap_or_default().to_owned(),
        (_, Kind::Whole(least, _)) => least.to_string(),
        (_, Kind::OneOf(words)) => words[0].to_owned(),
        (_, Kind::Flag) => "true".to_owned(),
        (_, Kind::Source) => token.to_owned(),
        _ => "1".to_owned(),
    };
    let wanted = |kind: Kind, name: &str| {
        matches!(kind, Kind::Source | Kind::Site) || matches!(name, "start" | "end" | "week")
    };
    let params = call.params.iter().filter(|param| param.required || wanted(param.kind, param.name));
    params.map(|param| (param.name, value(param.name, param.kind))).collect()
}

fn answer(daemon: &Daemon, call: &Call, token: &str) -> String {
    let given = parameters(call, token);
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (status, answer) = daemon.api(call.name, &given);
    let site = token.split('-').next().unwrap_or_default();
    format!("{status} {answer}").replace(token, "TOKEN").replace(site, "SITE")
}

fn tokens(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|item| item["strToken"].as_str().expect("a token")).collect()
}

#[test]
fn no_call_tells_of_what_is_not_to_be_seen() {
    for level in ["Viewer", "Operator"] {
        let [central, _first, _second] = daemons(level);
        let about = |call: &&Call| {
            !matches!(call.run, Run::Socket(_) | Run::Upload(_))
                && call.params.iter().any(|param| matches!(param.kind, Kind::Source | Kind::Site))
        };
        let mut asked = 0;
        for call in calls().filter(about) {
            for (hidden, never) in HIDDEN {
                let (hidden, never) = (answer(&central, call, hidden), answer(&central, call, never));
                assert_eq!(hidden, never, "{level}: {}", call.name);
                let refused = ["no source TOKEN", "no site SITE", "needs the role"];
                assert!(refused.iter().any(|text| hidden.contains(text)), "{level}: {}: {hidden}", call.name);
                asked += 1;
            }
        }
        assert!(asked >= 60, "only {asked}");
        for call in calls().filter(|call| matches!(call.run, Run::Read(_)) && call.name != "Logout") {
            let text = central.api(call.name, &[]).1.to_string();
            assert!(!text.contains("cam2") && !text.contains("site2"), "{level}: {}: {text}", call.name);
        }
        assert_eq!(tokens(&central.api_ok("GetSrc", &[])["src"]), [SEEN]);
        central.api_ok("GetRecordStatus", &[("token", SEEN)]);
        let whole = central.api("OnvifSearch", &[("servertoken", "site1")]).1;
        let text = whole["strCode"].as_str().expect("a text");
        assert!(text.contains("no site site1") || text.contains("needs the role"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_addresses_nor_sockets_do() {
    let [mut central, _first, second] = daemons("Operator");
    let span = "begintime=2018-01-01T000000Z&endtime=2019-01-01T000000Z";
    let addresses = |token: &str| {
        let (site, original) = token.split_once('-').expect("a dash");
        [
            format!("/hls/v1/{token}/hls.m3u8?"),
            format!("/hls/vod/{token}/hls.m3u8?{span}&"),
            format!("/mediastore/@{site}/record/{original}/2018-4-25TZ8/19-32-5/one.mp4?"),
            format!("/mediastore/@{site}/archive/{original}/one.mp4?"),
        ]
    };
    let sockets = |token: &str| {
        [
            format!("h5swsapi?token={token}"),
            format!("h5srtcapi?token={token}"),
            format!("h5swscmnapi?token={token}"),
            format!("h5swsapi?token={token}&playback=true&{span}"),
            format!("h5srtcapi?token={token}&playback=true&{span}"),
        ]
    };
    let plain = |text: String, token: &str| {
        let (site, original) = token.split_once('-').expect("a dash");
        text.replace(token, "TOKEN").replace(&format!("@{site}"), "@SITE").replace(original, "CAM")
    };
    let session = central.session.clone();
    let get = |address: &str, token: &str| {
        let answer = http::get(central.http, &format!("{address}session={session}"));
        assert_ne!(answer.status, 200, "{address}");
        plain(format!("{} {}", answer.status, answer.text()), token)
    };
    let open = async |target: &str, token: &str| {
        let said = match Viewer::open(central.http, &format!("/api/v1/{target}&session={session}")).await {
            Err(error) => error.to_string(),
            Ok(mut viewer) => {
                if target.starts_with("h5srtcapi") {
                    viewer.send(r#"{"type":"open"}"#).await;
                }
                viewer.until_closed(Duration::from_secs(20)).await;
                let texts = viewer.received.iter().filter_map(|received| received.message.to_text().ok());
                format!("{:?} {:?}", texts.collect::<Vec<_>>(), viewer.farewell)
            }
        };
        plain(said, token)
    };
    for (hidden, never) in HIDDEN {
        for (one, other) in addresses(hidden).iter().zip(addresses(never)) {
            assert_eq!(get(one, hidden), get(&other, never), "{one}");
        }
        for (one, other) in sockets(hidden).iter().zip(sockets(never)) {
            assert_eq!(open(one, hidden).await, open(&other, never).await, "{one}");
        }
    }
    let target = format!("/api/v1/h5stateapi?session={session}");
    let mut page = Viewer::open(central.http, &target).await.expect("a socket");
    let state = page.next(scene::PATIENCE).await.expect("a message").message.to_string();
    assert!(!state.contains("cam2") && !state.contains("site2"), "{state}");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    assert_eq!(tokens(&state["src"]), [SEEN]);
    // What is added at a site, and goes, is told only to those who may see it.
    let admin = central.login();
    scene::add(&second, "cam3", "rtsp://127.0.0.1:9/x", &[]);
    yard::wait_listed(&central, "site2-cam3");
    // The whole of a site.
    central.api_ok("AddCamToRole", &[("roletoken", "one"), ("camtoken", "site2-*")]);
    let role = central.api_ok("GetRoleInfo", &[("roletoken", "one")]);
    let named = json!([
        { "strCamToken": SEEN, "strCamName": "cam1" }, { "strCamToken": "site2-*", "strCamName": "Yard of site2" }
    ]);
    assert_eq!(role["cam"], named);
    page.until_closed(Duration::from_secs(5)).await;
    let texts = page.received.iter().filter_map(|received| received.message.to_text().ok());
    for text in texts {
        assert!(!text.contains("cam3"), "{text}");
    }
    central.session.clone_from(&session);
    assert_eq!(
        tokens(&central.api_ok("GetSrc", &[])["src"]),
        [SEEN, "site2-cam1", "site2-cam2", "site2-cam3"]
    );
    central.api_ok("OnvifSearch", &[("servertoken", "site2"), ("timeout", "1")]);
    let mut page = Viewer::open(central.http, &target).await.expect("a socket");
    page.next(scene::PATIENCE).await.expect("a message");
    second.api_ok("DelSrc", &[("token", "cam3")]);
    let begin = std::time::Instant::now();
    loop {
        let text = page.next(scene::PATIENCE).await.expect("a message").message.to_string();
        if serde_json::from_str::<Value>(&text).expect("JSON")["gone"] == json!(["site2-cam3"]) {
            break;
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    central.session.clone_from(&admin);
    central.api_ok("DelCamInRole", &[("roletoken", "one"), ("camtoken", "site2-*")]);
    central.session.clone_from(&session);
    wait_for("one source", scene::PATIENCE, || {
        (tokens(&central.api_ok("GetSrc", &[])["src"]) == [SEEN]).then_some(())
    });
}
