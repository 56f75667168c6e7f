//! The RTSP server of this daemon: runs while the ONVIF device is on, for the device's users, and knows
//! which stream or recording stands behind a path.
//!
//! One task, which starts and stops it.

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use crate::base::Result;
use crate::onvif::device::Site;
use crate::play::rtsp::{Backend, RtspServer, Settings};

/// What the token of a sub stream ends with.
const SUB: &str = "$$sub";
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
    let (sources, site) = (ctx.sources.clone(), ctx.device.site.clone());
    let backend = Backend {
        streams: Arc::new(move |token| match token.strip_suffix(SUB) {
            Some(main) => sources.get(main)?.sub.clone(),
            None => Some(sources.get(token)?.stream.clone()),
        }),
        users: Arc::new(move |name| {
            site.users().into_iter().find(|user| user.name == name).map(|user| user.password)
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
