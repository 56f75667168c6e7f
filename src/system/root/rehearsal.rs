//! A box in a folder, for unit tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::Root;

/// The folder, gone when dropped.
pub struct Rehearsal {
    pub root: Root,
    dir: TempDir,
}

impl Rehearsal {
    /// A box with `eth0` and `wlan0`, two zones, a machine id, and no programs.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let it = Self { root: Root::new(dir.path()), dir };
        it.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        it.file("/proc/cmdline", "ro rauc.slot=A quiet\n");
        it.file("/usr/lib/os-release", "ID=h5edge\nH5EDGE_BOARD=\"qemu\"\n");
        it.file("/sys/class/net/eth0/address", "02:00:00:00:00:01\n");
        it.file("/sys/class/net/lo/address", "00:00:00:00:00:00\n");
        it.file("/sys/class/net/wlan0/address", "02:00:00:00:00:02\n");
        it.file("/sys/class/net/wlan0/phy80211/name", "phy0\n");
        for zone in ["UTC", "Europe/Berlin"] {
            it.file(&format!("/usr/share/zoneinfo/{zone}"), "TZif2");
        }
        it
    }

    pub fn file(&self, path: &str, text: &str) {
        let path = self.root.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program that writes its arguments to a log, and then does as `body` (a shell script) says.
    pub fn program(&self, name: &str, body: &str) {
        let path = self.root.at(&format!("/usr/bin/{name}"));
        let log = self.dir.path().join("log");
        self.file(
            &format!("/usr/bin/{name}"),
            &format!("#!/bin/sh\necho {name} \"$@\" >>{}\n{body}\n", log.display()),
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The programs of a box, which do nothing.
    pub fn programs(&self) {
        for name in ["networkctl", "systemctl", "fw_setenv"] {
            self.program(name, "");
        }
    }

    /// What was run since the last time this was asked.
    pub fn ran(&self) -> Vec<String> {
        let log = self.dir.path().join("log");
        let text = fs::read_to_string(&log).unwrap_or_default();
        fs::write(&log, "").unwrap();
        text.lines().map(str::to_owned).collect()
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.root.at(path)).unwrap().permissions().mode() & 0o7777
    }
}
