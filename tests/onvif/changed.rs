//! ONVIF sources that are changed in place, and cameras that are tried out without being added.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::front::{PASSWORD, certificate};
use crate::sources::{MAIN, SUB, add, call, front, place, streams};
use crate::support::{scene, wait_for};

fn size(answer: &Value) -> (Option<u64>, Option<u64>) {
    (answer["nVideoWidth"].as_u64(), answer["nVideoHeight"].as_u64())
}

fn sized((width, height): (u32, u32)) -> (Option<u64>, Option<u64>) {
    (Some(width.into()), Some(height.into()))
}

#[test]
fn a_camera_is_tried_out_as_a_source_would_be() {
    let (daemon, cameras) = (scene::daemon(""), streams());
    let camera = front(&cameras);
    let test = |more: &[(&'static str, &str)]| {
        let mut params = place(camera.port);
        for (name, value) in more {
            params.retain(|(known, _)| known != name);
            params.push((name, (*value).to_owned()));
        }
        call(&daemon, "TestSrc", &params)
    };
    let main = test(&[]);
    assert_eq!((&main["bStatus"], size(&main)), (&json!(true), sized(MAIN)), "{main}");
    assert!(main["strImage"].as_str().expect("text").starts_with("data:image/jpeg;base64,/9j/"), "{main}");
    assert_eq!(size(&test(&[("profile", "sub")])), sized(SUB));
    // The profile that is named, instead of the one that is chosen.
    assert_eq!(size(&test(&[("main", "000")])), sized(SUB));
    let wrong = test(&[("password", "wrong one")]);
    assert_eq!((&wrong["bStatus"], &wrong["strOfflineReason"]), (&json!(false), &json!("unauthorised")));
    assert!(!wrong.to_string().contains("wrong one"), "{wrong}");
    assert_eq!(daemon.api_ok("GetSrc", &[]), json!({"src": []}));
    for cam in 0..2 {
        wait_for("the end of the test", scene::PATIENCE, || (cameras.sessions(cam) == 0).then_some(()));
    }

    // With the user and password of a source.
    add(&daemon, "door", camera.port, &[]);
    scene::wait_pictures(&daemon, "door");
    let answer = daemon.api_ok("TestSrc", &[("token", "door"), ("profile", "sub")]);
    assert_eq!(size(&answer), sized(SUB));
}

#[test]
fn a_camera_gets_another_address_and_keeps_its_plan() {
    let (daemon, cameras) = (scene::daemon(""), streams());
    let (old, new) = (front(&cameras), front(&cameras));
    add(&daemon, "door", old.port, &[("password", "wrong one"), ("connect", "H5_ALWAYS")]);
    scene::wait_offline(&daemon, "door", "unauthorised");
    let token = ("token", "door");
    daemon.api_ok("SetAlarmRecord", &[token, ("motion", "true"), ("post", "77")]);
    let plan = daemon.api_ok("GetAlarmRecord", &[token]);
    // At once, where it would be asked again in minutes otherwise.
    daemon.api_ok("UpdateSrc", &[token, ("password", PASSWORD)]);
    let entry = scene::wait_pictures(&daemon, "door");
    assert_eq!(size(&entry), sized(MAIN));

    let (port, began) = (new.port.to_string(), Instant::now());
    daemon.api_ok("UpdateSrc", &[token, ("port", &port), ("main", "000")]);
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    let entry = scene::wait_source(&daemon, "door", "the other profile", |entry| size(entry) == sized(SUB));
    assert_eq!((&entry["strSrcPort"], &entry["strOnvifProfileMain"]), (&json!(port), &json!("000")));
    assert_eq!(entry["bOnvifProfileAuto"], false);
    assert_eq!(daemon.api_ok("GetAlarmRecord", &[token]), plan);
}

#[test]
fn a_change_does_not_make_one_believe_another_certificate() {
    let (mut daemon, cameras) = (scene::daemon(""), streams());
    let camera = front(&cameras);
    camera.with(|state| state.tls = Some(certificate().0));
    add(&daemon, "vault", camera.port, &[("https", "true"), ("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "vault");
    let token = ("token", "vault");
    daemon.api_ok("UpdateSrc", &[token, ("name", "Vault")]);

    camera.with(|state| state.tls = Some(certificate().0));
    daemon.api_ok("UpdateSrc", &[token, ("audio", "true")]);
    let stranger = |entry: &Value| {
        let text = entry["strOfflineText"].as_str().unwrap_or_default();
        text.contains("certificate")
    };
    scene::wait_source(&daemon, "vault", "a stranger", stranger);
    daemon.terminate();
    daemon.restart();
    daemon.login();
    scene::wait_source(&daemon, "vault", "a stranger still", stranger);
    // Somebody says that it is the right one now.
    daemon.api_ok("UpdateSrc", &[token, ("https", "true")]);
    scene::wait_pictures(&daemon, "vault");
}
