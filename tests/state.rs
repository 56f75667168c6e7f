//! What pages are told of the box over one socket, `h5stateapi`, and the calls that give the same.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{daemon::Daemon, scene, wait_for, ws::Viewer};

/// A camera that comes back is tried within this at the latest.
const PATIENCE: Duration = Duration::from_secs(60);
const YARD: (&str, &str) = ("token", "yard");
const PASSWORD: &str = "looking at one";

/// A page that has the socket open, and all it was told.
struct Page {
    socket: Viewer,
    told: Vec<(Instant, Value)>,
}

impl Page {
    async fn open(daemon: &Daemon) -> Self {
        let target = format!("/api/v1/h5stateapi?session={}", daemon.session);
        let socket = Viewer::open(daemon.http, &target).await.expect("a socket");
        Self { socket, told: Vec::new() }
    }

    async fn next(&mut self) -> Value {
        let received = self.socket.next(PATIENCE).await.expect("a message");
        let told: Value = serde_json::from_str(received.message.to_text().expect("a text")).expect("JSON");
        eprintln!("{told}");
        self.told.push((received.at, told.clone()));
        told
    }

    /// The next message of that type for which `condition` holds.
    async fn until(&mut self, kind: &str, mut condition: impl FnMut(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no {kind}");
            let told = self.next().await;
            if told["type"] == kind && condition(&told) {
                return told;
            }
        }
    }

    /// When it was told messages of that type, in seconds from one to the next.
    fn steps(&self, kind: &str) -> Vec<f64> {
        let times: Vec<_> =
            self.told.iter().filter(|(_, told)| told["type"] == kind).map(|(at, _)| at).collect();
        times.windows(2).map(|pair| (*pair[1] - *pair[0]).as_secs_f64()).collect()
    }

    async fn closes(mut self) {
        self.socket.until_closed(Duration::from_secs(5)).await;
    }
}

