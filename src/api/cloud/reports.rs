//! What cameras of sites report, on the sockets of this central and in its news, with mapped tokens.
//!
//! One task. Memory: what waits in the central's queue.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;

use super::list;
use crate::api::Context;
use crate::base::wall::Wall;
use crate::cloud::central::{Central, Report};
use crate::onvif::events::{CameraEvent, EventKind};

/// Runs until the daemon stops; where this is no central it has nothing to do.
pub async fn run(ctx: Arc<Context>) {
    let Some(central) = &ctx.cloud.central else { return };
    let mut reports = central.reports();
    loop {
        let report = tokio::select! {
            report = reports.recv() => report,
            () = ctx.shutdown.cancelled() => return,
        };
        match report {
            Ok(report) => tell(&ctx, central, &report),
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "reports of sites were lost"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn tell(ctx: &Context, central: &Central, report: &Report) {
    let Report { token, kind, item, active } = report;
    // A source of the central's own with that token is the one that is meant by it.
    let name = list::name(central, token).filter(|_| ctx.sources.get(token).is_none());
    let (Some(name), Some(kind)) = (name, EventKind::parse(kind)) else { return };
    let event = CameraEvent { kind, item: item.clone(), active: *active };
    let at = Wall::from(ctx.recorder.clock.wall());
    ctx.events.publish(token, &event, at);
    ctx.board.happened(ctx, [(token.as_str(), name, &event)].into_iter(), at);
}
