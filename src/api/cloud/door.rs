//! `h5cloudapi`: where edges come in. What is said there is docs/protocol.md 6.

use std::sync::Arc;

use crate::api::opening::Opening;
use crate::api::reply::Reply;
use crate::api::request::Ask;
use crate::auth::{Auth, Role};
use crate::base::{Error, Result};

/// `h5cloudapi`
///
/// # Errors
/// `Unsupported` where this is no central.
pub fn open(ask: &Ask, opening: Opening) -> Result<Reply> {
    let central = ask.ctx.cloud.central()?.clone();
    let (auth, address) = (ask.ctx.auth.clone(), ask.incoming.peer.ip().to_canonical());
    opening.tunnel(ask, async move |socket, seat| {
        let login = async |user: String, password: String| may_add(&auth, &user, &password, address).await;
        // Sites that are let in are bounded by `max_sites`.
        central.accept(socket, address, login, move || drop(seat)).await;
    })
}

/// Whether this user may add sites: an Administrator. The session that shows it ends at once.
async fn may_add(auth: &Arc<Auth>, user: &str, password: &str, address: std::net::IpAddr) -> Result<()> {
    let session = auth.login(user, password, address).await.map_err(|failure| failure.error)?;
    let role = session.role;
    auth.logout(&session.id)?;
    match role {
        Role::Administrator => Ok(()),
        _ => Err(Error::unauthorised(format!(
            "{user} may not add boxes: that takes an Administrator of the central"
        ))),
    }
}
