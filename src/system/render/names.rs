//! How the box is found on the LAN: DNS-SD services, told by systemd-resolved under the host name (RFC 6763).

use super::super::VERSION;
use super::super::machine::Identity;
use super::super::root::Root;
use super::super::units;
use crate::base::Result;

/// The services and their ports. A box has these, whatever the configuration says: it is part of the image.
const SERVICES: [(&str, u16); 2] = [("http", 80), ("https", 443)];

/// Writes the services of a box called `name`.
///
/// # Errors
/// Names the file.
pub fn render(root: &Root, identity: &Identity, name: &str) -> Result<()> {
    let model = match board(&root.read("/usr/lib/os-release")?.unwrap_or_default()) {
        Some(board) => format!("h5edge-{board}"),
        None => "h5edge".to_owned(),
    };
    for (service, port) in SERVICES {
        let text = format!(
            "[Service]\nName={name}\nType=_{service}._tcp\nPort={port}\n\
             TxtText=\"model={model}\" \"serial={}\" \"version={VERSION}\"\n",
            identity.device_id
        );
        root.put(&format!("/run/systemd/dnssd/h5edge-{service}.dnssd"), &text, 0o644)?;
    }
    Ok(())
}

/// Has systemd-resolved read them again.
///
/// # Errors
/// Those of systemctl.
pub fn reload(root: &Root) -> Result<()> {
    units::tell(root, "try-restart", "systemd-resolved.service")
}

/// `H5EDGE_BOARD` of os-release(5).
fn board(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("H5EDGE_BOARD="))?.trim_matches('"');
    let sound = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    sound.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::super::root::rehearsal::Rehearsal;
    use super::*;

    #[test]
    fn services_tell_model_serial_and_version() {
        let it = Rehearsal::new();
        let identity = Identity::read(&it.root).unwrap();
        render(&it.root, &identity, "gate-7").unwrap();
        let expected = format!(
            "[Service]\nName=gate-7\nType=_https._tcp\nPort=443\n\
             TxtText=\"model=h5edge-qemu\" \"serial={}\" \"version={VERSION}\"\n",
            identity.device_id
        );
        assert_eq!(it.text("/run/systemd/dnssd/h5edge-https.dnssd"), expected);
        assert!(it.text("/run/systemd/dnssd/h5edge-http.dnssd").contains("Type=_http._tcp\nPort=80\n"));
        assert_eq!((board("ID=x\n"), board("H5EDGE_BOARD=a%i b\n")), (None, None));
    }
}
