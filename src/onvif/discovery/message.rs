//! What a searcher says and hears: Probe out, ProbeMatches in. Reading bears what cameras get wrong.

use uuid::Uuid;

use super::scopes;
use super::{ADDRESSING, DEVICE, DISCOVERY, NETWORK, SOAP};
use crate::base::Result;
use crate::onvif::xml::{self, Element};

/// Most devices in one answer; a recorder that answers for its channels has up to 64.
const MOST: usize = 256;

/// What is asked for. Devices answer to different ones, and printers to the last.
pub const KINDS: [Option<&str>; 3] = [Some("dn:NetworkVideoTransmitter"), Some("tds:Device"), None];

/// A Probe with a message id of its own, for one of [`KINDS`].
pub fn probe(types: Option<&str>) -> String {
    let types = types.map(|types| format!("<d:Types>{types}</d:Types>")).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\" xmlns:d=\"{DISCOVERY}\" \
         xmlns:dn=\"{NETWORK}\" xmlns:tds=\"{DEVICE}\"><s:Header>\
         <a:MessageID>urn:uuid:{}</a:MessageID>\
         <a:To s:mustUnderstand=\"true\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>\
         <a:Action s:mustUnderstand=\"true\">{DISCOVERY}/Probe</a:Action></s:Header>\
         <s:Body><d:Probe>{types}</d:Probe></s:Body></s:Envelope>",
        Uuid::new_v4()
    )
}

/// One device of an answer, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Empty where there is none.
    pub endpoint: String,
    pub scopes: Vec<String>,
    pub xaddrs: Vec<String>,
    /// Whether it is one of ours; printers and computers answer as well.
    pub onvif: bool,
}

/// The devices in an answer: each `ProbeMatch`, wherever and in whatever namespace it is.
///
/// # Errors
/// `BadInput` when it is no XML, or only the front half of it.
pub fn matches(datagram: &[u8]) -> Result<Vec<Match>> {
    let root = xml::parse(datagram)?;
    // Namespaces of the type names' prefixes are not kept; a device that knows ours declares it.
    let declares = String::from_utf8_lossy(datagram).contains(DEVICE);
    let mut found = Vec::new();
    gather(&root, "ProbeMatch", &mut found);
    Ok(found.into_iter().map(|element| read(element, declares)).collect())
}

fn gather<'a>(element: &'a Element, name: &str, found: &mut Vec<&'a Element>) {
    if found.len() >= MOST {
        return;
    }
    if element.name == name {
        found.push(element);
        return;
    }
    for child in &element.children {
        gather(child, name, found);
    }
}

fn read(element: &Element, declares: bool) -> Match {
    let text = |name: &str| element.find(name).map(|found| found.text.as_str()).unwrap_or_default();
    let reference = element.find("EndpointReference").unwrap_or(element);
    let endpoint = reference.find("Address").map(|address| address.text.clone()).unwrap_or_default();
    let (types, scopes, xaddrs) = (text("Types"), text("Scopes"), text("XAddrs"));
    Match {
        endpoint,
        scopes: scopes::split(scopes),
        xaddrs: xaddrs.split_whitespace().map(str::to_owned).collect(),
        onvif: is_onvif(types, declares) || mentions(scopes) || mentions(xaddrs),
    }
}

fn is_onvif(types: &str, declares: bool) -> bool {
    types.split_whitespace().any(|name| {
        let local = name.rsplit(':').next().unwrap_or_default();
        // Printers are a `Device` of another namespace.
        local.starts_with("NetworkVideo") || (local == "Device" && declares)
    })
}

