//! Who may use the device: users of their own, as ONVIF's digests need passwords that can be read back.

use serde_json::{Value, json};

use crate::api::calls::Answer;
use crate::api::request::Ask;
use crate::base::secret::Secret;
use crate::base::{Error, Result};
use crate::onvif::device::capabilities::MAX_USERS;
use crate::onvif::device::{Level, Site, User};
use crate::store::OnvifUser;

/// `GetOnvifUserList`: names and levels.
pub async fn list(ask: Ask) -> Result<Answer> {
    let entry = |user: User| json!({ "strUser": user.name, "strLevel": user.level.as_str() });
    let users: Vec<Value> = ask.ctx.device.site.users().into_iter().map(entry).collect();
    Ok(Answer::Json(json!({ "bStatus": true, "strCode": "", "user": users })))
}

/// `CreateOnvifUser`
pub async fn create(ask: Ask) -> Result<Answer> {
    let name = ask.require("user")?.to_owned();
    // It is told apart by a colon in Digest (RFC 7617), and shown in logs.
    if name.contains(':') || name.chars().any(char::is_control) {
        return Err(Error::bad_input("parameter user holds a colon"));
    }
    let password = Secret::new(ask.require("password")?);
    let level = ask.get("level").unwrap_or(Level::User.as_str()).to_owned();
    let user = OnvifUser { name: name.clone(), password, level };
    let change = move |store: &crate::store::Store| store.insert_onvif_user(&user, MAX_USERS);
    ask.ctx.device.site.change_users(&ask.ctx.store, change).await?;
    tracing::info!(user = name, "ONVIF user added");
    Ok(Answer::done("Create successfully"))
}

/// `UpdateOnvifUser`: what is not named stays.
pub async fn update(ask: Ask) -> Result<Answer> {
    let name = ask.require("user")?.to_owned();
    let password = ask.get("password").filter(|password| !password.is_empty()).map(Secret::new);
    let level = ask.get("level").map(str::to_owned);
    if password.is_none() && level.is_none() {
        return Err(Error::bad_input("parameter password is missing"));
    }
    let user = name.clone();
    let change = move |store: &crate::store::Store| {
        store.update_onvif_user(&user, password.as_ref(), level.as_deref())
    };
    ask.ctx.device.site.change_users(&ask.ctx.store, change).await?;
    tracing::info!(user = name, "ONVIF user changed");
    Ok(Answer::done("Update successfully"))
}

/// `DeleteOnvifUser`
pub async fn delete(ask: Ask) -> Result<Answer> {
    let name = ask.require("user")?.to_owned();
    let user = name.clone();
    let change = move |store: &crate::store::Store| store.delete_onvif_user(&user);
    ask.ctx.device.site.change_users(&ask.ctx.store, change).await?;
    tracing::info!(user = name, "ONVIF user deleted");
    Ok(Answer::done("Delete successfully"))
}
