//! The central's share in several nodes: sites that another node has the tunnel of are reached through that node, and
//! what changes here is told to the others.
//!
//! Two tasks once [`Central::join`] was called: one hears the other nodes' notices, one their changes of presence.
//! Streams between nodes run in tasks of the cluster.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::reports::REPORT;
use super::{Central, Link, Origin, Passed, Site, Waiting};
use crate::base::wall::Wall;
use crate::base::{Error, Kind, Result};
use crate::cloud::cluster::{Change, Cluster, Host, NodeStream, Notice, Settings};
use crate::cloud::edge::Io;
use crate::cloud::live::send::send;
use crate::store::SiteRow;

/// Notices: this site was added, changed, removed, or has other sources.
const SITE: &str = "site";
/// Longest answer of another node, in bytes.
const MAX_ANSWER: u64 = 4096;
/// The same of a list of boxes that wait: [`super::MAX_WAITING`] of them, half a kilobyte each.
const MAX_LIST: u64 = 128 << 10;
/// How long another node may take to tell who waits there.
const LIST: Duration = Duration::from_secs(3);

/// From one reading of all sites to the next, and after one that failed.
const REST: Duration = Duration::from_secs(2);

/// How a site is connected.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Where it came from.
    pub address: String,
    pub since: Wall,
    /// The edge's program.
    pub build: String,
}

/// What other nodes ask of this one.
struct Door {
    central: Weak<Central>,
    /// To where they are served.
    requests: mpsc::Sender<Passed>,
}

impl Host for Door {
    fn accept(&self, opening: Value, mut stream: NodeStream) -> BoxFuture<'static, ()> {
        let (central, requests) = (self.central.clone(), self.requests.clone());
        async move {
            if let Ok(origin) = Origin::deserialize(&opening["http"]) {
                // When there is no room, the other node sees it break off.
                return drop(requests.try_send(Passed { stream, origin }));
            }
            let Some(central) = central.upgrade() else { return };
            if let Err(error) = serve(&central, &opening, &mut stream).await {
                tracing::debug!("what another node asked for: {error}");
            }
            // The other node may be gone.
            let _ = stream.shutdown().await;
        }
        .boxed()
    }
}

/// Only what this node has itself, so that two nodes that each believe the other to have a site ask each other once.
async fn serve(central: &Arc<Central>, opening: &Value, stream: &mut NodeStream) -> Result<()> {
    if let Some(code) = opening["claim"].as_str() {
        let claimed = central.claim_here(code, opening["token"].as_str(), opening["name"].as_str()).await;
        let answer = match claimed {
            Ok(token) => json!({ "token": token }),
            Err(error) if error.kind() == Kind::NotFound => json!({}),
            Err(error) => json!({ "error": error.to_string() }),
        };
        stream.write_all(answer.to_string().as_bytes()).await?;
        return Ok(());
    }
    if opening["waiting"] == true {
        let waiting = serde_json::to_vec(&central.waiting_here()).unwrap_or_default();
        stream.write_all(&waiting).await?;
        return Ok(());
    }
    let site = opening["site"].as_str().unwrap_or_default();
    let link = central.site(site)?.link.ok_or_else(|| Error::timeout("the site is not here any more"))?;
    match opening["live"].as_str() {
        // Without the tunnel this node would pull from another one itself, perhaps from the one that asks.
        Some(mapped) => tokio::select! {
            ended = send(stream, central.stream(mapped, opening["small"] == true)?, None) => ended,
            () = link.tunnel.ended() => Err(Error::timeout("the site is not here any more")),
        },
        None => {
            let mut there = link.tunnel.open().await?;
            copy_bidirectional(stream, &mut there).await?;
            Ok(())
        }
    }
}

