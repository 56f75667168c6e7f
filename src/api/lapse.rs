//! Snapshots by schedule, for time lapse: every so many seconds the newest key frame of a source is kept.
//!
//! One task looks at the schedules every [`TICK`]; each snapshot is a task of its own, at most
//! [`AT_ONCE`] at a time and one for each source. What cannot be taken when it is due (source offline,
//! volume not writable, too many at once, no key frame since the last one) is left out, never made up for.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Context;
use super::snapshots::newest;
use crate::base::footage::Cause;
use crate::base::{Kind, Result};
use crate::media::frame::Frame;
use crate::media::stream::{Stream, Viewing};
use crate::record::stills::Still;

/// How often the schedules are looked at: the shortest interval.
const TICK: Duration = Duration::from_secs(1);
/// Snapshots that are taken at the same time: they wait for cameras to open, mostly.
const AT_ONCE: usize = 16;
/// A source that is pictured more often than this stays open; else it is opened for each picture.
const HOLD_OPEN: Duration = Duration::from_secs(60);

/// The schedule of one source.
struct Lapse {
    stream: Arc<Stream>,
    every: Duration,
    due: Instant,
    /// The frame that was kept last; locked while the next one is taken.
    last: Arc<Mutex<Weak<Frame>>>,
    _open: Option<Viewing>,
}

/// Runs until the daemon stops.
pub async fn run(ctx: Arc<Context>) {
    let mut lapses = HashMap::new();
    let mut taking = JoinSet::new();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = ctx.shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        while taking.try_join_next().is_some() {}
        follow(&ctx, &mut lapses);
        let now = Instant::now();
        for lapse in lapses.values_mut().filter(|lapse| lapse.due <= now) {
            lapse.due = (lapse.due + lapse.every).max(now);
            let Ok(last) = lapse.last.clone().try_lock_owned() else { continue };
            if taking.len() < AT_ONCE {
                taking.spawn(take(ctx.clone(), lapse.stream.clone(), last));
            }
        }
    }
}

/// Brings `lapses` to what sources and schedules are now.
fn follow(ctx: &Context, lapses: &mut HashMap<String, Lapse>) {
    let sources = ctx.sources.list();
    let wanted = sources
        .iter()
        .filter_map(|source| Some((&source.stream, ctx.recorder.snapshot_interval(&source.spec.token)?)));
    let mut wanted: HashMap<&str, _> =
        wanted.map(|(stream, every)| (&*stream.token, (stream, every))).collect();
    lapses.retain(|token, lapse| {
        let same = |(stream, every): &(&Arc<Stream>, Duration)| {
            Arc::ptr_eq(stream, &lapse.stream) && *every == lapse.every
        };
        // What is left in `wanted` afterwards is new, or another than it was.
        let stays = wanted.get(&**token).is_some_and(same);
        if stays {
            wanted.remove(&**token);
        }
        stays
    });
    for (token, (stream, every)) in wanted {
        let lapse = Lapse {
            stream: stream.clone(),
            every,
            due: Instant::now(),
            last: Arc::default(),
            _open: (every < HOLD_OPEN).then(|| stream.view()),
        };
        lapses.insert(token.to_owned(), lapse);
    }
}

async fn take(ctx: Arc<Context>, stream: Arc<Stream>, last: OwnedMutexGuard<Weak<Frame>>) {
    let token = &*stream.token;
    if let Err(error) = keep(&ctx, &stream, last).await {
        match error.kind() {
            // Source and volume say so themselves.
            Kind::Timeout | Kind::Refused | Kind::Full => tracing::debug!(token, "no snapshot: {error}"),
            _ => tracing::warn!(token, "no snapshot: {error}"),
        }
    }
}

async fn keep(ctx: &Context, stream: &Arc<Stream>, mut last: OwnedMutexGuard<Weak<Frame>>) -> Result<()> {
    ctx.recorder.snapshot_possible(&stream.token)?;
    let picture = newest(stream).await?;
    if std::ptr::eq(last.as_ptr(), Arc::as_ptr(&picture.frame)) {
        return Ok(());
    }
    let jpeg = ctx.snapshots.jpeg(&stream.token, &picture, None).await?;
    let still = Still {
        token: stream.token.clone(),
        cause: Cause::Schedule,
        taken: jpeg.arrived,
        jpeg: jpeg.bytes,
        folders: None,
        name: None,
    };
    ctx.recorder.save_snapshot(still).await?;
    *last = Arc::downgrade(&picture.frame);
    Ok(())
}
