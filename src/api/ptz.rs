//! Steering and presets (manual 5.3.5 to 5.3.7; docs/protocol.md 4).
//!
//! The API's presets have names and tokens that its clients choose, mostly numbers; cameras choose tokens
//! of their own. The table `presets` leads from the ones to the others.

use std::sync::Arc;

use serde_json::json;

use super::calls::Answer;
use super::request::Ask;
use crate::base::{Error, Result};
use crate::onvif::ptz::{Preset, Velocity};
use crate::onvif::{Camera, Failure, Why};
use crate::store::PresetAlias;

/// Actions of `Ptz`.
pub const ACTIONS: &[&str] = &[
    "up",
    "down",
    "left",
    "right",
    "upleft",
    "upright",
    "downleft",
    "downright",
    "zoomin",
    "zoomout",
    "focusin",
    "focusout",
    "focusnear",
    "focusfar",
    "irisin",
    "irisout",
    "stop",
    "preset",
];
/// Speed of a move that names none.
const SPEED: f64 = 0.5;

/// What an action asks of a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Move(Velocity),
    /// Far is positive.
    Focus(f64),
    /// Open is positive.
    Iris(f64),
    Stop,
    Preset,
}

impl Order {
    /// `None` for an unknown action.
    fn new(action: &str, speed: f64) -> Option<Self> {
        let head = |pan: f64, tilt: f64| {
            Self::Move(Velocity { pan_tilt: Some((pan * speed, tilt * speed)), zoom: None })
        };
        let zoom = |zoom: f64| Self::Move(Velocity { pan_tilt: None, zoom: Some(zoom * speed) });
        Some(match action {
            "up" => head(0.0, 1.0),
            "down" => head(0.0, -1.0),
            "left" => head(-1.0, 0.0),
            "right" => head(1.0, 0.0),
            "upleft" => head(-1.0, 1.0),
            "upright" => head(1.0, 1.0),
            "downleft" => head(-1.0, -1.0),
            "downright" => head(1.0, -1.0),
            "zoomin" => zoom(1.0),
            "zoomout" => zoom(-1.0),
            "focusin" | "focusnear" => Self::Focus(-speed),
            "focusout" | "focusfar" => Self::Focus(speed),
            "irisin" => Self::Iris(speed),
            "irisout" => Self::Iris(-speed),
            "stop" => Self::Stop,
            "preset" => Self::Preset,
            _ => return None,
        })
    }
}

/// `Ptz`
pub async fn ptz(ask: Ask) -> Result<Answer> {
    let camera = camera(&ask)?;
    let speed = ask.get("speed").map(speed).transpose()?.unwrap_or(SPEED);
    let action = ask.require("action")?;
    let order = Order::new(action, speed)
        .ok_or_else(|| Error::bad_input(format!("parameter action {action:.32} is unknown")))?;
    let done = match order {
        Order::Move(velocity) => camera.move_at(velocity).await,
        Order::Focus(speed) => camera.focus(speed).await,
        Order::Iris(step) => camera.iris(step).await,
        Order::Stop => camera.stop().await,
        Order::Preset => {
            let token = ask.require("preset")?;
            let alias = alias(&aliases(&ask).await?, token);
            camera.go_to_preset(alias.as_deref().unwrap_or(token)).await
        }
    };
    Ok(answer(done.map(|()| "Ptz successfully")))
}

/// `GetPresets`: those that the API knows by its own tokens, and others of the camera by the camera's.
pub async fn get_presets(ask: Ask) -> Result<Answer> {
    let camera = camera(&ask)?;
    let aliases = aliases(&ask).await?;
    let presets = match camera.presets().await {
        Ok(presets) => presets,
        Err(failure) => return Ok(answer(Err(failure))),
    };
    let shown = presets.iter().filter_map(|preset| shown(preset, &aliases));
    let shown: Vec<_> = shown.map(|(token, name)| json!({ "strName": name, "strToken": token })).collect();
    Ok(Answer::Json(json!({ "preset": shown })))
}

/// `SetPreset`: over the camera's preset that the token means, if there is one, else as a new one.
pub async fn set_preset(ask: Ask) -> Result<Answer> {
    let camera = camera(&ask)?;
    let (token, name) = (ask.require("presettoken")?.to_owned(), ask.require("presetname")?.to_owned());
    let aliases = aliases(&ask).await?;
    let presets = match camera.presets().await {
        Ok(presets) => presets,
        // Some cameras store presets and cannot list them.
        Err(failure) if matches!(failure.why, Why::Refused | Why::Unsupported) => Vec::new(),
        Err(failure) => return Ok(answer(Err(failure))),
    };
    let known = known(&token, &aliases).filter(|known| presets.iter().any(|preset| preset.token == *known));
    let camera_token = match camera.set_preset(&name, known).await {
        Ok(token) => token,
        Err(failure) => return Ok(answer(Err(failure))),
    };
    let source = ask.require("token")?.to_owned();
    let alias = PresetAlias { token, name, camera_token };
    ask.ctx.store.run(move |store| store.put_preset(&source, &alias)).await?;
    Ok(Answer::done("Set successfully"))
}

