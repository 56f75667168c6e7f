//! Media between nodes, and what happens when something of the machinery dies.

use std::time::{Duration, Instant};

use crate::support::ws::Viewer;
use crate::support::{http, scene, wait_for};
use crate::yard::{MAPPED, REGISTERED, SPREAD, Yard, picture_again, watch};

/// The longest that a page may be without a picture.
const BACK: Duration = Duration::from_secs(15);

async fn viewers(yard: &Yard, node: usize, count: usize) -> Vec<Viewer> {
    let node = &yard.nodes[node];
    let mut viewers = Vec::new();
    for _ in 0..count {
        viewers.push(Viewer::watch(node.http, MAPPED, &node.session).await.expect("a viewer"));
    }
    viewers
}

/// A page at that node has its picture back; how long it took from `since`.
async fn back(yard: &Yard, node: usize, since: Instant, what: &str) -> Viewer {
    let (viewer, took) = picture_again(yard.nodes[node].http, &yard.nodes[node].session, since, BACK).await;
    eprintln!("{what}: a picture after {:.1} s", took.as_secs_f32());
    viewer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_outlives_nodes_and_servers() {
    let mut yard = tokio::task::block_in_place(|| Yard::new(1, REGISTERED));
    tokio::task::block_in_place(|| (0..3).for_each(|node| drop(yard.wait_listed(node, true))));
    assert_eq!(yard.home(), Some(1));

    // Media crosses once for each node, and leaves the edge once.
    let mut all = viewers(&yard, 0, 5).await;
    all.extend(viewers(&yard, 2, 5).await);
    let watching = tokio::spawn(watch(all, Duration::from_secs(6), 75));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let counts = |node: usize| yard.nodes[node].source(MAPPED).expect("the camera")["nViewers"].clone();
    assert_eq!(yard.edge.source("cam1").expect("the camera")["nViewers"], 1);
    assert_eq!((counts(0), counts(1), counts(2)), (5.into(), 2.into(), 5.into()));
    assert_eq!(yard.camera.sessions(0), 1);
    drop(watching.await.expect("viewers that play"));

    // A call through a node that has no tunnel.
    let image = format!("/api/v1/GetImage?token={MAPPED}&width=160&session={}", yard.nodes[2].session);
    let image = http::get(yard.nodes[2].http, &image);
    assert!(image.body.starts_with(&[0xFF, 0xD8]), "{}", image.status);
    let found = yard.nodes[0].api_ok(
        "Search",
        &[
            ("token", MAPPED),
            ("type", "record"),
            ("start", "2026-01-01T00:00:00Z"),
            ("end", "2026-01-01T01:00:00Z"),
        ],
    );
    assert!(found["record"].is_array(), "{found}");

    // One server of NATS dies, which node a is connected to.
    let killed = Instant::now();
    yard.nats.kill(0);
    let at_home = viewers(&yard, 1, 1).await;
    let undisturbed = tokio::spawn(watch(at_home, Duration::from_secs(4), 60));
    back(&yard, 0, killed, "one NATS server killed, node a").await.leave().await;
    undisturbed.await.expect("a viewer at the site's node");
    yard.nats.revive(0);

    // All of them are away for five seconds.
    let at_home = viewers(&yard, 1, 1).await;
    let undisturbed = tokio::spawn(watch(at_home, Duration::from_secs(9), 180));
    (0..3).for_each(|server| yard.nats.kill(server));
    tokio::time::sleep(Duration::from_secs(5)).await;
    (0..3).for_each(|server| yard.nats.revive(server));
    let revived = Instant::now();
    for node in [0, 2] {
        back(&yard, node, revived, "all NATS servers back").await.leave().await;
    }
    undisturbed.await.expect("a viewer at the site's node");

    // The site moves to another node and back, though both live; nobody is fed by a node that has lost it.
    let [a, b, c] = [0, 1, 2].map(|node| yard.nodes[node].http);
    for (keepalive, at) in [("2", 2), ("1", 1)] {
        yard.balancer.set(&if at == 2 { [c, a, b] } else { [b, c, a] });
        let (one, other) = (viewers(&yard, 0, 1).await, viewers(&yard, 1, 1).await);
        let moved = Instant::now();
        yard.edge.api_ok("SetCloudInfo", &[("keepalivetime", keepalive)]);
        wait_for("the site at the other node", SPREAD, || (yard.home() == Some(at)).then_some(()));
        drop((one, other));
        for node in 0..3 {
            back(&yard, node, moved, &format!("the site moved, node {node}")).await.leave().await;
        }
    }

    // The node with the tunnel is killed.
    let mut page = back(&yard, 0, Instant::now(), "before").await;
    yard.balancer.set(&[c, a]);
    let killed = Instant::now();
    yard.nodes[1].kill();
    while !page.closed && killed.elapsed() < Duration::from_secs(6) {
        let before = page.received.len();
        // A page that gets nothing opens its socket again.
        if page.next(Duration::from_secs(2)).await.is_none() && page.received.len() == before {
            break;
        }
    }
    drop(page);
    back(&yard, 0, killed, "the site's node killed").await.leave().await;
    tokio::task::block_in_place(|| {
        [0, 2].into_iter().for_each(|node| drop(yard.wait_listed(node, true)));
        assert_eq!(yard.home(), Some(2));
        taken_out(&yard);
    });
}

/// What is changed at one node holds at the one that has the tunnel.
fn taken_out(yard: &Yard) {
    let (a, c) = (&yard.nodes[0], &yard.nodes[2]);
    let online = || yard.edge.api_ok("GetCloudClientInfo", &[])["bOnline"] == true;
    assert!(online());
    a.api_ok("UpdateServer", &[("servertoken", "site1"), ("enable", "false")]);
    wait_for("the edge to be disconnected", SPREAD, || (!online()).then_some(()));
    for node in [0, 2] {
        yard.wait_listed(node, false);
        assert_eq!(yard.nodes[node].api_ok("GetServerList", &[])["server"][0]["bEnable"], false);
    }
    c.api_ok("DelServer", &[("servertoken", "site1")]);
    wait_for("no site at a", scene::PATIENCE, || {
        (a.api_ok("GetServerList", &[])["server"].as_array()?.is_empty() && a.source(MAPPED).is_none())
            .then_some(())
    });
}
