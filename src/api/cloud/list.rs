//! The sources of sites, as GetSrc shows them at the central (manual 5.3.1): `H5_CLOUD`, with the mapped token
//! `<servertoken>-<token>`.
//!
//! No task of its own, and nothing is kept: an entry is made of what the edge said last.

use serde_json::{Map, Value, json};

use crate::api::Context;
use crate::api::calls::Kind;
use crate::auth::{Sight, Within};
use crate::cloud::central::{Central, Site, away};

/// `nType`
pub const KIND: &str = "H5_CLOUD";
/// What an edge says of how it fares, which is not known of one that is away.
const STATE: [&str; 5] =
    ["strOfflineReason", "strOfflineText", "strVideoType", "nVideoWidth", "nVideoHeight"];

/// All sources of sites that `sight` covers.
pub fn all<'a>(ctx: &'a Context, central: &'a Central, sight: &'a Sight) -> impl Iterator<Item = Value> + 'a {
    central
        .sites()
        .into_iter()
        .flat_map(move |site| of_site(ctx, central, &site, &sight.within(&site.row.token)))
}

/// Those of one site.
pub fn of_site(ctx: &Context, central: &Central, site: &Site, within: &Within) -> Vec<Value> {
    if within.is_nothing() {
        return Vec::new();
    }
    let is_here = central.is_online(site);
    // An edge may say anything.
    let seen = site.sources.iter().filter(|source| {
        let original = text(source, "strToken");
        Kind::Token.check(original).is_ok() && within.covers(original)
    });
    let shown = seen.map(|source| entry(central, site, is_here, source));
    // A source of the central's own with that token is the one that is meant by it.
    shown.filter(|item| ctx.sources.get(text(item, "strToken")).is_none()).collect()
}

/// The one with that mapped token.
pub fn one(central: &Central, mapped: &str) -> Option<Value> {
    let (site, original) = central.split(mapped)?;
    let site = central.site(site).ok()?;
    Some(entry(central, &site, central.is_online(&site), site.source(original)?))
}

/// What people call it: a source of a site, or all of them (`<servertoken>-*`).
pub fn name(central: &Central, mapped: &str) -> Option<String> {
    let (token, original) = central.split(mapped)?;
    let site = central.site(token).ok()?;
    match original {
        "*" => Some(site.row.name),
        original => Some(text(site.source(original)?, "strName").to_owned()),
    }
}

/// One entry: the manual's fields in its order, then ours. What an edge says is taken as texts and flags only.
fn entry(central: &Central, site: &Site, is_here: bool, source: &Value) -> Value {
    let text = |name: &str| Value::from(text(source, name));
    let flag = |name: &str| Value::from(source[name] == true);
    let (server, original) = (site.row.token.as_str(), self::text(source, "strToken"));
    let token = format!("{server}-{original}");
    let mut item = json!({
        "nType": KIND,
        "strName": text("strName"),
        "strToken": token,
        "strUrl": text("strUrl"),
        "strUser": "",
        "strPasswd": "",
        "bPasswdEncrypt": false,
        "bEnableAudio": flag("bEnableAudio"),
        "nConnectType": text("nConnectType"),
        "nRTSPType": text("nRTSPType"),
        "strSrcIpAddress": text("strSrcIpAddress"),
        "strSrcPort": text("strSrcPort"),
        "nChannelNumber": 1,
        "bOnvifProfileAuto": flag("bOnvifProfileAuto"),
        "strOnvifAddr": text("strOnvifAddr"),
        "strOnvifProfileMain": text("strOnvifProfileMain"),
        "strOnvifProfileSub": text("strOnvifProfileSub"),
        "bOnline": is_here && source["bOnline"] == true,
        "strSnapshotUrl": format!("/api/v1/GetImage?token={token}"),
        "bRec": flag("bRec"),
        "strServerToken": server,
        "strOriginalToken": original,
        "strServerUuid": site.row.uuid,
        "nViewers": central.lives.viewers(&token),
        "strRecState": text("strRecState"),
        "strRecText": text("strRecText"),
        "strUrlSub": text("strUrlSub"),
        "bEnableUrlSub": flag("bEnableUrlSub"),
        "strServerName": site.row.name,
        "nOriginalType": text("nType"),
    });
    if let Some(fields) = item.as_object_mut() {
        fields.extend(state(site, source, is_here));
    }
    item
}

/// How the source fares as far as the edge says, or that the edge is away.
fn state(site: &Site, source: &Value, is_here: bool) -> Map<String, Value> {
    if is_here {
        let said = STATE.iter().filter(|&&name| source[name].is_string() || source[name].is_u64());
        return said.map(|&name| (name.to_owned(), source[name].clone())).collect();
    }
    Map::from_iter([
        ("strOfflineReason".into(), "site_away".into()),
        ("strOfflineText".into(), away(site).to_string().into()),
    ])
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or_default()
}
