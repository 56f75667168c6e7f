//! Nodes against real NATS servers: clusters of three on loopback, made and killed by the tests.

mod servers;
mod sharing;
mod silence;
mod streams;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Cluster, Host, Settings};
use crate::cloud::cluster::NodeStream;
use servers::Servers;

/// Serves what the opening's `do` says.
struct Butler;

impl Host for Butler {
    fn accept(&self, opening: Value, mut stream: NodeStream) -> BoxFuture<'static, ()> {
        async move {
            match opening["do"].as_str() {
                Some("echo") => {
                    let (mut from, mut to) = split(stream);
                    let _ = copy(&mut from, &mut to).await;
                    let _ = to.shutdown().await;
                }
                // Writes as much as it may, to somebody who does not read.
                Some("flood") => while stream.write_all(&[7; 10_000]).await.is_ok() {},
                Some("hold") => std::future::pending().await,
                // Says how much came in.
                _ => {
                    let mut all = Vec::new();
                    let _ = stream.read_to_end(&mut all).await;
                    let _ = stream.write_all(&(all.len() as u64).to_be_bytes()).await;
                }
            }
        }
        .boxed()
    }
}

/// A node with a runtime of its own, so that it can be killed.
struct Node {
    cluster: Arc<Cluster>,
    runtime: Option<Runtime>,
}

impl Node {
    async fn start(settings: Settings) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let start = Cluster::start(settings, Arc::new(Butler), CancellationToken::new());
        let cluster = runtime.spawn(start).await.unwrap().unwrap();
        Self { cluster, runtime: Some(runtime) }
    }

    /// From one moment to the next nothing of it runs any more, and it said no goodbye.
    fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Nodes `a`, `b` ... that have heard each other.
async fn nodes(servers: &Servers, count: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"].into_iter().take(count) {
        nodes.push(Node::start(servers.settings(name)).await);
    }
    for node in &nodes {
        let ready = || node.cluster.trouble().is_none() && node.cluster.nodes().len() == count;
        until(20, "the nodes hear each other", ready).await;
    }
    nodes
}

/// Waits until `done`, at most `seconds`; how long it took.
async fn until(seconds: u64, what: &str, done: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}

/// Waits until the buckets of `node` work, which new servers take some seconds for.
async fn ready(node: &Node) {
    let start = Instant::now();
    while let Err(error) = node.cluster.put_session("probe", "x".into(), Duration::from_secs(60)).await {
        assert!(start.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn whereabouts(node: &Node, site: &str) -> Option<String> {
    node.cluster.at(site).map(|presence| presence.node)
}

fn echo() -> Value {
    json!({"do": "echo"})
}
