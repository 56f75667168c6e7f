use super::super::super::order::Passphrase;
use super::super::super::root::rehearsal::Rehearsal;
use super::*;

const ETH0: &str = "/run/systemd/network/10-h5edge-eth0.network";
const WLAN0: &str = "/run/h5edge-system/wpa_supplicant-wlan0.conf";

fn render_one(it: &Rehearsal, interface: &str, link: Link) {
    render(&it.root, &[(interface.to_owned(), link)].into()).unwrap();
}

fn wifi(method: Method, psk: Option<&str>) -> Link {
    Link { method, ssid: Some("Büro".into()), psk: psk.map(Passphrase::new) }
}

#[test]
fn a_box_without_settings_has_what_the_image_says() {
    let it = Rehearsal::new();
    render(&it.root, &BTreeMap::new()).unwrap();
    assert!(it.root.list(FOLDER).is_empty());
    render_one(&it, "eth0", Link { method: Method::Dhcp, ssid: None, psk: None });
    let text = it.text(ETH0);
    assert!(text.contains("[Network]\nDHCP=ipv4\nIPv6AcceptRA=yes\nLinkLocalAddressing=yes\n"), "{text}");
    assert!(text.contains("LLDP=no\n\n[DHCPv4]\nClientIdentifier=mac\n"), "{text}");
}

#[test]
fn a_static_address() {
    let it = Rehearsal::new();
    let method = Method::Static {
        address: "192.168.1.5".parse().unwrap(),
        prefix: 24,
        gateway: Some("192.168.1.1".parse().unwrap()),
        dns: vec!["192.168.1.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
    };
    render_one(&it, "eth0", Link { method, ssid: None, psk: None });
    assert_eq!(
        it.text(ETH0),
        "[Match]\nName=eth0\n\n[Link]\nRequiredForOnline=no\n\n[Network]\nDHCP=no\nIPv6AcceptRA=no\n\
         LinkLocalAddressing=ipv6\nMulticastDNS=yes\nLLMNR=no\nLLDP=no\nDNS=192.168.1.1\nDNS=2001:db8::1\nGateway=192.168.1.1\nAddress=192.168.1.5/24\n"
    );
}

#[test]
fn what_is_set_no_more_goes() {
    let it = Rehearsal::new();
    it.file("/run/systemd/network/70-other.network", "");
    render_one(&it, "eth0", Link { method: Method::Off, ssid: None, psk: None });
    assert!(it.text(ETH0).contains("LinkLocalAddressing=no\n"));
    render_one(&it, "wlan0", wifi(Method::Dhcp, Some("12345678")));
    assert!(!it.root.has(ETH0));
    assert!(it.root.has(WLAN0));
    render_one(&it, "wlan0", wifi(Method::Off, Some("12345678")));
    assert!(!it.root.has(WLAN0));
    render_one(&it, "wlan0", wifi(Method::Dhcp, None));
    render(&it.root, &BTreeMap::new()).unwrap();
    assert!(!it.root.has(WLAN0));
    assert_eq!(it.root.list(FOLDER), ["70-other.network"]);
}

#[test]
fn wireless_networks_stand_in_a_file_that_only_root_reads() {
    let it = Rehearsal::new();
    render_one(&it, "wlan0", wifi(Method::Dhcp, Some("a \"b\" \\ #c}")));
    assert_eq!(it.mode(WLAN0), 0o600);
    let expected = "ctrl_interface=/run/wpa_supplicant\nupdate_config=0\nnetwork={\n\tssid=42c3bc726f\n\tscan_ssid=1\n\
                    \tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n\tieee80211w=1\n\tpsk=\"a \"b\" \\ #c}\"\n}\n";
    assert_eq!(it.text(WLAN0), expected);
    render_one(&it, "wlan0", wifi(Method::Dhcp, None));
    assert!(it.text(WLAN0).ends_with("\tscan_ssid=1\n\tkey_mgmt=NONE\n}\n"));
}
