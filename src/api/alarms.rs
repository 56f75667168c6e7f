//! What happens when a camera reports something: it is shown on sockets, kept, and where a plan says so,
//! recorded.
//!
//! One task ([`run`]) for all sources, one that listens for each ONVIF source ([`listeners`]), and one at
//! a time for each source that starts a recording or makes it longer ([`recordings`]). Bounded: [`QUEUE`]
//! events that wait (then cameras wait), [`KEEP_ROWS`] rows for [`KEEP_DAYS`] days in the database.

mod listeners;
mod recordings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::listeners::Listeners;
use self::recordings::Recordings;
use super::Context;
use super::calls::{Answer, flag};
use super::request::Ask;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::onvif::events::{CameraEvent, EventKind};
use crate::store::{AlarmRow, EventRow, Store};

/// Events that wait to be worked on.
const QUEUE: usize = 1024;
/// Events that are worked on, and kept, together.
const AT_ONCE: usize = 256;
/// How often sources, plans and running alarms are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often what is too old is deleted.
const PRUNE: Duration = Duration::from_secs(10 * 60);
/// How long events are kept, at most.
const KEEP_DAYS: i64 = 30;
/// How many are kept, of all sources together.
const KEEP_ROWS: u32 = 100_000;
/// Seconds that are recorded after an event where a plan does not say.
const POST_SECONDS: u64 = 10;

/// What of a source's events is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub motion: bool,
    pub input: bool,
    /// How long the recording goes on after the last event ended.
    pub post: Duration,
}

impl Plan {
    const NONE: Self = Self { motion: false, input: false, post: Duration::from_secs(POST_SECONDS) };

    fn is_on(self) -> bool {
        self.motion || self.input
    }

    fn wants(self, kind: EventKind) -> bool {
        match kind {
            EventKind::Motion => self.motion,
            EventKind::DigitalInput => self.input,
        }
    }
}

/// The plans of all sources, kept in the database.
#[derive(Debug)]
pub struct Alarms {
    plans: Mutex<HashMap<String, Plan>>,
    changed: Notify,
}

