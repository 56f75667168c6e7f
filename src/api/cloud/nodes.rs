//! Several nodes behind one address: a browser may meet another node with each request, so log-in sessions are shared,
//! and what one node changes of people and rights the others take over. Tries of passwords are told, so that all count them.
//!
//! Three tasks: one tells the other nodes, one hears their notices, one catches up after notices were missed. Memory:
//! when each session was shared last, for twice as many as there can be sessions.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::auth::sessions::MAX_SESSIONS;
use crate::auth::{Auth, Change, Session, Try};
use crate::base::{Error, Kind, Result};
use crate::cloud::cluster::{Cluster, Notice};

/// The notice that people, rights or sessions changed.
const PEOPLE: &str = "people";
/// The notice that a password is or was tried.
const TRIES: &str = "tries";
/// Requests that may ask for a session at a time.
const MAX_ASKING: usize = 64;
/// Changes that wait to be told.
const QUEUE: usize = 64;
/// Before what failed is tried again.
const REST: Duration = Duration::from_secs(2);
/// Length of a session's id.
const ID: usize = 36;

/// A log-in as the nodes keep it. Role and sight come from the shared database.
#[derive(Serialize, Deserialize)]
struct Shared {
    user: String,
    peer: IpAddr,
    default_password: bool,
    /// [`Auth::proof`] when it was shared: with another password it is none any more.
    proof: String,
}

/// A try as nodes tell it.
#[derive(Serialize, Deserialize)]
struct Tried {
    what: Try,
    peer: IpAddr,
    user: String,
}

/// What is known of a session that the nodes share.
struct Known {
    /// When it is to be shared again.
    again: Instant,
    /// With which it was shared.
    proof: Option<String>,
}

/// See the module.
pub struct Nodes {
    auth: Arc<Auth>,
    cluster: Arc<Cluster>,
    /// Of a session, after its last use.
    life: Duration,
    shared: Mutex<HashMap<String, Known>>,
    asking: Semaphore,
    /// Ended sessions that could not be taken from those of the nodes yet.
    left: Mutex<VecDeque<String>>,
    /// Notices were missed, or something is left to do.
    look_after: Notify,
}

impl Nodes {
    /// Must be called on a tokio runtime.
    pub fn start(
        auth: Arc<Auth>,
        cluster: Arc<Cluster>,
        life: Duration,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let (tell, changes) = mpsc::channel(QUEUE);
        auth.tell_changes(tell);
        let asking = Semaphore::new(MAX_ASKING);
        let (shared, left, look_after) = Default::default();
        let nodes = Arc::new(Self { auth, cluster, life, shared, asking, left, look_after });
        tokio::spawn(stop.clone().run_until_cancelled_owned(nodes.clone().tell(changes)));
        tokio::spawn(stop.clone().run_until_cancelled_owned(nodes.clone().hear()));
        tokio::spawn(stop.run_until_cancelled_owned(nodes.clone().catch_up()));
        nodes
    }

    /// Waits until the others were told, after the stop, that this node leaves.
    pub async fn stopped(&self) {
        self.cluster.stopped().await;
    }

    /// Makes the session `id` one of this node's if it is another one's, and keeps it alive for the others.
    pub async fn meet(self: &Arc<Self>, id: &str) {
        if id.len() != ID {
            return;
        }
        let Ok((session, peer)) = self.auth.lasting(id) else { return self.take_over(id).await };
        if self.is_stale(id) {
            // Nobody waits for it: the others have it from before.
            let (nodes, id) = (self.clone(), id.to_owned());
            tokio::spawn(async move { nodes.share(&id, session, peer).await });
        }
    }

    /// Shares a session that was opened here just now, so that the next request may go to any node.
    pub async fn opened(&self, id: &str) {
        if let Ok((session, peer)) = self.auth.lasting(id) {
            self.is_stale(id);
            self.share(id, session, peer).await;
        }
    }

    /// Whether it has to be shared again; who asks does so.
    fn is_stale(&self, id: &str) -> bool {
        let (now, mut shared) = (Instant::now(), self.shared());
        if shared.get(id).is_some_and(|known| now < known.again) {
            return false;
        }
        if shared.len() >= 2 * MAX_SESSIONS {
            shared.retain(|_, known| now < known.again + self.life);
        }
        let proof = shared.remove(id).and_then(|known| known.proof);
        shared.insert(id.to_owned(), Known { again: now + REST, proof });
        true
    }

    async fn share(&self, id: &str, session: Session, peer: IpAddr) {
        match self.put(id, session, peer).await {
            Ok(proof) => self.know(id, proof),
            Err(error) => {
                tracing::debug!("a session is not shared yet: {error}");
                self.look_after.notify_one();
            }
        }
        if !self.auth.is_open(id) {
            // It was ended meanwhile, perhaps before it was put.
            self.forget(id).await;
        }
    }

    async fn put(&self, id: &str, session: Session, peer: IpAddr) -> Result<String> {
        let Session { user, default_password, .. } = session;
        let proof = self.auth.proof(&user).await?;
        let value = serde_json::to_vec(&Shared { user, peer, default_password, proof: proof.clone() });
        let value = value.map_err(|error| Error::internal(error.to_string()))?;
        self.cluster.put_session(id, value.into(), self.life * 2).await?;
        Ok(proof)
    }

    fn know(&self, id: &str, proof: String) {
        let known = Known { again: Instant::now() + self.life / 4, proof: Some(proof) };
        self.shared().insert(id.to_owned(), known);
    }

