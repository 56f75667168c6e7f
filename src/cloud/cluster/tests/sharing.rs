//! What nodes share: presence, sessions, notices.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::super::{Change, Notice, locked};
use super::*;

/// Sites of a large node.
const MANY: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_sees_the_sites_of_the_other() {
    let servers = Servers::start(false).await;
    let all = nodes(&servers, 2).await;
    let (a, b) = (&all[0], &all[1]);
    let mut changes = b.cluster.changes();
    a.cluster.here("site.1", json!({"version": "1.0"})).await.unwrap();
    let took = until(5, "b sees it", || whereabouts(b, "site.1").is_some()).await;
    println!("a site was seen by another node after {took:?}");
    assert_eq!(b.cluster.at("site.1").unwrap().facts, json!({"version": "1.0"}));
    assert!(b.cluster.at("site.1").unwrap().since.elapsed().unwrap() < Duration::from_secs(60));
    assert!(b.cluster.at("site.2").is_none());
    loop {
        if changes.recv().await.unwrap() == Change::Site("site.1".into()) {
            break;
        }
    }

    // It moves, and the first one's late goodbye changes nothing.
    b.cluster.here("site.1", json!({})).await.unwrap();
    until(5, "a sees that it moved", || whereabouts(a, "site.1").as_deref() == Some("b")).await;
    a.cluster.gone("site.1").await;
    a.cluster.here("other", json!(1)).await.unwrap();
    until(5, "b sees the other one", || whereabouts(b, "other").is_some()).await;
    assert_eq!(whereabouts(b, "site.1").unwrap(), "b");
    b.cluster.gone("site.1").await;
    until(5, "a sees that it is away", || whereabouts(a, "site.1").is_none()).await;

    // A node that comes later reads the bucket.
    ready(a).await;
    let start = Instant::now();
    for number in 0..MANY {
        a.cluster.here(&format!("many-{number}"), json!({"version": "1.0", "number": number})).await.unwrap();
    }
    println!("{MANY} sites were told after {:?}", start.elapsed());
    let all_at = |node: &Node| (0..MANY).all(|number| whereabouts(node, &format!("many-{number}")).is_some());
    until(60, "b knows all", || all_at(b)).await;
    println!("and known to another node after {:?}", start.elapsed());
    until(120, "all are stored", || locked(&a.cluster.shared.sites).unstored(1).is_empty()).await;
    println!("and stored in three places after {:?}", start.elapsed());
    let c = Node::start(servers.settings("c")).await;
    let took = until(60, "c has read all", || all_at(&c)).await;
    println!("a new node knew all after {took:?}");
    assert_eq!(whereabouts(&c, "other").unwrap(), "a");
    assert!(whereabouts(&c, "site.1").is_none());
    assert_eq!(c.cluster.nodes(), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_one_for_all_nodes() {
    let servers = Servers::start(true).await;
    let all = nodes(&servers, 2).await;
    let (a, b) = (&all[0].cluster, &all[1].cluster);
    ready(&all[0]).await;
    ready(&all[1]).await;
    let minute = Duration::from_secs(60);
    for round in 0..50 {
        let (id, value) = (format!("id/{round} *"), format!("value {round}"));
        a.put_session(&id, value.clone().into(), minute).await.unwrap();
        // At once, wherever the browser asks.
        assert_eq!(b.session(&id).await.unwrap().unwrap(), value);
    }
    assert_eq!(b.session("id/unknown").await.unwrap(), None);
    b.end_session("id/1 *").await.unwrap();
    let gone = async { while a.session("id/1 *").await.unwrap().is_some() {} };
    timeout(Duration::from_secs(5), gone).await.expect("ended everywhere");
    a.put_session("short", "x".into(), Duration::from_millis(200)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(b.session("short").await.unwrap(), None);
    let long = vec![0; 20_000].into();
    assert!(a.put_session("long", long, minute).await.unwrap_err().to_string().starts_with("session:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_reach_the_others_only() {
    let servers = Servers::start(false).await;
    let all = nodes(&servers, 3).await;
    let mut heard: Vec<_> = all.iter().map(|node| node.cluster.notices()).collect();
    all[0].cluster.publish("users", json!(["anna"])).await.unwrap();
    for receiver in &mut heard[1..] {
        let notice = timeout(Duration::from_secs(5), receiver.recv()).await.unwrap().unwrap();
        assert_eq!(notice, Notice::Told { node: "a".into(), kind: "users".into(), value: json!(["anna"]) });
    }
    assert!(heard[0].try_recv().is_err());
    let long = all[0].cluster.publish("x", json!("y".repeat(20_000))).await.unwrap_err();
    assert!(long.to_string().starts_with("value:"), "{long}");
}
