//! An edge that goes, and comes back.

use std::time::{Duration, Instant};

use crate::support::ws::Viewer;
use crate::support::{scene, wait_for};
use crate::yard::{MAPPED, Yard};

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_that_is_away_is_said_to_be_and_comes_back() {
    let mut yard = Yard::new("control");
    let target = format!("/api/v1/h5stateapi?session={}", yard.central.session);
    let mut page = Viewer::open(yard.central.http, &target).await.expect("a socket");
    let mut viewer = Viewer::watch(yard.central.http, MAPPED, &yard.central.session).await.expect("a viewer");
    viewer.watch_for(Duration::from_secs(3)).await;
    yard.edge.kill();
    let told = async |page: &mut Viewer, online: bool| {
        let begin = Instant::now();
        loop {
            let text = page.next(scene::PATIENCE).await.expect("a message").message.to_string();
            let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let source =
                message["src"].as_array().and_then(|list| list.iter().find(|s| s["strToken"] == MAPPED));
            if let Some(source) = source
                && source["bOnline"] == online
                && (online || source["strOfflineReason"] == "site_away")
            {
                return begin.elapsed();
            }
        }
    };
    told(&mut page, false).await;
    let away = yard.central.source(MAPPED).expect("the camera");
    let why = away["strOfflineText"].as_str().expect("a text");
    assert!(why.starts_with("site site1 is not connected since 20"), "{why}");
    viewer.until_closed(Duration::from_secs(20)).await;
    let refused = yard.refusal("Record", &[("token", MAPPED), ("duration", "10")]);
    assert_eq!(refused, why);
    let image = yard.get(&format!("/api/v1/GetImage?token={MAPPED}"), &[]);
    assert!(image.body.starts_with(&[0xFF, 0xD8]));
    assert_eq!(yard.get("/mediastore/@site1/record/cam1/a.mp4", &[]).status, 503);

    yard.edge.restart();
    let back = Instant::now();
    told(&mut page, true).await;
    let mut frames = 0;
    while frames == 0 {
        assert!(back.elapsed() < Duration::from_secs(10), "no picture after {:?}", back.elapsed());
        let Ok(mut viewer) = Viewer::watch(yard.central.http, MAPPED, &yard.central.session).await else {
            continue;
        };
        viewer.watch_for(Duration::from_secs(2)).await;
        frames = viewer.received.iter().filter(|received| received.message.is_binary()).count();
    }
    eprintln!("a picture {:?} after the edge's start", back.elapsed());
    wait_for("a call", scene::PATIENCE, || {
        let (_, answer) = yard.central.api("GetRecordStatus", &[("token", MAPPED)]);
        (answer["bStatus"] == true).then_some(())
    });
}
