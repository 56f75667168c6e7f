//! Calls that the central passes on, and what the edge grants.

use crate::support::{scene, wait_for};
use crate::yard::{self, MAPPED, Yard};

const TOKEN: (&str, &str) = ("token", MAPPED);

#[test]
fn a_camera_is_added_at_a_site_and_deleted_there() {
    let yard = Yard::new("administration");
    let site = ("servertoken", "site1");
    let url = yard.camera.rtsp_url(0);
    let camera = [("name", "Second"), ("token", "cam-2"), ("url", url.as_str()), site];
    yard.central.api_ok("AddSrcRTSP", &camera);
    assert!(yard.edge.source("cam-2").is_some() && yard.central.source("cam-2").is_none());
    yard::wait_listed(&yard.central, "site1-cam-2");
    wait_for("a picture", scene::PATIENCE, || {
        let image = yard.get("/hls/v1/site1-cam-2/hls.m3u8", &[]);
        (image.status == 200).then_some(())
    });
    yard.central.api_ok("UpdateSrc", &[("token", "site1-cam-2"), ("name", "Another")]);
    assert_eq!(yard.edge.source("cam-2").expect("the camera")["strName"], "Another");
    yard.central.api_ok("DelSrc", &[("token", "site1-cam-2")]);
    assert!(yard.edge.source("cam-2").is_none());
    wait_for("it to go", scene::PATIENCE, || yard.central.source("site1-cam-2").is_none().then_some(()));

    let unknown = [&camera[..3], &[("servertoken", "site2")]].concat();
    assert_eq!(yard.refusal("AddSrcRTSP", &unknown), "parameter servertoken: there is no site site2");
    let at_edge = yard.edge.api("AddSrcRTSP", &[&camera[..3], &[site]].concat()).1;
    assert!(at_edge["strCode"].as_str().is_some_and(|text| text.contains("no central server")), "{at_edge}");
    yard.central.api_ok("OnvifSearch", &[("timeout", "1"), site]);
    let kept = yard.edge.api_ok("GetAuditList", &[("user", "central:admin")]);
    let calls: Vec<_> =
        kept["audit"].as_array().expect("entries").iter().map(|entry| &entry["strCall"]).collect();
    assert_eq!(calls, ["DelSrc", "UpdateSrc", "AddSrcRTSP"]);
}

#[test]
fn what_the_edge_does_not_grant_is_refused_in_words() {
    let yard = Yard::new("view");
    let refused = yard.refusal("Record", &[TOKEN, ("duration", "10")]);
    assert_eq!(refused, "site site1: the box grants its central view only, and this takes control");
    let span =
        [TOKEN, ("type", "record"), ("start", "2020-01-01T00:00:00Z"), ("end", "2021-01-01T00:00:00Z")];
    assert!(yard.refusal("Search", &span).contains("this takes playback"));
    let file = yard.get("/mediastore/@site1/record/cam1/a.mp4", &[]);
    assert_eq!(file.status, 403, "{}", file.text());
    let kept = yard.central.api_ok("GetAuditList", &[("limit", "1")]);
    let failure = kept["audit"][0]["strFailure"].as_str().expect("a text");
    assert_eq!((kept["audit"][0]["strCall"].as_str(), failure), (Some("Record"), refused.as_str()));
}

#[test]
fn steering_reaches_the_edge() {
    let yard = Yard::new("control");
    let said = |daemon: &crate::support::daemon::Daemon, token| {
        let answer = daemon.api("Ptz", &[("token", token), ("action", "left"), ("speed", "0.5")]).1;
        (answer["bStatus"].clone(), answer["strCode"].as_str().unwrap_or_default().to_owned())
    };
    let (at_edge, here) = (said(&yard.edge, "cam1"), said(&yard.central, MAPPED));
    assert_eq!((at_edge.0, format!("site site1: {}", at_edge.1)), here);
}