/// `DelPreset`
pub async fn del_preset(ask: Ask) -> Result<Answer> {
    let camera = camera(&ask)?;
    let token = ask.require("presettoken")?.to_owned();
    let aliases = aliases(&ask).await?;
    let presets = match camera.presets().await {
        Ok(presets) => presets,
        Err(failure) => return Ok(answer(Err(failure))),
    };
    let known = known(&token, &aliases).filter(|known| presets.iter().any(|preset| preset.token == *known));
    match known {
        Some(known) => {
            if let Err(failure) = camera.remove_preset(known).await {
                return Ok(answer(Err(failure)));
            }
        }
        // The camera has lost it.
        None if alias(&aliases, &token).is_some() => {}
        None => {
            return Err(Error::not_found(format!("parameter presettoken: there is no preset {token:.64}")));
        }
    }
    let source = ask.require("token")?.to_owned();
    ask.ctx.store.run(move |store| store.delete_preset(&source, &token)).await?;
    Ok(Answer::done("Delete successfully"))
}

/// The camera behind the source that the parameter `token` names.
fn camera(ask: &Ask) -> Result<Arc<Camera>> {
    let token = ask.stream()?.token.clone();
    ask.ctx.sources.cameras.get(&token).ok_or_else(|| {
        Error::unsupported(format!("parameter token: {token} is no ONVIF source, it cannot be steered"))
    })
}

fn speed(given: &str) -> Result<f64> {
    let speed: Option<f64> = given.parse().ok().filter(|speed| (0.0..=1.0).contains(speed));
    speed.ok_or_else(|| Error::bad_input(format!("parameter speed {given:.16} is not a number from 0 to 1")))
}

async fn aliases(ask: &Ask) -> Result<Vec<PresetAlias>> {
    let source = ask.require("token")?.to_owned();
    ask.ctx.store.run(move |store| store.presets(&source)).await
}

/// The camera's token that the API's token stands for.
fn alias(aliases: &[PresetAlias], token: &str) -> Option<String> {
    let found = aliases.iter().find(|alias| alias.token == token);
    found.map(|alias| alias.camera_token.clone())
}

/// The camera's token that is meant by the API's: by the table, else the same, unless that one is known by
/// another name.
fn known<'a>(token: &'a str, aliases: &'a [PresetAlias]) -> Option<&'a str> {
    match aliases.iter().find(|alias| alias.token == token) {
        Some(alias) => Some(&alias.camera_token),
        None => (!aliases.iter().any(|alias| alias.camera_token == token)).then_some(token),
    }
}

/// Token and name of a camera's preset in the API. `None` for one without a name, of which cameras list
/// hundreds that are empty, and for one whose token the API could not send back.
fn shown<'a>(preset: &'a Preset, aliases: &'a [PresetAlias]) -> Option<(&'a str, &'a str)> {
    if let Some(alias) = aliases.iter().find(|alias| alias.camera_token == preset.token) {
        return Some((&alias.token, &alias.name));
    }
    let fits = super::calls::Kind::Token.check(&preset.token).is_ok();
    let free = !aliases.iter().any(|alias| alias.token == preset.token);
    (fits && free && !preset.name.is_empty()).then_some((&preset.token, &preset.name))
}

/// What became of it at the camera: a failure says why in `strReason`, for programs.
fn answer(done: std::result::Result<&str, Failure>) -> Answer {
    match done {
        Ok(text) => Answer::done(text),
        Err(failure) => Answer::Json(
            json!({ "bStatus": false, "strCode": failure.text, "strReason": failure.why.as_str() }),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_an_order() {
        for action in ACTIONS {
            assert!(Order::new(action, 0.5).is_some(), "{action}");
        }
        assert_eq!(Order::new("jump", 0.5), None);
        let head = |x, y| Some(Order::Move(Velocity { pan_tilt: Some((x, y)), zoom: None }));
        assert_eq!(Order::new("left", 0.5), head(-0.5, 0.0));
        assert_eq!(Order::new("upright", 0.25), head(0.25, 0.25));
        let zoom = Velocity { pan_tilt: None, zoom: Some(-1.0) };
        assert_eq!(Order::new("zoomout", 1.0), Some(Order::Move(zoom)));
        assert_eq!(Order::new("focusin", 0.5), Order::new("focusnear", 0.5));
    }

    #[test]
    fn speeds() {
        assert_eq!([speed("0").unwrap(), speed("0.35").unwrap(), speed("1").unwrap()], [0.0, 0.35, 1.0]);
        for wrong in ["-0.1", "1.01", "fast", "NaN", "inf"] {
            let text = speed(wrong).unwrap_err().to_string();
            assert_eq!(text, format!("parameter speed {wrong} is not a number from 0 to 1"));
        }
    }

    #[test]
    fn presets_go_by_the_apis_tokens() {
        let alias = |token: &str, camera_token: &str| PresetAlias {
            token: token.into(),
            name: format!("name {token}"),
            camera_token: camera_token.into(),
        };
        let aliases = [alias("1", "2"), alias("7", "gone")];
        assert_eq!(known("1", &aliases), Some("2"));
        assert_eq!(known("2", &aliases), None, "the camera's 2 is the API's 1");
        assert_eq!(known("3", &aliases), Some("3"));

        let preset = |token: &str, name: &str| Preset { token: token.into(), name: name.into() };
        let listed = |preset: &Preset| shown(preset, &aliases).map(|(token, name)| format!("{token} {name}"));
        assert_eq!(listed(&preset("2", "home")).as_deref(), Some("1 name 1"));
        assert_eq!(listed(&preset("2", "")).as_deref(), Some("1 name 1"));
        assert_eq!(listed(&preset("door_4", "door")).as_deref(), Some("door_4 door"));
        assert_eq!(listed(&preset("299", "")), None);
        assert_eq!(listed(&preset("a b", "x")), None);
        assert_eq!(listed(&preset("1", "x")), None, "1 stands for another");
    }
}
