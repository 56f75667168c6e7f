//! What tells this machine from others. On a box it is the device id, which `h5edge boot` derives from the
//! machine id in the boot loader's environment, so that it outlives a factory reset.

use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use uuid::Uuid;

use crate::base::config::Appliance;

/// Where `h5edge boot` leaves the device id, a UUID.
pub const DEVICE_ID: &str = "/run/h5edge-system/device-id";

/// The device id of a box; `None` elsewhere, or where there is none to be read.
pub fn device_id(appliance: &Appliance) -> Option<String> {
    appliance.socket()?;
    let id = read(Path::new(DEVICE_ID));
    if id.is_none() {
        tracing::error!("{DEVICE_ID} holds no device id: h5edge-boot.service did not do its work");
    }
    id
}

fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Uuid::try_parse(text.trim()).ok().map(|id| id.to_string())
}

/// `strHostId`: the device id, or what stands for the machine id elsewhere without giving it away (see
/// machine-id(5)); empty where there is none.
pub fn host_id(appliance: &Appliance) -> String {
    device_id(appliance).unwrap_or_else(|| match fs::read_to_string("/etc/machine-id") {
        Ok(id) => BASE64_STANDARD.encode(Md5::digest(format!("h5edge {}", id.trim()))),
        Err(_) => String::new(),
    })
}

/// The UUID that ONVIF clients know the box with this device id by.
pub fn endpoint(device_id: &str) -> Uuid {
    let hash = Sha256::digest(format!("h5edge onvif {device_id}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_id_is_a_uuid_and_its_endpoint_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("device-id");
        assert_eq!(read(&file), None);
        for bad in ["", "x", "../etc", &"g".repeat(32), &"a".repeat(65)] {
            fs::write(&file, bad).unwrap();
            assert_eq!(read(&file), None, "{bad}");
        }
        fs::write(&file, "00112233-4455-8677-8899-AABBCCDDEEFF\n").unwrap();
        let id = read(&file).unwrap();
        assert_eq!(id, "00112233-4455-8677-8899-aabbccddeeff");
        assert_eq!(endpoint(&id), endpoint(&id));
        assert_ne!(endpoint(&id), endpoint("00112233-4455-8677-8899-aabbccddeefe"));
        assert_eq!(endpoint(&id).get_version_num(), 8);
    }

    #[test]
    fn elsewhere_there_is_none() {
        assert_eq!(device_id(&Appliance::default()), None);
    }
}
