//! `UpdateSrc`: a source is made another in place. Token, recordings, schedule and rights stay with it; a
//! recording that runs goes on with another file when the source is back.

use crate::api::calls::Answer;
use crate::api::params::SESSION;
use crate::api::request::Ask;
use crate::api::spec;
use crate::base::spec::{SourceSpec, Trust};
use crate::base::{Error, Result};

/// `UpdateSrc`: what is not named stays. Nothing is restarted when only the name changes.
pub async fn update(ask: Ask) -> Result<Answer> {
    let (ctx, token) = (&ask.ctx, ask.require("token")?);
    let named = |name: &str| !matches!(name, "token" | SESSION) && !name.starts_with('_');
    if !ask.incoming.params.names().any(named) {
        return Err(Error::bad_input("no parameter names what is to be changed"));
    }
    let _changing = ctx.sources.changing().await;
    let (known, wanted) = edited(&ask, token).await?;
    if wanted != known {
        let renamed = known.is_same_but_for_name(&wanted);
        let (old, new) = (known, wanted.clone());
        ctx.store.run(move |store| store.update_source(&old, &new)).await?;
        let running = ctx.source(token)?;
        ctx.sources
            .update(match renamed {
                true => SourceSpec { name: wanted.name, ..(*running.spec).clone() },
                false => wanted,
            })
            .await?;
        // Its camera may be listened to at another address.
        ctx.alarms.look();
        tracing::info!(token, "source changed");
    }
    Ok(Answer::done("Update successfully"))
}

/// The source `token` as it is, and as the parameters of the call would make it. A camera whose certificate was
/// believed at first sight must show the same one again, unless the call names `https`.
///
/// # Errors
/// `NotFound`, and see [`spec::edited`].
pub async fn edited(ask: &Ask, token: &str) -> Result<(SourceSpec, SourceSpec)> {
    let mut known = (*ask.ctx.source(token)?.spec).clone();
    let pin = ask.ctx.sources.cameras.get(token).and_then(|camera| camera.pin());
    if let (Some(at), Some(pin)) = (&mut known.onvif, pin) {
        at.trust = Trust::Pinned(pin);
    }
    let (params, roots) = (ask.incoming.params.clone(), ask.ctx.file_roots.clone());
    tokio::task::spawn_blocking(move || {
        let wanted = spec::edited(&known, &params, &roots)?;
        Ok((known, wanted))
    })
    .await
    .map_err(|_| Error::internal("looking at the change was given up"))?
}
