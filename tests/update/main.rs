//! Updates with the real RAUC: what is refused, what is installed, how it is told, and the way back.

#[path = "../support/mod.rs"]
mod support;
mod yard;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use support::{daemon::Daemon, http, scene, wait_for, ws::Viewer};
use yard::Yard;

const PATIENCE: Duration = Duration::from_secs(60);

fn upload(daemon: &Daemon, body: &[u8]) -> Value {
    let target = format!("/api/v1/UploadUpdate?session={}", daemon.session);
    http::request(daemon.http, "POST", &target, &[("Content-Type", "application/octet-stream")], body).json()
}

fn refused(answer: &Value, why: &str) {
    let text = answer["strCode"].as_str().unwrap_or_default();
    assert!(answer["bStatus"] == false && text.contains(why), "{why}: {answer}");
}

/// Waits for the end of an installation; the states that were seen, and the last answer.
fn installed(daemon: &Daemon) -> (Vec<String>, Value) {
    let mut seen = Vec::new();
    let last = wait_for("the installation", PATIENCE, || {
        let state = daemon.api_ok("GetUpdate", &[]);
        let phase = state["strState"].as_str().expect("text").to_owned();
        let over = matches!(&phase[..], "done" | "failed");
        if seen.last() != Some(&phase) {
            seen.push(phase);
        }
        over.then_some(state)
    });
    (seen, last)
}

/// The content of a slot: no two bundles have the same.
fn content(seed: u8) -> Vec<u8> {
    (0..4u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed).collect()
}

fn starts_with(slot: &Path, content: &[u8]) -> bool {
    fs::read(slot).expect("a slot").starts_with(content)
}

#[test]
fn a_bundle_is_checked_installed_and_taken_back() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    let state = daemon.api_ok("GetUpdate", &[]);
    assert_eq!((&state["strState"], &state["strBooted"]), (&json!("idle"), &json!("A")), "{state}");
    assert_eq!((&state["strCompatible"], &state["bRebootNeeded"]), (&json!("h5edge-test"), &json!(false)));
    assert_eq!(state["slots"].as_array().map(Vec::len), Some(2), "{state}");
    refused(&daemon.api("InstallUpdate", &[]).1, "there is no bundle to install");
    refused(&daemon.api("RollBack", &[]).1, "slot B holds no system that ever worked here");

    let new = content(1);
    let bundle = fs::read(yard.bundle("new", "h5edge-test", "9.9.9", &new, "ours")).expect("a bundle");
    let answer = upload(&daemon, &bundle);
    assert_eq!(answer["bStatus"], true, "{answer}");
    assert_eq!((&answer["strVersion"], &answer["strCompatible"]), (&json!("9.9.9"), &json!("h5edge-test")));
    assert_eq!(daemon.api_ok("GetUpdate", &[])["strReady"], "9.9.9");
    assert_eq!(yard.inbox(), ["bundle.raucb"]);
    daemon.api_ok("InstallUpdate", &[]);
    let (seen, state) = installed(&daemon);
    assert_eq!(seen, ["installing", "done"], "{state}");
    assert_eq!((&state["bRebootNeeded"], &state["strNext"]), (&json!(true), &json!("B")), "{state}");
    assert_eq!(state["slots"][1]["strVersion"], "9.9.9");
    assert!(starts_with(&yard.path("b.img"), &new));
    assert!(yard.inbox().is_empty());
    refused(&daemon.api("InstallUpdate", &[]).1, "there is no bundle to install");

    let back = daemon.api_ok("RollBack", &[]);
    assert_eq!(back["strNext"], "A");
    let state = daemon.api_ok("GetUpdate", &[]);
    assert_eq!((&state["bRebootNeeded"], &state["strState"]), (&json!(false), &json!("idle")), "{state}");
    assert_eq!(daemon.api_ok("RollBack", &[])["strNext"], "B");
}

