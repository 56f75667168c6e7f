//! Who we are for those who look for devices, and the messages that say so.

use std::net::{IpAddr, SocketAddr};

use uuid::Uuid;

use super::interfaces::Interface;
use super::{ADDRESSING, DEVICE, DISCOVERY, NETWORK, SOAP};
use crate::onvif::xml::escape;

/// Longest message id of a question that is repeated in the answer, in characters.
const MAX_ID: usize = 256;

/// The device as others find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Endpoint reference, kept for life; the same as `GetEndpointReference` gives.
    /// `urn:uuid:…`, the same for ever and the same as `GetEndpointReference` gives.
    pub endpoint: String,
    /// URIs, percent-encoded, as `GetScopes` gives them.
    pub scopes: Vec<String>,
    /// Where the HTTP server listens. What it cannot be reached at is not announced.
    pub http: SocketAddr,
    /// Path of the device service.
    pub path: String,
    /// Has to grow whenever anything else here changes.
    pub metadata_version: u32,
}

/// The types that we are, as namespace and name.
pub const TYPES: [(&str, &str); 2] = [(NETWORK, "NetworkVideoTransmitter"), (DEVICE, "Device")];

impl Identity {
    /// Address of the device service for somebody on `interface`, who is `asker` where that is known:
    /// our address in the asker's network, else any there at which the HTTP server listens.
    pub fn xaddr(&self, interface: &Interface, asker: Option<IpAddr>) -> Option<String> {
        let all = || interface.nets.iter().map(|net| net.ip).filter(|ip| self.listens(*ip));
        let near = asker.and_then(|asker| interface.towards(asker)).filter(|ip| self.listens(*ip));
        let ip = near.or_else(|| all().find(IpAddr::is_ipv4)).or_else(|| all().next())?;
        Some(format!("http://{}{}", SocketAddr::new(ip, self.http.port()), self.path))
    }

    fn listens(&self, ip: IpAddr) -> bool {
        match self.http.ip() {
            // A socket for any IPv6 address takes IPv4 as well.
            IpAddr::V6(any) if any.is_unspecified() => true,
            IpAddr::V4(any) if any.is_unspecified() => ip.is_ipv4(),
            one => one == ip,
        }
    }

    fn described(&self, xaddr: &str) -> String {
        let scopes: Vec<_> = self.scopes.iter().map(|scope| escape(scope)).collect();
        format!(
            "<a:EndpointReference><a:Address>{}</a:Address></a:EndpointReference>\
             <d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>{}</d:Scopes>\
             <d:XAddrs>{}</d:XAddrs><d:MetadataVersion>{}</d:MetadataVersion>",
            escape(&self.endpoint),
            scopes.join(" "),
            escape(xaddr),
            self.metadata_version
        )
    }
}

/// What is answered to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Probe,
    Resolve,
}

/// Writes messages, and numbers them (WS-Discovery 7).
#[derive(Debug)]
pub struct Writer {
    /// Grows with every start: seconds since 1970.
    instance: u64,
    number: u32,
}

impl Writer {
    pub fn new(instance: u64) -> Self {
        Self { instance, number: 0 }
    }

    /// We are there, or something about us has changed.
    pub fn hello(&mut self, identity: &Identity, xaddr: &str) -> String {
        let body = format!("<d:Hello>{}</d:Hello>", identity.described(xaddr));
        self.message("Hello", None, &body)
    }

    /// We go.
    pub fn bye(&mut self, identity: &Identity) -> String {
        let reference = escape(&identity.endpoint);
        let body = format!(
            "<d:Bye><a:EndpointReference><a:Address>{reference}</a:Address></a:EndpointReference></d:Bye>"
        );
        self.message("Bye", None, &body)
    }

    /// The answer to the question with the message id `to`.
    pub fn answer(&mut self, answer: Answer, to: &str, identity: &Identity, xaddr: &str) -> String {
        let (outer, inner) = match answer {
            Answer::Probe => ("ProbeMatches", "ProbeMatch"),
            Answer::Resolve => ("ResolveMatches", "ResolveMatch"),
        };
        let described = identity.described(xaddr);
        let body = format!("<d:{outer}><d:{inner}>{described}</d:{inner}></d:{outer}>");
        self.message(outer, Some(to), &body)
    }

