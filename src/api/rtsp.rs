//! The RTSP server of this daemon: runs while the ONVIF device is on, for the device's users, and knows
//! which stream or recording stands behind a path.
//!
//! One task, which starts and stops it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::Context;
use crate::base::Result;
use crate::base::spec::SUB;
use crate::onvif::device::{Outcome, Site};
use crate::play::rtsp::{Backend, RtspServer, Settings, Tried};

/// Rest after the port could not be opened.
const REST: Duration = Duration::from_secs(10);

/// Runs until the daemon stops.
pub async fn run(ctx: &Arc<Context>) {
    let mut switch = ctx.device.site.watch_switch();
    let mut server: Option<RtspServer> = None;
    while !ctx.shutdown.is_cancelled() {
        let wanted = switch.borrow_and_update().device;
        match (wanted, server.take()) {
            (true, None) => match start(ctx).await {
                Ok(started) => server = Some(started),
                Err(error) => tracing::error!("RTSP server: {error}"),
            },
            (false, Some(running)) => running.stop().await,
            (_, unchanged) => server = unchanged,
        }
        let failed = wanted && server.is_none();
        tokio::select! {
            // Its sender is in the context.
            _ = switch.changed() => {}
            () = tokio::time::sleep(REST), if failed => {}
            () = ctx.shutdown.cancelled() => {}
        }
    }
    if let Some(server) = server {
        server.stop().await;
    }
}

async fn start(ctx: &Arc<Context>) -> Result<RtspServer> {
    let (sources, site, central) = (ctx.sources.clone(), ctx.device.site.clone(), ctx.cloud.central.clone());
    let runtime = Handle::current();
    let backend = Backend {
        streams: Arc::new(move |path| {
            let (token, small) = path.strip_suffix(SUB).map_or((path, false), |main| (main, true));
            match (sources.get(token), &central) {
                (Some(source), _) if small => source.sub.clone(),
                (Some(source), _) => Some(source.stream.clone()),
                (None, central) => {
                    // The server's own thread asks, and the stream comes with a task.
                    let _runtime = runtime.enter();
                    central.as_ref()?.stream(token, small).ok()
                }
            }
        }),
        users: Arc::new(move |peer, name, proof| {
            // Guesses at the device and at its streams are counted together.
            if !site.may_try(peer, name) {
                return Tried::Locked;
            }
            let known = site.users().into_iter().find(|user| user.name == name);
            if !known.is_some_and(|user| proof(&user.password)) {
                return Tried::Wrong;
            }
            site.tried(peer, name, Outcome::Right);
            Tried::Right
        }),
        recordings: ctx.recorder.clone(),
    };
    let settings = Settings {
        address: ctx.config.http.bind,
        port: ctx.config.rtsp.port,
        max_clients: ctx.config.rtsp.max_clients,
    };
    RtspServer::start(settings, backend, &ctx.shutdown).await
}
