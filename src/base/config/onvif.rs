//! `[onvif]`: the ONVIF device that we are for other people's software.

use serde::Deserialize;

use super::checks;

/// `[onvif]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Onvif {
    /// Whether the device is on until SetOnvifDevice says otherwise.
    pub device: bool,
    /// Whether others find it by WS-Discovery, until SetOnvifDevice says otherwise.
    pub discovery: bool,
    #[serde(deserialize_with = "checks::label")]
    pub name: String,
    /// Empty: it says none.
    #[serde(deserialize_with = "checks::label")]
    pub location: String,
    #[serde(deserialize_with = "checks::label")]
    pub hardware: String,
    /// Whether Media1 calls H.265 streams H264 where their source has no other.
    pub h265_as_h264: bool,
}

impl Default for Onvif {
    fn default() -> Self {
        Self {
            device: false,
            discovery: true,
            name: "h5edge".into(),
            location: String::new(),
            hardware: "h5edge".into(),
            h265_as_h264: false,
        }
    }
}
