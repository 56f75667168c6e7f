//! Streams between two nodes.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::time::{Instant, timeout};

use super::*;
use crate::base::Kind;
use crate::cloud::cluster::flow::WINDOW;

/// Octets that differ at each place, for a while.
fn octets(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Sends `sent` to an echo and reads it back; how long it took.
async fn there_and_back(node: &Node, sent: Vec<u8>) -> Duration {
    let start = Instant::now();
    let (mut from, mut to) = split(node.cluster.open("b", echo()).await.unwrap());
    let copy = sent.clone();
    let writer = tokio::spawn(async move {
        to.write_all(&copy).await.unwrap();
        to.shutdown().await.unwrap();
    });
    let mut back = Vec::new();
    timeout(Duration::from_secs(120), from.read_to_end(&mut back)).await.unwrap().unwrap();
    writer.await.unwrap();
    assert!(back == sent, "{} of {} octets came back, or others", back.len(), sent.len());
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn octets_pass_both_ways_while_another_stream_stands_still() {
    let servers = Servers::start(true).await;
    let nodes = nodes(&servers, 2).await;
    let (a, b) = (&nodes[0], &nodes[1]);

    // One that nobody reads at this end, and one that nobody reads at the other.
    let mut flood = a.cluster.open("b", json!({"do": "flood"})).await.unwrap();
    let mut stuck = a.cluster.open("b", json!({"do": "hold"})).await.unwrap();
    let mut put = 0u64;
    while let Ok(wrote) = timeout(Duration::from_millis(500), stuck.write(&[1; 8192])).await {
        put += wrote.unwrap() as u64;
    }
    println!("a stream that nobody reads took {put} octets");
    assert!((WINDOW / 2..=WINDOW + 64 * 1024).contains(&put), "{put}");

    let took = there_and_back(a, octets(20_000_000)).await;
    println!("20 MB there and back over TLS: {:.1} MB/s each way", 20.0 / took.as_secs_f64());

    // The flood waited, and comes now, no more than fits into both ends while it is not read.
    let mut some = vec![0; 1_000_000];
    timeout(Duration::from_secs(10), flood.read_exact(&mut some)).await.unwrap().unwrap();
    assert!(some.iter().all(|octet| *octet == 7));
    assert_eq!((a.cluster.streams(), b.cluster.streams()), (2, 2));
    drop((flood, stuck));
    // The flooded one ends on its next write; the held one because its peer was dropped.
    until(10, "dropped streams end at this node", || a.cluster.streams() == 0).await;
    until(10, "and at the other", || b.cluster.streams() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_in_order_in_each_direction() {
    let servers = Servers::start(false).await;
    let nodes = nodes(&servers, 2).await;
    let mut stream = nodes[0].cluster.open("b", json!({})).await.unwrap();
    assert_eq!(stream.peer(), "b");
    stream.write_all(b"12345").await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(stream.write_all(b"6").await.is_err());
    // The other side still writes after it read the end.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, 5u64.to_be_bytes());
    until(5, "both nodes forget it", || nodes.iter().all(|node| node.cluster.streams() == 0)).await;

    // Small writes are many messages; the window counts them too.
    let mut stream = nodes[0].cluster.open("b", echo()).await.unwrap();
    let mut one = [0];
    for octet in octets(2000) {
        stream.write_all(&[octet]).await.unwrap();
        stream.read_exact(&mut one).await.unwrap();
        assert_eq!(one[0], octet);
    }
    // A stream that nobody uses lives on.
    tokio::time::sleep(Duration::from_secs(6)).await;
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut one).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_name_the_node() {
    let servers = Servers::start(false).await;
    let nodes = nodes(&servers, 2).await;
    let a = &nodes[0].cluster;
    let refused = |error: crate::base::Error, kind, text: &str| {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    };
    refused(a.open("nobody", echo()).await.unwrap_err(), Kind::Refused, "no node nobody");
    refused(a.open("a", echo()).await.unwrap_err(), Kind::BadInput, "node: a is");
    refused(a.open("a.>", echo()).await.unwrap_err(), Kind::BadInput, "node:");
    let long = json!({"do": "x".repeat(5000)});
    refused(a.open("b", long).await.unwrap_err(), Kind::BadInput, "opening:");
    refused(a.here(".x", json!({})).await.unwrap_err(), Kind::BadInput, "site:");
    refused(a.here("x", json!("y".repeat(5000))).await.unwrap_err(), Kind::BadInput, "facts:");

    // What somebody else sends to a node's subjects does it no harm, and is told so.
    let client = async_nats::ConnectOptions::new()
        .user_and_password("h5edge".into(), servers::PASSWORD.into())
        .connect(servers.settings("a").servers)
        .await
        .unwrap();
    for wrong in
        ["", "{}", r#"{"from":"a.b","stream":"","opening":1}"#, r#"{"from":"a","stream":"..","opening":1}"#]
    {
        let answer = client.request("h5edge.node.b.open", wrong.into()).await.unwrap();
        assert!(String::from_utf8_lossy(&answer.payload).contains("BadInput"), "{wrong}");
    }
    for subject in ["h5edge.beat", "h5edge.site", "h5edge.notice", "h5edge.node.b.stream.x"] {
        client.publish(subject, vec![0xff; 1000].into()).await.unwrap();
    }
    client.flush().await.unwrap();
    there_and_back(&nodes[0], octets(1000)).await;

    // Streams are bounded.
    let mut held = Vec::new();
    let error = loop {
        match a.open("b", json!({"do": "hold"})).await {
            Ok(stream) => held.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!(held.len(), super::super::MAX_STREAMS);
    refused(error, Kind::Full, "streams open");
}

/// Not a test of anything but that it works: prints what a stream takes on this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measures_a_stream() {
    let servers = Servers::start(false).await;
    let nodes = nodes(&servers, 2).await;
    let took = there_and_back(&nodes[0], octets(50_000_000)).await;
    println!("50 MB there and back: {:.1} MB/s each way", 50.0 / took.as_secs_f64());
    let mut stream = nodes[0].cluster.open("b", echo()).await.unwrap();
    for size in [100, 10_000] {
        let (sent, mut back) = (vec![1; size], vec![0; size]);
        let mut times = Vec::new();
        for _ in 0..500 {
            let start = Instant::now();
            stream.write_all(&sent).await.unwrap();
            stream.read_exact(&mut back).await.unwrap();
            times.push(start.elapsed() / 2);
        }
        times.sort();
        println!("{size} octets one way: p50 {:?}, p95 {:?}", times[250], times[475]);
    }
}
