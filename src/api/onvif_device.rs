//! The ONVIF device that we are: its calls, and what it shows ([`site`]).
//!
//! Three tasks while the daemon runs: one learns what the streams consist of ([`facts`]), one keeps others
//! told that the device is there ([`announce`]), one runs the RTSP server. Everything else runs on the
//! task of the connection.
//! Memory: one row of facts for each source.

pub mod announce;
pub mod facts;
pub mod routes;
pub mod site;
pub mod users;

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::json;

use self::site::{Edge, Switch};
use super::Context;
use super::calls::{Answer, flag};
use super::request::Ask;
use crate::base::{Error, Result};
use crate::onvif::device::{Device, Notice, Site};
use crate::onvif::events::CameraEvent;

/// The device, and its switch.
#[derive(Debug)]
pub struct OnvifDevice {
    pub device: Device<Edge>,
    pub site: Arc<Edge>,
}

impl OnvifDevice {
    pub fn new(site: Arc<Edge>) -> Self {
        Self { device: Device::new(site.clone()), site }
    }

    /// Hands on what the camera behind `source` reported.
    pub fn happened(&self, source: &str, event: &CameraEvent) {
        let (source, event, at) = (source.to_owned(), event.clone(), SystemTime::now());
        self.device.notify(Notice::Camera { source, event, at });
    }
}

/// Runs until the daemon stops and has said so on the network.
pub async fn run(ctx: Arc<Context>) {
    tokio::join!(facts::run(&ctx), announce::run(&ctx), super::rtsp::run(&ctx));
}

/// `GetOnvifDevice`
pub async fn get(ask: Ask) -> Result<Answer> {
    let site = &ask.ctx.device.site;
    let (switch, identity) = (site.switch(), site.identity());
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "",
        "bEnable": switch.device,
        "bDiscovery": switch.discovery,
        "strName": identity.name,
        "strLocation": identity.location,
        "strHardware": identity.hardware,
        "strSerial": identity.serial,
        "strEndpoint": identity.endpoint,
        "nRtspPort": site.rtsp_port(),
        "nUsers": site.users().len(),
        "nChannels": site.channels().len(),
    })))
}

/// `SetOnvifDevice`: what is not named stays.
pub async fn set(ask: Ask) -> Result<Answer> {
    let (enable, discovery) = (ask.get("enable"), ask.get("discovery"));
    if enable.or(discovery).is_none() {
        return Err(Error::bad_input("parameter enable is missing"));
    }
    let before = ask.ctx.device.site.switch();
    let switch = Switch {
        device: enable.and_then(flag).unwrap_or(before.device),
        discovery: discovery.and_then(flag).unwrap_or(before.discovery),
    };
    ask.ctx.device.site.set_switch(&ask.ctx.store, switch).await?;
    tracing::info!(device = switch.device, discovery = switch.discovery, "ONVIF device");
    Ok(Answer::done("Set successfully"))
}