/// The next message to that page for which `condition` holds.
async fn told(page: &mut Viewer, condition: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = page.next(PATIENCE).await.expect("a message").message.to_string();
        let told = serde_json::from_str(&message).expect("JSON");
        if condition(&told) {
            return told;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_told_how_it_goes() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    let target = format!("/api/v1/h5stateapi?session={}", daemon.session);
    let mut page = Viewer::open(daemon.http, &target).await.expect("a socket");
    told(&mut page, |told| told["bAppliance"] == true).await;
    let idle = told(&mut page, |told| told["type"] == "H5S_UPDATE").await;
    assert_eq!(idle["update"], daemon.api_ok("GetUpdate", &[]));

    let bundle = fs::read(yard.bundle("new", "h5edge-test", "9.9.9", &content(1), "ours")).expect("a bundle");
    refused(&upload(&daemon, &bundle[..bundle.len() / 2]), "its end is missing");
    told(&mut page, |told| told["update"]["strState"] == "failed").await;
    let newest = |why: &str| {
        wait_for(why, PATIENCE, || {
            let news = daemon.api_ok("GetNews", &[])["news"][0].take();
            news["strText"].as_str().is_some_and(|text| text.contains(why)).then_some(news)
        })
    };
    let news = newest("its end is missing");
    assert_eq!((&news["strType"], &news["strToken"]), (&json!("update"), &json!("")));

    assert_eq!(upload(&daemon, &bundle)["bStatus"], true);
    told(&mut page, |told| told["update"]["strReady"] == "9.9.9").await;
    daemon.api_ok("InstallUpdate", &[]);
    let done = told(&mut page, |told| told["update"]["strState"] == "done").await;
    assert_eq!(done["update"]["bRebootNeeded"], true);
    newest("slot B is started next: a restart is needed");
    daemon.api_ok("RollBack", &[]);
    told(&mut page, |told| told["update"]["bRebootNeeded"] == false).await;
}

#[test]
fn a_bundle_that_is_not_for_this_box_changes_nothing() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    let read = |path| fs::read(path).expect("a bundle");
    let good = read(yard.bundle("good", "h5edge-test", "2.0", &content(1), "ours"));
    let foreign = read(yard.bundle("foreign", "h5edge-test", "2.0", &content(2), "theirs"));
    let other = read(yard.bundle("other", "h5edge-rpi4", "2.0", &content(3), "ours"));
    let mut tampered = good.clone();
    tampered[good.len() / 2] ^= 1;
    for (body, why) in [
        (&foreign[..], "not signed with a key of this box"),
        (&tampered, "not signed with a key of this box"),
        (&other, "the bundle is not compatible: it is for h5edge-rpi4, this is h5edge-test"),
        (&good[..good.len() / 2], "its end is missing"),
        (&content(4)[..5000], "it does not begin like one"),
        (b"", "the body is empty"),
    ] {
        refused(&upload(&daemon, body), why);
        let state = daemon.api_ok("GetUpdate", &[]);
        assert_eq!(state["strState"], "failed", "{why}: {state}");
        assert!(state["strText"].as_str().is_some_and(|text| text.contains(why)), "{state}");
        assert!(yard.inbox().is_empty(), "{why}");
        refused(&daemon.api("InstallUpdate", &[]).1, "there is no bundle to install");
    }
    assert!(starts_with(&yard.path("b.img"), &[0; 4096]));

    // What is refused before its body.
    let post = |target: &str, headers: &[(&str, &str)], body: &[u8]| {
        let target = target.replace("SESSION", &daemon.session);
        http::request(daemon.http, "POST", &target, headers, body)
    };
    let many = vec![0; 3 << 20];
    assert_eq!(post("/api/v1/UploadUpdate", &[], &many).status, 401);
    let form = [("Content-Type", "multipart/form-data; boundary=x")];
    refused(&post("/api/v1/UploadUpdate?session=SESSION", &form, &many).json(), "not a form");
    refused(&post("/api/v1/UploadUpdate?session=SESSION&x=1", &[], &many).json(), "parameter x");
    refused(&daemon.api("UploadUpdate", &[]).1, "UploadUpdate is called with POST");
    for url in ["ftp://h/x", "/etc/shadow", "http://"] {
        refused(&daemon.api("InstallUpdate", &[("url", url)]).1, "parameter url");
    }
}

