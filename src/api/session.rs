//! Log-in, log-out, keep-alive and the change of a password (manual 5.2.1 to 5.2.3, 5.2.6).

use std::net::IpAddr;

use serde_json::{Value, json};

use super::audit::Entry;
use super::calls::Answer;
use super::request::Ask;
use crate::auth::{LoginFailure, Session};
use crate::base::{Error, Kind, Result};

/// What the API says, on every log-in, until the delivered password is changed.
pub const DEFAULT_PASSWORD_WARNING: &str =
    "warning: the default password is in use, change it with UpdateUser";

/// `Login`: opens a session.
pub async fn login(ask: Ask) -> Result<Answer> {
    let (user, password) = (ask.require("user")?, ask.require("password")?);
    let answer = match ask.ctx.auth.login(user, password, ask.incoming.peer.ip()).await {
        Ok(session) => {
            Entry::login(&ask, user).end(None).await;
            // The next request may go to another node.
            if let Some(nodes) = &ask.ctx.cloud.nodes {
                nodes.opened(&session.id).await;
            }
            welcome(&session, ask.ctx.config.auth.session_seconds)
        }
        Err(failure) if failure.setup_required => unclaimed(&ask),
        Err(failure) => {
            // Under a lock no more is tried, and none of it is news.
            if failure.error.kind() == Kind::Unauthorised {
                Entry::login(&ask, user).end(Some(&failure.error)).await;
            }
            refusal(&failure)
        }
    };
    Ok(Answer::Json(answer))
}

fn welcome(session: &Session, timeout: u64) -> Value {
    let mut answer = json!({
        "bStatus": true,
        "strSession": session.id,
        "nTimeout": timeout,
        "strCode": "Login successfully",
        "strUser": session.user,
        "strUserType": session.role.as_str(),
        "bDefaultPassword": session.default_password,
        "bMustChangePassword": session.must_change_password,
    });
    if session.default_password {
        answer["strCode"] = DEFAULT_PASSWORD_WARNING.into();
    }
    answer
}

/// A failed log-in, with the fields that consoles since r11 read (docs/protocol.md 4).
fn refusal(failure: &LoginFailure) -> Value {
    json!({
        "bStatus": false,
        "strCode": failure.error.to_string(),
        "nFaultTimes": failure.faults,
        "tLockTimeResidue": failure.locked_for.map_or(0, |left| left.as_secs()),
    })
}

/// Before the device is set up, with the address that it is set up at.
fn unclaimed(ask: &Ask) -> Value {
    let (scheme, usual) = if ask.incoming.https { ("https", 443) } else { ("http", 80) };
    let here = ask.incoming.local;
    let host = match here.ip().to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let port = if here.port() == usual { String::new() } else { format!(":{}", here.port()) };
    json!({
        "bStatus": false,
        "strCode": format!("the device must be set up first: open {scheme}://{host}{port}/ from the same network"),
        "nFaultTimes": 0,
        "tLockTimeResidue": 0,
        "bSetupRequired": true,
    })
}

/// `Logout`: ends the session.
pub async fn logout(ask: Ask) -> Result<Answer> {
    if let Some(session) = &ask.session {
        ask.ctx.auth.logout(&session.id)?;
    }
    Ok(Answer::done("Logout successfully"))
}

/// `Keepalive`: finding the session has renewed it already.
pub async fn keepalive(_: Ask) -> Result<Answer> {
    Ok(Answer::done("Keepalive successfully"))
}

/// `UpdateUser`: a new password.
pub async fn update_user(ask: Ask) -> Result<Answer> {
    let session =
        ask.session.as_ref().ok_or_else(|| Error::refused("UpdateUser needs a session: log in first"))?;
    let (user, old, new) = (ask.require("user")?, ask.require("oldpassword")?, ask.require("newpassword")?);
    ask.ctx.auth.change_password(session, user, old, new).await?;
    Ok(Answer::done("Update user successfully"))
}
