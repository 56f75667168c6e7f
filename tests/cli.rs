//! The command line: what each command prints and how it ends, and what a stop leaves behind.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use support::{
    scene::{self, PATIENCE},
    wait_for,
    ws::Viewer,
};

/// By then the whole daemon has to be gone.
const STOP: Duration = Duration::from_secs(5);

fn h5edge(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_h5edge")).args(args).output().expect("the daemon's program")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// Writes `text` to `bad.toml` and returns its path.
fn config(dir: &Path, text: &str) -> String {
    let file = dir.join("bad.toml");
    fs::write(&file, text).expect("a file");
    file.to_str().expect("text").to_owned()
}

#[test]
fn version_is_the_packages() {
    let output = h5edge(&["version"]);
    assert!(output.status.success());
    let text = stdout(&output);
    let build = text
        .strip_prefix(&format!("h5edge {} (", env!("CARGO_PKG_VERSION")))
        .and_then(|t| t.strip_suffix(")\n"));
    assert!(build.is_some_and(|build| !build.is_empty() && !build.contains([' ', '('])), "{text}");
    assert_eq!(stdout(&h5edge(&["--version"])), text);
}

#[test]
fn nothing_or_nonsense_is_answered_with_the_usage() {
    for args in [&[][..], &["dance"], &["serve"], &["serve", "--data-dir", "/tmp/x", "--loud"]] {
        let output = h5edge(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains("Usage: h5edge"), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_good_configuration_passes() {
    let output = h5edge(&["check-config", "config/h5edge.sample.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "config/h5edge.sample.toml: good\n");
}

#[test]
fn a_bad_configuration_is_refused_with_file_line_and_key() {
    let dir = tempfile::tempdir().expect("a folder");
    for (text, complaint) in [
        ("[http]\n\nport = 0\n", ":3:8: http.port: "),
        ("[http]\nprot = 1\n", ":2:1: http: unknown field `prot`"),
        ("[htpp]\n", ":1:2: unknown field `htpp`"),
        ("[auth]\nsession_seconds = 'soon'\n", ":2:19: auth.session_seconds: "),
        ("[sources]\nfile_roots = ['video']\n", ":2:"),
        ("[log]\nlevel = \"loud\"\n", ":2:9: log.level: "),
        ("[[source]]\ntoken = 'a/b'\nurl = 'rtsp://h/'\n", ":2:9: source.token: "),
        ("[http\n", ":1:"),
    ] {
        let file = config(dir.path(), text);
        let data = dir.path().join("data");
        let checked = h5edge(&["check-config", &file]);
        let served = h5edge(&["serve", "--data-dir", data.to_str().expect("text"), "--config", &file]);
        for output in [checked, served] {
            assert_eq!(output.status.code(), Some(1), "{text:?}");
            let said = stderr(&output);
            assert!(said.contains(&format!("{file}{complaint}")), "{text:?}: {said}");
            assert!(stdout(&output).is_empty(), "{text:?}");
        }
        assert!(!data.exists(), "{text:?}: data was made before the configuration was read");
    }
    let missing = h5edge(&["check-config", "/no/such/file.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("/no/such/file.toml"), "{}", stderr(&missing));
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let dir = tempfile::tempdir().expect("a folder");
    // Two ports that were free a moment ago.
    let [https, webrtc] = [(), ()].map(|()| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("an address").port()
    });
    let text = format!("[http]\nbind = '127.0.0.1'\nhttps_port = {https}\n[webrtc]\nport = {webrtc}\n");
    let file = config(dir.path(), &text);
    let data = dir.path().to_str().expect("text");
    let output = h5edge(&["serve", "--data-dir", data, "--config", &file, "--http-port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("127.0.0.1:{port}")), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_stops_in_order_with_viewers_and_cameras_in_any_state() {
    let cams = scene::cameras(25, &["--cams", "2"]);
    let frozen = scene::cameras(25, &[]);
    let mut daemon = scene::daemon("");
    scene::add(&daemon, "live", &cams.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::add(&daemon, "gone", &cams.rtsp_url(7), &[("connect", "H5_ALWAYS")]);
    scene::add(&daemon, "frozen", &frozen.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "live");
    scene::wait_pictures(&daemon, "frozen");
    let mut viewers = Vec::new();
    for token in ["live", "live", "live", "frozen", "gone"] {
        viewers.push(Viewer::watch(daemon.http, token, &daemon.session).await.expect("a socket"));
    }
    viewers[0].next(PATIENCE).await.expect("a message");
    // Waits for an answer that never comes.
    frozen.freeze();
    let idle = std::net::TcpStream::connect(("127.0.0.1", daemon.http)).expect("a connection");

    let took = daemon.terminate();
    assert!(took < STOP, "{took:?}\n{}", daemon.process.log());
    for viewer in &mut viewers {
        viewer.until_closed(PATIENCE).await;
    }
    drop(idle);
    frozen.thaw();
    wait_for("no sessions at the camera", PATIENCE, || (cams.sessions(0) == 0).then_some(()));
}

#[test]
fn sources_and_passwords_outlive_an_orderly_stop_and_a_power_cut() {
    let mut daemon = scene::daemon("");
    let address = [("name", "Tür 1"), ("token", "door"), ("url", "rtsp://127.0.0.1:9/x")];
    daemon.api_ok("AddSrcRTSP", &[&address[..], &[("user", "u"), ("password", "p")]].concat());
    scene::add(&daemon, "second", "rtmp://127.0.0.1:9/live/y", &[("nConnectType", "H5_ALWAYS")]);
    let change = [("user", "admin"), ("oldpassword", "12345"), ("newpassword", "new pass")];
    daemon.api_ok("UpdateUser", &change);
    let shown = |entry: serde_json::Value| {
        let fields = ["strName", "strToken", "strUrl", "strUser", "strPasswd", "nConnectType", "nRTSPType"];
        fields.map(|field| entry[field].clone())
    };
    let before = ["door", "second"].map(|token| shown(daemon.source(token).expect("the source")));
    let first = daemon.session.clone();

    assert!(daemon.terminate() < STOP);
    daemon.restart();
    assert_eq!(daemon.get(&format!("/api/v1/GetSrc?session={first}")).0, 401, "a session of before");
    assert_eq!(daemon.get("/api/v1/Login?user=admin&password=12345").1["bStatus"], false);
    daemon.login_as("admin", "new%20pass");
    assert_eq!(["door", "second"].map(|token| shown(daemon.source(token).expect("the source"))), before);

    daemon.api_ok("DelSrc", &[("token", "door")]);
    daemon.kill();
    daemon.restart();
    daemon.login_as("admin", "new%20pass");
    assert_eq!(daemon.source("door"), None);
    assert_eq!(shown(daemon.source("second").expect("the source")), before[1]);
}

#[test]
fn sources_of_the_configuration_are_put_in_once() {
    let config = "[[source]]\ntoken = 'token1'\nurl = 'rtsp://127.0.0.1:9/x'\npassword = 'secret'\n";
    let mut daemon = scene::daemon(config);
    let entry = daemon.source("token1").expect("the source");
    assert_eq!((&entry["strName"], &entry["strPasswd"]), (&"token1".into(), &"******".into()));
    daemon.terminate();
    daemon.restart();
    daemon.login();
    assert_eq!(daemon.api_ok("GetSrc", &[])["src"].as_array().map(Vec::len), Some(1));
}
