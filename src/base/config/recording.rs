//! `[recording]` and `[[volume]]`: what is kept, for how long, and where.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::checks;
use crate::base::spec::MAX_TOKEN;

/// `[recording]`. The call SetRetention changes the last three for good: then these no longer count.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Recording {
    /// What was shown before a recording was asked for and becomes its beginning.
    #[serde(deserialize_with = "checks::within::<0, 30, _, _>")]
    pub pre_roll_seconds: u64,
    /// A new file is begun after this time, at the next key frame.
    #[serde(deserialize_with = "checks::within::<5, 3600, _, _>")]
    pub rollover_seconds: u64,
    /// Recordings older than this are deleted; 0 keeps them until the space is needed.
    #[serde(deserialize_with = "checks::within::<0, 3650, _, _>")]
    pub keep_days: u64,
    /// The same for snapshots.
    #[serde(deserialize_with = "checks::within::<0, 3650, _, _>")]
    pub keep_snapshot_days: u64,
    /// How much one source may take, in MiB; 0 sets no bound.
    #[serde(deserialize_with = "checks::within::<0, 1_000_000_000, _, _>")]
    pub max_mb_per_source: u64,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            pre_roll_seconds: 5,
            rollover_seconds: 600,
            keep_days: 30,
            keep_snapshot_days: 30,
            max_mb_per_source: 0,
        }
    }
}

/// One `[[volume]]`: a folder, mostly the mount point of a disk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct VolumeEntry {
    /// Stays in the database: a volume that is renamed is another one.
    pub name: String,
    /// Absolute.
    pub path: PathBuf,
    /// The oldest footage is deleted when less than this is free, in MiB.
    #[serde(default = "keep_free_mb", deserialize_with = "checks::within::<0, 1_000_000_000, _, _>")]
    pub keep_free_mb: u64,
    /// Tokens of the sources that are recorded here. What no volume names goes to the first one.
    #[serde(default)]
    pub sources: Vec<String>,
}

fn keep_free_mb() -> u64 {
    1024
}

impl VolumeEntry {
    /// The one that is there without configuration.
    pub fn in_data_dir(data_dir: &Path) -> Self {
        let path = data_dir.join("mediastore");
        Self { name: "main".into(), path, keep_free_mb: keep_free_mb(), sources: Vec::new() }
    }
}

/// Names and sources are unique, paths absolute.
pub fn volumes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<VolumeEntry>, D::Error> {
    let volumes = Vec::<VolumeEntry>::deserialize(from)?;
    for (at, volume) in volumes.iter().enumerate() {
        let name = &volume.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || name.len() > MAX_TOKEN || !name.chars().all(plain) {
            let text = format!("volume name {name:?} is not 1 to {MAX_TOKEN} of A-Z a-z 0-9 _ -");
            return Err(D::Error::custom(text));
        }
        if !volume.path.is_absolute() {
            return Err(D::Error::custom(format!("path of volume {name} is not absolute")));
        }
        for earlier in volumes.iter().take(at) {
            if earlier.name == *name || earlier.path == volume.path {
                return Err(D::Error::custom(format!("volume {name} is there twice")));
            }
            if let Some(token) = volume.sources.iter().find(|token| earlier.sources.contains(token)) {
                let text = format!("source {token} is on two volumes, {} and {name}", earlier.name);
                return Err(D::Error::custom(text));
            }
        }
    }
    Ok(volumes)
}
