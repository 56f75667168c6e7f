//! Live pictures of a site at the central.

use std::time::Duration;

use crate::support::ws::Viewer;
use crate::support::{scene, wait_for};
use crate::yard::{MAPPED, Yard};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_viewers_at_the_central_are_one_at_the_edge() {
    let yard = Yard::new("view");
    let mut viewers = Vec::new();
    for _ in 0..20 {
        let viewer = Viewer::watch(yard.central.http, MAPPED, &yard.central.session).await;
        viewers.push(viewer.expect("a viewer"));
    }
    let watched = viewers.into_iter().map(|mut viewer| {
        tokio::spawn(async move {
            viewer.watch_for(Duration::from_secs(6)).await;
            viewer
        })
    });
    let mut still = Vec::new();
    let watched: Vec<_> = watched.collect();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let at_edge = yard.edge.source("cam1").expect("the camera");
    assert_eq!(at_edge["nViewers"], 1, "{at_edge}");
    let here = yard.central.source(MAPPED).expect("the camera");
    assert_eq!((&here["nViewers"], &here["bOnline"]), (&20.into(), &true.into()), "{here}");
    assert_eq!(yard.camera.sessions(0), 1);
    for viewer in watched {
        let viewer = viewer.await.expect("a viewer");
        assert!(viewer.check_but_pace().frames() > 75);
        still.push(viewer);
    }
    drop(still);
    wait_for("nobody at the edge", scene::PATIENCE, || {
        (yard.edge.source("cam1")?["nViewers"] == 0).then_some(())
    });
}

#[test]
fn the_list_tells_whose_it_is() {
    let yard = Yard::new("view");
    let listed = yard.central.api_ok("GetSrc", &[("type", "H5_CLOUD")]);
    let one = yard.central.api_ok("GetSrc", &[("token", MAPPED)]);
    let (listed, one) = (&listed["src"][0], &one["src"][0]);
    for (field, value) in [
        ("nType", "H5_CLOUD"),
        ("nOriginalType", "H5_STREAM"),
        ("strName", "cam1"),
        ("strToken", MAPPED),
        ("strServerToken", "site1"),
        ("strServerName", "Yard of site1"),
        ("strOriginalToken", "cam1"),
        ("strUser", ""),
        ("strPasswd", ""),
    ] {
        assert_eq!((&listed[field], &one[field]), (&value.into(), &value.into()), "{field}: {listed}");
    }
    assert_eq!(listed["strServerUuid"].as_str().map(str::len), Some(36), "{listed}");
    assert_eq!(yard.central.api_ok("GetSrc", &[("type", "H5_FILE")])["src"], serde_json::json!([]));
    assert!(yard.refusal("GetSrc", &[("token", "site1-cam2")]).contains("no source site1-cam2"));
    let taken = [("name", "a"), ("token", "site1-a"), ("url", "rtsp://127.0.0.1:9/x")];
    assert!(yard.refusal("AddSrcRTSP", &taken).contains("a source of the site site1"));
    for target in [format!("/hls/v2/{MAPPED}/hls.m3u8"), format!("/hls/v1/{MAPPED}/hls.m3u8")] {
        wait_for("a playlist", scene::PATIENCE, || {
            let answer = yard.get(&target, &[]);
            (answer.status == 200 && answer.text().contains("#EXTM3U")).then_some(())
        });
    }
    let status = yard.central.api_ok("GetVidStreamStatus", &[("token", MAPPED)]);
    assert_eq!(status["strVideoType"], "H264");
    let image = yard.get(&format!("/api/v1/GetImage?token={MAPPED}&width=160"), &[]);
    assert_eq!((image.status, image.header("content-type")), (200, Some("image/jpeg")));
    assert!(image.body.starts_with(&[0xFF, 0xD8]));
}
