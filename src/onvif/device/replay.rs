//! The Replay service: where recordings are played (ONVIF Streaming Specification, chapter 6).

use super::fault::Fault;
use super::recorded;
use super::site::Site;
use super::write::tag;
use super::{Answer, Ask};
use crate::onvif::xml::escape;

/// How long a replay session lives without a sign of its client.
const TIMEOUT: &str = "PT60S";

/// One of the service's operations.
pub async fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    match name {
        "GetServiceCapabilities" => Ok(super::capabilities::replay()),
        "GetReplayUri" => {
            let channel = recorded::asked(ask)?;
            if ask.get(&["StreamSetup", "Stream"]) == Some("RTP-Multicast") {
                let text = "multicast is not served";
                return Err(Fault::named(&["ter:InvalidArgVal", "ter:InvalidStreamSetup"], text));
            }
            let (host, port) = (ask.host(), ask.site().rtsp_port());
            Ok(format!("<trp:Uri>rtsp://{host}:{port}/replay/{}</trp:Uri>", escape(&channel.source)))
        }
        "GetReplayConfiguration" => {
            Ok(format!("<trp:Configuration>{}</trp:Configuration>", tag("tt:SessionTimeout", TIMEOUT)))
        }
        "SetReplayConfiguration" => match ask.require(&["Configuration", "SessionTimeout"])? {
            TIMEOUT | "PT1M" => Ok(String::new()),
            other => Err(Fault::named(
                &["ter:InvalidArgVal", "ter:ConfigModify"],
                format!("the session timeout is {TIMEOUT} and cannot be {other:.32}"),
            )),
        },
        _ => Err(Fault::unknown(name)),
    }
}
