//! What is remembered of a camera between commands, and the timer that stops it: one task for each
//! camera that moves, ended by its stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Camera, LONGEST, Lens, Plan, Velocity};

/// A camera that cannot be reached when its time is over is told so often.
const TRIES: usize = 3;
/// Between these tries.
const REST: Duration = Duration::from_secs(2);

/// What is remembered of a camera to steer it.
#[derive(Debug, Default)]
pub struct Steering {
    pub(super) plan: tokio::sync::Mutex<Option<Arc<Plan>>>,
    pub(super) lens: tokio::sync::Mutex<Option<Arc<Lens>>>,
    motion: Mutex<Motion>,
}

/// What was set in motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    Head(Velocity),
    Focus,
}

/// What moves, as far as we know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// Of the command that set it in motion.
    pub id: Option<u64>,
    pub what: Option<What>,
}

#[derive(Debug, Default)]
struct Motion {
    /// Number of the last command.
    last: u64,
    /// What moves, and what ends its timer.
    running: Option<(What, CancellationToken)>,
}

impl Steering {
    pub(super) fn held(&self) -> Held {
        let motion = self.motion();
        match &motion.running {
            Some((what, _)) => Held { id: Some(motion.last), what: Some(*what) },
            None => Held::default(),
        }
    }

    /// The timer of that command ends, unless a later command has begun another.
    pub(super) fn release(&self, id: u64) {
        let mut motion = self.motion();
        if motion.last == id
            && let Some((_, timer)) = motion.running.take()
        {
            timer.cancel();
        }
    }

    /// The timer ends: whatever moved was led elsewhere.
    pub(super) fn release_all(&self) {
        if let Some((_, timer)) = self.motion().running.take() {
            timer.cancel();
        }
    }

    pub(super) async fn forget_plan(&self) {
        *self.plan.lock().await = None;
    }

    fn motion(&self) -> MutexGuard<'_, Motion> {
        // Plain assignments leave it valid.
        self.motion.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Camera {
    /// Begins the timer anew. The command's number if nothing was moving before.
    pub(super) fn hold(self: &Arc<Self>, what: What) -> Option<u64> {
        let timer = CancellationToken::new();
        let mut motion = self.steering.motion();
        motion.last += 1;
        let id = motion.last;
        let before = motion.running.replace((what, timer.clone()));
        drop(motion);
        let fresh = before.is_none();
        if let Some((_, timer)) = before {
            timer.cancel();
        }
        let camera = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = timer.cancelled() => {}
                () = tokio::time::sleep(LONGEST) => camera.time_is_over(id).await,
            }
        });
        fresh.then_some(id)
    }

    async fn time_is_over(&self, id: u64) {
        for _ in 0..TRIES {
            let held = self.steering.held();
            if held.id != Some(id) {
                return;
            }
            match self.halt(held.what).await {
                Ok(()) => {
                    tracing::info!(camera = self.address.at.host, "nobody stopped the camera: stopped");
                    break;
                }
                Err(failure) => {
                    tracing::warn!(camera = self.address.at.host, "the camera was not stopped: {failure}");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        self.steering.release(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_the_timer_of_its_own_move_only() {
        let steering = Steering::default();
        assert!(steering.held().id.is_none());
        let [first, second] = [CancellationToken::new(), CancellationToken::new()];
        *steering.motion() = Motion { last: 1, running: Some((What::Focus, first.clone())) };
        let held = steering.held();
        *steering.motion() = Motion { last: 2, running: Some((What::Focus, second.clone())) };
        steering.release(held.id.unwrap());
        assert!(!second.is_cancelled());
        steering.release(2);
        assert!(second.is_cancelled() && steering.held().id.is_none());
        steering.release(2);
    }
}
