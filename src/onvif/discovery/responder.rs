//! Being found: the server side of WS-Discovery, one task.
//!
//! It says Hello on every interface when it starts, when the [`Identity`] changes and where an interface
//! appears or changes; it answers Probe and Resolve that come from the network of the interface, after a
//! random delay where they were multicast, with the address of that interface; and it says Bye. Bounds:
//! [`MOST_PENDING`] answers that wait, and what [`super::limit`] admits.

use std::future::pending;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::MAX_DATAGRAM;
use super::announce::{Answer, Identity, Writer};
use super::interfaces::{self, Interface};
use super::limit::Limit;
use super::matching::Question;
use super::socket::{Family, Heard, Socket};
use crate::base::{Error, Result};

/// Longest delay of an answer to a multicast question (WS-Discovery `APP_MAX_DELAY`).
const MAX_DELAY: Duration = Duration::from_millis(500);
/// Answers that wait for their time; beyond, a question is dropped.
const MOST_PENDING: usize = 64;
/// How often the interfaces are looked at.
const LOOK: Duration = Duration::from_secs(3);
/// Pause after a socket that cannot be read, so that it does not keep a core busy.
const UNREADABLE: Duration = Duration::from_millis(200);

/// The running responder.
#[derive(Debug)]
pub struct Responder {
    task: JoinHandle<()>,
}

impl Responder {
    /// Takes UDP port 3702, beside others on this machine, and answers for what is in `identity` until
    /// `shutdown`, or until its sender is gone. `None` there means that we are not to be found.
    ///
    /// # Errors
    /// `Refused` or `Internal` when the port can be taken neither for IPv4 nor for IPv6.
    pub fn start(identity: watch::Receiver<Option<Identity>>, shutdown: CancellationToken) -> Result<Self> {
        let (v4, v6) = match (Socket::bind(Family::V4), Socket::bind(Family::V6)) {
            (Err(error), Err(_)) => {
                return Err(Error::from(error).context("cannot listen on UDP port 3702"));
            }
            (v4, v6) => (usable(v4, Family::V4), usable(v6, Family::V6)),
        };
        // Larger after every start.
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let state = State {
            v4,
            v6,
            interfaces: Vec::new(),
            current: None,
            writer: Writer::new(started),
            limit: Limit::new(Instant::now()),
        };
        Ok(Self { task: tokio::spawn(state.run(identity, shutdown)) })
    }

    /// Waits for the end after `shutdown`: Bye is out then.
    pub async fn stopped(self) {
        // A task that panicked has nothing left to say.
        let _ = self.task.await;
    }
}

fn usable(socket: io::Result<Socket>, family: Family) -> Option<Socket> {
    socket.inspect_err(|error| tracing::info!("not to be found over {family:?}: {error}")).ok()
}

struct State {
    v4: Option<Socket>,
    v6: Option<Socket>,
    interfaces: Vec<Interface>,
    /// As whom we can be found, and have said Hello.
    current: Option<Identity>,
    writer: Writer,
    limit: Limit,
}

/// What is to be answered.
struct Due {
    answer: Answer,
    /// Message id of the question.
    id: String,
    to: Heard,
}

