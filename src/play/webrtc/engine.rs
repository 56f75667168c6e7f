//! The one task that owns all sessions and the sockets. It sleeps until a packet, a frame, a timer
//! or a command comes, and touches only the sessions concerned.
//!
//! Memory: sessions are bounded by the viewer limit, timers and feeds by the sessions, addresses by
//! eight per session, commands by the channel.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use str0m::ice::StunMessage;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Input};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::cut::Cuts;
use super::session::{Session, Start};
use super::udp::Udp;
use super::wire::Wire;
use crate::base::{Error, Result};
use crate::media::hub::Hub;
use crate::media::params::Params;

/// Commands that wait; senders wait beyond that.
pub const MAX_COMMANDS: usize = 1024;
/// Reads per wake-up, so that a flood on the socket cannot keep frames and timers waiting.
const MAX_READS: usize = 64;
/// Sleep when no session has a timer.
const IDLE: Duration = Duration::from_secs(60);

/// What others ask of the engine.
pub enum Command {
    Open {
        id: Uuid,
        start: Box<Start>,
    },
    /// Candidates of the viewer; answers whether the session exists.
    Candidates {
        id: Uuid,
        candidates: Vec<Candidate>,
        known: oneshot::Sender<bool>,
    },
    /// Ends a session; answers whether it existed.
    Close {
        id: Uuid,
        known: oneshot::Sender<bool>,
    },
    TcpOpened {
        peer: SocketAddr,
        packets: mpsc::Sender<Vec<u8>>,
    },
    TcpPacket {
        peer: SocketAddr,
        local: SocketAddr,
        data: Vec<u8>,
    },
    TcpClosed {
        peer: SocketAddr,
    },
}

/// One epoch of one stream: the addresses of its hub and parameters. Its feed holds both, so they are
/// not reused while the key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FeedKey {
    hub: usize,
    params: usize,
}

impl FeedKey {
    fn of(session: &Session) -> Self {
        Self { hub: Arc::as_ptr(session.hub()).addr(), params: Arc::as_ptr(session.params()).addr() }
    }
}

/// What the viewers of one epoch of one stream share. Goes with the first change in the stream after
/// the last viewer left.
struct Feed {
    cuts: Cuts,
    viewers: Vec<Uuid>,
    _params: Arc<Params>,
    _hub: Arc<Hub>,
}

type Woken = Pin<Box<dyn Future<Output = (FeedKey, watch::Receiver<u64>)> + Send>>;

async fn wake(key: FeedKey, mut changes: watch::Receiver<u64>) -> (FeedKey, watch::Receiver<u64>) {
    // The feed holds the hub, so its sender cannot go away.
    let _ = changes.changed().await;
    (key, changes)
}

/// See the module's header.
pub struct Engine {
    wire: Wire,
    port: u16,
    inbox: Vec<u8>,
    sessions: HashMap<Uuid, Session>,
    by_peer: HashMap<(Protocol, SocketAddr), Uuid>,
    by_ufrag: HashMap<String, Uuid>,
    timers: BTreeSet<(Instant, Uuid)>,
    feeds: HashMap<FeedKey, Feed>,
    woken: FuturesUnordered<Woken>,
}

impl Engine {
    pub fn new(udp: Udp, port: u16) -> Self {
        let inbox = udp.inbox();
        Self {
            wire: Wire { udp, tcp: HashMap::new() },
            port,
            inbox,
            sessions: HashMap::new(),
            by_peer: HashMap::new(),
            by_ufrag: HashMap::new(),
            timers: BTreeSet::new(),
            feeds: HashMap::new(),
            woken: FuturesUnordered::new(),
        }
    }

