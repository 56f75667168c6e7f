//! The camera's own presets.

use super::Preset;
use crate::onvif::xml::{Element, escape};
use crate::onvif::{Camera, Failure, Service, Why};

impl Camera {
    /// All presets of the head that is steered, in the camera's order.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where the camera has no PTZ.
    pub async fn presets(&self) -> Result<Vec<Preset>, Failure> {
        let profile = self.plan().await?.profile_argument();
        let answer = self.call(Service::Ptz, "GetPresets", &profile).await?;
        Ok(answer.all("Preset").filter_map(preset).collect())
    }

    /// Stores where the camera looks now, as a new preset or over the one with `token`; gives the
    /// camera's token.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Refused` also where the camera does not say what the new preset is called.
    pub async fn set_preset(&self, name: &str, token: Option<&str>) -> Result<String, Failure> {
        let mut arguments = self.plan().await?.profile_argument();
        arguments += &format!("<PresetName>{}</PresetName>", escape(name));
        if let Some(token) = token {
            arguments += &preset_argument(token);
        }
        let answer = self.call(Service::Ptz, "SetPreset", &arguments).await?;
        if let Some(given) = answer.text_at(&["PresetToken"]).or(token) {
            return Ok(given.to_owned());
        }
        // The newest is the last one, where there are several of that name.
        let named = self.presets().await?.into_iter().rfind(|preset| preset.name == name);
        named
            .map(|preset| preset.token)
            .ok_or_else(|| Failure::new(Why::Refused, "the camera does not say which preset it has stored"))
    }

    /// Leads the camera to a preset. Whatever it was doing before is over.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn go_to_preset(&self, token: &str) -> Result<(), Failure> {
        let arguments = self.plan().await?.profile_argument() + &preset_argument(token);
        self.call(Service::Ptz, "GotoPreset", &arguments).await?;
        self.steering.release_all();
        Ok(())
    }

    /// # Errors
    /// As [`Camera::call`].
    pub async fn remove_preset(&self, token: &str) -> Result<(), Failure> {
        let arguments = self.plan().await?.profile_argument() + &preset_argument(token);
        self.call(Service::Ptz, "RemovePreset", &arguments).await.map(drop)
    }
}

fn preset_argument(token: &str) -> String {
    format!("<PresetToken>{}</PresetToken>", escape(token))
}

fn preset(element: &Element) -> Option<Preset> {
    let token = element.attribute("token").filter(|token| !token.is_empty())?;
    Some(Preset { token: token.to_owned(), name: element.text_at(&["Name"]).unwrap_or_default().to_owned() })
}
