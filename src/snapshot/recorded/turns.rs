//! Whose turn it is: one request works, the others wait. Sessions take turns, and of one session the
//! newest request goes first, since whoever scrubs has moved on from the older ones; of those that stay
//! behind, the oldest is told to go when there are more than [`MAX_EACH`].
//!
//! Memory: [`MAX`] waiting requests. Locks: one, for a few list operations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::base::{Error, Result};

/// Waiting requests of all sessions.
const MAX: usize = 32;
/// Of one session. A browser has no more than six connections to one server.
const MAX_EACH: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub struct Turns(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    busy: bool,
    /// By arrival; but what a session still has waiting goes to the back when it had a turn.
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    who: String,
    call: oneshot::Sender<Turn>,
}

/// Dropping it makes it the next one's.
#[derive(Debug)]
pub struct Turn(Option<Arc<Mutex<State>>>);

impl Turns {
    /// Waits for the turn of `who`.
    ///
    /// # Errors
    /// `Full` when too many wait, `Refused` when newer requests of the same session took its place.
    pub async fn take(&self, who: &str) -> Result<Turn> {
        let called = {
            let mut state = lock(&self.0);
            if !state.busy {
                state.busy = true;
                return Ok(Turn(Some(self.0.clone())));
            }
            state.queue(who)?
        };
        called.await.map_err(|_| Error::refused("newer pictures were asked for meanwhile"))
    }
}

impl State {
    fn queue(&mut self, who: &str) -> Result<oneshot::Receiver<Turn>> {
        // Whoever asked may have left.
        self.waiting.retain(|one| !one.call.is_closed());
        let own = |one: &Waiting| one.who == who;
        if self.waiting.iter().filter(|one| own(one)).count() >= MAX_EACH {
            if let Some(oldest) = self.waiting.iter().position(own) {
                self.waiting.remove(oldest);
            }
        } else if self.waiting.len() >= MAX {
            return Err(Error::full("too many pictures of recordings are asked for; try again in a moment"));
        }
        let (call, called) = oneshot::channel();
        self.waiting.push(Waiting { who: who.to_owned(), call });
        Ok(called)
    }

    /// Whose turn it is next.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let who = self.waiting.first()?.who.clone();
        let (own, mut others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|one| one.who == who);
        others.extend(own);
        self.waiting = others;
        self.waiting.pop().map(|one| one.call)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else { return };
        loop {
            let next = {
                let mut state = lock(&turns);
                let next = state.next();
                state.busy = next.is_some();
                next
            };
            let Some(call) = next else { return };
            match call.send(Turn(Some(turns.clone()))) {
                Ok(()) => return,
                // Whoever asked has left; the turn is still ours to give.
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // List operations leave the state valid.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::base::Kind;

    type Asking<'a> = Pin<Box<dyn Future<Output = Result<Turn>> + 'a>>;

    /// Asks, and queues if there is no turn yet.
    fn ask<'a>(turns: &'a Turns, who: &'a str) -> Asking<'a> {
        let mut asking: Asking = Box::pin(turns.take(who));
        assert!(look(&mut asking).is_none());
        asking
    }

    fn look(asking: &mut Asking) -> Option<Result<Turn>> {
        match asking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn first(turns: &Turns) -> Turn {
        let mut asking: Asking = Box::pin(turns.take("first"));
        look(&mut asking).unwrap().unwrap()
    }

    /// Ends turns until nobody waits: the numbers of those that got one, in that order.
    fn order(mut turn: Turn, mut asking: Vec<Asking>) -> Vec<usize> {
        let mut order = Vec::new();
        let mut left: Vec<usize> = (0..asking.len()).collect();
        loop {
            drop(turn);
            let Some((at, next)) = left.iter().find_map(|&at| Some((at, look(&mut asking[at])?.ok()?)))
            else {
                return order;
            };
            left.retain(|&one| one != at);
            order.push(at);
            turn = next;
        }
    }

    #[test]
    fn the_newest_of_a_session_goes_first_and_sessions_take_turns() {
        let turns = Turns::default();
        let turn = first(&turns);
        let asking = ["ann", "ann", "ann", "bob", "cid", "bob"].map(|who| ask(&turns, who));
        assert_eq!(order(turn, asking.into()), [2, 5, 4, 1, 3, 0]);
        drop(first(&turns));
    }

    #[test]
    fn whoever_left_is_passed_over() {
        let turns = Turns::default();
        let turn = first(&turns);
        let kept = ask(&turns, "ann");
        drop(ask(&turns, "ann"));
        drop(ask(&turns, "bob"));
        assert_eq!(order(turn, vec![kept]), [0]);
        // Also one that left when it was called but had not taken its turn.
        let turn = first(&turns);
        let (called, mut kept) = (ask(&turns, "ann"), ask(&turns, "bob"));
        drop(turn);
        drop(called);
        assert!(look(&mut kept).unwrap().is_ok());
    }

    #[test]
    fn the_queue_is_bounded_for_each_and_for_all() {
        let turns = Turns::default();
        let _turn = first(&turns);
        let mut own: Vec<_> = (0..MAX_EACH).map(|_| ask(&turns, "ann")).collect();
        let newer = ask(&turns, "ann");
        let gone = look(&mut own[0]).unwrap().unwrap_err();
        assert_eq!(gone.kind(), Kind::Refused);
        assert!(own[1..].iter_mut().all(|asking| look(asking).is_none()));
        let names: Vec<String> = (0..MAX - MAX_EACH).map(|n| format!("user {n}")).collect();
        let others: Vec<_> = names.iter().map(|who| ask(&turns, who)).collect();
        let mut late: Asking = Box::pin(turns.take("late"));
        assert_eq!(look(&mut late).unwrap().unwrap_err().kind(), Kind::Full);
        drop(others);
        drop(ask(&turns, "late"));
        drop(newer);
    }
}