/// One short answer of another node.
async fn ask(cluster: &Arc<Cluster>, node: &str, opening: Value, longest: u64) -> Result<Value> {
    let mut answer = Vec::new();
    let stream = cluster.open(node, opening).await?;
    stream.take(longest).read_to_end(&mut answer).await?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

impl Central {
    /// Becomes one of several nodes. What others pass on to this one arrives at `requests`.
    ///
    /// # Errors
    /// `BadInput` naming the setting; that the others cannot be reached is none.
    pub async fn join(
        self: &Arc<Self>,
        settings: Settings,
        requests: mpsc::Sender<Passed>,
        stop: CancellationToken,
    ) -> Result<Arc<Cluster>> {
        let door = Door { central: Arc::downgrade(self), requests };
        let cluster = Cluster::start(settings, Arc::new(door), stop.clone()).await?;
        let joined = self.cluster.set(cluster.clone());
        joined.map_err(|_| Error::internal("this central is a node already"))?;
        tokio::spawn(stop.clone().run_until_cancelled_owned(self.clone().hear_notices(cluster.clone())));
        tokio::spawn(stop.run_until_cancelled_owned(self.clone().hear_changes(cluster.clone())));
        Ok(cluster)
    }

    /// The node that has the tunnel of a site, if it is another one.
    pub fn elsewhere(&self, site: &str) -> Option<String> {
        let cluster = self.cluster.get()?;
        cluster.at(site).map(|there| there.node).filter(|node| node != cluster.node())
    }

    /// Whether a site is connected, to whichever node.
    pub fn is_online(&self, site: &Site) -> bool {
        site.link.is_some() || self.elsewhere(&site.row.token).is_some()
    }

    /// How it is connected, to whichever node.
    pub fn connected(&self, site: &Site) -> Option<Connected> {
        if let Some(Link { address, since, build, .. }) = &site.link {
            return Some(Connected { address: address.to_string(), since: *since, build: build.clone() });
        }
        let there = self.cluster.get()?.at(&site.row.token)?;
        let text = |name: &str| there.facts[name].as_str().unwrap_or_default().to_owned();
        Some(Connected { address: text("address"), since: there.since.into(), build: text("build") })
    }

    /// A stream through the node that has the site's tunnel, on which that node serves what `opening` asks for.
    pub(super) async fn through(&self, node: &str, opening: Value) -> Result<Box<dyn Io>> {
        let cluster = self.cluster.get().ok_or_else(|| Error::internal("this central is alone"))?;
        Ok(Box::new(cluster.open(node, opening).await?))
    }

    /// Asks the other nodes for a box that shows `code`.
    pub(super) async fn claim_elsewhere(
        &self,
        code: &str,
        token: Option<&str>,
        name: Option<&str>,
    ) -> Result<Option<String>> {
        let Some(cluster) = self.cluster.get() else { return Ok(None) };
        let opening = json!({ "claim": code, "token": token, "name": name });
        let mut silent = None;
        for node in cluster.nodes().into_iter().filter(|node| node != cluster.node()) {
            let answer = match ask(cluster, &node, opening.clone(), MAX_ANSWER).await {
                Ok(answer) => answer,
                // The box may be at the next one.
                Err(error) => {
                    silent = Some(error);
                    continue;
                }
            };
            if let Some(text) = answer["error"].as_str() {
                return Err(Error::refused(text));
            }
            if let Some(token) = answer["token"].as_str() {
                // Its notice may still be on its way; what cannot be read now is read later.
                let _ = self.reread(token).await;
                return Ok(Some(token.to_owned()));
            }
        }
        silent.map_or(Ok(None), Err)
    }

    /// Edges that wait to be claimed, at all nodes; without those of a node that does not answer in time.
    pub async fn waiting(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting_here();
        let Some(cluster) = self.cluster.get() else { return waiting };
        let nodes = cluster.nodes().into_iter().filter(|node| node != cluster.node());
        let lists = nodes.map(async |node| {
            let listed = timeout(LIST, ask(cluster, &node, json!({ "waiting": true }), MAX_LIST)).await;
            let listed = listed.unwrap_or_else(|_| Err(Error::timeout("it did not answer in time")));
            let list = listed.map(|list| Vec::<Waiting>::deserialize(list).unwrap_or_default());
            list.unwrap_or_else(|error| {
                tracing::warn!("which boxes wait at node {node} is not known: {error}");
                Vec::new()
            })
        });
        for held in join_all(lists).await.into_iter().flatten() {
            // One that came again may still hang at the node from before.
            if waiting.iter().all(|known| known.key != held.key) {
                waiting.push(held);
            }
        }
        waiting
    }

    /// The site that has this key, where another node took it in a moment ago and its notice is still on its way.
    ///
    /// # Errors
    /// As [`Self::known`], and the database's.
    pub(super) async fn known_elsewhere(&self, key: &str) -> Result<Option<SiteRow>> {
        if self.cluster.get().is_none() {
            return Ok(None);
        }
        let own = key.to_owned();
        if let Some(row) = self.store.run(move |store| store.site_of_key(&own)).await? {
            let token = row.token.clone();
            self.take_over(&token, Some(row));
        }
        self.known(key)
    }

    /// Tells the other nodes that they have to look at a site again.
    pub(super) async fn publish(&self, site: &str) {
        if let Some(cluster) = self.cluster.get()
            && let Err(error) = cluster.publish(SITE, json!(site)).await
        {
            tracing::debug!(site, "not told to the other nodes: {error}");
        }
    }

    /// Tells the other nodes whether the site is here. Its connections may come and go meanwhile, each in its own
    /// task, so it is told until it was so when it was told.
    pub(super) async fn tell_presence(&self, site: &str) {
        let Some(cluster) = self.cluster.get() else { return };
        let here = || self.site(site).ok().and_then(|site| site.link);
        loop {
            let link = here();
            match &link {
                Some(Link { address, build, .. }) => {
                    let uuid = self.site(site).map(|site| site.row.uuid).unwrap_or_default();
                    let facts = json!({ "address": address.to_string(), "build": build, "uuid": uuid });
                    if let Err(error) = cluster.here(site, facts).await {
                        return tracing::warn!(site, "not told to the other nodes: {error}");
                    }
                }
                None => cluster.gone(site).await,
            }
            if here().map(|link| link.number) == link.map(|link| link.number) {
                return;
            }
        }
    }

    async fn hear_notices(self: Arc<Self>, cluster: Arc<Cluster>) {
        let mut notices = cluster.notices();
        // When all is read again, because something was missed or could not be read.
        let mut due: Option<Instant> = None;
        let mut last: Option<Instant> = None;
        loop {
            let heard = tokio::select! {
                heard = notices.recv() => heard,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    last = Some(Instant::now());
                    due = self.reread_all().await.is_err().then(|| Instant::now() + REST);
                    continue;
                }
            };
            match heard {
                Ok(Notice::Told { kind, value, .. }) if kind == SITE => {
                    if self.reread(value.as_str().unwrap_or_default()).await.is_err() {
                        due.get_or_insert_with(|| Instant::now() + REST);
                    }
                }
                Ok(Notice::Told { kind, value, .. }) if kind == REPORT => self.reported_elsewhere(&value),
                Ok(Notice::Told { .. }) => {}
                // Many reports may come while all is read: not at once again, or nothing else would be done.
                Ok(Notice::Missed) | Err(RecvError::Lagged(_)) => {
                    let soon = last.map_or_else(Instant::now, |last| last + REST);
                    due = Some(due.map_or(soon, |due| due.min(soon)));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn hear_changes(self: Arc<Self>, cluster: Arc<Cluster>) {
        let mut changes = cluster.changes();
        loop {
            match changes.recv().await {
                Ok(Change::Site(site)) => {
                    // Another node has the site now: the tunnel here is dead.
                    if self.elsewhere(&site).is_some()
                        && let Ok(Site { link: Some(link), .. }) = self.site(&site)
                    {
                        link.tunnel.close();
                    }
                    self.note_elsewhere(&site);
                    self.tell(&site);
                }
                Ok(Change::Any) | Err(RecvError::Lagged(_)) => {
                    for site in self.sites() {
                        self.tell(&site.row.token);
                    }
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Notes what another node tells of a site's connection, which is newer than the shared database.
    fn note_elsewhere(&self, token: &str) {
        let Some(told) = self.cluster.get().and_then(|cluster| cluster.last(token)) else { return };
        let mut table = self.lock();
        let Some(site) = table.sites.get_mut(token).filter(|site| site.link.is_none()) else { return };
        for (name, field) in [("uuid", &mut site.row.uuid), ("address", &mut site.row.address)] {
            if let Some(text) = told.facts[name].as_str() {
                text.clone_into(field);
            }
        }
        site.row.seen = site.row.seen.max(Some(told.since.into()));
    }

    /// Takes over what the shared database says of a site.
    async fn reread(&self, token: &str) -> Result<()> {
        let key = token.to_owned();
        let read = self.store.run(move |store| store.site(&key)).await;
        let row = read.inspect_err(|error| tracing::warn!(site = token, "not read again yet: {error}"))?;
        self.take_over(token, row);
        // It may have come before it was known here.
        self.note_elsewhere(token);
        self.tell(token);
        Ok(())
    }

    async fn reread_all(&self) -> Result<()> {
        let read = self.store.run(crate::store::Store::sites).await;
        let rows = read.inspect_err(|error| tracing::warn!("the sites are not read again yet: {error}"))?;
        let there: HashSet<&str> = rows.iter().map(|row| row.token.as_str()).collect();
        for site in self.sites().iter().filter(|site| !there.contains(site.row.token.as_str())) {
            self.take_over(&site.row.token, None);
            self.tell(&site.row.token);
        }
        for row in rows {
            let token = row.token.clone();
            self.take_over(&token, Some(row));
            self.note_elsewhere(&token);
            self.tell(&token);
        }
        Ok(())
    }
}
