//! Nodes and servers that die.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::super::{Login, Notice};
use super::*;
use crate::base::secret::Secret;

/// An octet there and back.
async fn alive(stream: &mut NodeStream) -> std::io::Result<()> {
    stream.write_all(b"x").await?;
    timeout(Duration::from_secs(5), stream.read_exact(&mut [0])).await??;
    Ok(())
}

/// A new stream from `node` to `b`, and an octet there and back.
async fn again(node: &Node) -> std::io::Result<()> {
    let mut stream = node.cluster.open("b", echo()).await.map_err(std::io::Error::other)?;
    alive(&mut stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_is_noticed_and_its_sites_are_away() {
    let servers = Servers::start(false).await;
    let mut all = nodes(&servers, 3).await;
    let (c, b, a) = (all.pop().unwrap(), all.pop().unwrap(), all.pop().unwrap());
    ready(&a).await;
    b.cluster.here("moved", json!({})).await.unwrap();
    b.cluster.here("lost", json!({})).await.unwrap();
    until(5, "a sees both", || ["moved", "lost"].iter().all(|site| whereabouts(&a, site).is_some())).await;
    c.cluster.here("moved", json!({})).await.unwrap();
    until(5, "it moved", || whereabouts(&a, "moved").as_deref() == Some("c")).await;
    let mut stream = a.cluster.open("b", echo()).await.unwrap();
    alive(&mut stream).await.unwrap();

    b.kill();
    let killed = Instant::now();
    let error = timeout(Duration::from_secs(6), stream.read(&mut [0])).await.unwrap().unwrap_err();
    println!("the stream failed after {:?}: {error}", killed.elapsed());
    assert!(error.to_string().contains("node b"), "{error}");
    until(6, "its sites are away", || whereabouts(&a, "lost").is_none()).await;
    println!("its sites were away after {:?}", killed.elapsed());
    until(6, "it is not listed", || a.cluster.nodes() == ["a", "c"]).await;
    assert!(killed.elapsed() < Duration::from_secs(6), "{:?}", killed.elapsed());
    assert_eq!(whereabouts(&a, "moved").unwrap(), "c");
    assert!(a.cluster.open("b", echo()).await.unwrap_err().to_string().contains("node b"));

    // A new life of it does not have what the old one had.
    let b = Node::start(servers.settings("b")).await;
    until(6, "it is back", || a.cluster.nodes().len() == 3 && b.cluster.nodes().len() == 3).await;
    assert!(whereabouts(&a, "lost").is_none());
    b.cluster.here("lost", json!({})).await.unwrap();
    until(5, "the site is back", || whereabouts(&a, "lost").is_some()).await;
    assert_eq!(whereabouts(&b, "moved").unwrap(), "c");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_stop_is_noticed_at_once() {
    let servers = Servers::start(false).await;
    let all = nodes(&servers, 1).await;
    let (a, stop) = (&all[0], CancellationToken::new());
    let b = Cluster::start(servers.settings("b"), Arc::new(Butler), stop.clone()).await.unwrap();
    until(10, "b is there", || a.cluster.nodes().len() == 2).await;
    b.here("site", json!({})).await.unwrap();
    until(5, "a sees it", || whereabouts(a, "site").is_some()).await;
    let mut stream = a.cluster.open("b", json!({"do": "hold"})).await.unwrap();
    stop.cancel();
    timeout(Duration::from_secs(2), b.stopped()).await.unwrap();
    let took = until(2, "a sees that b stopped", || whereabouts(a, "site").is_none()).await;
    println!("an orderly stop was seen after {took:?}");
    assert!(timeout(Duration::from_secs(2), stream.read(&mut [0])).await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_disturbs_little() {
    let mut servers = Servers::start(false).await;
    let all = nodes(&servers, 3).await;
    for node in &all {
        ready(node).await;
    }
    let [a, b, c] = &all[..] else { unreachable!() };
    a.cluster.here("at-a", json!({})).await.unwrap();
    until(5, "b sees it", || whereabouts(b, "at-a").is_some()).await;
    let mut other = b.cluster.open("c", echo()).await.unwrap();

    // A's own server.
    servers.kill(0);
    let killed = Instant::now();
    let watch = async {
        while killed.elapsed() < Duration::from_secs(8) {
            assert!(whereabouts(b, "at-a").is_some(), "away after {:?}", killed.elapsed());
            assert_eq!(c.cluster.nodes(), ["a", "b", "c"], "after {:?}", killed.elapsed());
            alive(&mut other).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let use_it = async {
        // One that was opened in the very moment may still be lost.
        while again(a).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("a node without its server had a stream again after {:?}", killed.elapsed());
        assert!(killed.elapsed() < Duration::from_secs(8));
        b.cluster.here("new", json!({})).await.unwrap();
        until(3, "presence goes on while the servers elect", || whereabouts(a, "new").is_some()).await;
        println!("a new site was seen {:?} after the server died", killed.elapsed());
    };
    let log_in = async {
        ready(b).await;
        println!("sessions could be put again {:?} after the server died", killed.elapsed());
    };
    let stay = async {
        while killed.elapsed() < Duration::from_secs(8) {
            assert!(b.cluster.session("probe").await.unwrap().is_some(), "after {:?}", killed.elapsed());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(watch, use_it, log_in, stay);
    servers.revive(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_server_own_sites_stay_and_all_heals() {
    let mut servers = Servers::start(false).await;
    let all = nodes(&servers, 2).await;
    let [a, b] = &all[..] else { unreachable!() };
    ready(a).await;
    ready(b).await;
    a.cluster.here("at-a", json!({})).await.unwrap();
    b.cluster.here("moves", json!({})).await.unwrap();
    until(5, "b sees it", || whereabouts(b, "at-a").is_some()).await;
    a.cluster.put_session("kept", "value".into(), Duration::from_secs(600)).await.unwrap();
    let mut notices = b.cluster.notices();
    while notices.try_recv().is_ok() {}
    let mut stream = a.cluster.open("b", echo()).await.unwrap();
    alive(&mut stream).await.unwrap();

    (0..3).for_each(|index| servers.kill(index));
    until(6, "others' sites are away", || whereabouts(b, "at-a").is_none()).await;
    assert_eq!(whereabouts(a, "at-a").unwrap(), "a");
    assert!(alive(&mut stream).await.is_err());
    assert!(a.cluster.trouble().is_some());
    let start = Instant::now();
    let error = a.cluster.open("b", echo()).await.unwrap_err();
    assert!(error.to_string().contains("node b cannot be reached"), "{error}");
    assert!(a.cluster.session("kept").await.is_err());
    // Nothing of this waits for NATS.
    a.cluster.here("new", json!({})).await.unwrap();
    a.cluster.here("moves", json!({})).await.unwrap();
    b.cluster.gone("moves").await;
    a.cluster.publish("users", json!(1)).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());

    (0..3).for_each(|index| servers.revive(index));
    let back = Instant::now();
    let seen = |site| whereabouts(b, site).as_deref() == Some("a");
    until(30, "b sees all of a's", || seen("at-a") && seen("new") && seen("moves")).await;
    println!("presence was whole {:?} after the servers came back", back.elapsed());
    until(10, "a has no trouble", || a.cluster.trouble().is_none()).await;
    assert_eq!(timeout(Duration::from_secs(10), notices.recv()).await.unwrap().unwrap(), Notice::Missed);
    while let Err(error) = again(a).await {
        assert!(back.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ready(b).await;
    assert_eq!(b.cluster.session("kept").await.unwrap().unwrap(), "value");
    println!("sessions were back {:?} after the servers", back.elapsed());
    let c = Node::start(servers.settings("c")).await;
    until(20, "the bucket has all", || {
        ["at-a", "new", "moves"].iter().all(|site| whereabouts(&c, site).is_some())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_or_authority_is_told() {
    let servers = Servers::start(true).await;
    let mut settings = servers.settings("a");
    settings.login = Login::User { user: "h5edge".into(), password: Secret::new("a wrong one") };
    let wrong = Node::start(settings).await;
    let told = |node: &Node, text: &str| node.cluster.trouble().is_some_and(|trouble| trouble.contains(text));
    until(10, "authorization", || told(&wrong, "authorization")).await;
    assert!(!told(&wrong, "a wrong one"));
    let mut settings = servers.settings("b");
    settings.ca = None;
    let unknown = Node::start(settings).await;
    until(10, "certificate", || told(&unknown, "certificate")).await;
    assert!(told(&unknown, "localhost"), "{:?}", unknown.cluster.trouble());
}
