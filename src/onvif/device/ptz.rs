//! The PTZ service: everything is handed through to the camera behind the source, with the camera's own
//! presets.
//!
//! A move that names how long it shall last is stopped by a task of its own, of which there is at most
//! one for each move of the last [`LONGEST`]; a later move of the same source makes it do nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::fault::Fault;
use super::shapes::{PAN_TILT_SPACE, ZOOM_SPACE};
use super::site::{Channel, Site};
use super::write::{date_time, tag};
use super::{Answer, Ask, capabilities, names, shapes};
use crate::onvif::Camera;
use crate::onvif::ptz::Velocity;
use crate::onvif::xml::escape;

/// Longest move that a client can ask for. Longer ones it has to renew.
const LONGEST: Duration = Duration::from_secs(60);
/// Presets that a node says it has room for; the camera behind decides.
const MAX_PRESETS: u32 = 255;

/// How many moves each source was told to make: a timer stops the move that it was started for.
#[derive(Debug, Default)]
pub struct Timers(Mutex<HashMap<String, u64>>);

impl Timers {
    fn next(&self, source: &str) -> u64 {
        let mut moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = moves.entry(source.to_owned()).or_default();
        *number += 1;
        *number
    }

    fn is_last(&self, source: &str, number: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(source) == Some(&number)
    }
}

/// One of the service's operations.
pub async fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    let channels = ask.site().channels();
    let movable = || channels.iter().filter(|channel| channel.ptz);
    match name {
        "GetServiceCapabilities" => Ok(capabilities::ptz()),
        "GetNodes" => Ok(movable().map(|channel| node("tptz:PTZNode", channel)).collect()),
        "GetNode" => {
            let token = ask.require(&["NodeToken"])?;
            let found = movable().find(|channel| names::ptz_node(channel) == token);
            found.map(|channel| node("tptz:PTZNode", channel)).ok_or_else(|| {
                Fault::named(&["ter:InvalidArgVal", "ter:NoEntity"], format!("there is no node {token:.64}"))
            })
        }
        "GetConfigurations" => {
            Ok(movable().map(|c| shapes::ptz_configuration("tptz:PTZConfiguration", c)).collect())
        }
        "GetConfiguration" => configured(ask, &channels, "PTZConfigurationToken")
            .map(|channel| shapes::ptz_configuration("tptz:PTZConfiguration", channel)),
        "GetConfigurationOptions" => configured(ask, &channels, "ConfigurationToken").map(|_| options()),
        "GetCompatibleConfigurations" => {
            let (channel, _) = names::profile(&channels, ask.require(&["ProfileToken"])?)?;
            let shown = channel.ptz.then(|| shapes::ptz_configuration("tptz:PTZConfiguration", channel));
            Ok(shown.unwrap_or_default())
        }
        "SetConfiguration" => Err(Fault::prohibited(name)),
        "GetStatus" => {
            steered(ask, &channels)?;
            let time = tag("tt:UtcTime", date_time(SystemTime::now()));
            Ok(format!("<tptz:PTZStatus>{time}</tptz:PTZStatus>"))
        }
        "ContinuousMove" => start(ask, steered(ask, &channels)?).await,
        "Stop" => {
            let (channel, camera) = steered(ask, &channels)?;
            ask.device.timers.next(&channel.source);
            camera.stop().await?;
            Ok(String::new())
        }
        "GetPresets" => {
            let presets = steered(ask, &channels)?.1.presets().await?;
            let one = |preset: &crate::onvif::ptz::Preset| {
                let token = escape(&preset.token);
                format!("<tptz:Preset token=\"{token}\">{}</tptz:Preset>", shapes::name(&preset.name))
            };
            Ok(presets.iter().map(one).collect())
        }
        "SetPreset" => {
            let camera = steered(ask, &channels)?.1;
            let (name, token) = (ask.get(&["PresetName"]), ask.get(&["PresetToken"]));
            let token = camera.set_preset(name.or(token).unwrap_or("preset"), token).await?;
            Ok(tag("tptz:PresetToken", token))
        }
        "GotoPreset" => {
            let (channel, camera) = steered(ask, &channels)?;
            ask.device.timers.next(&channel.source);
            camera.go_to_preset(ask.require(&["PresetToken"])?).await?;
            Ok(String::new())
        }
        "RemovePreset" => {
            steered(ask, &channels)?.1.remove_preset(ask.require(&["PresetToken"])?).await?;
            Ok(String::new())
        }
        _ => Err(Fault::unknown(name)),
    }
}

type Steered<'a> = (&'a Channel, Arc<Camera>);

