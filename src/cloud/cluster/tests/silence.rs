//! A node that falls silent without any connection being closed: a cable that was pulled.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::Notice;
use super::*;

/// Between a node and its server; while `cut`, nothing passes and nothing is closed, and what was on its way then is
/// lost.
async fn cable(server: String, cut: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&server).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near_in, far_out, cut.clone()));
            tokio::spawn(pass(far_in, near_out, cut.clone()));
        }
    });
    address
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut cut: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if *cut.borrow_and_update() {
            let _ = cut.wait_for(|cut| !cut).await;
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_node_is_given_up_and_comes_back() {
    let servers = Servers::start(false).await;
    let (cut, cuts) = watch::channel(false);
    let mut settings = servers.settings("b");
    let server = settings.servers[0].strip_prefix("nats://").unwrap().to_owned();
    settings.servers = vec![cable(server, cuts).await];
    let (a, b) = (Node::start(servers.settings("a")).await, Node::start(settings).await);
    let ready = |node: &Node| node.cluster.trouble().is_none() && node.cluster.nodes().len() == 2;
    until(20, "they hear each other", || ready(&a) && ready(&b)).await;
    b.cluster.here("stays", json!({})).await.unwrap();
    b.cluster.here("moves", json!({})).await.unwrap();
    let seen = |node: &Node, site: &str, at: &str| whereabouts(node, site).as_deref() == Some(at);
    until(5, "a sees both", || seen(&a, "stays", "b") && seen(&a, "moves", "b")).await;
    let mut stream = a.cluster.open("b", echo()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();

    let mut notices = a.cluster.notices();
    cut.send(true).unwrap();
    let start = Instant::now();
    // Nobody can know yet that it will not arrive.
    b.cluster.publish("users", json!("anna")).await.unwrap();
    let error = timeout(Duration::from_secs(6), stream.read(&mut [0])).await.unwrap().unwrap_err();
    println!("a stream to a silent node failed after {:?}", start.elapsed());
    assert!(error.to_string().contains("node b has been silent"), "{error}");
    until(6, "b's sites are away", || whereabouts(&a, "stays").is_none()).await;
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    let error = a.cluster.open("b", echo()).await.unwrap_err();
    assert!(error.to_string().contains("node b did not answer within 3 s"), "{error}");
    assert!(seen(&b, "stays", "b"));
    until(6, "b does not hear a", || b.cluster.nodes() == ["b"]).await;
    until(10, "b's streams are gone", || b.cluster.streams() == 0).await;
    // The edge gave b up as well, which b does not know.
    a.cluster.here("moves", json!({})).await.unwrap();

    assert!(notices.try_recv().is_err());
    cut.send(false).unwrap();
    let missed = timeout(Duration::from_secs(20), notices.recv()).await.expect("it is told").unwrap();
    assert_eq!(missed, Notice::Missed);
    let took = until(20, "a sees b's site", || seen(&a, "stays", "b")).await;
    println!("a node that was cut off was whole again after {took:?}");
    until(20, "b sees that the site moved", || seen(&b, "moves", "a")).await;
    b.cluster.gone("moves").await;
    until(10, "b is whole", || b.cluster.trouble().is_none()).await;
    let mut stream = a.cluster.open("b", echo()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    assert!(seen(&a, "moves", "a") && seen(&b, "moves", "a"));
}