    fn message(&mut self, action: &str, relates_to: Option<&str>, body: &str) -> String {
        self.number = self.number.wrapping_add(1);
        let relates = relates_to.map(|id| {
            let id: String = id.chars().take(MAX_ID).collect();
            format!("<a:RelatesTo>{}</a:RelatesTo>", escape(&id))
        });
        let to = match relates_to {
            Some(_) => "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous",
            None => "urn:schemas-xmlsoap-org:ws:2005:04:discovery",
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\" xmlns:d=\"{DISCOVERY}\" \
             xmlns:dn=\"{NETWORK}\" xmlns:tds=\"{DEVICE}\"><s:Header>\
             <a:MessageID>urn:uuid:{}</a:MessageID>{}<a:To>{to}</a:To>\
             <a:Action>{DISCOVERY}/{action}</a:Action>\
             <d:AppSequence InstanceId=\"{}\" MessageNumber=\"{}\"/></s:Header>\
             <s:Body>{body}</s:Body></s:Envelope>",
            Uuid::new_v4(),
            relates.unwrap_or_default(),
            self.instance,
            self.number
        )
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::interfaces::tests::interface;
    use super::*;
    use crate::onvif::xml;

    pub fn identity(http: &str) -> Identity {
        Identity {
            endpoint: "urn:uuid:00000000-0000-0000-0000-000000000abc".to_owned(),
            scopes: vec![
                "onvif://www.onvif.org/name/A%20&%20B".to_owned(),
                "onvif://www.onvif.org/x".to_owned(),
            ],
            http: http.parse().unwrap(),
            path: "/onvif/device_service".to_owned(),
            metadata_version: 7,
        }
    }

    #[test]
    fn an_address_is_announced_where_it_serves() {
        let eth0 = interface(
            "eth0",
            2,
            &[
                ("fe80::1", "ffff:ffff:ffff:ffff::"),
                ("198.51.100.1", "255.255.255.0"),
                ("203.0.113.1", "255.255.255.0"),
            ],
        );
        let xaddr = |http: &str, asker: Option<&str>| {
            identity(http).xaddr(&eth0, asker.map(|asker| asker.parse().unwrap()))
        };
        let at = |host: &str| Some(format!("http://{host}:8080/onvif/device_service"));
        assert_eq!(xaddr("0.0.0.0:8080", Some("203.0.113.7")), at("203.0.113.1"));
        assert_eq!(xaddr("0.0.0.0:8080", Some("192.0.2.1")), at("198.51.100.1"));
        assert_eq!(xaddr("0.0.0.0:8080", None), at("198.51.100.1"));
        // Asked over IPv6, where only IPv4 is served.
        assert_eq!(xaddr("0.0.0.0:8080", Some("fe80::7")), at("198.51.100.1"));
        assert_eq!(xaddr("[::]:8080", Some("fe80::7")), at("[fe80::1]"));
        assert_eq!(xaddr("203.0.113.1:8080", Some("198.51.100.7")), at("203.0.113.1"));
        assert_eq!(xaddr("127.0.0.1:8080", Some("198.51.100.7")), None);
    }

    #[test]
    fn messages_are_numbered_and_read_back() {
        let (mut writer, identity) = (Writer::new(1000), identity("0.0.0.0:80"));
        let hello = xml::parse(writer.hello(&identity, "http://198.51.100.1:80/x").as_bytes()).unwrap();
        let said = hello.at(&["Body", "Hello"]).unwrap();
        assert_eq!(said.namespace, DISCOVERY);
        let reference = "urn:uuid:00000000-0000-0000-0000-000000000abc";
        assert_eq!(said.text_at(&["EndpointReference", "Address"]), Some(reference));
        let scopes = "onvif://www.onvif.org/name/A%20&%20B onvif://www.onvif.org/x";
        assert_eq!(said.text_at(&["Scopes"]), Some(scopes));
        assert_eq!(said.text_at(&["MetadataVersion"]), Some("7"));

        let answer = writer.answer(Answer::Probe, "urn:<q>", &identity, "http://198.51.100.1:80/x");
        let answer = xml::parse(answer.as_bytes()).unwrap();
        assert_eq!(answer.text_at(&["Header", "RelatesTo"]), Some("urn:<q>"));
        assert_eq!(answer.text_at(&["Header", "Action"]), Some(&*format!("{DISCOVERY}/ProbeMatches")));
        let matched = answer.at(&["Body", "ProbeMatches", "ProbeMatch"]).unwrap();
        assert_eq!(matched.text_at(&["XAddrs"]), Some("http://198.51.100.1:80/x"));

        let bye = xml::parse(writer.bye(&identity).as_bytes()).unwrap();
        assert_eq!(bye.text_at(&["Body", "Bye", "EndpointReference", "Address"]), Some(reference));
        let sequence = bye.at(&["Header", "AppSequence"]).unwrap();
        assert_eq!(
            (sequence.attribute("InstanceId"), sequence.attribute("MessageNumber")),
            (Some("1000"), Some("3"))
        );
    }
}
