//! The Imaging service: how a camera makes its picture is set at the camera, so there is nothing to
//! set here, and the service says so.

use super::fault::Fault;
use super::names;
use super::site::Site;
use super::{Answer, Ask, capabilities};

/// One of the service's operations.
pub fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    match name {
        "GetServiceCapabilities" => Ok(capabilities::imaging()),
        "GetImagingSettings" => known(ask).map(|()| "<timg:ImagingSettings/>".into()),
        "GetOptions" => known(ask).map(|()| "<timg:ImagingOptions/>".into()),
        "GetMoveOptions" => known(ask).map(|()| "<timg:MoveOptions/>".into()),
        "GetStatus" => known(ask).map(|()| "<timg:Status/>".into()),
        "SetImagingSettings" => {
            known(ask)?;
            Err(Fault::named(&["ter:InvalidArgVal", "ter:SettingsInvalid"], "nothing can be set here"))
        }
        "Move" | "Stop" => {
            known(ask)?;
            Err(Fault::receiver(
                &["ter:ActionNotSupported", "ter:NoImagingForSource"],
                "there is no focus to move",
            ))
        }
        _ => Err(Fault::unknown(name)),
    }
}

/// Whether `VideoSourceToken` names one of ours.
fn known<S: Site>(ask: &Ask<'_, S>) -> Result<(), Fault> {
    let token = ask.require(&["VideoSourceToken"])?;
    match names::channel(&ask.site().channels(), token, names::video_source) {
        Some(_) => Ok(()),
        None => Err(Fault::named(
            &["ter:InvalidArgVal", "ter:NoSource"],
            format!("there is no video source {token:.64}"),
        )),
    }
}