#[test]
fn one_bundle_comes_at_a_time_and_one_that_breaks_off_is_removed() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    let mut slow = TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");
    let head = format!(
        "POST /api/v1/UploadUpdate?session={} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        daemon.session
    );
    slow.write_all(head.as_bytes()).and_then(|()| slow.write_all(&[7; 500])).expect("half a body");
    let state = |phase: &str, percent: u32| {
        wait_for(phase, PATIENCE, || {
            let state = daemon.api_ok("GetUpdate", &[]);
            (state["strState"] == phase && state["nPercent"] == percent).then_some(state)
        })
    };
    state("receiving", 50);
    refused(&upload(&daemon, b"hsqs"), "an update is being received");
    refused(&daemon.api("InstallUpdate", &[]).1, "an update is being received");
    refused(&daemon.api("RollBack", &[]).1, "an update is being received");
    drop(slow);
    assert!(state("failed", 100)["strText"].as_str().is_some_and(|text| text.contains("broke off")));
    assert!(yard.inbox().is_empty());

    let mut large = TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");
    let head = head.replace("1000", &(600 << 20).to_string());
    large.write_all(head.as_bytes()).expect("a head");
    let mut answer = String::new();
    let _ = large.read_to_string(&mut answer);
    assert!(answer.contains("the bundle is larger than 512 MiB"), "{answer}");
}

#[test]
fn a_bundle_is_taken_from_the_network() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    let new = content(5);
    let bundle = fs::read(yard.bundle("net", "h5edge-test", "3.0", &new, "ours")).expect("a bundle");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://me:secret@{}/h5edge.raucb", listener.local_addr().expect("an address"));
    let serving = std::thread::spawn(move || {
        // The first connection breaks in the middle.
        for whole in [false, true] {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut head = [0; 4096];
            let read = stream.read(&mut head).expect("a request");
            let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
            let half = bundle.len() / 2;
            let (status, range, body) = match whole {
                false => ("200 OK", String::new(), &bundle[..half]),
                true => {
                    let from: usize = head
                        .split("range: bytes=")
                        .nth(1)
                        .and_then(|rest| rest.split('-').next())
                        .and_then(|from| from.parse().ok())
                        .expect("a range");
                    let range =
                        format!("Content-Range: bytes {from}-{}/{}\r\n", bundle.len() - 1, bundle.len());
                    ("206 Partial Content", range, &bundle[from..])
                }
            };
            let promised = if whole { body.len() } else { bundle.len() };
            let head = format!("HTTP/1.1 {status}\r\n{range}Content-Length: {promised}\r\n\r\n");
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("an answer");
        }
    });
    daemon.api_ok("InstallUpdate", &[("url", &url)]);
    let (seen, state) = installed(&daemon);
    serving.join().expect("a server");
    assert_eq!(
        (seen.first().map(String::as_str), &state["strState"]),
        (Some("receiving"), &json!("done")),
        "{state}"
    );
    assert!(starts_with(&yard.path("b.img"), &new));

    daemon.api_ok("InstallUpdate", &[("url", "http://me:secret@127.0.0.1:1/x")]);
    let (_, state) = installed(&daemon);
    assert_eq!(state["strState"], "failed", "{state}");
    assert!(!daemon.process.log().contains("secret") && !state.to_string().contains("secret"));
}

