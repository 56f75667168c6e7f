//! Several central nodes as one: which node has which site's tunnel, byte streams from node to node, shared
//! sessions and small notices, all over NATS (docs/decisions/0014-cluster.md).
//!
//! A lone central has no [`Cluster`]. Whoever may speak to the NATS servers as this program does is trusted like
//! a node: they need a password and TLS of their own (`Settings`).
//!
//! Tasks of a cluster: one hears the other nodes and beats, one takes in the streams' messages, one new streams
//! (`listen`); one follows the bucket of sites and one writes it (`bucket`); and one per open stream (`stream`).
//! Losing NATS leaves this node's own sites as they are; other nodes' count as away after four seconds, and all
//! comes back by itself. Memory: a record per site (`presence`), at most 320 KB per stream that is not read
//! (`stream`), and the library's queues: 2 MB to be sent for each of two connections, and what arrived and was not
//! yet looked at.
//!
//! Locks: `sites` before `members`; none is held while waiting.

mod bucket;
mod connection;
mod flow;
mod frame;
mod listen;
mod members;
mod presence;
mod sessions;
mod stream;
mod switch;
mod text;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

pub use super::between::{Change, Login, Notice, Presence, Settings};
use crate::base::{Error, Result};
use connection::Connection;
use members::{Life, Members};
use presence::{MAX_FACTS, Record, Sites};
pub use stream::NodeStream;
pub use switch::MAX_STREAMS;
use switch::Switch;

/// Octets of JSON that a notice may have.
const MAX_NOTICE: usize = 16 * 1024;

/// What other nodes ask of this one.
pub trait Host: Send + Sync + 'static {
    /// Serves a stream that somebody on another node opened. `opening` is what they gave, up to 4 KB of JSON;
    /// the stream ends when the future does, or drops it.
    fn accept(&self, opening: Value, stream: NodeStream) -> BoxFuture<'static, ()>;
}

/// The names of what goes over NATS. No part of a name comes from outside unchecked.
mod subject {
    pub const BEAT: &str = "h5edge.beat";
    pub const SITE: &str = "h5edge.site";
    pub const NOTICE: &str = "h5edge.notice";

    pub fn open(node: &str) -> String {
        format!("h5edge.node.{node}.open")
    }

    pub fn stream(node: &str, stream: &str) -> String {
        format!("h5edge.node.{node}.stream.{stream}")
    }
}

