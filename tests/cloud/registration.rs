//! How a box comes to its central by the calls that the admin page makes, and how the central's administrator changes and
//! removes it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::daemon::Daemon;
use crate::support::{scene, wait_for};
use crate::yard;

const PASSWORD: &str = "looking at one";

fn refusal(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let (_, answer) = daemon.api(call, params);
    assert_eq!(answer["bStatus"], false, "{call}: {answer}");
    answer["strCode"].as_str().expect("a text").to_owned()
}

/// GetCloudClientInfo, once it says so.
fn wait_state(edge: &Daemon, state: &str) -> Value {
    let mut last = Value::Null;
    wait_for(state, scene::PATIENCE, || {
        std::thread::sleep(Duration::from_millis(50));
        let info = edge.api_ok("GetCloudClientInfo", &[]);
        if info != last {
            eprintln!("{info}");
            last = info;
        }
        (last["strState"] == state).then(|| last.clone())
    })
}

/// Has the edge dial, over TLS, without knowing the central's certificate.
fn dial(edge: &Daemon, central: &Daemon, more: &[(&str, &str)]) {
    let port = central.https.to_string();
    let params = [("enable", "true"), ("cloudip", "127.0.0.1"), ("cloudport", &port), ("ssl", "true")];
    edge.api_ok("SetCloudInfo", &[&params, more].concat());
}

/// The same, trusting it.
fn connect(edge: &Daemon, central: &Daemon, more: &[(&str, &str)]) {
    dial(edge, central, &[&[("pin", central.pin().as_str())], more].concat());
}

fn servers(central: &Daemon) -> Vec<Value> {
    central.api_ok("GetServerList", &[])["server"].as_array().expect("a list").clone()
}

/// The central's entry of its one site, once it is `online`.
fn wait_site(central: &Daemon, online: bool) -> Value {
    wait_for("the site", scene::PATIENCE, || {
        std::thread::sleep(Duration::from_millis(50));
        servers(central).into_iter().find(|site| site["bOnline"] == online)
    })
}

#[test]
fn a_box_is_claimed_by_its_code_renamed_disabled_and_removed() {
    let central = yard::central();
    let mut edge = scene::daemon("");
    scene::add(&edge, "cam1", "rtsp://127.0.0.1:9/x", &[]);
    assert_eq!(edge.api_ok("GetCloudClientInfo", &[])["strState"], "off");
    connect(&edge, &central, &[("servertoken", "site1"), ("servername", "Shop"), ("grant", "control")]);
    let info = wait_state(&edge, "unclaimed");
    let code = info["strClaimCode"].as_str().expect("a code").to_owned();
    edge.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "viewer")]);
    let admin = edge.session.clone();
    edge.login_as("eve", PASSWORD);
    let seen = edge.api_ok("GetCloudClientInfo", &[]).to_string();
    assert!(!seen.contains(&code), "{seen}");
    let refused = refusal(&edge, "SetCloudInfo", &[("enable", "false")]);
    assert_eq!(refused, "SetCloudInfo needs the role Administrator");
    edge.session = admin;

    let waiting = central.api_ok("GetClaimList", &[]);
    assert_eq!(waiting["claim"][0]["strServerToken"], "site1");
    assert_eq!(waiting["claim"][0]["strDeviceKey"], info["strDeviceKey"]);
    assert_eq!(
        refusal(&central, "ClaimServer", &[("code", "0000-0000")]),
        "parameter code: no box that is connected now shows this code"
    );
    let typed = code.to_lowercase().replace('-', " ");
    let claimed = central.api_ok("ClaimServer", &[("code", &typed), ("name", "Shop 1")]);
    assert_eq!(claimed["strServerToken"], "site1");
    let info = wait_state(&edge, "online");
    assert_eq!((&info["strGrant"], &info["bOnline"]), (&json!("control"), &json!(true)));
    assert_eq!(info["strNameAtCentral"], "Shop 1");
    yard::wait_listed(&central, "site1-cam1");
    let site = wait_site(&central, true);
    let names = ["strServerToken", "strServerIp", "strServerName", "nSources", "bEnable"];
    assert_eq!(
        names.map(|name| site[name].clone()),
        [json!("site1"), json!("127.0.0.1"), json!("Shop 1"), json!(1), json!(true)]
    );
    let known = central.api_ok("GetCloudDeviceSrc", &[("token", "site1")]);
    assert_eq!(known["src"][0]["strToken"], "site1-cam1");
    assert_eq!(central.api_ok("GetCloudDevice", &[])["dev"][0]["strName"], "Shop 1");

    central.api_ok("UpdateServer", &[("servertoken", "site1"), ("name", "Shop 2")]);
    assert_eq!(servers(&central)[0]["strServerName"], "Shop 2");
    central.api_ok("UpdateServer", &[("servertoken", "site1"), ("enable", "false")]);
    wait_site(&central, false);
    let info = wait_state(&edge, "offline");
    wait_for("the reason", scene::PATIENCE, || {
        let text = edge.api_ok("GetCloudClientInfo", &[])["strStateText"].clone();
        text.as_str().is_some_and(|text| text.contains("disabled")).then_some(())
    });
    assert_eq!(info["bOnline"], false);
    central.api_ok("DelServer", &[("servertoken", "site1")]);
    assert_eq!(servers(&central), Vec::<Value>::new());
    assert_eq!(
        refusal(&central, "DelServer", &[("servertoken", "site1")]),
        "parameter servertoken: there is no site site1"
    );
    // What was changed stands in the list of who changed what, without the code.
    let audit = central.api_ok("GetAuditList", &[]).to_string();
    assert!(
        audit.contains("ClaimServer") && audit.contains("DelServer") && !audit.contains(&typed),
        "{audit}"
    );
}

