//! The network of a box: what it is, and changes that are tried before they are kept. Elsewhere it is only told.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::{Error, Result};
use crate::system::check;
use crate::system::order::{Link, Method, Order, Passphrase};
use crate::system::ports::{self, Port, State};
use crate::system::wifi::Found;

/// `GetNetwork`
pub async fn get(ask: Ask) -> Result<Answer> {
    let here = ask.ctx.appliance.is_there();
    let state: State = match here {
        true => ask.ctx.appliance.ask(&Order::Network).await?,
        false => as_it_is().await?,
    };
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Get network successfully",
        "bAppliance": here,
        "interfaces": state.ports.iter().map(|port| fields(port, here)).collect::<Vec<_>>(),
        "bTrial": state.trial.is_some(),
        "nConfirmSeconds": state.trial.unwrap_or(0),
    })))
}

/// The interfaces of a machine whose own system sets them.
async fn as_it_is() -> Result<State> {
    let read = || State { ports: ports::of_this_machine(), trial: None };
    tokio::task::spawn_blocking(read).await.map_err(|_| Error::internal("reading the network was given up"))
}

/// `ours`: we set it, so that we know how.
fn fields(port: &Port, ours: bool) -> Value {
    let method = match port.method {
        _ if !ours => "",
        Method::Dhcp => "dhcp",
        Method::Static { .. } => "static",
        Method::Off => "off",
    };
    json!({
        "strName": port.name,
        "strMac": port.mac,
        "strType": if port.wireless { "wifi" } else { "ethernet" },
        "bUp": port.up,
        "strMethod": method,
        "addresses": port.addresses.iter().map(|(ip, prefix)| format!("{ip}/{prefix}")).collect::<Vec<_>>(),
        "strGateway": port.gateway.map_or_else(String::new, |ip| ip.to_string()),
        "dns": port.dns,
        "strSsid": port.ssid.as_deref().unwrap_or_default(),
    })
}

/// `SetNetwork`
pub async fn set(ask: Ask) -> Result<Answer> {
    let interface = ask.require("interface")?.to_owned();
    check::interface("interface", &interface)?;
    let link = Link {
        method: method(&ask)?,
        ssid: ask.get("ssid").map(str::to_owned),
        psk: ask.get("psk").map(Passphrase::new),
    };
    check::link(&link)?;
    let seconds: u64 = ask.ctx.appliance.ask(&Order::SetNetwork { interface, link }).await?;
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Set network successfully, to be confirmed with ConfirmNetwork",
        "nConfirmSeconds": seconds,
    })))
}

fn method(ask: &Ask) -> Result<Method> {
    let method = ask.require("method")?;
    let Some(name) = ["address", "gateway", "dns"].into_iter().find(|name| ask.get(name).is_some()) else {
        return match method {
            "dhcp" => Ok(Method::Dhcp),
            "off" => Ok(Method::Off),
            _ => Err(Error::bad_input("parameter address is missing")),
        };
    };
    if method != "static" {
        return Err(Error::bad_input(format!("parameter {name} goes only with method=static")));
    }
    let (address, prefix) = ask
        .require("address")?
        .split_once('/')
        .and_then(|(address, prefix)| Some((address.parse().ok()?, prefix.parse().ok()?)))
        .ok_or_else(|| Error::bad_input("parameter address is not like 192.168.1.5/24"))?;
    let gateway = ask.get("gateway").map(|text| parsed("gateway", text)).transpose()?;
    let dns = ask.get("dns").map(|text| list(text).map(|one| parsed("dns", one)).collect());
    Ok(Method::Static { address, prefix, gateway, dns: dns.transpose()?.unwrap_or_default() })
}

fn parsed(parameter: &str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| Error::bad_input(format!("parameter {parameter}: {text:.64} is no address")))
}

/// The parts of a value with commas between.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// `ConfirmNetwork`
pub async fn confirm(ask: Ask) -> Result<Answer> {
    ask.ctx.appliance.ask::<()>(&Order::ConfirmNetwork).await?;
    Ok(Answer::done("Confirm network successfully"))
}

/// `RevertNetwork`
pub async fn revert(ask: Ask) -> Result<Answer> {
    ask.ctx.appliance.ask::<()>(&Order::RevertNetwork).await?;
    Ok(Answer::done("Revert network successfully"))
}

/// `ScanWifi`
pub async fn scan(ask: Ask) -> Result<Answer> {
    let interface = ask.require("interface")?.to_owned();
    check::interface("interface", &interface)?;
    let found: Vec<Found> = ask.ctx.appliance.ask(&Order::ScanWifi { interface }).await?;
    let fields =
        |found: &Found| json!({ "strSsid": found.ssid, "nSignal": found.signal, "bSecured": found.secured });
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Scan successfully",
        "networks": found.iter().map(fields).collect::<Vec<_>>(),
    })))
}
