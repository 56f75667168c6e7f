//! How hot the machine is: the kernel's thermal zones. What they are named differs from board to board.

use std::fs;
use std::path::Path;

/// Zones that are told, of the dozen that large processors have.
const MOST: usize = 16;

/// One part of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temperature {
    /// As the kernel has it: `cpu-thermal`, `x86_pkg_temp`.
    pub name: String,
    /// In whole degrees.
    pub celsius: i32,
}

/// The zones in `class` (`/sys/class/thermal`), by their numbers. One that is switched off tells nothing.
pub fn temperatures(class: &Path) -> Vec<Temperature> {
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix("thermal_zone")?.parse().ok();
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let mut zones: Vec<u32> = entries.filter_map(number).collect();
    zones.sort_unstable();
    let zone = |number: u32| {
        let text = |file| fs::read_to_string(class.join(format!("thermal_zone{number}")).join(file)).ok();
        let millis: i32 = text("temp")?.trim().parse().ok()?;
        Some(Temperature { name: text("type")?.trim().to_owned(), celsius: (millis + 500).div_euclid(1000) })
    };
    zones.into_iter().filter_map(zone).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let zone = |name: &str, kind: &str, temp: &str| {
            let zone = dir.path().join(name);
            fs::create_dir(&zone).unwrap();
            fs::write(zone.join("type"), format!("{kind}\n")).unwrap();
            fs::write(zone.join("temp"), temp).unwrap();
        };
        zone("thermal_zone10", "gpu-thermal", "-4600\n");
        zone("thermal_zone2", "cpu-thermal", "51540\n");
        zone("thermal_zone3", "off", "");
        zone("cooling_device0", "fan", "1000");
        let shown: Vec<_> =
            temperatures(dir.path()).into_iter().map(|part| (part.name, part.celsius)).collect();
        assert_eq!(shown, [("cpu-thermal".to_owned(), 52), ("gpu-thermal".to_owned(), -5)]);
        assert!(temperatures(Path::new("/no/such/place")).is_empty());
    }
}
