//! Time zone and NTP servers.

use super::super::root::{RUN, Root};
use super::super::settings::Settings;
use super::super::units;
use crate::base::{Error, Result};

/// Where nothing else is said.
pub const DEFAULT_ZONE: &str = "UTC";

const ZONES: &str = "/usr/share/zoneinfo";
const SERVERS: &str = "/run/systemd/timesyncd.conf.d/10-h5edge.conf";

/// Makes the link that `/etc/localtime` leads to. A zone that this image does not know becomes UTC.
///
/// # Errors
/// Names the link.
pub fn render_zone(root: &Root, settings: &Settings) -> Result<()> {
    let wanted = settings.zone.as_deref().unwrap_or(DEFAULT_ZONE);
    let zone = match find(root, wanted) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::error!("the time zone is {DEFAULT_ZONE}: {error}");
            DEFAULT_ZONE
        }
    };
    root.link(&format!("{RUN}/localtime"), &format!("{ZONES}/{zone}"))
}

/// Whether there is a time zone of that name, whose shape was checked.
///
/// # Errors
/// `NotFound`
pub fn find(root: &Root, zone: &str) -> Result<()> {
    let start = std::fs::read(root.at(&format!("{ZONES}/{zone}"))).unwrap_or_default();
    // RFC 9636: other files lie there too.
    if !start.starts_with(b"TZif") {
        return Err(Error::not_found(format!("parameter zone: there is no time zone {zone}")));
    }
    Ok(())
}

/// Writes the NTP servers for systemd-timesyncd, which otherwise asks the image's own.
///
/// # Errors
/// Names the file.
pub fn render_servers(root: &Root, settings: &Settings) -> Result<()> {
    if settings.ntp.is_empty() {
        return root.remove(SERVERS);
    }
    root.put(SERVERS, &format!("[Time]\nNTP={}\n", settings.ntp.join(" ")), 0o644)
}

/// Has systemd-timesyncd read them again.
///
/// # Errors
/// Those of systemctl.
pub fn reload_servers(root: &Root) -> Result<()> {
    units::tell(root, "try-restart", "systemd-timesyncd.service")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::super::root::rehearsal::Rehearsal;
    use super::*;

    #[test]
    fn zones_are_those_of_the_image() {
        let it = Rehearsal::new();
        let zone = |zone: Option<&str>| {
            let settings = Settings { zone: zone.map(str::to_owned), ..Settings::default() };
            render_zone(&it.root, &settings).unwrap();
            std::fs::read_link(it.root.at("/run/h5edge-system/localtime")).unwrap()
        };
        assert_eq!(zone(Some("Europe/Berlin")), Path::new("/usr/share/zoneinfo/Europe/Berlin"));
        assert_eq!(zone(None), Path::new("/usr/share/zoneinfo/UTC"));
        assert_eq!(zone(Some("Europe/Atlantis")), Path::new("/usr/share/zoneinfo/UTC"));
        it.file("/usr/share/zoneinfo/tzdata.zi", "# version");
        for none in ["Europe", "tzdata.zi", "Europe/Atlantis"] {
            assert!(find(&it.root, none).is_err(), "{none}");
        }
    }

    #[test]
    fn servers_come_and_go() {
        let it = Rehearsal::new();
        let ntp = vec!["a.example".to_owned(), "2001:db8::1".to_owned()];
        render_servers(&it.root, &Settings { ntp, ..Settings::default() }).unwrap();
        assert_eq!(it.text(SERVERS), "[Time]\nNTP=a.example 2001:db8::1\n");
        render_servers(&it.root, &Settings::default()).unwrap();
        assert!(!it.root.has(SERVERS));
    }
}