impl Alarms {
    /// Reads them from the database.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(store: &Store) -> Result<Self> {
        let plan = |row: AlarmRow| {
            let post = Duration::from_secs(row.post_seconds.into());
            (row.source, Plan { motion: row.motion, input: row.input, post })
        };
        let plans = store.alarms()?.into_iter().map(plan).collect();
        Ok(Self { plans: Mutex::new(plans), changed: Notify::new() })
    }

    /// The plan of a source; nothing where none was set.
    pub fn plan(&self, token: &str) -> Plan {
        self.plans().get(token).copied().unwrap_or(Plan::NONE)
    }

    /// Stores it; it holds at once.
    async fn set(&self, store: &Arc<Store>, token: &str, plan: Plan) -> Result<()> {
        let row = AlarmRow {
            source: token.to_owned(),
            motion: plan.motion,
            input: plan.input,
            post_seconds: u32::try_from(plan.post.as_secs()).unwrap_or(u32::MAX),
        };
        store.run(move |store| store.put_alarm(&row)).await?;
        self.plans().insert(token.to_owned(), plan);
        self.changed.notify_one();
        Ok(())
    }

    /// Forgets it: its source is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, store: &Arc<Store>, token: &str) -> Result<()> {
        let gone = token.to_owned();
        store.run(move |store| store.delete_alarm(&gone)).await?;
        self.plans().remove(token);
        self.changed.notify_one();
        Ok(())
    }

    /// Has sources and plans looked at now.
    pub fn look(&self) {
        self.changed.notify_one();
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<String, Plan>> {
        // Map operations leave the map valid.
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GetAlarmRecord`
pub async fn get(ask: Ask) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    let Plan { motion, input, post } = ask.ctx.alarms.plan(&token);
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "",
        "strToken": token,
        "bMotion": motion,
        "bInput": input,
        "nPostSeconds": post.as_secs(),
    })))
}

/// `SetAlarmRecord`: what is not named stays.
pub async fn set(ask: Ask) -> Result<Answer> {
    let token = ask.stream()?.token.clone();
    if ask.ctx.sources.cameras.get(&token).is_none() {
        let text = format!("parameter token: {token} is no ONVIF source, nothing reports events of it");
        return Err(Error::unsupported(text));
    }
    let (motion, input, post) = (ask.get("motion"), ask.get("input"), ask.get("post"));
    if motion.or(input).or(post).is_none() {
        return Err(Error::bad_input("parameter motion is missing"));
    }
    let mut plan = ask.ctx.alarms.plan(&token);
    plan.motion = motion.and_then(flag).unwrap_or(plan.motion);
    plan.input = input.and_then(flag).unwrap_or(plan.input);
    if let Some(post) = post {
        let seconds =
            post.parse().map_err(|_| Error::bad_input("parameter post is not a whole number of seconds"))?;
        plan.post = Duration::from_secs(seconds);
    }
    ask.ctx.alarms.set(&ask.ctx.store, &token, plan).await?;
    Ok(Answer::done("Set successfully"))
}

/// Runs until the daemon stops and the cameras know that we don't listen any more.
pub async fn run(ctx: Arc<Context>) {
    tokio::join!(report(&ctx), prune(&ctx));
}

async fn report(ctx: &Arc<Context>) {
    let (reports, mut incoming) = mpsc::channel(QUEUE);
    let mut listeners = Listeners::new(reports);
    let mut recordings = Recordings::default();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut news = Vec::new();
    loop {
        tokio::select! {
            () = ctx.shutdown.cancelled() => break,
            _ = incoming.recv_many(&mut news, AT_ONCE) => {}
            () = ctx.alarms.changed.notified() => {}
            _ = tick.tick() => {}
        }
        listeners.follow(&ctx.sources);
        recordings.follow(ctx);
        let now = Instant::now();
        // What its source reported before it was deleted.
        news.retain(|(token, _)| ctx.sources.get(token).is_some());
        for (token, event) in &news {
            recordings.learn(token, event, now);
        }
        recordings.step(ctx, now);
        let at = Wall::from(ctx.recorder.clock.wall());
        for (token, event) in &news {
            ctx.events.publish(token, event, at);
            ctx.device.happened(token, event);
        }
        let named = news.iter().filter_map(|(token, event)| {
            let name = ctx.sources.get(token)?.spec.name.clone();
            Some((token.as_str(), name, event))
        });
        ctx.board.happened(ctx, named, at);
        keep(ctx, news.drain(..), at).await;
    }
    listeners.stop().await;
}

async fn keep(ctx: &Context, news: impl Iterator<Item = (String, CameraEvent)>, at: Wall) {
    let row = |(source, event): (String, CameraEvent)| {
        let CameraEvent { kind, item, active } = event;
        EventRow { id: 0, source, at, kind: kind.as_str().to_owned(), item, active }
    };
    let rows: Vec<_> = news.map(row).collect();
    if rows.is_empty() {
        return;
    }
    let count = rows.len();
    if let Err(error) = ctx.store.run(move |store| store.insert_events(&rows)).await {
        tracing::error!(count, "events are not kept: {error}");
    }
}

async fn prune(ctx: &Context) {
    loop {
        let now = Wall::from(ctx.recorder.clock.wall());
        let before = now.plus_millis(-KEEP_DAYS * 24 * 60 * 60 * 1000);
        if let Err(error) = ctx.store.run(move |store| store.prune_events(before, KEEP_ROWS)).await {
            tracing::error!("old events are not deleted: {error}");
        }
        tokio::select! {
            () = tokio::time::sleep(PRUNE) => {}
            () = ctx.shutdown.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn plans_are_kept_in_the_database() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let alarms = Alarms::load(&store).unwrap();
        assert_eq!(alarms.plan("cam"), Plan::NONE);
        let plan = Plan { motion: true, input: false, post: Duration::from_secs(77) };
        alarms.set(&store, "cam", plan).await.unwrap();
        assert_eq!(Alarms::load(&store).unwrap().plan("cam"), plan);
        assert!(plan.wants(EventKind::Motion) && !plan.wants(EventKind::DigitalInput));
        alarms.remove(&store, "cam").await.unwrap();
        assert_eq!(alarms.plan("cam"), Plan::NONE);
        assert_eq!(Alarms::load(&store).unwrap().plan("cam"), Plan::NONE);
    }
}
