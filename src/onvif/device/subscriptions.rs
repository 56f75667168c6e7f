//! Who listens to events, by pull point.
//!
//! Memory: at most [`MAX_SUBSCRIPTIONS`], which end by themselves when nobody pulls; [`QUEUE`] events
//! wait for all of them together, and a subscriber that falls further behind misses the oldest; the
//! last state of at most [`MAX_STATES`] inputs is kept. The lock is held for single look-ups only.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Mutex as AsyncMutex, broadcast};
use tokio::time::Instant;
use uuid::Uuid;

use super::fault::Fault;
use super::topics::{self, Filter, Topic};
use crate::onvif::events::CameraEvent;

/// Subscriptions at a time.
pub const MAX_SUBSCRIPTIONS: usize = 32;
/// Events that wait.
const QUEUE: usize = 256;
/// Inputs whose state is remembered.
const MAX_STATES: usize = 1024;
/// How long a subscription lasts without being renewed.
const LIFETIMES: std::ops::RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(3600);
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// Something that listeners are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The camera behind `source` reported something.
    Camera { source: String, event: CameraEvent, at: SystemTime },
    /// The profile with this token came, went or is another now.
    ProfileChanged { token: String, at: SystemTime },
}

/// A notification, and its topic to filter by.
#[derive(Clone, Debug)]
struct Message {
    topic: Topic,
    item: String,
    state: bool,
    at: SystemTime,
}

impl Message {
    fn write(&self, first: bool) -> String {
        self.topic.notification(&self.item, self.state, first, self.at)
    }
}

/// All subscriptions.
#[derive(Debug)]
pub struct Subscriptions {
    news: broadcast::Sender<Arc<Message>>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<String, Arc<Subscription>>,
    states: HashMap<(Topic, String), Arc<Message>>,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self { news: broadcast::Sender::new(QUEUE), table: Mutex::default() }
    }
}

/// One pull point.
#[derive(Debug)]
pub struct Subscription {
    filter: Filter,
    term: Mutex<Term>,
    inbox: AsyncMutex<Inbox>,
    ended: tokio_util::sync::CancellationToken,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    lifetime: Duration,
    ends: Instant,
}

#[derive(Debug)]
struct Inbox {
    /// States to tell before the news.
    first: VecDeque<Arc<Message>>,
    news: broadcast::Receiver<Arc<Message>>,
}

impl Subscriptions {
    /// Tells everybody, and remembers states.
    pub fn publish(&self, notice: Notice) {
        let message = Arc::new(match notice {
            Notice::Camera { source, event, at } => {
                let item = topics::item(&source, &event);
                Message { topic: Topic::of(event.kind), item, state: event.active, at }
            }
            Notice::ProfileChanged { token, at } => {
                Message { topic: Topic::ProfileChanged, item: token, state: true, at }
            }
        });
        // The lock is kept until it is sent, so that a new subscriber gets it as state or as news.
        let mut table = self.table();
        if message.topic != Topic::ProfileChanged {
            let key = (message.topic, message.item.clone());
            if table.states.len() < MAX_STATES || table.states.contains_key(&key) {
                table.states.insert(key, message.clone());
            }
        }
        // Fails while nobody listens.
        let _ = self.news.send(message);
    }

    /// Opens a pull point; gives its name and how long it lasts.
    ///
    /// # Errors
    /// A fault where there are too many.
    pub fn open(&self, filter: Filter, lifetime: Duration) -> Result<(String, Duration), Fault> {
        let mut table = self.table();
        table.open.retain(|_, subscription| !subscription.is_over());
        if table.open.len() >= MAX_SUBSCRIPTIONS {
            return Err(Fault::receiver(
                &["ter:CapabilityViolated", "ter:MaxPullPoints"],
                format!("there are {MAX_SUBSCRIPTIONS} pull points already"),
            ));
        }
        let lifetime = lifetime.clamp(*LIFETIMES.start(), *LIFETIMES.end());
        let subscription = Subscription {
            inbox: AsyncMutex::new(Inbox { first: table.states(&filter), news: self.news.subscribe() }),
            filter,
            term: Mutex::new(Term { lifetime, ends: Instant::now() + lifetime }),
            ended: tokio_util::sync::CancellationToken::new(),
        };
        let name = Uuid::new_v4().to_string();
        table.open.insert(name.clone(), Arc::new(subscription));
        Ok((name, lifetime))
    }

    /// The pull point of that name.
    ///
    /// # Errors
    /// A fault when there is none, or it is over.
    pub fn get(&self, name: &str) -> Result<Arc<Subscription>, Fault> {
        let found = self.table().open.get(name).cloned();
        found.filter(|subscription| !subscription.is_over()).ok_or_else(|| {
            Fault::named(&["ter:InvalidArgVal", "ter:NoEntity"], "there is no such subscription")
        })
    }

