//! Finding cameras (manual 5.4.1).

use std::time::Duration;

use serde_json::json;

use super::calls::Answer;
use super::request::Ask;
use crate::base::Result;
use crate::onvif::device::Site;
use crate::onvif::discovery::{self, Found, bare_endpoint};
use crate::source::Sources;

/// Seconds, where the caller does not say.
const TIMEOUT: u64 = 10;

/// `OnvifSearch`
pub async fn search(ask: Ask) -> Result<Answer> {
    let seconds = ask.get("timeout").and_then(|seconds| seconds.parse().ok()).unwrap_or(TIMEOUT);
    let found = discovery::search(Duration::from_secs(seconds)).await?;
    let sources = &ask.ctx.sources;
    // We answer our own question when the device side is on, and are no camera for ourselves.
    let us = bare_endpoint(&ask.ctx.device.site.identity().endpoint);
    let devices: Vec<_> = found
        .iter()
        .filter(|device| bare_endpoint(&device.endpoint) != us)
        .map(|device| {
            json!({
                "strIp": device.host(),
                "strPort": device.port.to_string(),
                "strOnvifAddr": device.path,
                "strModel": device.model,
                "strName": device.name,
                "strEndpoint": device.endpoint,
                "bHttps": device.https,
                "bAdded": is_added(sources, device),
            })
        })
        .collect();
    Ok(Answer::Json(json!({ "device": devices })))
}

fn is_added(sources: &Sources, device: &Found) -> bool {
    let host = device.host();
    sources
        .list()
        .iter()
        .any(|source| source.spec.onvif.as_ref().is_some_and(|at| at.host == host && at.port == device.port))
}