/// What the tasks share.
struct Shared {
    me: Life,
    /// Copies that the buckets should have.
    replicas: usize,
    control: Connection,
    switch: Arc<Switch>,
    sites: Mutex<Sites>,
    members: Mutex<Members>,
    changes: broadcast::Sender<Change>,
    notices: broadcast::Sender<Notice>,
    /// A notice of this node's could not be sent.
    unsent: AtomicBool,
    /// The bucket lacks a record.
    dirty: Notify,
    buckets: Mutex<Option<bucket::Buckets>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Shared {
    fn alive(&self, life: &Life) -> bool {
        *life == self.me || locked(&self.members).alive(life, Instant::now())
    }

    /// Tells the other nodes and the bucket what this node says of a site.
    async fn say(&self, site: &str, record: &Record) {
        self.dirty.notify_one();
        self.tell([(site.to_owned(), record.clone())]).await;
    }

    /// Tells the other nodes, as long as the connection takes it.
    async fn tell(&self, records: impl IntoIterator<Item = (String, Record)>) {
        for (site, record) in records {
            let told = serde_json::to_vec(&listen::Told { site, record }).unwrap_or_default();
            if !self.control.tell(subject::SITE, told).await {
                break;
            }
        }
    }

    fn changed(&self, change: Change) {
        // Nobody need listen.
        let _ = self.changes.send(change);
    }
}

/// This node's part in the cluster. Ends when it is dropped, or by its token.
pub struct Cluster {
    shared: Arc<Shared>,
    /// The others were told that this node stops.
    parted: CancellationToken,
    _stop: DropGuard,
}

impl Cluster {
    /// Takes part as `settings` say; an error names the setting that is wrong. That NATS cannot be reached is no
    /// error: it is tried for ever ([`Self::trouble`] tells).
    pub async fn start(
        settings: Settings,
        host: Arc<dyn Host>,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>> {
        let stop = shutdown.child_token();
        let control = Connection::start(&settings, "control").await?;
        let data = Connection::start(&settings, "data").await?;
        let me = Life { node: settings.node.clone(), run: rand::random() };
        let switch = Switch::new(&me.node, control.clone(), data.clone(), host, stop.clone());
        let shared = Arc::new(Shared {
            replicas: settings.servers.len().min(3),
            control,
            switch: Arc::new(switch),
            sites: Mutex::new(Sites::new(me.clone())),
            members: Mutex::default(),
            changes: broadcast::channel(1024).0,
            notices: broadcast::channel(256).0,
            unsent: AtomicBool::new(false),
            dirty: Notify::new(),
            buckets: Mutex::default(),
            me,
        });
        let ears = listen::Ears::open(&shared.control).await?;
        let streams = data.subscribe(subject::stream(&shared.me.node, "*")).await?;
        let openings = data.subscribe(subject::open(&shared.me.node)).await?;
        tokio::spawn(listen::streams(shared.switch.clone(), streams, stop.clone()));
        tokio::spawn(listen::openings(shared.switch.clone(), openings, stop.clone()));
        let parted = CancellationToken::new();
        let (ears, leave) = (listen::listen(shared.clone(), ears, stop.clone()), parted.clone().drop_guard());
        tokio::spawn(async move {
            ears.await;
            drop(leave);
        });
        let (follow, write) = (shared.clone(), shared.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { bucket::follow(&follow).await }));
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { bucket::write(&write).await }));
        Ok(Arc::new(Self { shared, parted, _stop: stop.drop_guard() }))
    }

    /// This node's name.
    pub fn node(&self) -> &str {
        &self.shared.me.node
    }

    /// Waits until this node has taken its leave after its token was cancelled, at most a second or two. A
    /// program that does not wait is missed by the others only after seconds.
    pub async fn stopped(&self) {
        self.parted.cancelled().await;
    }

    /// Why this node has no connection to NATS, if it lacks one of its two.
    pub fn trouble(&self) -> Option<String> {
        self.shared.switch.trouble()
    }

    /// Opens a stream to `node`, whose [`Host`] is given `opening` (up to 4 KB of JSON). Errors name the node:
    /// `Refused` if it cannot be reached or is not there, `Timeout` after 3 s, `Full` if it or this node has
    /// [`MAX_STREAMS`] open.
    pub async fn open(&self, node: &str, opening: Value) -> Result<NodeStream> {
        self.shared.switch.open(node, opening).await
    }

    /// How many streams this node has open, of its own and others' opening.
    pub fn streams(&self) -> usize {
        self.shared.switch.count()
    }

    /// This node has the site's tunnel from now on, whoever had it before; or the site's facts changed.
    ///
    /// Stays so until [`Self::gone`]. When another node says later that it has the site, that counts, and
    /// [`Self::at`] names the other one: the tunnel here is dead and should be closed.
    pub async fn here(&self, site: &str, facts: Value) -> Result<()> {
        text::site_key(site)?;
        let facts = facts.to_string();
        if facts.len() > MAX_FACTS {
            return Err(Error::bad_input(format!("facts: they have more than {MAX_FACTS} octets of JSON")));
        }
        let record = locked(&self.shared.sites).here(site, facts.into(), now_ms());
        self.shared.changed(Change::Site(site.to_owned()));
        self.shared.say(site, &record).await;
        Ok(())
    }

    /// This node has the site's tunnel no more. Changes nothing if another node has it meanwhile.
    pub async fn gone(&self, site: &str) {
        let record = locked(&self.shared.sites).gone(site, now_ms());
        if let Some(record) = record {
            self.shared.changed(Change::Site(site.to_owned()));
            self.shared.say(site, &record).await;
        }
    }

    /// Where a site is, from memory; `None` if it is away, or its node is dead or cannot be heard.
    pub fn at(&self, site: &str) -> Option<Presence> {
        let sites = locked(&self.shared.sites);
        sites.at(site).filter(|record| self.shared.alive(&record.life)).map(presence)
    }

    /// What was heard of a site last: where it is, or was until `since`, or where it was when its node fell silent.
    pub fn last(&self, site: &str) -> Option<Presence> {
        locked(&self.shared.sites).last(site).map(presence)
    }

    /// Changes of presence from now on. A receiver that lags should take it for [`Change::Any`].
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// The nodes that are alive, this one among them, in the order of their names.
    pub fn nodes(&self) -> Vec<String> {
        let mut nodes: Vec<_> = locked(&self.shared.members).names(Instant::now()).cloned().collect();
        nodes.push(self.shared.me.node.clone());
        nodes.sort();
        nodes.dedup();
        nodes
    }

    /// Tells all other nodes something, 16 KB of JSON at most. Without NATS they learn later that they missed
    /// something.
    pub async fn publish(&self, kind: &str, value: Value) -> Result<()> {
        let shared = &self.shared;
        let told = listen::News { life: shared.me.clone(), kind: Some(kind.to_owned()), value };
        let told = serde_json::to_vec(&told).map_err(|error| Error::internal(error.to_string()))?;
        if told.len() > MAX_NOTICE {
            return Err(Error::bad_input(format!("value: it has more than {MAX_NOTICE} octets of JSON")));
        }
        if !shared.control.tell(subject::NOTICE, told).await {
            warn!("cluster: the notice {kind} could not be sent");
            shared.unsent.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Other nodes' notices from now on. A receiver that lags should take it for [`Notice::Missed`].
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.shared.notices.subscribe()
    }
}

fn presence(record: &Record) -> Presence {
    Presence {
        node: record.life.node.clone(),
        // Another node wrote it.
        facts: serde_json::from_str(&record.facts).unwrap_or_default(),
        since: UNIX_EPOCH.checked_add(Duration::from_millis(record.since)).unwrap_or(UNIX_EPOCH),
    }
}

#[cfg(test)]
mod tests;
