//! The central's end: which edges ("sites") are registered, which of them are connected, and the streams to them.
//!
//! One task per connected edge ([`Central::accept`], in the task of its WebSocket) and one for its list of sources
//! ([`sources`]). Memory: each registered site's row with the list of its sources; at most [`MAX_WAITING`] edges that
//! wait to be claimed. One lock, held for single look-ups and never across an await.

mod claim;
pub mod live;
mod nodes;
mod pass;
mod reports;
pub mod request;
mod seen;
pub mod sources;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast;
use tokio_tungstenite::WebSocketStream;

pub use self::claim::{MAX_WAITING, Waiting};
pub use self::live::Lives;
pub use self::nodes::Connected;
pub use self::pass::{Origin, Passed};
pub use self::reports::Report;
pub use self::request::Asker;
use super::cluster::Cluster;
use super::edge::Io;
use super::hello::{Challenge, Hello, PATIENCE, VERSION, Verdict, hear, say};
use super::key;
use super::tunnel::{Side, Tunnel};
use crate::base::time::Clock;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::store::{SiteRow, SiteSeen, Store};

/// Changes that wait for slow listeners; who is further behind looks at everything again.
const CHANGES: usize = 1024;

/// What a central does with its edges.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many can be registered.
    pub max_sites: usize,
    /// Bound of the ring of each source that is watched, in bytes.
    pub ring_bytes: usize,
}

/// See the module.
pub struct Central {
    pub lives: Lives,
    settings: Settings,
    store: Arc<Store>,
    clock: Clock,
    table: Mutex<Table>,
    changes: broadcast::Sender<String>,
    reports: broadcast::Sender<Arc<Report>>,
    /// Empty for a central that is alone.
    cluster: OnceLock<Arc<Cluster>>,
}

#[derive(Debug, Default)]
struct Table {
    sites: BTreeMap<String, Site>,
    /// Tokens by public key.
    keys: HashMap<String, String>,
    waiting: Vec<claim::Held>,
    /// Not written yet, by token. While there is something a task waits to write it.
    seen: HashMap<String, SiteSeen>,
    /// Counts the links, so that the end of an old one does not end a new one.
    links: u64,
}

/// A registered edge.
#[derive(Clone, Debug)]
pub struct Site {
    /// Without the sources, which are below.
    pub row: SiteRow,
    pub link: Option<Link>,
    /// As the edge's own GetSrc shows them; what it said last, also while it is away.
    pub sources: Arc<Vec<Value>>,
    /// The database has another list of them yet.
    unsaved: bool,
}

/// The connection of an edge.
#[derive(Clone, Debug)]
pub struct Link {
    number: u64,
    pub tunnel: Tunnel,
    pub address: IpAddr,
    pub since: Wall,
    /// The edge's program.
    pub build: String,
}

impl Site {
    fn new(mut row: SiteRow) -> Self {
        // Kept once: `row.sources` is for the database.
        let sources = serde_json::from_str(&std::mem::take(&mut row.sources)).unwrap_or_default();
        Self { row, link: None, sources: Arc::new(sources), unsaved: false }
    }

    /// The source with this token of its own.
    pub fn source(&self, original: &str) -> Option<&Value> {
        self.sources.iter().find(|source| source["strToken"] == original)
    }
}

