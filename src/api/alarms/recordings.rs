//! Recordings that events start: from before an event until some seconds after the last one ended.
//!
//! A recording is promised in small steps ([`AHEAD`]) for as long as something goes on, so that it ends by
//! itself when nobody makes it longer. Something that a camera says nothing more about ends after
//! [`SILENT`]: some never say that it ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Plan;
use crate::api::Context;
use crate::base::footage::Cause;
use crate::media::stream::{Stream, Viewing};
use crate::onvif::events::{CameraEvent, EventKind};
use crate::record::Request;

/// How long something goes on that the camera says nothing more about.
const SILENT: Duration = Duration::from_secs(10 * 60);
/// How much longer than needed is promised while something goes on: some looks.
const AHEAD: Duration = Duration::from_secs(3);
/// After a recording could not be started.
const RETRY: Duration = Duration::from_secs(5);

/// Those of all sources with a plan.
#[derive(Default)]
pub struct Recordings(HashMap<String, Alarm>);

/// One source with a plan.
struct Alarm {
    plan: Plan,
    /// Holds the source open, so that its ring has what comes before an event.
    viewing: Viewing,
    state: State,
    /// Locked while a recording is started or made longer.
    promised: Arc<Mutex<Promised>>,
}

/// What the recorder was told.
#[derive(Debug, Default)]
struct Promised {
    until: Option<Instant>,
    /// Not again before.
    retry: Option<Instant>,
}

/// What goes on.
#[derive(Debug, Default)]
struct State {
    /// With the time of the last news; bounded by what a listener tells apart.
    active: HashMap<(EventKind, String), Instant>,
    /// Until when is to be recorded.
    wanted: Option<Instant>,
}

impl State {
    fn learn(&mut self, event: &CameraEvent, post: Duration, now: Instant) {
        let key = (event.kind, event.item.clone());
        if event.active {
            self.active.insert(key, now);
            self.wanted = Some(now + post);
        } else if self.active.remove(&key).is_some() {
            self.wanted = Some(now + post);
        }
    }

    /// Until when is to be recorded, as far as one can tell now; `None` when nothing is.
    fn wanted(&mut self, post: Duration, now: Instant) -> Option<Instant> {
        self.active.retain(|_, news| now.duration_since(*news) < SILENT);
        if !self.active.is_empty() {
            self.wanted = Some(now + post + AHEAD);
        }
        self.wanted.filter(|wanted| *wanted > now)
    }
}

impl Recordings {
    /// Brings them to what sources and plans are now.
    pub fn follow(&mut self, ctx: &Context) {
        let sources = ctx.sources.list();
        let mut wanted: HashMap<&str, (&Arc<Stream>, Plan)> = sources
            .iter()
            .map(|source| (&*source.spec.token, (&source.stream, ctx.alarms.plan(&source.spec.token))))
            .filter(|(_, (_, plan))| plan.is_on())
            .collect();
        self.0.retain(|token, alarm| {
            let Some((stream, plan)) = wanted.get(&**token) else { return false };
            let stays = Arc::ptr_eq(stream, &alarm.viewing.stream);
            if stays {
                alarm.plan = *plan;
                wanted.remove(&**token);
            }
            stays
        });
        for (token, (stream, plan)) in wanted {
            let (viewing, state) = (stream.view(), State::default());
            let alarm = Alarm { plan, viewing, state, promised: Arc::default() };
            self.0.insert(token.to_owned(), alarm);
        }
    }

    /// Something happened at a source.
    pub fn learn(&mut self, token: &str, event: &CameraEvent, now: Instant) {
        if let Some(alarm) = self.0.get_mut(token).filter(|alarm| alarm.plan.wants(event.kind)) {
            alarm.state.learn(event, alarm.plan.post, now);
        }
    }

    /// Starts recordings and makes them longer where that is due.
    pub fn step(&mut self, ctx: &Arc<Context>, now: Instant) {
        for alarm in self.0.values_mut() {
            let Some(until) = alarm.state.wanted(alarm.plan.post, now) else { continue };
            // One that is being started is made longer afterwards.
            let Ok(mut promised) = alarm.promised.clone().try_lock_owned() else { continue };
            if promised.until >= Some(until) || promised.retry > Some(now) {
                continue;
            }
            let (ctx, token) = (ctx.clone(), alarm.viewing.stream.token.clone());
            tokio::spawn(async move {
                let request = Request {
                    cause: Cause::Alarm,
                    duration: Some(until.saturating_duration_since(Instant::now())),
                    at_least: true,
                    name: None,
                    folders: None,
                    apart: false,
                };
                match ctx.recorder.record(&token, request).await {
                    Ok(_) => *promised = Promised { until: Some(until), retry: None },
                    Err(error) => {
                        tracing::warn!(token, "the event is not recorded: {error}");
                        promised.retry = Some(Instant::now() + RETRY);
                    }
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: Duration = Duration::from_secs(10);

    fn event(item: &str, active: bool) -> CameraEvent {
        CameraEvent { kind: EventKind::Motion, item: item.into(), active }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn until_some_seconds_after_the_last_one_ended() {
        let (mut state, start) = (State::default(), Instant::now());
        let at = |n| start + seconds(n);
        assert_eq!(state.wanted(POST, start), None);
        state.learn(&event("a", false), POST, start);
        assert_eq!(state.wanted(POST, start), None, "it was not going on");
        state.learn(&event("a", true), POST, start);
        state.learn(&event("b", true), POST, at(5));
        state.learn(&event("a", false), POST, at(6));
        assert_eq!(state.wanted(POST, at(100)), Some(at(110) + AHEAD), "b goes on");
        state.learn(&event("b", false), POST, at(101));
        assert_eq!(state.wanted(POST, at(101)), Some(at(111)));
        assert_eq!(state.wanted(POST, at(111)), None);
    }

    #[test]
    fn a_pulse_is_recorded_too() {
        let (mut state, now) = (State::default(), Instant::now());
        state.learn(&event("a", true), POST, now);
        state.learn(&event("a", false), POST, now);
        assert_eq!(state.wanted(POST, now), Some(now + POST));
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let (mut state, start) = (State::default(), Instant::now());
        state.learn(&event("a", true), POST, start);
        let last = start + SILENT - seconds(1);
        assert_eq!(state.wanted(POST, last), Some(last + POST + AHEAD));
        assert_eq!(state.wanted(POST, start + SILENT + POST + AHEAD), None);
        // That it ends at last begins nothing.
        state.learn(&event("a", false), POST, start + 2 * SILENT);
        assert_eq!(state.wanted(POST, start + 2 * SILENT), None);
    }
}