impl State {
    async fn run(mut self, mut identity: watch::Receiver<Option<Identity>>, shutdown: CancellationToken) {
        self.current = identity.borrow_and_update().clone();
        let mut waiting = FuturesUnordered::new();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut buffer4, mut buffer6) = (vec![0; MAX_DATAGRAM], vec![0; MAX_DATAGRAM]);
        loop {
            let due = tokio::select! {
                () = shutdown.cancelled() => break,
                changed = identity.changed() => match changed {
                    Ok(()) => {
                        let wanted = identity.borrow_and_update().clone();
                        self.become_known_as(wanted);
                        None
                    }
                    Err(_) => break,
                },
                _ = look.tick() => {
                    self.look();
                    None
                }
                heard = hear(self.v4.as_ref(), &mut buffer4) => self.consider(heard, &buffer4),
                heard = hear(self.v6.as_ref(), &mut buffer6) => self.consider(heard, &buffer6),
                Some(due) = waiting.next() => {
                    self.answer(&due);
                    None
                }
            };
            match due {
                Some(due) if due.to.local.is_some() => self.answer(&due),
                Some(due) if waiting.len() < MOST_PENDING => {
                    let delay = MAX_DELAY.mul_f64(rand::random());
                    waiting.push(async move {
                        sleep(delay).await;
                        due
                    });
                }
                _ => {}
            }
        }
        self.become_known_as(None);
    }

    /// Says Bye or Hello, where that is news.
    fn become_known_as(&mut self, wanted: Option<Identity>) {
        let before = std::mem::replace(&mut self.current, wanted);
        match (before, &self.current) {
            (before, Some(current)) if before.as_ref() != Some(current) => {
                for interface in self.interfaces.clone() {
                    self.hello(&interface);
                }
            }
            (Some(before), None) => {
                let bye = self.writer.bye(&before);
                for interface in &self.interfaces {
                    self.announce(&bye, interface);
                }
            }
            _ => {}
        }
    }

    /// Joins the group on interfaces that are new, or have other addresses than before, and says Hello there.
    fn look(&mut self) {
        let now = match interfaces::list() {
            Ok(now) => now,
            Err(error) => return tracing::info!("discovery: {error}"),
        };
        let before = std::mem::replace(&mut self.interfaces, now);
        let news: Vec<_> = self.interfaces.iter().filter(|now| !before.contains(now)).cloned().collect();
        for interface in &news {
            for socket in [&self.v4, &self.v6].into_iter().flatten() {
                if let Err(error) = socket.join(interface) {
                    tracing::info!("discovery cannot listen on {}: {error}", interface.name);
                }
            }
            self.hello(interface);
        }
    }

    fn hello(&mut self, interface: &Interface) {
        let Some(identity) = &self.current else { return };
        if let Some(xaddr) = identity.xaddr(interface, None) {
            let hello = self.writer.hello(identity, &xaddr);
            self.announce(&hello, interface);
        }
    }

    fn announce(&self, text: &str, interface: &Interface) {
        for socket in [&self.v4, &self.v6].into_iter().flatten() {
            if let Err(error) = socket.announce(text, interface) {
                tracing::debug!("discovery on {}: {error}", interface.name);
            }
        }
    }

    /// Whether a datagram is a question that means us, from somebody who may ask.
    fn consider(&mut self, heard: Heard, buffer: &[u8]) -> Option<Due> {
        let identity = self.current.as_ref()?;
        let datagram = buffer.get(..heard.length)?;
        let source = heard.from.ip();
        // Whoever is behind a router cannot ask: forged sources would make us flood others.
        self.interfaces.iter().find(|interface| interface.index == heard.interface)?.towards(source)?;
        if !is_question(datagram) || !self.limit.admits(source, Instant::now()) {
            return None;
        }
        let question = Question::read(datagram)
            .inspect_err(|error| tracing::debug!("question of {source} about devices: {error}"))
            .ok()??;
        let answer = question.means(identity)?;
        Some(Due { answer, id: question.id, to: heard })
    }

    fn answer(&mut self, due: &Due) {
        let interface = self.interfaces.iter().find(|interface| interface.index == due.to.interface);
        let (Some(identity), Some(interface)) = (&self.current, interface) else { return };
        let Some(xaddr) = identity.xaddr(interface, Some(due.to.from.ip())) else { return };
        let text = self.writer.answer(due.answer, &due.id, identity, &xaddr);
        let socket = if due.to.from.is_ipv4() { &self.v4 } else { &self.v6 };
        if let Some(Err(error)) = socket.as_ref().map(|socket| socket.answer(&text, &due.to)) {
            tracing::debug!("answer to {}: {error}", due.to.from);
        }
    }
}

/// A cheap look, so that the Hello of two hundred cameras does not count as questions.
fn is_question(datagram: &[u8]) -> bool {
    let holds = |word: &[u8]| datagram.windows(word.len()).any(|window| window == word);
    holds(b"Probe") || holds(b"Resolve")
}

/// The next datagram; never, where there is no socket.
async fn hear(socket: Option<&Socket>, buffer: &mut [u8]) -> Heard {
    let Some(socket) = socket else { return pending().await };
    loop {
        match socket.receive(buffer).await {
            Ok(heard) => return heard,
            Err(error) => {
                tracing::debug!("discovery: {error}");
                sleep(UNREADABLE).await;
            }
        }
    }
}
