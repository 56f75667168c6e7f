//! The DeviceIO service: the video sources, and none of everything else.

use super::fault::Fault;
use super::names;
use super::site::Site;
use super::write::tag;
use super::{Answer, Ask, capabilities};

/// One of the service's operations.
pub fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    let channels = ask.site().channels();
    match name {
        "GetServiceCapabilities" => Ok(capabilities::device_io(channels.len())),
        "GetVideoSources" => Ok(channels.iter().map(|c| tag("tmd:Token", names::video_source(c))).collect()),
        "GetVideoOutputs" | "GetAudioSources" | "GetAudioOutputs" | "GetDigitalInputs" | "GetSerialPorts" => {
            Ok(String::new())
        }
        _ => Err(Fault::unknown(name)),
    }
}
