//! The network, as the Device service tells it.

use std::net::IpAddr;

use super::Ask;
use super::site::{Interface, Network, Site};
use super::write::tag;

pub fn hostname(network: &Network) -> String {
    let name = tag("tt:Name", &network.hostname);
    format!("<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>{name}</tds:HostnameInformation>")
}

/// The interface that the client reached us at comes first: many take the first MAC as the device's.
pub fn interfaces<S: Site>(ask: &Ask<'_, S>, network: &Network) -> String {
    let local = ask.request.local.ip().to_canonical();
    let here = |interface: &&Interface| interface.addresses.iter().any(|(address, _)| *address == local);
    let (first, rest): (Vec<_>, Vec<_>) = network.interfaces.iter().partition(here);
    first.into_iter().chain(rest).map(interface).collect()
}

fn interface(interface: &Interface) -> String {
    let info = tag("tt:Name", &interface.name)
        + &tag("tt:HwAddress", &interface.mac)
        + &tag("tt:MTU", interface.mtu);
    let of_family = |v4: bool, element: &str| -> String {
        let addresses = interface.addresses.iter().filter(|(address, _)| address.is_ipv4() == v4);
        addresses
            .map(|(address, prefix)| {
                let inside = tag("tt:Address", address) + &tag("tt:PrefixLength", prefix);
                format!("<tt:{element}>{inside}</tt:{element}>")
            })
            .collect()
    };
    let family = |name: &str, inside: String| {
        format!("<tt:{name}><tt:Enabled>true</tt:Enabled><tt:Config>{inside}</tt:Config></tt:{name}>")
    };
    let v4 = of_family(true, "Manual");
    let v6 = of_family(false, "Manual");
    let v4 = if v4.is_empty() { v4 } else { family("IPv4", v4 + "<tt:DHCP>false</tt:DHCP>") };
    let v6 = if v6.is_empty() { v6 } else { family("IPv6", format!("<tt:DHCP>Off</tt:DHCP>{v6}")) };
    format!(
        "<tds:NetworkInterfaces token=\"{}\">{}<tt:Info>{info}</tt:Info>{v4}{v6}</tds:NetworkInterfaces>",
        crate::onvif::xml::escape(&interface.name),
        tag("tt:Enabled", interface.up),
    )
}

pub fn dns(network: &Network) -> String {
    let domains: String =
        network.search_domains.iter().map(|domain| tag("tt:SearchDomain", domain)).collect();
    let servers: String = network.dns.iter().map(|server| address("tt:DNSManual", *server)).collect();
    format!("<tds:DNSInformation><tt:FromDHCP>false</tt:FromDHCP>{domains}{servers}</tds:DNSInformation>")
}

/// `tt:IPAddress`
fn address(element: &str, address: IpAddr) -> String {
    let (kind, name) = match address {
        IpAddr::V4(_) => ("IPv4", "tt:IPv4Address"),
        IpAddr::V6(_) => ("IPv6", "tt:IPv6Address"),
    };
    format!("<{element}>{}{}</{element}>", tag("tt:Type", kind), tag(name, address))
}

pub fn protocols(network: &Network) -> String {
    let one = |name: &str, port: Option<u16>| {
        let inside = tag("tt:Name", name)
            + &tag("tt:Enabled", port.is_some())
            + &tag("tt:Port", port.unwrap_or_default());
        format!("<tds:NetworkProtocols>{inside}</tds:NetworkProtocols>")
    };
    one("HTTP", Some(network.http)) + &one("HTTPS", network.https) + &one("RTSP", Some(network.rtsp))
}

pub fn gateway(network: &Network) -> String {
    let of_family = |v4: bool, element: &str| -> String {
        network.gateways.iter().filter(|ip| ip.is_ipv4() == v4).map(|ip| tag(element, ip)).collect()
    };
    let (v4, v6) = (of_family(true, "tt:IPv4Address"), of_family(false, "tt:IPv6Address"));
    format!("<tds:NetworkGateway>{v4}{v6}</tds:NetworkGateway>")
}
