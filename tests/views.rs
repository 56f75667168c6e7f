//! Views over the HTTP API: each user's own, checked, counted, and gone with their user.

mod support;

use serde_json::{Value, json};
use support::{daemon::Daemon, http, scene};

const PASSWORD: &str = "looking at one";

fn views(daemon: &Daemon) -> Value {
    daemon.api_ok("GetViewList", &[])["view"].clone()
}

fn refused(daemon: &Daemon, call: &str, params: &[(&str, &str)]) -> String {
    let before = views(daemon);
    let (status, answer) = daemon.api(call, params);
    assert_eq!((status, &answer["bStatus"]), (200, &json!(false)), "{call} {params:?}: {answer}");
    assert_eq!(views(daemon), before);
    answer["strCode"].as_str().expect("a text").to_owned()
}

/// SetView by POST, as pages do it.
fn post(daemon: &Daemon, name: &str, layout: &str) -> Value {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let body = format!("name={}&layout={}&session={}", encode(name), encode(layout), daemon.session);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    http::request(daemon.http, "POST", "/api/v1/SetView", &form, body.as_bytes()).json()
}

#[test]
fn each_user_has_views_of_their_own() {
    let mut daemon = scene::daemon("");
    for user in ["eve", "vera"] {
        daemon.api_ok("CreateUser", &[("user", user), ("password", PASSWORD), ("roletoken", "viewer")]);
    }
    let admin = daemon.session.clone();
    daemon.login_as("eve", PASSWORD);
    assert_eq!(views(&daemon), json!([]));
    daemon.api_ok("SetView", &[("name", "Hof & 门"), ("layout", r#"{"grid":4,"tiles":["a",null]}"#)]);
    daemon.api_ok("SetView", &[("name", "all"), ("layout", "{}")]);
    let (yard, all) = ("Hof & 门", json!({"strName": "all", "layout": {}}));
    let first = json!({"strName": yard, "layout": {"grid": 4, "tiles": ["a", null]}});
    assert_eq!(views(&daemon), json!([first, all]));
    assert_eq!(post(&daemon, yard, r#"{"grid": 9}"#)["bStatus"], true);
    let second = json!({"strName": yard, "layout": {"grid": 9}});
    assert_eq!(views(&daemon), json!([second, all]));

    daemon.login_as("vera", PASSWORD);
    assert_eq!(views(&daemon), json!([]));
    assert_eq!(refused(&daemon, "DelView", &[("name", "all")]), "parameter name: there is no view all");
    daemon.api_ok("SetView", &[("name", "all"), ("layout", r#"{"mine":true}"#)]);
    daemon.login_as("eve", PASSWORD);
    daemon.api_ok("DelView", &[("name", yard)]);
    assert_eq!(views(&daemon), json!([all]));

    // They go with their user, and do not come back with one of that name.
    daemon.session = admin;
    daemon.api_ok("DeleteUser", &[("user", "eve")]);
    daemon.api_ok("CreateUser", &[("user", "eve"), ("password", PASSWORD), ("roletoken", "viewer")]);
    daemon.login_as("eve", PASSWORD);
    assert_eq!(views(&daemon), json!([]));
    daemon.terminate();
    daemon.restart();
    daemon.login_as("vera", PASSWORD);
    assert_eq!(views(&daemon), json!([{"strName": "all", "layout": {"mine": true}}]));
}

#[test]
fn what_is_no_view_is_refused_by_name() {
    let daemon = scene::daemon("");
    daemon.api_ok("SetView", &[("name", "one"), ("layout", r#"{"a":1}"#)]);
    let long = "x".repeat(300);
    for (params, complaint) in [
        (vec![("layout", "{}")], "parameter name is missing"),
        (vec![("name", "one")], "parameter layout is missing"),
        (vec![("name", "one"), ("layout", "[]")], "parameter layout is not a JSON object"),
        (vec![("name", "one"), ("layout", "{\"a\":")], "parameter layout is not a JSON object"),
        (vec![("name", "one"), ("layout", "{} {}")], "parameter layout is not a JSON object"),
        (vec![("name", "one"), ("layout", "7")], "parameter layout is not a JSON object"),
        (vec![("name", "one"), ("layout", "{}"), ("user", "eve")], "parameter user is not known to SetView"),
        (vec![("name", &long), ("layout", "{}")], "parameter name is longer than 256 bytes"),
    ] {
        let text = refused(&daemon, "SetView", &params);
        assert!(text.starts_with(complaint), "{params:?}: {text}");
    }
    let layout = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    assert_eq!(post(&daemon, "two", &layout(8193))["strCode"], "parameter layout is longer than 8192 bytes");
    assert_eq!(post(&daemon, "two", &layout(8192))["bStatus"], true);
    // Deeper than anybody arranges pictures.
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(2000), "]".repeat(2000));
    assert_eq!(post(&daemon, "two", &deep)["strCode"], "parameter layout is not a JSON object");

    for number in 2..64 {
        assert_eq!(post(&daemon, &format!("view {number}"), "{}")["bStatus"], true, "{number}");
    }
    assert_eq!(views(&daemon).as_array().map(Vec::len), Some(64));
    let full = [("name", "one more"), ("layout", "{}")];
    assert_eq!(refused(&daemon, "SetView", &full), "parameter name: there are 64 views already");
    daemon.api_ok("SetView", &[("name", "one"), ("layout", "{}")]);
    daemon.api_ok("DelView", &[("name", "two")]);
    daemon.api_ok("SetView", &full);
    let (status, answer) = daemon.get("/api/v1/GetViewList");
    assert_eq!((status, &answer["bStatus"]), (401, &json!(false)));
}
