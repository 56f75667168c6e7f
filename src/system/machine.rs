//! Who a box is. All derives from systemd's machine id, which the boot loader keeps, so that a factory
//! reset does not change it; and in one direction only, since machine-id(5) asks not to show it.

use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Builder;

use super::root::{RUN, Root};
use super::settings::Settings;
use crate::base::{Error, Result};

/// Writing the boot loader's environment is one block on a disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the second copy of the boot loader's environment is, for fw_setenv.
const SECOND_COPY: &str = "/etc/fw_env-copy2.config";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    machine_id: String,
    /// A UUID.
    pub device_id: String,
}

impl Identity {
    /// # Errors
    /// `Internal` where this machine has no machine id.
    pub fn read(root: &Root) -> Result<Self> {
        let text = root.read("/etc/machine-id")?.unwrap_or_default();
        let machine_id = text.trim().to_owned();
        if !is_machine_id(&machine_id) {
            return Err(Error::internal("/etc/machine-id holds no machine id"));
        }
        let digest = Sha256::digest(format!("h5edge device{machine_id}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // Version 8 of RFC 9562: what the bits mean is the maker's affair.
        let device_id = Builder::from_custom_bytes(bytes).into_uuid().to_string();
        Ok(Self { machine_id, device_id })
    }

    pub fn default_name(&self) -> String {
        format!("h5edge-{}", &self.device_id[self.device_id.len() - 6..])
    }

    /// The box's host name.
    pub fn name(&self, settings: &Settings) -> String {
        settings.name.clone().unwrap_or_else(|| self.default_name())
    }

    /// Tells the daemon the device id.
    ///
    /// # Errors
    /// Names the file.
    pub fn publish(&self, root: &Root) -> Result<()> {
        root.put(&format!("{RUN}/device-id"), &format!("{}\n", self.device_id), 0o644)
    }

    /// Has the boot loader keep the machine id. A start that was given none is the first: the id was made
    /// up a moment ago.
    ///
    /// # Errors
    /// Those of fw_setenv.
    pub fn remember(&self, root: &Root) -> Result<()> {
        let line = root.read("/proc/cmdline")?.unwrap_or_default();
        let mut known = line.split_whitespace().filter_map(|word| word.strip_prefix("systemd.machine_id="));
        if known.next_back() == Some(self.machine_id.as_str()) {
            return Ok(());
        }
        // The boot script copies it into the second copy at the next start only. Until then a power cut that tears
        // the first copy would make another box of this one.
        let both = [&["-c", SECOND_COPY][..], &[]].map(|copy| {
            let arguments = [copy, &["machine_id", &self.machine_id]].concat();
            root.run("fw_setenv", &arguments, PATIENCE).map(drop)
        });
        both.into_iter().collect()
    }
}

fn is_machine_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::super::root::rehearsal::Rehearsal;
    use super::*;

    #[test]
    fn derives_from_the_machine_id_and_does_not_show_it() {
        let it = Rehearsal::new();
        let identity = Identity::read(&it.root).unwrap();
        assert_eq!(identity.device_id, "22cbeed6-6d85-81bc-9cc4-c65c035ddf86");
        assert_eq!(identity.name(&Settings::default()), "h5edge-5ddf86");
        let named = Settings { name: Some("gate".into()), ..Settings::default() };
        assert_eq!(identity.name(&named), "gate");
        identity.publish(&it.root).unwrap();
        assert_eq!(it.mode("/run/h5edge-system/device-id"), 0o644);
        for text in ["", "uninitialized\n", "0123456789ABCDEF0123456789ABCDEF", "0123"] {
            it.file("/etc/machine-id", text);
            assert!(Identity::read(&it.root).is_err(), "{text}");
        }
    }

    #[test]
    fn the_boot_loader_is_told_once() {
        let it = Rehearsal::new();
        it.programs();
        let identity = Identity::read(&it.root).unwrap();
        identity.remember(&it.root).unwrap();
        let id = "machine_id 0123456789abcdef0123456789abcdef";
        assert_eq!(
            it.ran(),
            [format!("fw_setenv -c /etc/fw_env-copy2.config {id}"), format!("fw_setenv {id}")]
        );
        it.file("/proc/cmdline", "ro systemd.machine_id=0123456789abcdef0123456789abcdef quiet\n");
        identity.remember(&it.root).unwrap();
        assert!(it.ran().is_empty());
    }
}
