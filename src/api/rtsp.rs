//! The RTSP server of this daemon: which stream or recording stands behind a path.

use std::sync::Arc;

use super::Context;
use crate::base::Result;
use crate::play::rtsp::{Backend, RtspServer, Settings, Users};

/// What the token of a sub stream ends with.
const SUB: &str = "$$sub";

/// Opens the port that the configuration names; `users` may watch.
///
/// # Errors
/// `Refused` when the port cannot be opened.
pub async fn start(ctx: &Arc<Context>, users: Users) -> Result<RtspServer> {
    let sources = ctx.sources.clone();
    let backend = Backend {
        streams: Arc::new(move |token| match token.strip_suffix(SUB) {
            Some(main) => sources.get(main)?.sub.clone(),
            None => Some(sources.get(token)?.stream.clone()),
        }),
        users,
        recordings: ctx.recorder.clone(),
    };
    let settings = Settings {
        address: ctx.config.http.bind,
        port: ctx.config.rtsp.port,
        max_clients: ctx.config.rtsp.max_clients,
    };
    RtspServer::start(settings, backend, &ctx.shutdown).await
}