/// The camera behind the profile that `ProfileToken` names.
fn steered<'a, S: Site>(ask: &Ask<'_, S>, channels: &'a [Channel]) -> Result<Steered<'a>, Fault> {
    let (channel, _) = names::profile(channels, ask.require(&["ProfileToken"])?)?;
    let camera = ask.site().camera(&channel.source).filter(|_| channel.ptz);
    camera.map(|camera| (channel, camera)).ok_or_else(|| {
        Fault::named(
            &["ter:InvalidArgVal", "ter:NoPTZProfile"],
            "the camera of this profile cannot be steered",
        )
    })
}

fn configured<'a, S: Site>(
    ask: &Ask<'_, S>,
    channels: &'a [Channel],
    argument: &str,
) -> Result<&'a Channel, Fault> {
    let token = ask.require(&[argument])?;
    names::channel(channels, token, names::ptz).filter(|channel| channel.ptz).ok_or_else(|| {
        Fault::named(&["ter:InvalidArgVal", "ter:NoConfig"], format!("there is no configuration {token:.64}"))
    })
}

/// `ContinuousMove`: axes that stand still are not mentioned to the camera, which may lack them.
async fn start<S: Site>(ask: &Ask<'_, S>, (channel, camera): Steered<'_>) -> Answer {
    let speed = |axis: &str, name: &str| match ask
        .arguments
        .at(&["Velocity", axis])
        .and_then(|element| element.attribute(name))
    {
        None => Ok(0.0),
        Some(text) => match text.trim().parse::<f64>() {
            Ok(speed) if (-1.0..=1.0).contains(&speed) => Ok(speed),
            _ => Err(Fault::named(
                &["ter:InvalidArgVal", "ter:InvalidVelocity"],
                format!("Velocity/{axis}: {name} is not within -1 to 1"),
            )),
        },
    };
    let (pan, tilt, zoom) = (speed("PanTilt", "x")?, speed("PanTilt", "y")?, speed("Zoom", "x")?);
    let timeout = match ask.get(&["Timeout"]) {
        None => LONGEST,
        Some(text) => duration(text)?.min(LONGEST),
    };
    let number = ask.device.timers.next(&channel.source);
    let velocity = Velocity {
        pan_tilt: (pan != 0.0 || tilt != 0.0).then_some((pan, tilt)),
        zoom: (zoom != 0.0).then_some(zoom),
    };
    if velocity == Velocity::default() {
        camera.stop().await?;
        return Ok(String::new());
    }
    camera.move_at(velocity).await?;
    let (timers, source) = (ask.device.timers.clone(), channel.source.clone());
    tokio::spawn(async move {
        tokio::time::sleep(timeout).await;
        if timers.is_last(&source, number)
            && let Err(failure) = camera.stop().await
        {
            tracing::warn!(source, "the camera was not stopped: {failure}");
        }
    });
    Ok(String::new())
}

/// `xs:duration` without years, months and days.
pub fn duration(text: &str) -> Result<Duration, Fault> {
    let parsed = text.trim().parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| Fault::argument(format!("{text:.32} is no duration such as PT10S")))
}

/// `tt:PTZNode`
fn node(element: &str, channel: &Channel) -> String {
    format!(
        "<{element} token=\"{}\" FixedHomePosition=\"false\" GeoMove=\"false\">{}<tt:SupportedPTZSpaces>{}\
         </tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>{MAX_PRESETS}</tt:MaximumNumberOfPresets>\
         <tt:HomeSupported>false</tt:HomeSupported></{element}>",
        names::ptz_node(channel),
        shapes::name(&channel.name),
        spaces(),
    )
}

/// `tt:PTZSpaces`
fn spaces() -> String {
    let range = |name: &str| format!("<tt:{name}><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:{name}>");
    format!(
        "<tt:ContinuousPanTiltVelocitySpace><tt:URI>{PAN_TILT_SPACE}</tt:URI>{}{}\
         </tt:ContinuousPanTiltVelocitySpace><tt:ContinuousZoomVelocitySpace><tt:URI>{ZOOM_SPACE}</tt:URI>{}\
         </tt:ContinuousZoomVelocitySpace>",
        range("XRange"),
        range("YRange"),
        range("XRange"),
    )
}

/// `tt:PTZConfigurationOptions`
fn options() -> String {
    format!(
        "<tptz:PTZConfigurationOptions><tt:Spaces>{}</tt:Spaces><tt:PTZTimeout><tt:Min>PT0.1S</tt:Min>\
         <tt:Max>PT60S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions>",
        spaces()
    )
}