    /// Ends the pull point, and who waits at it is answered.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn close(&self, name: &str) -> Result<(), Fault> {
        self.get(name)?.ended.cancel();
        self.table().open.remove(name);
        Ok(())
    }

    /// Lets the states be told again at the next pull.
    pub async fn repeat(&self, subscription: &Subscription) {
        let mut inbox = subscription.inbox.lock().await;
        inbox.first = self.table().states(&subscription.filter);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn states(&self, filter: &Filter) -> VecDeque<Arc<Message>> {
        self.states.values().filter(|message| filter.lets(message.topic)).cloned().collect()
    }
}

impl Subscription {
    fn is_over(&self) -> bool {
        self.term().ends <= Instant::now()
    }

    fn term(&self) -> MutexGuard<'_, Term> {
        self.term.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it still lasts.
    pub fn left(&self) -> Duration {
        self.term().ends.saturating_duration_since(Instant::now())
    }

    /// Lets it last so long from now; gives how long that is.
    pub fn renew(&self, lifetime: Duration) -> Duration {
        let lifetime = lifetime.clamp(*LIFETIMES.start(), *LIFETIMES.end());
        *self.term() = Term { lifetime, ends: Instant::now() + lifetime };
        lifetime
    }

    /// Waits for events, at most `patience`, and gives up to `limit` of them, written. Pulling keeps
    /// the subscription alive.
    pub async fn pull(&self, patience: Duration, limit: usize) -> Vec<String> {
        let deadline = Instant::now() + patience;
        self.keep_until(deadline);
        let mut inbox = self.inbox.lock().await;
        let mut events = Vec::new();
        while events.len() < limit {
            if let Some(state) = inbox.first.pop_front() {
                events.push(state.write(true));
                continue;
            }
            let message = match inbox.news.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Lagged(_)) => continue,
                Err(_) if !events.is_empty() => break,
                Err(_) => match self.wait(&mut inbox, deadline).await {
                    Some(message) => message,
                    None => break,
                },
            };
            if self.filter.lets(message.topic) {
                events.push(message.write(false));
            }
        }
        self.keep_until(Instant::now());
        events
    }

    async fn wait(&self, inbox: &mut Inbox, deadline: Instant) -> Option<Arc<Message>> {
        loop {
            let received = tokio::select! {
                received = inbox.news.recv() => received,
                () = tokio::time::sleep_until(deadline) => return None,
                () = self.ended.cancelled() => return None,
            };
            match received {
                Ok(message) => return Some(message),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Lets it last its lifetime from `moment` on, if that is longer than it does already.
    fn keep_until(&self, moment: Instant) {
        let mut term = self.term();
        term.ends = term.ends.max(moment + term.lifetime);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::events::EventKind;

    fn motion(source: &str, active: bool) -> Notice {
        let event = CameraEvent { kind: EventKind::Motion, item: String::new(), active };
        Notice::Camera { source: source.into(), event, at: SystemTime::UNIX_EPOCH }
    }

    #[tokio::test(start_paused = true)]
    async fn states_come_first_and_news_after() {
        let all = Subscriptions::default();
        all.publish(motion("a", true));
        let (name, _) = all.open(Filter::default(), DEFAULT_LIFETIME).unwrap();
        all.publish(motion("a", false));
        let subscription = all.get(&name).unwrap();
        let events = subscription.pull(Duration::from_secs(5), 10).await;
        assert_eq!(events.len(), 2);
        assert!(events[0].contains("Initialized") && events[0].contains("Value=\"true\""), "{}", events[0]);
        assert!(events[1].contains("Changed") && events[1].contains("Value=\"false\""), "{}", events[1]);
        assert!(subscription.pull(Duration::from_secs(5), 10).await.is_empty());
        all.repeat(&subscription).await;
        assert_eq!(subscription.pull(Duration::from_secs(5), 10).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn they_end_unless_somebody_pulls() {
        let all = Subscriptions::default();
        let (name, lifetime) = all.open(Filter::default(), Duration::from_secs(20)).unwrap();
        assert_eq!(lifetime, Duration::from_secs(20));
        let subscription = all.get(&name).unwrap();
        for _ in 0..5 {
            assert!(subscription.pull(Duration::from_secs(15), 1).await.is_empty());
        }
        assert!(all.get(&name).is_ok());
        tokio::time::sleep(Duration::from_secs(21)).await;
        assert!(all.get(&name).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_only_so_many() {
        let all = Subscriptions::default();
        let mut names = Vec::new();
        for _ in 0..MAX_SUBSCRIPTIONS {
            names.push(all.open(Filter::default(), DEFAULT_LIFETIME).unwrap().0);
        }
        assert!(all.open(Filter::default(), DEFAULT_LIFETIME).is_err());
        all.close(&names[0]).unwrap();
        assert!(all.get(&names[0]).is_err());
        assert!(all.open(Filter::default(), DEFAULT_LIFETIME).is_ok());
    }

    #[tokio::test]
    async fn closing_answers_who_waits() {
        let all = Arc::new(Subscriptions::default());
        let (name, _) = all.open(Filter::default(), DEFAULT_LIFETIME).unwrap();
        let subscription = all.get(&name).unwrap();
        let waiting = tokio::spawn(async move { subscription.pull(Duration::from_secs(600), 1).await });
        tokio::task::yield_now().await;
        all.close(&name).unwrap();
        assert!(waiting.await.unwrap().is_empty());
    }
}