fn names(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_what_changes() {
    let camera = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    let mut page = Page::open(&daemon).await;
    let state = page.next().await;
    let expected =
        ["type", "strVersion", "bAppliance", "bCentral", "strUser", "strUserType", "src", "run", "news"];
    assert_eq!(names(&state), expected);
    assert_eq!((&state["type"], &state["bAppliance"]), (&json!("H5S_STATE"), &json!(false)));
    assert_eq!((&state["strUser"], &state["strUserType"]), (&json!("admin"), &json!("Administrator")));
    assert_eq!((&state["src"], &state["news"]), (&json!([]), &json!([])));
    let run = daemon.api_ok("GetRunInfo", &[]);
    assert_eq!(names(&state["run"]), names(&run));
    assert!(run["temperature"].is_array());

    scene::add(&daemon, "yard", &camera.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    let shown = page.until("H5S_SRC", |told| told["src"][0]["strVideoType"].is_string()).await;
    assert_eq!((&shown["src"][0]["strToken"], &shown["gone"]), (&json!("yard"), &json!([])));
    wait_for("the same in GetSrc", PATIENCE, || {
        let source = daemon.source("yard").expect("a source");
        (names(&shown["src"][0]) == names(&source)).then_some(())
    });
    assert_eq!(daemon.api_ok("GetNews", &[]), json!({"news": []}), "that it is there at all is no news");

    camera.control("restart?cam=0&down=4");
    let offline = page.until("H5S_NEWS", |_| true).await["news"].take();
    let about = json!(["offline", "yard", "yard"]);
    assert_eq!(json!([offline["strType"], offline["strToken"], offline["strName"]]), about);
    assert!(!offline["strText"].as_str().expect("a text").is_empty());
    assert_eq!(offline["strTime"].as_str().expect("a time").len(), "2018-04-25T19:32:05+08:00".len());
    let online = page.until("H5S_NEWS", |_| true).await["news"].take();
    assert_eq!((&online["strType"], &online["strToken"]), (&json!("online"), &json!("yard")));
    let offline_source = |told: &Value| told["src"][0]["strOfflineReason"].is_string();
    assert!(page.told.iter().any(|(_, told)| offline_source(told)), "its source, too");
    assert_eq!(daemon.api_ok("GetNews", &[]), json!({"news": [online, offline]}));

    daemon.api_ok("DelSrc", &[YARD]);
    let gone = page.until("H5S_SRC", |told| told["gone"] == json!(["yard"])).await;
    assert_eq!(gone["src"], json!([]));
    while page.steps("H5S_RUN").len() < 2 {
        page.next().await;
    }
    assert!(
        page.steps("H5S_RUN").iter().all(|step| (3.0..10.0).contains(step)),
        "{:?}",
        page.steps("H5S_RUN")
    );
    assert!(page.steps("H5S_SRC").iter().all(|step| *step > 0.5), "{:?}", page.steps("H5S_SRC"));
    let state = Page::open(&daemon).await.next().await;
    assert_eq!((&state["src"], &state["news"]), (&json!([]), &json!([online, offline])));

    let history = daemon.api_ok("GetRunHistory", &[]);
    assert_eq!(names(&history), ["nStep", "strEndTime", "run"]);
    let sample = &history["run"][0];
    let expected = ["nCPUUsage", "nMemoryUsage", "nNetworkInK", "nNetworkOutK", "nCelsius"];
    assert_eq!(names(sample), expected, "after more than 10 s");
    assert!((1..=100).contains(&sample["nMemoryUsage"].as_u64().expect("a number")));
    page.socket.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_changes_ends_it() {
    let mut daemon = scene::daemon("");
    let admin = daemon.session.clone();
    for token in ["yard", "gate"] {
        scene::add(&daemon, token, "rtsp://127.0.0.1:9/x", &[]);
    }
    let of_role = |daemon: &Daemon, call: &str, token: &str| {
        daemon.api_ok(call, &[("roletoken", "one"), ("camtoken", token)]);
    };
    daemon.api_ok("CreateRole", &[("role", "One"), ("roletoken", "one")]);
    of_role(&daemon, "AddCamToRole", "yard");
    daemon.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "one")]);
    let mut everybody = Page::open(&daemon).await;
    everybody.next().await;

    // Opens a page as eve, who sees just that; then has `change` done by the administrator.
    let mut seen = async |user_sees: Value, change: &dyn Fn(&Daemon)| {
        let eve = daemon.login_as("eve", PASSWORD);
        let mut page = Page::open(&daemon).await;
        let state = page.next().await;
        let tokens = state["src"].as_array().expect("sources").iter().map(|source| &source["strToken"]);
        assert_eq!(json!(tokens.collect::<Vec<_>>()), user_sees);
        assert_eq!(state["strUserType"], "Viewer");
        daemon.session.clone_from(&admin);
        change(&daemon);
        page.closes().await;
        eve
    };
    seen(json!(["yard"]), &|daemon| of_role(daemon, "AddCamToRole", "gate")).await;
    seen(json!(["yard", "gate"]), &|daemon| of_role(daemon, "DelCamInRole", "yard")).await;
    let everything = [("user", "eve"), ("roletoken", "viewer")];
    seen(json!(["gate"]), &|daemon| drop(daemon.api_ok("SetUserRole", &everything))).await;
    // The page's next sign of life finds the session over.
    let password = [("user", "eve"), ("password", "another one")];
    seen(json!(["yard", "gate"]), &|daemon| drop(daemon.api_ok("ResetUserPassword", &password))).await;

    daemon.login_as("eve", "another one");
    let page = Page::open(&daemon).await;
    daemon.session = admin;
    daemon.api_ok("DeleteUser", &[("user", "eve")]);
    page.closes().await;
    everybody.until("H5S_RUN", |_| true).await;
    assert_eq!(support::http::get(daemon.http, "/api/v1/GetNews").status, 401);
}
