//! `[appliance]`

use std::path::PathBuf;

use serde::Deserialize;

use super::checks;

/// What only a flashed box has.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Appliance {
    /// Socket of the helper that runs as root; empty: this is no appliance.
    pub helper: PathBuf,
    /// Where bundles are received.
    #[serde(deserialize_with = "checks::absolute_path")]
    pub update_dir: PathBuf,
}

impl Default for Appliance {
    fn default() -> Self {
        Self { helper: PathBuf::new(), update_dir: PathBuf::from("/data/update") }
    }
}

impl Appliance {
    /// The helper's socket on a box.
    pub fn socket(&self) -> Option<PathBuf> {
        (!self.helper.as_os_str().is_empty()).then(|| self.helper.clone())
    }
}
