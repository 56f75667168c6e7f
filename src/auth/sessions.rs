//! Sessions that are alive. In memory only: a restart ends them all, and clients log in again.
//!
//! Memory: [`MAX_SESSIONS`] of about 200 bytes, under 1 MB. A user who opens more loses the own one
//! that is nearest its end; only then somebody else's goes. And the ids of the [`MAX_ENDED`] sessions that
//! were ended last.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use super::Session;
use crate::base::time::MonoTime;

/// Sessions that are kept at a time.
pub const MAX_SESSIONS: usize = 4096;

/// Whoever watches under a session that is ended looks at once, so that more need not be known.
const MAX_ENDED: usize = 1024;

pub struct Sessions {
    life: Duration,
    alive: HashMap<String, Alive>,
    /// By a log-out or a new password, the newest last. One that ran out is not among them: who watches need
    /// not use the session.
    ended: VecDeque<String>,
}

struct Alive {
    session: Session,
    peer: IpAddr,
    ends: MonoTime,
}

impl Sessions {
    /// `life` is how long a session lasts after its last use.
    pub fn new(life: Duration) -> Self {
        Self { life, alive: HashMap::new(), ended: VecDeque::new() }
    }

    /// Keeps `session` under a new random id (its own is ignored) and returns it with that.
    pub fn add(&mut self, now: MonoTime, peer: IpAddr, session: Session) -> Session {
        let session = Session { id: Uuid::new_v4().to_string(), ..session };
        self.take_over(now, peer, session.clone());
        session
    }

    /// Keeps `session` under its own id.
    pub fn take_over(&mut self, now: MonoTime, peer: IpAddr, session: Session) {
        if self.alive.len() >= MAX_SESSIONS {
            self.make_room(now, &session.user);
        }
        let id = session.id.clone();
        self.alive.insert(id, Alive { session, peer, ends: now + self.life });
    }

    /// The session and the address that it was opened from; its life begins anew.
    pub fn renew(&mut self, now: MonoTime, id: &str) -> Option<(Session, IpAddr)> {
        let alive = self.alive.get_mut(id)?;
        if alive.ends <= now {
            self.alive.remove(id);
            return None;
        }
        alive.ends = now + self.life;
        Some((alive.session.clone(), alive.peer))
    }

    /// Ends a session, and says whether it was alive.
    pub fn end(&mut self, now: MonoTime, id: &str) -> bool {
        let was_alive = self.is_open(now, id);
        self.end_where(|other, _| other == id);
        was_alive
    }

    /// Ends a session, and remembers it as ended also if it was not known.
    pub fn end_for_good(&mut self, now: MonoTime, id: &str) {
        self.end(now, id);
        if !self.was_ended(id) {
            self.ended.push_back(id.to_owned());
            self.bound();
        }
    }

    pub fn is_open(&self, now: MonoTime, id: &str) -> bool {
        self.alive.get(id).is_some_and(|alive| alive.ends > now)
    }

    /// Ids and users of those that are alive and were not lent.
    pub fn of_users(&self, now: MonoTime) -> Vec<(String, String)> {
        let own = self.alive.iter().filter(|(_, alive)| alive.ends > now && !alive.session.lent);
        own.map(|(id, alive)| (id.clone(), alive.session.user.clone())).collect()
    }

    /// After `user` got a new password: the session `kept` goes on, without the marks of the default
    /// password; all others of that user end.
    pub fn password_changed(&mut self, user: &str, kept: &str) {
        self.end_where(|id, alive| alive.session.user == user && id != kept);
        if let Some(alive) = self.alive.get_mut(kept).filter(|alive| alive.session.user == user) {
            alive.session.default_password = false;
            alive.session.must_change_password = false;
        }
    }

    /// Ends all that were lent.
    pub fn end_lent(&mut self) {
        self.end_where(|_, alive| alive.session.lent);
    }

    /// Whether somebody ended that session not long ago.
    pub fn was_ended(&self, id: &str) -> bool {
        self.ended.iter().any(|ended| ended == id)
    }

    fn end_where(&mut self, ends: impl Fn(&str, &Alive) -> bool) {
        self.ended.extend(self.alive.extract_if(|id, alive| ends(id, alive)).map(|(id, _)| id));
        self.bound();
    }

    fn bound(&mut self) {
        let surplus = self.ended.len().saturating_sub(MAX_ENDED);
        self.ended.drain(..surplus);
    }

    fn make_room(&mut self, now: MonoTime, user: &str) {
        self.alive.retain(|_, alive| alive.ends > now);
        let next = self.alive.iter().min_by_key(|(_, alive)| (alive.session.user != user, alive.ends));
        if self.alive.len() >= MAX_SESSIONS
            && let Some(id) = next.map(|(id, _)| id.clone())
        {
            self.alive.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Role, Sight};
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn add(sessions: &mut Sessions, now: u64, user: &str) -> String {
        let session = Session {
            id: String::new(),
            user: user.to_owned(),
            role: Role::Viewer,
            sight: Sight::All,
            default_password: false,
            must_change_password: false,
            lent: false,
        };
        sessions.add(at(now), PEER, session).id
    }

    fn at(seconds: u64) -> MonoTime {
        MonoTime::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn use_renews_and_silence_ends() {
        let mut sessions = Sessions::new(Duration::from_secs(600));
        let id = add(&mut sessions, 0, "a");
        assert!(sessions.renew(at(599), &id).is_some());
        assert!(sessions.renew(at(1198), &id).is_some());
        assert!(sessions.renew(at(1798), &id).is_none());
        assert!(sessions.alive.is_empty());
    }

    #[test]
    fn who_opens_too_many_loses_own_ones() {
        let mut sessions = Sessions::new(Duration::from_secs(600));
        let other = add(&mut sessions, 0, "other");
        let first = add(&mut sessions, 1, "greedy");
        for _ in 0..2 * MAX_SESSIONS {
            add(&mut sessions, 2, "greedy");
        }
        assert_eq!(sessions.alive.len(), MAX_SESSIONS);
        assert!(sessions.renew(at(3), &first).is_none());
        assert!(sessions.renew(at(3), &other).is_some());
        let newcomer = add(&mut sessions, 4, "newcomer");
        assert!(sessions.renew(at(5), &newcomer).is_some());
        assert_eq!(sessions.alive.len(), MAX_SESSIONS);
    }
}
