//! The box's time and name.

use serde::{Deserialize, Serialize};

use super::check;
use super::machine::Identity;
use super::render::names;
use super::render::time::{self, DEFAULT_ZONE};
use super::root::Root;
use super::settings::Settings;
use crate::base::{Error, Result};

/// systemd-timesyncd makes it when it has the time from a server.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// Moments that are taken for meant: from 2024 to 2099.
const MEANT: std::ops::Range<i64> = 1_704_067_200..4_102_444_800;

/// [`super::order::Order::Time`]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    pub zone: String,
    /// Those that were set; none are the image's own and those of DHCP.
    pub ntp: Vec<String>,
    pub synchronised: bool,
}

/// [`super::order::Order::Name`]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    pub name: String,
    /// What it is where none is set.
    pub default: String,
}

pub fn time(root: &Root, settings: &Settings) -> Time {
    Time {
        zone: settings.zone.clone().unwrap_or_else(|| DEFAULT_ZONE.to_owned()),
        ntp: settings.ntp.clone(),
        synchronised: root.has(SYNCHRONISED),
    }
}

/// # Errors
/// Names the parameter. Nothing has changed then.
pub fn check(root: &Root, zone: Option<&str>, ntp: Option<&[String]>, at: Option<i64>) -> Result<()> {
    if let Some(zone) = zone {
        check::zone("zone", zone)?;
        time::find(root, zone)?;
    }
    if let Some(ntp) = ntp {
        check::servers("ntp", ntp)?;
    }
    match at {
        Some(at) if !MEANT.contains(&at) => {
            Err(Error::bad_input("parameter time is not in the years from 2024 to 2099"))
        }
        Some(_) if root.has(SYNCHRONISED) => {
            Err(Error::refused("parameter time: the clock follows an NTP server and cannot be set by hand"))
        }
        _ => Ok(()),
    }
}

/// Has zone and servers hold.
///
/// # Errors
/// Names what could not be changed.
pub fn apply(root: &Root, settings: &Settings) -> Result<()> {
    time::render_zone(root, settings)?;
    time::render_servers(root, settings)
}

/// # Errors
/// Where the box has no identity.
pub fn name(root: &Root, settings: &Settings) -> Result<Name> {
    let identity = Identity::read(root)?;
    Ok(Name { name: identity.name(settings), default: identity.default_name() })
}

/// Has the name hold.
///
/// # Errors
/// Names what could not be changed.
pub fn apply_name(root: &Root, settings: &Settings) -> Result<()> {
    let identity = Identity::read(root)?;
    let name = identity.name(settings);
    names::render(root, &identity, &name)?;
    root.set_hostname(&name)
}
