//! The task behind the [`super::Board`]: it looks each [`TICK`], and samples the box's load.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Levels;
use super::history::STEP;
use crate::api::{Context, system, update};
use crate::base::wall::Wall;

/// How often sources, volumes, exports and the update are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often the load is told to those who listen.
const LOAD: Duration = Duration::from_secs(5);

/// Runs until the daemon stops.
pub async fn run(ctx: Arc<Context>) {
    let all = async { tokio::join!(look(&ctx), sample(&ctx), ask_about_update(&ctx)) };
    tokio::select! {
        _ = all => {}
        () = ctx.shutdown.cancelled() => {}
    }
}

async fn look(ctx: &Arc<Context>) {
    let mut levels = Levels::new(ctx.updates.outcomes());
    let mut exports = ctx.recorder.ended_exports();
    let mut tick = every(TICK);
    loop {
        tick.tick().await;
        let mut ended = Vec::new();
        loop {
            match exports.try_recv() {
                Ok(status) => ended.push(status),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        ctx.board.look(ctx, &mut levels, &ended);
    }
}

/// The history gets every sample that is due; the others are taken while somebody listens.
async fn sample(ctx: &Arc<Context>) {
    let turns = (STEP.as_secs() / LOAD.as_secs()).max(1);
    let mut tick = every(LOAD);
    // The first one is at once, and tells nothing of the time before.
    tick.tick().await;
    for turn in 1_u64.. {
        tick.tick().await;
        let of_history = turn % turns == 0;
        if !of_history && !ctx.board.is_watched() {
            continue;
        }
        match system::sample(ctx).await {
            Ok(info) => {
                let at = Wall::from(ctx.recorder.clock.wall());
                ctx.board.sampled(&info, &system::run_fields(ctx, &info), of_history, at);
            }
            Err(error) => tracing::error!("{error}"),
        }
    }
}

/// On a box. The helper is asked when something changed or goes on only: it wakes others.
async fn ask_about_update(ctx: &Arc<Context>) {
    if !ctx.appliance.is_there() {
        return;
    }
    let mut tick = every(TICK);
    loop {
        tick.tick().await;
        let changes = ctx.updates.changes();
        if !ctx.board.is_watched() || ctx.board.update_known(changes) {
            continue;
        }
        match update::shown(ctx).await {
            Ok(shown) => ctx.board.updated(changes, &shown),
            Err(error) => tracing::debug!("the update is not known: {error}"),
        }
    }
}

fn every(time: Duration) -> Interval {
    let mut interval = interval(time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
