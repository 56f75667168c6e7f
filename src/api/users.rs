//! Users, and roles with the sources that they cover. The names of the calls are those that consoles of
//! later servers use.

use serde_json::{Value, json};

use super::Context;
use super::calls::{Answer, flag};
use super::cloud::list;
use super::request::Ask;
use crate::auth::{Person, Role};
use crate::base::{Error, Result};
use crate::store::RoleRow;

/// `GetUserList`
pub async fn list(ask: Ask) -> Result<Answer> {
    let users: Vec<Value> = ask.ctx.auth.people().await?.iter().map(person).collect();
    Ok(Answer::Json(json!({ "bStatus": true, "strCode": "", "user": users })))
}

/// `GetUserInfo`: about oneself, and for an Administrator about anybody.
pub async fn info(ask: Ask) -> Result<Answer> {
    let session = ask.session.as_ref();
    let own = session.map(|session| session.user.as_str());
    let name = ask.get("user").or(own).ok_or_else(|| Error::bad_input("parameter user is missing"))?;
    if own != Some(name) && session.is_some_and(|session| session.role < Role::Administrator) {
        return Err(Error::refused("parameter user: only an Administrator may ask about others"));
    }
    let people = ask.ctx.auth.people().await?;
    let found = people.iter().find(|person| person.name == name);
    let found =
        found.ok_or_else(|| Error::not_found(format!("parameter user: there is no user {name:.64}")))?;
    let mut answer = person(found);
    answer["bStatus"] = true.into();
    answer["strCode"] = "".into();
    answer["bAllCam"] = found.role.sources.is_none().into();
    answer["cam"] = cameras(&ask, &found.role);
    Ok(Answer::Json(answer))
}

/// `CreateUser`
pub async fn create(ask: Ask) -> Result<Answer> {
    let (user, role) = (ask.require("user")?, ask.require("roletoken")?);
    ask.ctx.auth.create_user(user, ask.require("password")?, role).await?;
    Ok(Answer::done("Create successfully"))
}

/// `DeleteUser`: not oneself, so that a slip does not lock its maker out.
pub async fn delete(ask: Ask) -> Result<Answer> {
    let user = ask.require("user")?;
    if ask.session.as_ref().is_some_and(|session| session.user == user) {
        return Err(Error::refused("parameter user: nobody deletes oneself"));
    }
    ask.ctx.auth.delete_user(user).await?;
    Ok(Answer::done("Delete successfully"))
}

/// `SetUserRole`
pub async fn set_role(ask: Ask) -> Result<Answer> {
    let user = ask.require("user")?;
    ask.ctx.auth.set_user_role(user, ask.require("roletoken")?).await?;
    Ok(Answer::done("Set successfully"))
}

/// `ResetUserPassword`: one's own is changed with UpdateUser, which asks for the old one.
pub async fn reset_password(ask: Ask) -> Result<Answer> {
    let user = ask.require("user")?;
    if ask.session.as_ref().is_some_and(|session| session.user == user) {
        return Err(Error::refused("parameter user: one's own password is changed with UpdateUser"));
    }
    ask.ctx.auth.reset_password(user, ask.require("password")?).await?;
    Ok(Answer::done("Reset successfully"))
}

/// `GetRoleList`
pub async fn roles(ask: Ask) -> Result<Answer> {
    let roles: Vec<Value> = ask.ctx.auth.roles().await?.iter().map(role).collect();
    Ok(Answer::Json(json!({ "bStatus": true, "strCode": "", "role": roles })))
}

/// `GetRoleInfo`
pub async fn role_info(ask: Ask) -> Result<Answer> {
    let row = ask.ctx.auth.role(ask.require("roletoken")?).await?;
    let mut answer = role(&row);
    answer["bStatus"] = true.into();
    answer["strCode"] = "".into();
    answer["cam"] = cameras(&ask, &row);
    Ok(Answer::Json(answer))
}

/// `CreateRole`
pub async fn create_role(ask: Ask) -> Result<Answer> {
    let level = ask.get("level").and_then(Role::parse).unwrap_or(Role::Viewer);
    let all = ask.get("allcam").and_then(flag).unwrap_or(false);
    let token = ask.require("roletoken")?;
    ask.ctx.auth.create_role(token, ask.require("role")?, level, all).await?;
    Ok(Answer::done("Create successfully"))
}

/// `DeleteRole`
pub async fn delete_role(ask: Ask) -> Result<Answer> {
    ask.ctx.auth.delete_role(ask.require("roletoken")?).await?;
    Ok(Answer::done("Delete successfully"))
}

/// `AddCamToRole`: a source that there is, here or at a site, or a site.
pub async fn add_camera(ask: Ask) -> Result<Answer> {
    let camera = ask.require("camtoken")?;
    if camera_name(&ask.ctx, camera).is_none() {
        return Err(Error::not_found(format!("parameter camtoken: there is no source {camera}")));
    }
    ask.ctx.auth.add_role_source(ask.require("roletoken")?, camera).await?;
    Ok(Answer::done("Add successfully"))
}

/// `DelCamInRole`: takes it from everybody of that role at once.
pub async fn delete_camera(ask: Ask) -> Result<Answer> {
    ask.ctx.auth.delete_role_source(ask.require("roletoken")?, ask.require("camtoken")?).await?;
    Ok(Answer::done("Delete successfully"))
}

fn person(person: &Person) -> Value {
    json!({
        "strUser": person.name,
        "strUserType": person.role.level,
        "strRole": person.role.name,
        "strRoleToken": person.role.token,
    })
}

fn role(role: &RoleRow) -> Value {
    json!({
        "strRole": role.name,
        "strRoleToken": role.token,
        "strLevel": role.level,
        "bAllCam": role.sources.is_none(),
        "bBuiltIn": role.built_in,
        "nCam": role.sources.as_ref().map(|sources| sources.len()),
    })
}

/// The sources of a role; of one that has all, those that there are.
fn cameras(ask: &Ask, role: &RoleRow) -> Value {
    let camera = |token: &str| json!({ "strCamToken": token, "strCamName": camera_name(&ask.ctx, token).unwrap_or_default() });
    match &role.sources {
        Some(tokens) => tokens.iter().map(|token| camera(token)).collect(),
        None => ask.ctx.sources.list().iter().map(|source| camera(&source.spec.token)).collect(),
    }
}

/// What people call it, if there is such a source or site.
fn camera_name(ctx: &Context, token: &str) -> Option<String> {
    let here = ctx.sources.get(token).map(|source| source.spec.name.clone());
    here.or_else(|| list::name(ctx.cloud.central.as_ref()?, token))
}