    /// Takes an ended session from the nodes' sessions.
    async fn forget(&self, id: &str) {
        self.shared().remove(id);
        if let Err(error) = self.cluster.end_session(id).await {
            tracing::debug!("an ended session stays among those of the nodes for now: {error}");
            let mut left = self.left();
            left.push_back(id.to_owned());
            let surplus = left.len().saturating_sub(MAX_SESSIONS);
            left.drain(..surplus);
            drop(left);
            self.look_after.notify_one();
        }
    }

    async fn take_over(&self, id: &str) {
        let Ok(_turn) = self.asking.try_acquire() else { return };
        if let Err(error) = self.find(id).await {
            tracing::debug!("a session is not known: {error}");
        }
    }

    async fn find(&self, id: &str) -> Result<()> {
        let Some(value) = self.cluster.session(id).await? else { return Ok(()) };
        let shared: Shared = serde_json::from_slice(&value)
            .map_err(|_| Error::internal("what another node shared is no session"))?;
        if self.auth.proof(&shared.user).await? != shared.proof {
            return Ok(());
        }
        self.auth.adopt(id, &shared.user, shared.peer, shared.default_password);
        // A change of the password in between has not ended what was not here yet.
        if self.auth.proof(&shared.user).await.ok().as_ref() == Some(&shared.proof) {
            self.know(id, shared.proof);
        } else {
            self.auth.end_here(id);
        }
        Ok(())
    }

    /// Tells the other nodes what was changed here; one change after the other, each until it was sent.
    async fn tell(self: Arc<Self>, mut changes: mpsc::Receiver<Change>) {
        while let Some(change) = changes.recv().await {
            let mut kind = PEOPLE;
            let told = match &change {
                Change::Rights => json!({}),
                Change::Try { what, peer, user } => {
                    kind = TRIES;
                    json!(Tried { what: *what, peer: *peer, user: user.clone() })
                }
                Change::Password { user, kept } => {
                    // It is shared again, with the proof of the new password.
                    self.shared().remove(kept);
                    json!({ "user": user, "kept": kept })
                }
                Change::Ended { session } => json!({ "session": session }),
            };
            // Where it cannot be sent, the others are told later that they missed something.
            if let Err(error) = self.cluster.publish(kind, told).await {
                tracing::warn!("a change of people is not told to the other nodes: {error}");
            }
            if let Change::Ended { session } = &change {
                self.forget(session).await;
            }
        }
    }

    async fn hear(self: Arc<Self>) {
        let mut notices = self.cluster.notices();
        loop {
            let heard = match notices.recv().await {
                Ok(Notice::Told { kind, value, .. }) if kind == PEOPLE => self.follow(&value).await,
                Ok(Notice::Told { kind, value, .. }) if kind == TRIES => {
                    if let Ok(Tried { what, peer, user }) = Tried::deserialize(value) {
                        self.auth.hear_try(what, peer, &user);
                    }
                    Ok(())
                }
                Ok(Notice::Told { .. }) => Ok(()),
                Ok(Notice::Missed) | Err(RecvError::Lagged(_)) => {
                    self.look_after.notify_one();
                    self.auth.reread().await
                }
                Err(RecvError::Closed) => return,
            };
            if let Err(error) = heard {
                tracing::warn!("what another node changed is not known here yet: {error}");
                self.look_after.notify_one();
            }
        }
    }

    async fn follow(&self, told: &Value) -> Result<()> {
        if let Some(session) = told["session"].as_str() {
            self.auth.end_here(session);
            if self.shared().contains_key(session) {
                // This node may have shared it once more just now.
                self.forget(session).await;
            }
            return Ok(());
        }
        if let Some(user) = told["user"].as_str() {
            let kept = told["kept"].as_str().unwrap_or_default();
            self.shared().remove(kept);
            self.auth.end_sessions_here(user, kept);
        }
        self.auth.reread().await
    }

    /// After something was missed or could not be told: takes over who there is, ends the sessions that another node
    /// ended, and shares those that are not shared yet.
    async fn catch_up(self: Arc<Self>) {
        loop {
            self.look_after.notified().await;
            while let Err(error) = self.look_through().await {
                tracing::debug!("what was missed is not made good yet: {error}");
                sleep(REST).await;
            }
        }
    }

    async fn look_through(&self) -> Result<()> {
        self.auth.reread().await?;
        loop {
            let Some(id) = self.left().front().cloned() else { break };
            self.cluster.end_session(&id).await?;
            // A node that looked before this has found it alive.
            self.cluster.publish(PEOPLE, json!({ "session": id })).await?;
            self.left().pop_front();
        }
        for (id, user) in self.auth.open_sessions() {
            let Some(known) = self.shared().get(&id).map(|known| known.proof.clone()) else { continue };
            let Some(proof) = known else {
                if let Ok((session, peer)) = self.auth.lasting(&id) {
                    let proof = self.put(&id, session, peer).await?;
                    self.know(&id, proof);
                }
                continue;
            };
            let now = match self.auth.proof(&user).await {
                Err(error) if error.kind() != Kind::NotFound => return Err(error),
                now => now.ok(),
            };
            if now.as_ref() != Some(&proof) || self.cluster.session(&id).await?.is_none() {
                self.auth.end_here(&id);
                self.shared().remove(&id);
            }
        }
        Ok(())
    }

    fn left(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