    /// Runs until `shutdown`, then says goodbye to every viewer.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>, shutdown: CancellationToken) {
        loop {
            let sleep =
                self.timers.first().map_or(IDLE, |(at, _)| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(command) = commands.recv() => self.command(command),
                Some((key, changes)) = self.woken.next() => self.frames(key, changes),
                _ = self.wire.udp.ready() => self.read(),
                () = tokio::time::sleep(sleep.min(IDLE)) => self.expire(),
            }
            self.wire.udp.flush();
        }
        let ids: Vec<Uuid> = self.sessions.keys().copied().collect();
        for id in ids {
            self.end(id, Some(Error::refused("the server is shutting down")));
        }
        self.wire.udp.flush();
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open { id, start } => self.open(id, *start),
            Command::Candidates { id, candidates, known } => {
                let now = Instant::now();
                let found = self.with(id, |s, cuts, wire| s.candidates(candidates, now, cuts, wire));
                // The asker may have gone; the session is what matters.
                let _ = known.send(found);
            }
            Command::Close { id, known } => {
                let _ = known.send(self.sessions.contains_key(&id));
                self.end(id, None);
            }
            Command::TcpOpened { peer, packets } => drop(self.wire.tcp.insert(peer, packets)),
            Command::TcpPacket { peer, local, data } => self.packet(Protocol::Tcp, peer, local, &data),
            Command::TcpClosed { peer } => drop(self.wire.tcp.remove(&peer)),
        }
    }

    fn open(&mut self, id: Uuid, start: Start) {
        let now = Instant::now();
        let mut session = Session::new(start, now);
        let key = FeedKey::of(&session);
        if let Entry::Vacant(place) = self.feeds.entry(key) {
            place.insert(Feed {
                cuts: Cuts::default(),
                viewers: Vec::new(),
                _params: session.params().clone(),
                _hub: session.hub().clone(),
            });
            self.woken.push(Box::pin(wake(key, session.hub().watch())));
        }
        if let Some(feed) = self.feeds.get_mut(&key) {
            feed.viewers.push(id);
        }
        self.by_ufrag.insert(session.ufrag(), id);
        self.timers.insert((session.deadline, id));
        self.sessions.insert(id, session);
        self.input(id, Input::Timeout(now), now);
    }

    /// Lets a session act, and keeps its timer and its end in step. Whether it exists.
    fn with(&mut self, id: Uuid, act: impl FnOnce(&mut Session, &mut Cuts, &mut Wire) -> Result<()>) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let Some(feed) = self.feeds.get_mut(&FeedKey::of(session)) else { return false };
        let before = session.deadline;
        if let Err(why) = act(session, &mut feed.cuts, &mut self.wire) {
            self.end(id, Some(why));
        } else if session.deadline != before {
            self.timers.remove(&(before, id));
            self.timers.insert((session.deadline, id));
        }
        true
    }

    fn input(&mut self, id: Uuid, input: Input<'_>, now: Instant) {
        self.with(id, |session, cuts, wire| session.input(input, now, cuts, wire));
    }

    /// New frames, or the end of an epoch, in one stream.
    fn frames(&mut self, key: FeedKey, changes: watch::Receiver<u64>) {
        let now = Instant::now();
        let Some(feed) = self.feeds.get_mut(&key) else { return };
        let viewers = std::mem::take(&mut feed.viewers);
        for &id in &viewers {
            self.with(id, |session, cuts, wire| session.advance(now, cuts, wire));
        }
        let Some(feed) = self.feeds.get_mut(&key) else { return };
        feed.viewers = viewers;
        feed.viewers.retain(|id| self.sessions.contains_key(id));
        if feed.viewers.is_empty() {
            self.feeds.remove(&key);
        } else {
            self.woken.push(Box::pin(wake(key, changes)));
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(&(at, id)) = self.timers.first()
            && at <= now
        {
            // Whatever comes of it, this timer has fired.
            self.timers.remove(&(at, id));
            self.input(id, Input::Timeout(now), now);
            if let Some(session) = self.sessions.get(&id) {
                self.timers.insert((session.deadline, id));
            }
        }
    }

    fn read(&mut self) {
        let mut inbox = std::mem::take(&mut self.inbox);
        for _ in 0..MAX_READS {
            let Some(got) = self.wire.udp.receive(&mut inbox) else { break };
            let local = SocketAddr::new(got.local, self.port);
            for datagram in inbox.get(..got.len).unwrap_or_default().chunks(got.stride) {
                self.packet(Protocol::Udp, got.source, local, datagram);
            }
        }
        self.inbox = inbox;
    }

    /// Hands a packet to the session it belongs to; packets of strangers are dropped.
    fn packet(&mut self, proto: Protocol, source: SocketAddr, destination: SocketAddr, data: &[u8]) {
        let Ok(received) = Receive::new(proto, source, destination, data) else { return };
        let now = Instant::now();
        let input = Input::Receive(now, received);
        let peer = (proto, source);
        // Checks name their session; that settles whose an address is, also when it changes hands.
        let named = StunMessage::parse(data).ok().and_then(|stun| {
            let (local, _) = stun.split_username()?;
            self.by_ufrag.get(local).copied()
        });
        let known = self.by_peer.get(&peer).copied();
        let Some(id) = named.or(known) else { return };
        if known != Some(id) {
            let Some(session) = self.sessions.get_mut(&id).filter(|s| s.accepts(&input)) else { return };
            if let Some(old) = session.remember(peer) {
                self.by_peer.remove(&old);
            }
            self.by_peer.insert(peer, id);
        }
        self.input(id, input, now);
    }

    fn end(&mut self, id: Uuid, why: Option<Error>) {
        let Some(mut session) = self.sessions.remove(&id) else { return };
        self.timers.remove(&(session.deadline, id));
        self.by_ufrag.remove(&session.ufrag());
        for peer in session.peers() {
            if self.by_peer.get(peer) == Some(&id) {
                self.by_peer.remove(peer);
            }
        }
        let key = FeedKey::of(&session);
        if let Some(feed) = self.feeds.get_mut(&key) {
            feed.viewers.retain(|viewer| *viewer != id);
        }
        tracing::debug!(session = %id, why = why.as_ref().map(tracing::field::display), "WebRTC viewer left");
        session.close(why, Instant::now(), &mut self.wire);
    }
}
