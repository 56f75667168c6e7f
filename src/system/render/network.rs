//! Addresses by systemd-networkd, and Wi-Fi by wpa_supplicant.
//!
//! An interface that nothing was set for has what the image says: DHCP if it has a cable, and nothing if it is
//! wireless. A box that finds no DHCP server still has a link-local address, and answers to its name on it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::order::{Link, Method};
use super::super::root::{RUN, Root};
use crate::base::Result;

const FOLDER: &str = "/run/systemd/network";
const OWN: &str = "10-h5edge-";

/// Nothing at the start waits for a cable.
const LINK: &str = "[Link]\nRequiredForOnline=no\n\n[Network]\n";
const COMMON: &str = "MulticastDNS=yes\nLLMNR=no\nLLDP=no\n";
/// As the image's own file for wired interfaces has it. Without an address from DHCP, networkd takes a
/// link-local one. The server recognises the box by its MAC address: it has the same one after a reset.
const DHCP: &str = "DHCP=ipv4\nIPv6AcceptRA=yes\nLinkLocalAddressing=yes\n";
const DHCP_DETAILS: &str = "\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=no\nUseHostname=no\nUseTimezone=no\n\n\
    [IPv6AcceptRA]\nDHCPv6Client=no\nUseDomains=no\n";

/// Writes the files for these links, and removes those of others.
///
/// # Errors
/// Names the file.
pub fn render(root: &Root, links: &BTreeMap<String, Link>) -> Result<()> {
    for (interface, link) in links {
        root.put(&format!("{FOLDER}/{OWN}{interface}.network"), &network(interface, link), 0o644)?;
        match wireless(link) {
            Some(text) => root.put(&supplicant(interface), &text, 0o600)?,
            None => root.remove(&supplicant(interface))?,
        }
    }
    for name in root.list(FOLDER) {
        let interface = name.strip_prefix(OWN).and_then(|rest| rest.strip_suffix(".network"));
        if let Some(interface) = interface.filter(|interface| !links.contains_key(*interface)) {
            root.remove(&supplicant(interface))?;
            root.remove(&format!("{FOLDER}/{name}"))?;
        }
    }
    Ok(())
}

/// The file that wpa_supplicant@`interface`.service reads; without it, it does not run.
pub fn supplicant(interface: &str) -> String {
    format!("{RUN}/wpa_supplicant-{interface}.conf")
}

/// For a look around only: no network to join.
pub fn idle_supplicant() -> String {
    supplicant_head()
}

fn supplicant_head() -> String {
    format!("ctrl_interface={}\nupdate_config=0\n", super::super::wifi::CONTROL)
}

fn network(interface: &str, link: &Link) -> String {
    let mut text = format!("[Match]\nName={interface}\n\n{LINK}");
    // Writing into a string cannot fail.
    let _ = match &link.method {
        Method::Dhcp => write!(text, "{DHCP}{COMMON}{DHCP_DETAILS}"),
        Method::Off => write!(text, "DHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"),
        Method::Static { address, prefix, gateway, dns } => {
            // Over its IPv6 link-local address the box can be found wherever it is.
            text += "DHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n";
            text += COMMON;
            for server in dns {
                let _ = writeln!(text, "DNS={server}");
            }
            if let Some(gateway) = gateway {
                let _ = writeln!(text, "Gateway={gateway}");
            }
            writeln!(text, "Address={address}/{prefix}")
        }
    };
    text
}

/// wpa_supplicant.conf(5). The name of the network is in hex and the passphrase in quotes, in which every
/// character that it may have stands for itself.
fn wireless(link: &Link) -> Option<String> {
    let ssid = link.ssid.as_ref().filter(|_| link.method != Method::Off)?;
    let ssid: String = ssid.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Both WPA2 and WPA3, whose frames must be protected.
    let key = match &link.psk {
        Some(psk) => {
            format!("\tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n\tieee80211w=1\n\tpsk=\"{}\"\n", psk.expose())
        }
        None => "\tkey_mgmt=NONE\n".to_owned(),
    };
    // Also networks that do not tell their name.
    Some(format!("{}network={{\n\tssid={ssid}\n\tscan_ssid=1\n{key}}}\n", supplicant_head()))
}

#[cfg(test)]
mod tests;
