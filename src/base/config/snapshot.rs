//! `[snapshot]`: what decodes key frames.

use std::path::PathBuf;

use serde::Deserialize;

use super::checks;

/// `[snapshot]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Snapshot {
    /// Whether decoders and encoders in hardware are used.
    pub hardware: bool,
    /// GStreamer elements that are never used.
    #[serde(deserialize_with = "checks::elements")]
    pub deny: Vec<String>,
    /// GStreamer elements that go before all others, best first.
    #[serde(deserialize_with = "checks::elements")]
    pub prefer: Vec<String>,
    /// Where the lists lie of what boards must not use: `<compatible>.toml`.
    #[serde(deserialize_with = "checks::absolute_path")]
    pub board_dir: PathBuf,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            hardware: true,
            deny: Vec::new(),
            prefer: Vec::new(),
            board_dir: PathBuf::from("/usr/share/h5edge/boards"),
        }
    }
}
