//! What a central tells of its sites, and how they are taken in, changed and removed.

use serde_json::{Value, json};

use super::{is_administrator, shown_time};
use crate::api::calls::{Answer, flag};
use crate::api::cloud::list;
use crate::api::cloud::settings::{is_central, keep_central};
use crate::api::request::Ask;
use crate::base::{Error, Result};
use crate::cloud::central::{Connected, Site};

/// The sites that the asker may know of; none where this is no central.
fn sites(ask: &Ask) -> Vec<Site> {
    let sight = ask.sight();
    let all = ask.ctx.cloud.central.iter().flat_map(|central| central.sites());
    all.filter(|site| !sight.within(&site.row.token).is_nothing()).collect()
}

fn address(site: &Site, connected: Option<&Connected>) -> String {
    connected.map_or_else(|| site.row.address.clone(), |connected| connected.address.clone())
}

/// How it is connected, to whichever node of this central.
fn connected(ask: &Ask, site: &Site) -> Option<Connected> {
    ask.ctx.cloud.central.as_ref()?.connected(site)
}

/// `GetServerList`
pub async fn servers(ask: Ask) -> Result<Answer> {
    let (sight, administrator) = (ask.sight(), is_administrator(&ask));
    let may_be_seen = |site: &Site, source: &Value| {
        let original = source["strToken"].as_str().unwrap_or_default();
        sight.within(&site.row.token).covers(original)
    };
    let item = |site: &Site| {
        let connected = connected(&ask, site);
        let connected = connected.as_ref();
        let since = connected.map(|connected| connected.since).or(site.row.seen);
        let mut item = json!({
            "strServerToken": site.row.token,
            "strServerIp": address(site, connected),
            "bOnline": connected.is_some(),
            "strServerName": site.row.name,
            "strServerUuid": site.row.uuid,
            "bEnable": site.row.enabled,
            "strSince": since.map_or_else(String::new, shown_time),
            "strVersion": connected.map_or("", |connected| connected.build.as_str()),
            "nSources": site.sources.iter().filter(|source| may_be_seen(site, source)).count(),
        });
        if administrator {
            item["strDeviceKey"] = site.row.key.clone().into();
        }
        item
    };
    let list: Vec<Value> = sites(&ask).iter().map(item).collect();
    let ctx = ask.ctx.clone();
    let next = ctx.store.clone().run(move |store| is_central(&ctx.config, store)).await?;
    Ok(Answer::Json(json!({
        "server": list,
        "bCentral": ask.ctx.cloud.central.is_some(),
        "bCentralNext": next,
    })))
}

/// `GetCloudDevice`
pub async fn devices(ask: Ask) -> Result<Answer> {
    let item = |site: &Site| {
        let address = address(site, connected(&ask, site).as_ref());
        json!({ "strName": site.row.name, "strToken": site.row.token, "strIp": address })
    };
    Ok(Answer::Json(json!({ "dev": sites(&ask).iter().map(item).collect::<Vec<_>>() })))
}

/// `GetCloudDeviceSrc`: one that may not be seen is one that there is not.
pub async fn device_sources(ask: Ask) -> Result<Answer> {
    let (token, central) = (ask.require("token")?, ask.ctx.cloud.central()?);
    let within = ask.sight().within(token);
    let unknown = || Error::not_found(format!("parameter token: there is no site {token}"));
    let site = central.site(token).ok().filter(|_| !within.is_nothing()).ok_or_else(unknown)?;
    Ok(Answer::Json(json!({ "src": list::of_site(&ask.ctx, central, &site, &within) })))
}

/// `GetClaimList`
pub async fn claims(ask: Ask) -> Result<Answer> {
    let waiting = ask.ctx.cloud.central()?.waiting().await;
    let item = |waiting: &crate::cloud::central::Waiting| {
        json!({
            "strServerToken": waiting.token,
            "strServerName": waiting.name,
            "strIp": waiting.address.to_string(),
            "strDeviceKey": waiting.key,
        })
    };
    Ok(Answer::Json(json!({ "claim": waiting.iter().map(item).collect::<Vec<_>>() })))
}

/// `ClaimServer`
pub async fn claim(ask: Ask) -> Result<Answer> {
    let central = ask.ctx.cloud.central()?;
    let token = central.claim(ask.require("code")?, ask.get("servertoken"), ask.get("name")).await?;
    Ok(Answer::Json(json!({ "bStatus": true, "strCode": "Claim successfully", "strServerToken": token })))
}

/// `AddServer`
pub async fn add_server(ask: Ask) -> Result<Answer> {
    let (token, key) = (ask.require("servertoken")?, ask.require("key")?);
    ask.ctx.cloud.central()?.prepare(token, ask.get("name").unwrap_or_default(), key).await?;
    Ok(Answer::done("Add successfully"))
}

/// `UpdateServer`
pub async fn update_server(ask: Ask) -> Result<Answer> {
    let (name, enable) = (ask.get("name"), ask.get("enable").and_then(flag));
    if name.is_none() && enable.is_none() {
        return Err(Error::bad_input("parameters name and enable are missing: one is needed"));
    }
    ask.ctx.cloud.central()?.change(ask.require("servertoken")?, name, enable).await?;
    Ok(Answer::done("Update successfully"))
}

/// `DelServer`
pub async fn del_server(ask: Ask) -> Result<Answer> {
    ask.ctx.cloud.central()?.remove(ask.require("servertoken")?).await?;
    // Its sources are out of the roles in the database: a box that gets the token later is another one.
    ask.ctx.auth.changed().await?;
    Ok(Answer::done("Delete successfully"))
}

/// `SetCloudServer`
pub async fn set_central(ask: Ask) -> Result<Answer> {
    let enable = ask.require("enable").map(flag)?.unwrap_or_default();
    keep_central(&ask.ctx.store, enable).await?;
    let done = match enable == ask.ctx.cloud.central.is_some() {
        true => "Set successfully",
        false => "Set successfully; it takes effect when the box is restarted",
    };
    Ok(Answer::done(done))
}
