//! How worn the disks are, and how the data partition fares: files of `/sys/block` and one statvfs. Nothing
//! here needs root.

use std::fs;
use std::path::Path;

use nix::sys::statvfs::{FsFlags, statvfs};

use crate::base::Result;

const SECTOR: u64 = 512;

/// One disk, card or eMMC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    pub name: String,
    pub model: String,
    pub bytes: u64,
    /// Since the start of the machine.
    pub written: u64,
    /// eMMC 5.0 and later (JESD84-B50 7.4.64): of the worse of both kinds of cells, in steps of 10; over 100
    /// where the maker's estimate is exceeded.
    pub life_used: Option<u8>,
    /// `normal`, `warning` (80 % of the spare blocks are used) or `urgent`; empty where it is not told.
    pub pre_eol: &'static str,
}

/// The file system that holds a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    pub bytes: u64,
    pub free: u64,
    /// Also after an error that made the kernel stop writing.
    pub read_only: bool,
}

/// The disks in `sys_block` (`/sys/block`), by name; without loops, RAM disks and an eMMC's boot parts.
pub fn disks(sys_block: &Path) -> Vec<Disk> {
    let Ok(entries) = fs::read_dir(sys_block) else { return Vec::new() };
    let mut disks: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().join("device").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !(name.starts_with("sr") || name.contains("boot") || name.contains("rpmb")))
        .map(|name| disk(&sys_block.join(&name), name))
        .collect();
    disks.sort_by(|a, b| a.name.cmp(&b.name));
    disks
}

fn disk(dir: &Path, name: String) -> Disk {
    let text = |file: &str| fs::read_to_string(dir.join(file)).unwrap_or_default().trim().to_owned();
    // An eMMC has a name in place of a model.
    let model =
        Some(text("device/model")).filter(|model| !model.is_empty()).unwrap_or_else(|| text("device/name"));
    let sectors = |text: &str| text.parse::<u64>().unwrap_or_default().saturating_mul(SECTOR);
    Disk {
        name,
        model,
        bytes: sectors(&text("size")),
        // The seventh figure (Documentation/block/stat.rst).
        written: sectors(text("stat").split_whitespace().nth(6).unwrap_or_default()),
        life_used: life(&text("device/life_time")),
        pre_eol: match hex(&text("device/pre_eol_info")) {
            Some(1) => "normal",
            Some(2) => "warning",
            Some(3) => "urgent",
            _ => "",
        },
    }
}

/// `0x02 0x01`: tenths of the life of the two kinds of cells, rounded up.
fn life(text: &str) -> Option<u8> {
    let worst = text.split_whitespace().filter_map(hex).max()?;
    (1..=11).contains(&worst).then_some(worst * 10)
}

fn hex(text: &str) -> Option<u8> {
    u8::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// The file system that holds `path`.
///
/// # Errors
/// Where it cannot be asked.
#[allow(clippy::unnecessary_cast, reason = "these types have 32 bits on 32-bit ARM")]
pub fn volume(path: &Path) -> Result<Volume> {
    let fs = statvfs(path).map_err(std::io::Error::from)?;
    let block = fs.fragment_size() as u64;
    Ok(Volume {
        bytes: fs.blocks() as u64 * block,
        free: fs.blocks_available() as u64 * block,
        read_only: fs.flags().contains(FsFlags::ST_RDONLY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_disks_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let put = |file: &str, text: &str| {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("mmcblk0/size", "61071360\n");
        put("mmcblk0/stat", "  10 0 20 3   40 5 2048 7 0 1 2 0 0 0 0 0 0\n");
        put("mmcblk0/device/name", "DG4032\n");
        put("mmcblk0/device/life_time", "0x01 0x03\n");
        put("mmcblk0/device/pre_eol_info", "0x02\n");
        put("mmcblk0boot0/device/name", "DG4032\n");
        put("sda/size", "x");
        put("sda/device/model", "Flash Disk   \n");
        put("mmcblk1/device/life_time", "0x00 0x00");
        put("loop0/size", "100");
        let emmc = Disk {
            name: "mmcblk0".into(),
            model: "DG4032".into(),
            bytes: 61_071_360 * 512,
            written: 1 << 20,
            life_used: Some(30),
            pre_eol: "warning",
        };
        let card = Disk { name: "mmcblk1".into(), ..Disk::default() };
        let stick = Disk { name: "sda".into(), model: "Flash Disk".into(), ..Disk::default() };
        assert_eq!(disks(dir.path()), [emmc, card, stick]);
        assert_eq!(disks(Path::new("/no/such/place")), []);
        assert_eq!((life("0x0b 0x01"), life("0x0c"), life("1")), (Some(110), None, None));
    }

    #[test]
    fn a_volume_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let told = volume(dir.path()).unwrap();
        assert!(told.bytes > told.free && !told.read_only);
        assert!(volume(Path::new("/proc")).unwrap().bytes == 0);
        assert!(volume(Path::new("/no/such/place")).is_err());
    }
}
