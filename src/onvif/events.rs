//! What cameras report: one pull-point subscription per camera (ONVIF Core, 9).
//!
//! [`listen`] is one task per camera. It has a [`Camera`] of its own, so that a request that waits for
//! events never holds up another command. Memory: [`states::MOST`] remembered states, and one answer of
//! at most [`super::xml::MAX_BYTES`].

mod notice;
mod states;
mod subscription;

use std::time::Duration;

use rand::RngExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::states::States;
use self::subscription::Subscription;
use super::{Address, Camera, Failure, Why};

/// Shortest time between two questions to a camera that answers at once instead of waiting.
const PACE: Duration = Duration::from_millis(500);
/// A subscription that lasted for so long counts as healthy, and waits after failures start over.
const HEALTHY: Duration = Duration::from_secs(30);
/// How long a camera has to take our leave when we stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    Motion,
    DigitalInput,
}

impl EventKind {
    /// The name in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::DigitalInput => "digital_input",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Motion, Self::DigitalInput].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One change that a camera reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraEvent {
    pub kind: EventKind,
    /// Which input, rule or video source of the camera; empty where it does not say.
    pub item: String,
    /// Began, or ended.
    pub active: bool,
}

/// Listens to a camera until `stop` is cancelled, and gives each change to `events` under the name
/// `token`; waits where that is full. Subscribes again whenever a subscription is lost, with longer and
/// longer waits: up to a minute for a camera that is away, an hour for one that has no events or does
/// not know us.
pub async fn listen(
    address: Address,
    token: String,
    events: mpsc::Sender<(String, CameraEvent)>,
    stop: CancellationToken,
) {
    let mut listener = Listener { camera: Camera::new(address), token, events, states: States::default() };
    let mut failures = 0;
    loop {
        let began = Instant::now();
        let lost = listener.subscribed(&stop).await;
        if lost.is_ok() || began.elapsed() >= HEALTHY {
            failures = 0;
        }
        let wait = match lost {
            Ok(()) if stop.is_cancelled() => return,
            // It came to its end, and the next one begins.
            Ok(()) => PACE,
            Err(failure) => {
                let wait = wait(failure.why, failures);
                failures = failures.saturating_add(1);
                tracing::debug!(token = listener.token, ?wait, "no events: {failure}");
                wait
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// How long to leave a camera alone after its failure number `failures` in a row.
fn wait(why: Why, failures: u32) -> Duration {
    let (first, longest) = match why {
        Why::Unreachable | Why::Refused => (1, 60),
        Why::NotOnvif | Why::Tls => (10, 300),
        // Cameras lock accounts.
        Why::Unauthorised => (60, 3600),
        Why::Unsupported => (600, 3600),
    };
    let seconds = (first << failures.min(12)).min(longest);
    Duration::from_secs(seconds).mul_f64(rand::rng().random_range(0.75..=1.0))
}

struct Listener {
    camera: std::sync::Arc<Camera>,
    token: String,
    events: mpsc::Sender<(String, CameraEvent)>,
    /// Kept over subscriptions: what a camera tells again is no news.
    states: States,
}

impl Listener {
    /// One subscription, until it ends, or fails, or we are told to stop.
    async fn subscribed(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let mut subscription = tokio::select! {
            subscription = Subscription::begin(&self.camera) => subscription?,
            () = stop.cancelled() => return Ok(()),
        };
        tracing::debug!(token = self.token, "listening to events");
        let lost = tokio::select! {
            lost = self.pull(&mut subscription) => lost,
            () = stop.cancelled() => Ok(()),
        };
        // Cameras have few places; one that is gone will forget it by itself.
        let _ = tokio::time::timeout(FAREWELL, subscription.end(&self.camera)).await;
        lost
    }

    /// Asks for events until that fails, or the subscription is about to end.
    async fn pull(&mut self, subscription: &mut Subscription) -> Result<(), Failure> {
        loop {
            let asked = Instant::now();
            for notice in subscription.pull(&self.camera).await? {
                if let Some(event) = self.states.learn(notice) {
                    // Nobody there any more: the daemon stops.
                    let _ = self.events.send((self.token.clone(), event)).await;
                }
            }
            if !subscription.keep(&self.camera).await? {
                return Ok(());
            }
            sleep(PACE.saturating_sub(asked.elapsed())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        for (why, first, longest) in [
            (Why::Unreachable, 1, 60),
            (Why::Unauthorised, 60, 3600),
            (Why::Unsupported, 600, 3600),
            (Why::NotOnvif, 10, 300),
        ] {
            let within = |wait: Duration, most: u64| {
                let most = Duration::from_secs(most);
                assert!((most.mul_f64(0.75)..=most).contains(&wait), "{why:?}: {wait:?}");
            };
            within(wait(why, 0), first);
            within(wait(why, 1), (2 * first).min(longest));
            within(wait(why, u32::MAX), longest);
        }
    }
}