impl Central {
    /// Reads the registered sites. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn open(settings: Settings, store: Arc<Store>, clock: Clock) -> Result<Arc<Self>> {
        let mut table = Table::default();
        for row in store.sites()? {
            table.insert(Site::new(row));
        }
        let (table, changes) = (Mutex::new(table), broadcast::Sender::new(CHANGES));
        let reports = broadcast::Sender::new(reports::QUEUE);
        let (lives, cluster) = (Lives::default(), OnceLock::new());
        Ok(Arc::new(Self { lives, settings, store, clock, table, changes, reports, cluster }))
    }

    /// Tokens of sites that came, went, were changed or have other sources.
    pub fn changes(&self) -> broadcast::Receiver<String> {
        self.changes.subscribe()
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// All sites, by token.
    pub fn sites(&self) -> Vec<Site> {
        self.lock().sites.values().cloned().collect()
    }

    /// # Errors
    /// `NotFound`
    pub fn site(&self, token: &str) -> Result<Site> {
        self.lock().sites.get(token).cloned().ok_or_else(|| unknown(token))
    }

    /// The site and the edge's own token of a mapped one (`<servertoken>-<token>`), if it is one of a registered
    /// site.
    pub fn split<'a>(&self, mapped: &'a str) -> Option<(&'a str, &'a str)> {
        let table = self.lock();
        mapped
            .match_indices('-')
            .map(|(at, _)| (&mapped[..at], &mapped[at + 1..]))
            .find(|(site, original)| !original.is_empty() && table.sites.contains_key(*site))
    }

    /// A stream to an edge.
    ///
    /// # Errors
    /// `NotFound`; `Timeout` when it is away, with since when.
    pub async fn open_stream(&self, token: &str) -> Result<Box<dyn Io>> {
        let site = self.site(token)?;
        match (&site.link, self.elsewhere(token)) {
            (Some(link), _) => Ok(Box::new(link.tunnel.open().await?)),
            (None, Some(node)) => self.through(&node, json!({ "site": token })).await,
            (None, None) => Err(away(&site)),
        }
    }

    /// One edge's connection, from its first text to its end. `login` says whether a user of this central may add
    /// sites; `admitted` is called once the edge is in.
    pub async fn accept<T, F>(
        self: &Arc<Self>,
        mut socket: WebSocketStream<T>,
        address: IpAddr,
        login: impl FnOnce(String, String) -> F,
        admitted: impl FnOnce(),
    ) where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = Result<()>>,
    {
        let (row, hello) = match self.admit(&mut socket, address, login).await {
            Ok(admitted) => admitted,
            Err(error) => {
                tracing::warn!(%address, "an edge is not let in: {error}");
                let lasting = error.kind() != crate::base::Kind::Timeout;
                // It may be gone.
                let _ = say(&mut socket, &Verdict::Refused { text: error.to_string(), lasting }).await;
                return;
            }
        };
        let SiteRow { token, name, key, .. } = row;
        if say(&mut socket, &Verdict::Welcome { token: token.clone(), name }).await.is_err() {
            return;
        }
        admitted();
        let (tunnel, _never) = Tunnel::start(socket, Side::Central);
        let link = Link {
            number: 0,
            tunnel: tunnel.clone(),
            address,
            since: Wall::from(self.clock.wall()),
            build: hello.build,
        };
        let Some(number) = self.arrived(&token, &key, &hello.uuid, link) else { return };
        let gone = Gone { central: self, token: &token, number };
        self.tell_presence(&token).await;
        tracing::info!(%address, site = token, "connected");
        tokio::select! {
            () = tunnel.ended() => {}
            () = sources::follow(self, &token) => {}
        }
        tunnel.close();
        tracing::info!(%address, site = token, "gone");
        drop(gone);
        self.tell_presence(&token).await;
    }

    /// Who it is, if it may come in.
    async fn admit<T, F>(
        &self,
        socket: &mut WebSocketStream<T>,
        address: IpAddr,
        login: impl FnOnce(String, String) -> F,
    ) -> Result<(SiteRow, Hello)>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        F: Future<Output = Result<()>>,
    {
        let challenge = key::challenge();
        say(socket, &Challenge { version: VERSION, challenge: challenge.clone() }).await?;
        let mut hello: Hello = hear(socket, PATIENCE).await?;
        hello.check(&challenge)?;
        hello.key.make_ascii_lowercase();
        if let Some(row) = self.known(&hello.key)? {
            return Ok((row, hello));
        }
        if let Some(row) = self.known_elsewhere(&hello.key).await? {
            return Ok((row, hello));
        }
        if let Some((user, password)) = hello.login() {
            login(user.to_owned(), password.to_owned()).await?;
            let row = self.new_row(&hello.token, &hello.name, &hello.key);
            self.add(row.clone()).await?;
            return Ok((row, hello));
        }
        let row = self.claimed(socket, address, &hello).await?;
        Ok((row, hello))
    }

    /// The site that has this key.
    ///
    /// # Errors
    /// `Refused` when it is disabled.
    fn known(&self, key: &str) -> Result<Option<SiteRow>> {
        let table = self.lock();
        let site = table.keys.get(key).and_then(|token| table.sites.get(token));
        match site {
            Some(site) if !site.row.enabled => Err(Error::refused("this box is disabled at the central")),
            site => Ok(site.map(|site| site.row.clone())),
        }
    }

    fn new_row(&self, token: &str, name: &str, key: &str) -> SiteRow {
        SiteRow {
            token: token.to_owned(),
            name: if name.is_empty() { token.to_owned() } else { name.to_owned() },
            uuid: String::new(),
            key: key.to_owned(),
            enabled: true,
            added: Wall::from(self.clock.wall()),
            seen: None,
            sources: "[]".to_owned(),
            address: String::new(),
        }
    }

    /// Registers a site whose key was prepared.
    ///
    /// # Errors
    /// `BadInput`, `Refused` when token or key is in use, `Full`.
    pub async fn prepare(&self, token: &str, name: &str, key: &str) -> Result<()> {
        super::hello::check_token(token)?;
        if !key::is_public(key) {
            return Err(Error::bad_input("parameter key: a device key is 64 hex digits"));
        }
        self.add(self.new_row(token, name, &key.to_ascii_lowercase())).await
    }

    async fn add(&self, row: SiteRow) -> Result<()> {
        let (new, most) = (row.clone(), self.settings.max_sites);
        let write = move |store: &Store| {
            // It would look like one of the site's, to roles that have all of these too.
            if let Some(source) = store.source_like_a_sites(&new.token)? {
                let text = format!(
                    "parameter servertoken: {} and the central's own source {source} could be",
                    new.token
                );
                return Err(Error::refused(format!("{text} mistaken for each other")));
            }
            store.insert_site(&new, most)
        };
        self.store.run(write).await?;
        let token = row.token.clone();
        self.lock().insert(Site::new(row));
        self.tell(&token);
        self.publish(&token).await;
        Ok(())
    }

    /// Gives a site another name, or takes it out of service or back. One that is taken out is disconnected.
    ///
    /// # Errors
    /// `NotFound`
    pub async fn change(&self, token: &str, name: Option<&str>, enabled: Option<bool>) -> Result<()> {
        let (key, new_name) = (token.to_owned(), name.map(str::to_owned));
        let write = move |store: &Store| {
            if let Some(name) = new_name {
                store.rename_site(&key, &name)?;
            }
            enabled.map_or(Ok(()), |enabled| store.enable_site(&key, enabled))
        };
        self.site(token)?;
        self.store.run(write).await?;
        let key = token.to_owned();
        let row = self.store.run(move |store| store.site(&key)).await?;
        self.take_over(token, row);
        self.tell(token);
        self.publish(token).await;
        Ok(())
    }

    /// Makes a site what its row says now; one without a row is gone. One that is gone or disabled is disconnected.
    fn take_over(&self, token: &str, row: Option<SiteRow>) {
        let mut table = self.lock();
        let old = table.sites.remove(token);
        if let Some(old) = &old {
            table.keys.remove(&old.row.key);
        }
        let link = old.as_ref().and_then(|old| old.link.clone());
        let Some(mut new) = row.map(Site::new) else {
            if let Some(link) = link {
                link.tunnel.close();
            }
            return;
        };
        // What is not written yet, here or by another node, is newer than the row.
        if let Some(SiteSeen { uuid, address, at, .. }) = table.seen.get(token).cloned() {
            (new.row.uuid, new.row.address, new.row.seen) = (uuid, address, Some(at));
        } else if let Some(Site { row, .. }) = &old
            && row.key == new.row.key
            && row.seen > new.row.seen
        {
            (new.row.uuid, new.row.address) = (row.uuid.clone(), row.address.clone());
            new.row.seen = row.seen;
        }
        match (link, old) {
            (Some(link), _) if !new.row.enabled => link.tunnel.close(),
            // Of an edge that is here, what it said itself is newer too.
            (Some(link), Some(old)) if old.row.key == new.row.key => {
                (new.link, new.sources, new.unsaved) = (Some(link), old.sources, old.unsaved);
            }
            // Another box has the token now.
            (Some(link), _) => link.tunnel.close(),
            _ => {}
        }
        table.insert(new);
    }

    /// Forgets a site, and disconnects it.
    ///
    /// # Errors
    /// `NotFound`
    pub async fn remove(&self, token: &str) -> Result<()> {
        let key = token.to_owned();
        self.store.run(move |store| store.delete_site(&key)).await?;
        self.take_over(token, None);
        self.tell(token);
        self.publish(token).await;
        Ok(())
    }

    /// Notes a connection, and ends the one that the site had before. `None` when the site was removed meanwhile, is
    /// out of service or has another key.
    fn arrived(self: &Arc<Self>, token: &str, key: &str, uuid: &str, link: Link) -> Option<u64> {
        let mut table = self.lock();
        table.links += 1;
        let number = table.links;
        let site = table.sites.get_mut(token).filter(|site| site.row.enabled && site.row.key == key)?;
        uuid.clone_into(&mut site.row.uuid);
        site.row.address = link.address.to_string();
        let now = link.since;
        if let Some(old) = site.link.replace(Link { number, ..link }) {
            old.tunnel.close();
        }
        self.note(&mut table, token, now);
        drop(table);
        self.tell(token);
        Some(number)
    }

    /// Notes that a connection is over.
    fn left(self: &Arc<Self>, token: &str, number: u64) {
        let now = Wall::from(self.clock.wall());
        let mut table = self.lock();
        let Some(site) = table.sites.get_mut(token) else { return };
        if site.link.as_ref().is_none_or(|link| link.number != number) {
            return;
        }
        site.link = None;
        site.row.seen = Some(now);
        self.note(&mut table, token, now);
        drop(table);
        self.tell(token);
    }

    /// Has listeners look at a site again.
    fn tell(&self, token: &str) {
        // Without anybody who listens there is nobody to tell.
        let _ = self.changes.send(token.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves whole entries.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, site: Site) {
        self.keys.insert(site.row.key.clone(), site.row.token.clone());
        self.sites.insert(site.row.token.clone(), site);
    }
}

impl std::fmt::Debug for Central {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Central").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Notes the end of a connection, however its task ends.
struct Gone<'a> {
    central: &'a Arc<Central>,
    token: &'a str,
    number: u64,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.central.left(self.token, self.number);
    }
}

fn unknown(token: &str) -> Error {
    Error::not_found(format!("parameter servertoken: there is no site {token:.64}"))
}

/// Why a site that is not connected cannot be asked.
pub fn away(site: &Site) -> Error {
    if !site.row.enabled {
        return Error::timeout(format!("site {} is disabled", site.row.token));
    }
    let since = match site.row.seen {
        Some(at) => format!(" since {}", at.iso(crate::base::wall::Offset(0))),
        None => String::new(),
    };
    Error::timeout(format!("site {} is not connected{since}", site.row.token))
}

#[cfg(test)]
mod tests;