#[test]
fn settings_outlive_a_restart_and_the_password_serves_once() {
    let central = yard::central();
    let mut edge = scene::daemon("");
    let by_password = [("servertoken", "site1"), ("user", "admin"), ("password", "12345")];
    connect(&edge, &central, &by_password);
    wait_state(&edge, "online");
    wait_for("the password is forgotten", scene::PATIENCE, || {
        (edge.api_ok("GetCloudClientInfo", &[])["strPasswd"] == "").then_some(())
    });
    edge.restart();
    edge.login();
    let info = wait_state(&edge, "online");
    assert_eq!(
        (&info["strCloudPort"], &info["strUser"]),
        (&json!(central.https.to_string()), &json!("admin"))
    );
    assert_eq!((&info["strServerToken"], &info["strPasswd"]), (&json!("site1"), &json!("")));
    edge.api_ok("SetCloudInfo", &[("enable", "false")]);
    wait_state(&edge, "off");
    wait_site(&central, false);
}

#[test]
fn a_wrong_password_and_a_prepared_key() {
    let central = yard::central();
    let edge = scene::daemon("");
    connect(&edge, &central, &[("servertoken", "site1"), ("user", "admin"), ("password", "wrong")]);
    let info = wait_state(&edge, "offline");
    assert!(info["strStateText"].as_str().is_some_and(|text| text.contains("password")), "{info}");
    assert_eq!(info["strPasswd"], "******");
    let key = info["strDeviceKey"].as_str().expect("a key");
    let bad = refusal(&central, "AddServer", &[("servertoken", "shop"), ("key", "12")]);
    assert_eq!(bad, "parameter key: a device key is 64 hex digits");
    central.api_ok("AddServer", &[("servertoken", "shop"), ("name", "Shop"), ("key", key)]);
    edge.api_ok("SetCloudInfo", &[("user", ""), ("password", "")]);
    assert_eq!(wait_state(&edge, "online")["strServerToken"], "shop");
}

#[test]
fn a_certificate_that_nobody_signed_is_offered_to_be_trusted() {
    let central = yard::central();
    let edge = scene::daemon("");
    dial(&edge, &central, &[("servertoken", "site1")]);
    let info = wait_state(&edge, "offline");
    let shown = central.api_ok("GetCertificate", &[])["strFingerprint"].as_str().expect("one").to_owned();
    let fitting = shown.replace(':', "").to_lowercase();
    assert_eq!(info["strPinOffered"], json!(fitting), "{info}");
    edge.api_ok("SetCloudInfo", &[("pin", &shown)]);
    assert_eq!(wait_state(&edge, "unclaimed")["strPin"], json!(fitting));
}

#[test]
fn a_user_knows_of_sites_of_which_some_source_may_be_seen() {
    let mut central = yard::central();
    let edges = ["site1", "site2"].map(|site| {
        let edge = yard::edge(&central, site, "view");
        for token in ["cam1", "cam2"] {
            scene::add(&edge, token, "rtsp://127.0.0.1:9/x", &[]);
        }
        yard::wait_listed(&central, &format!("{site}-cam2"));
        edge
    });
    central.api_ok("CreateRole", &[("role", "One"), ("roletoken", "one")]);
    central.api_ok("AddCamToRole", &[("roletoken", "one"), ("camtoken", "site1-cam1")]);
    central.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "one")]);
    central.login_as("eve", PASSWORD);
    let seen = servers(&central);
    assert_eq!(
        (seen.len(), &seen[0]["strServerToken"], &seen[0]["nSources"]),
        (1, &json!("site1"), &json!(1))
    );
    assert!(seen[0]["strDeviceKey"].is_null());
    assert_eq!(central.api_ok("GetCloudDevice", &[])["dev"].as_array().map(Vec::len), Some(1));
    for unseen in ["site2", "site9"] {
        assert_eq!(
            refusal(&central, "GetCloudDeviceSrc", &[("token", unseen)]),
            format!("parameter token: there is no site {unseen}")
        );
    }
    for call in ["GetClaimList", "DelServer", "ClaimServer", "SetCloudServer"] {
        assert_eq!(refusal(&central, call, &[]), format!("{call} needs the role Administrator"));
    }
    // A box that gets the token of one that was removed is another one.
    let eve = central.session.clone();
    central.login();
    central.api_ok("DelServer", &[("servertoken", "site1")]);
    let heir = yard::edge(&central, "site1", "view");
    scene::add(&heir, "cam1", "rtsp://127.0.0.1:9/x", &[]);
    yard::wait_listed(&central, "site1-cam1");
    central.session = eve;
    assert_eq!(servers(&central), Vec::<Value>::new());
    assert_eq!(central.api_ok("GetSrc", &[])["src"], json!([]));
    drop(edges);
}

#[test]
fn a_box_becomes_a_central_without_a_configuration() {
    let mut daemon = scene::daemon("");
    assert_eq!(daemon.api_ok("GetSystemInfo", &[])["bCentral"], false);
    assert_eq!(servers(&daemon), Vec::<Value>::new());
    assert!(refusal(&daemon, "GetClaimList", &[]).starts_with("this box is no central server"));
    daemon.api_ok("SetCloudServer", &[("enable", "true")]);
    let list = daemon.api_ok("GetServerList", &[]);
    assert_eq!((&list["bCentral"], &list["bCentralNext"]), (&json!(false), &json!(true)));
    daemon.restart();
    daemon.login();
    assert_eq!(daemon.api_ok("GetSystemInfo", &[])["bCentral"], true);
    assert_eq!(daemon.api_ok("GetClaimList", &[])["claim"], json!([]));
}