/// `h5edge health` of that box marks the running slot good.
fn found_good(yard: &Yard, daemon: &Daemon) {
    let text = format!("[http]\nport = {}\n{}", daemon.http, yard.appliance());
    fs::write(yard.path("etc/h5edge/h5edge.toml"), text).expect("a configuration");
    let done =
        Command::new(env!("CARGO_BIN_EXE_h5edge")).arg("health").arg("--root").arg(yard.dir.path()).output();
    let done = done.expect("the program");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(yard.asked("backend").contains("set-state A good"), "{}", yard.asked("backend"));
}

#[test]
fn a_start_that_was_well_is_marked_good() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    // As `h5edge health` does, which is patient too: a worker's first start looks through all plugins.
    let told = wait_for("all is well", PATIENCE, || {
        let told = http::get(daemon.http, "/api/v1/GetHealth").json();
        (told["bStatus"] == true).then_some(told)
    });
    for part in ["bDatabase", "bPipeline", "bData"] {
        assert_eq!(told[part], true, "{told}");
    }
    assert_eq!(yard.asked("backend").matches("set-state").count(), 0);
    found_good(&yard, &daemon);
    let good: Value =
        serde_json::from_slice(&fs::read(yard.path("data/system/good.json")).expect("a file")).expect("JSON");
    assert!(good["A"].is_string() && good["B"].is_null(), "{good}");
}

/// As after power cuts during its last three starts: RAUC then names no slot that is next.
#[test]
fn a_box_without_a_start_left_is_found_good_all_the_same() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    fs::remove_file(yard.path("boot/primary")).expect("the boot loader's choice");
    let state = daemon.api_ok("GetUpdate", &[]);
    assert_eq!((&state["strBooted"], &state["bRebootNeeded"]), (&"A".into(), &false.into()), "{state}");
    found_good(&yard, &daemon);
}

#[test]
fn the_box_is_restarted_reset_and_read_by_order_only() {
    let Some(mut yard) = Yard::start() else { return };
    let daemon = yard.daemon();
    refused(&daemon.api("FactoryReset", &[]).1, "parameter password is missing");
    refused(&daemon.api("FactoryReset", &[("password", "wrong")]).1, "wrong user or password");
    refused(&daemon.api("GetLog", &[("lines", "50001")]).1, "parameter lines");
    assert_eq!((yard.asked("systemctl"), yard.asked("fw_setenv")), (String::new(), String::new()));

    let log = http::get(daemon.http, &format!("/api/v1/GetLog?lines=3&session={}", daemon.session));
    assert_eq!(log.text(), "line 1\nline 2\nline 3\n");
    assert_eq!(log.header("content-disposition"), Some("attachment; filename=\"h5edge.log\""));
    assert_eq!(yard.asked("journalctl"), "--no-pager --quiet -o short-iso -n 3\n");

    daemon.api_ok("FactoryReset", &[("password", "12345")]);
    assert_eq!(yard.asked("fw_setenv"), "wipe 1\n");
    wait_for("a restart", PATIENCE, || (yard.asked("systemctl") == "reboot\n").then_some(()));
    daemon.api_ok("PowerOff", &[]);
    wait_for("the end", PATIENCE, || (yard.asked("systemctl") == "reboot\npoweroff\n").then_some(()));
}

#[test]
fn without_a_box_there_is_nothing_to_update() {
    let daemon = scene::daemon("");
    for call in ["GetUpdate", "InstallUpdate", "RollBack", "Reboot", "PowerOff", "GetLog"] {
        refused(&daemon.api(call, &[]).1, "not supported: this h5edge does not run as an appliance");
    }
    refused(&daemon.api("FactoryReset", &[("password", "12345")]).1, "not supported");
    refused(&upload(&daemon, b"hsqs"), "not supported");
    let health = daemon.api_ok("GetStorageHealth", &[]);
    assert!(health["data"]["nBytes"].as_u64().is_some_and(|bytes| bytes > 0), "{health}");
    assert_eq!(health["data"]["bReadOnly"], false);
}