fn mentions(text: &str) -> bool {
    text.to_ascii_lowercase().contains("onvif")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_well_formed_and_never_the_same() {
        for kind in KINDS {
            let (one, other) = (probe(kind), probe(kind));
            let root = xml::parse(one.as_bytes()).unwrap();
            assert_eq!(root.text_at(&["Body", "Probe", "Types"]), kind);
            assert_eq!(root.at(&["Body", "Probe"]).unwrap().namespace, DISCOVERY);
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_proper_answer() {
        let answer = format!(
            "<e:Envelope xmlns:e='{SOAP}' xmlns:w='{ADDRESSING}' xmlns:d='{DISCOVERY}' xmlns:dn='{NETWORK}'>
            <e:Header><w:MessageID>uuid:1</w:MessageID><w:To>x</w:To></e:Header><e:Body><d:ProbeMatches>
            <d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:a</w:Address></w:EndpointReference>
            <d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/A</d:Scopes>
            <d:XAddrs>http://198.51.100.11/onvif/device_service http://[fe80::1]/onvif/device_service</d:XAddrs>
            <d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>
            <d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:b</w:Address></w:EndpointReference>
            <d:Types>dn:NetworkVideoTransmitter</d:Types></d:ProbeMatch>
            </d:ProbeMatches></e:Body></e:Envelope>"
        );
        let found = matches(answer.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].endpoint.as_str(), found[1].endpoint.as_str()), ("urn:uuid:a", "urn:uuid:b"));
        assert_eq!(found[0].xaddrs.len(), 2);
        assert!(found[0].onvif && found[1].onvif);
    }

    #[test]
    fn a_bare_match_with_the_reference_in_a_wrong_namespace() {
        let answer = format!(
            "<s:Envelope xmlns:s='{SOAP}' xmlns:d='{DISCOVERY}'><s:Body><d:ProbeMatch>
            <d:EndpointReference><d:Address>uuid:c</d:Address></d:EndpointReference>
            <d:Types>dn:NetworkVideoTransmitter</d:Types>
            <d:XAddrs>http://198.51.100.12:8080/onvif/device_service</d:XAddrs>
            </d:ProbeMatch></s:Body></s:Envelope>"
        );
        let found = matches(answer.as_bytes()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].endpoint.as_str(), found[0].onvif), ("uuid:c", true));
    }

    #[test]
    fn an_answer_without_declared_prefixes_or_a_reference() {
        let found = matches(
            b"<Envelope><Body><x:ProbeMatches><x:ProbeMatch><XAddrs>http://198.51.100.13/onvif/x</XAddrs>
            </x:ProbeMatch></x:ProbeMatches></Body></Envelope>",
        )
        .unwrap();
        assert_eq!((found[0].endpoint.as_str(), found[0].onvif), ("", true));
    }

    #[test]
    fn printers_and_computers_are_told_apart() {
        let answer = |types: &str, more: &str| {
            let text = format!(
                "<Envelope xmlns:wsdp='http://schemas.xmlsoap.org/ws/2006/02/devprof' {more}><Body><ProbeMatches>
                <ProbeMatch><Types>{types}</Types><XAddrs>http://198.51.100.9:5357/1234</XAddrs></ProbeMatch>
                </ProbeMatches></Body></Envelope>"
            );
            matches(text.as_bytes()).unwrap()[0].onvif
        };
        assert!(!answer("wsdp:Device wprt:PrintDeviceType", ""));
        assert!(!answer("wsdp:Device pub:Computer", ""));
        assert!(answer("tds:Device", &format!("xmlns:tds='{DEVICE}'")));
        assert!(answer("NetworkVideoTransmitter", ""));
    }

    #[test]
    fn what_is_no_answer_gives_nothing() {
        assert!(matches(b"").is_err());
        assert!(matches(b"NOTIFY * HTTP/1.1\r\n\r\n").is_err());
        assert!(matches(b"<a><ProbeMatch></a>").is_err());
        assert_eq!(matches(b"<Envelope><Body><Hello/></Body></Envelope>").unwrap(), []);
        let many = format!("<a>{}</a>", "<ProbeMatch/>".repeat(2 * MOST));
        assert_eq!(matches(many.as_bytes()).unwrap().len(), MOST);
    }
}
