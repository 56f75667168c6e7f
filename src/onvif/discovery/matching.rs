//! What others ask of us: Probe and Resolve, and whether it is us whom they mean.

use quick_xml::events::Event;
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;

use super::announce::{Answer, Identity, TYPES};
use super::scopes::{self, Rule};
use super::{ADDRESSING, DISCOVERY, bare_endpoint};
use crate::base::{Error, Result};
use crate::onvif::xml::{self, Element};

/// Most types or scopes of one question; more than that match nothing.
const MOST: usize = 32;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Message id, for the answer to name.
    pub id: String,
    wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// All of these types, as namespace and name, and all of these scopes.
    Probe { types: Vec<(String, String)>, scopes: Vec<String>, rule: Rule },
    /// This endpoint.
    Resolve(String),
}

impl Question {
    /// Reads a Probe or Resolve; `None` is another message of the protocol.
    ///
    /// # Errors
    /// `BadInput` for what is none of its messages, and for a question that wants its answer elsewhere.
    pub fn read(datagram: &[u8]) -> Result<Option<Self>> {
        let root = xml::parse(datagram)?;
        let Some(asked) = root.child("Body").and_then(|body| body.children.first()) else {
            return Err(Error::bad_input("no body"));
        };
        // The later version of the protocol has another namespace, and would not take our answer.
        if !asked.namespace.is_empty() && asked.namespace != DISCOVERY {
            return Ok(None);
        }
        let wanted = match asked.name.as_str() {
            "Probe" => probed(asked, datagram)?,
            "Resolve" => {
                let endpoint = asked.text_at(&["EndpointReference", "Address"]);
                Wanted::Resolve(bare_endpoint(endpoint.ok_or_else(|| Error::bad_input("no endpoint"))?))
            }
            _ => return Ok(None),
        };
        let id = root.text_at(&["Header", "MessageID"]).ok_or_else(|| Error::bad_input("no message id"))?;
        let anonymous = format!("{ADDRESSING}/role/anonymous");
        if root.text_at(&["Header", "ReplyTo", "Address"]).is_some_and(|address| address != anonymous) {
            return Err(Error::bad_input("an answer to a third party"));
        }
        Ok(Some(Self { id: id.to_owned(), wanted }))
    }

    /// What we answer, if it is us who are meant.
    pub fn means(&self, identity: &Identity) -> Option<Answer> {
        match &self.wanted {
            Wanted::Resolve(endpoint) => {
                (*endpoint == bare_endpoint(&identity.endpoint)).then_some(Answer::Resolve)
            }
            Wanted::Probe { types, scopes, rule } => {
                let is = |(namespace, name): &(String, String)| {
                    TYPES.iter().any(|own| own.1 == name && (own.0 == namespace || namespace.is_empty()))
                };
                let within = |wanted: &String| identity.scopes.iter().any(|own| rule.holds(wanted, own));
                (types.iter().all(is) && scopes.iter().all(within)).then_some(Answer::Probe)
            }
        }
    }
}

fn probed(probe: &Element, datagram: &[u8]) -> Result<Wanted> {
    let types = match probe.text_at(&["Types"]) {
        Some(_) => types(datagram)?,
        None => Vec::new(),
    };
    let scopes = probe.text_at(&["Scopes"]).map(scopes::split).unwrap_or_default();
    if types.len() > MOST || scopes.len() > MOST {
        return Err(Error::bad_input(format!("more than {MOST} types or scopes")));
    }
    let rule = Rule::named(probe.child("Scopes").and_then(|scopes| scopes.attribute("MatchBy")));
    Ok(Wanted::Probe { types, scopes, rule })
}

/// The names in the first `Types` of a document that was parsed already, with the namespaces that their
/// prefixes are bound to there; empty where a prefix is bound to none.
fn types(datagram: &[u8]) -> Result<Vec<(String, String)>> {
    let text = String::from_utf8_lossy(datagram);
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut inside = false;
    let mut found = Vec::new();
    loop {
        match reader.read_event().map_err(|error| Error::bad_input(format!("no XML: {error}")))? {
            Event::Start(start) if start.local_name().as_ref() == "Types" => inside = true,
            Event::Text(text) if inside => {
                for word in text.split_whitespace().take(MOST + 1) {
                    let (namespace, name) = reader.resolver().resolve_element(QName(word));
                    let namespace = match namespace {
                        ResolveResult::Bound(bound) => bound.as_ref().to_owned(),
                        ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
                    };
                    found.push((namespace, name.as_ref().to_owned()));
                }
            }
            Event::End(_) if inside => return Ok(found),
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::announce::tests::identity;
    use super::super::{DEVICE, NETWORK, SOAP, message};
    use super::*;

    fn asked(body: &str) -> Option<Answer> {
        let datagram = format!(
            "<s:Envelope xmlns:s='{SOAP}' xmlns:a='{ADDRESSING}' xmlns:d='{DISCOVERY}' xmlns:n='{NETWORK}'>
            <s:Header><a:MessageID>uuid:1</a:MessageID></s:Header><s:Body>{body}</s:Body></s:Envelope>"
        );
        let question = Question::read(datagram.as_bytes()).unwrap()?;
        assert_eq!(question.id, "uuid:1");
        question.means(&identity("0.0.0.0:80"))
    }

    #[test]
    fn our_own_probes_mean_us() {
        for kind in message::KINDS {
            let question = Question::read(message::probe(kind).as_bytes()).unwrap().unwrap();
            assert_eq!(question.means(&identity("0.0.0.0:80")), Some(Answer::Probe));
        }
    }

    #[test]
    fn types_are_compared_by_namespace() {
        let probe = |types: &str| asked(&format!("<d:Probe>{types}</d:Probe>")).is_some();
        assert!(probe(""));
        assert!(probe("<d:Types/>"));
        assert!(probe("<d:Types>n:NetworkVideoTransmitter</d:Types>"));
        let device = format!("<d:Types xmlns:x='{DEVICE}'> x:Device\n n:NetworkVideoTransmitter </d:Types>");
        assert!(probe(&device));
        assert!(probe(&format!("<d:Types xmlns='{NETWORK}'>NetworkVideoTransmitter</d:Types>")));
        // Nobody declared the prefix: the name alone has to do.
        assert!(probe("<d:Types>dn:NetworkVideoTransmitter</d:Types>"));
        assert!(!probe("<d:Types>n:NetworkVideoDisplay</d:Types>"));
        assert!(!probe(
            "<d:Types xmlns:w='http://schemas.xmlsoap.org/ws/2006/02/devprof'>w:Device</d:Types>"
        ));
        assert!(!probe("<d:Types>n:NetworkVideoTransmitter n:Printer</d:Types>"));
    }

    #[test]
    fn scopes_have_to_match_all() {
        let probe = |scopes: &str| asked(&format!("<d:Probe>{scopes}</d:Probe>")).is_some();
        assert!(probe("<d:Scopes>onvif://www.onvif.org/name</d:Scopes>"));
        assert!(probe("<d:Scopes>onvif://www.onvif.org/name onvif://www.onvif.org/x</d:Scopes>"));
        assert!(!probe("<d:Scopes>onvif://www.onvif.org/name onvif://www.onvif.org/y</d:Scopes>"));
        assert!(!probe(&format!("<d:Scopes MatchBy='{DISCOVERY}/strcmp0'>onvif://www.onvif.org</d:Scopes>")));
        assert!(!probe(&format!("<d:Scopes MatchBy='{DISCOVERY}/ldap'>onvif://www.onvif.org/x</d:Scopes>")));
    }

    #[test]
    fn a_resolve_means_one_endpoint() {
        let resolve = |endpoint: &str| {
            asked(&format!(
                "<d:Resolve><a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference></d:Resolve>"
            ))
        };
        assert_eq!(resolve("urn:uuid:00000000-0000-0000-0000-000000000ABC"), Some(Answer::Resolve));
        assert_eq!(resolve("urn:uuid:00000000-0000-0000-0000-000000000abd"), None);
    }

    #[test]
    fn other_messages_and_other_versions_are_left_alone() {
        assert_eq!(asked("<d:Hello/>"), None);
        assert_eq!(asked("<d:ProbeMatches/>"), None);
        let later = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01";
        assert_eq!(asked(&format!("<p:Probe xmlns:p='{later}'/>")), None);
    }

    #[test]
    fn bad_questions_are_refused() {
        let refused = |datagram: &str| Question::read(datagram.as_bytes()).unwrap_err().to_string();
        assert!(refused("M-SEARCH * HTTP/1.1").contains("ends early"));
        assert!(refused("<a/>").contains("no body"));
        assert!(refused("<a><Body><Probe/></Body></a>").contains("message id"));
        assert!(refused("<a><Body><Resolve/></Body></a>").contains("endpoint"));
        let types = "n:A ".repeat(MOST + 1);
        let many = format!(
            "<a><Header><MessageID>1</MessageID></Header><Body><Probe><Types>{types}</Types></Probe></Body></a>"
        );
        assert!(refused(&many).contains("types or scopes"));
        let elsewhere =
            "<a><Header><MessageID>1</MessageID><ReplyTo><Address>http://192.0.2.1/</Address></ReplyTo>
            </Header><Body><Probe/></Body></a>";
        assert!(refused(elsewhere).contains("third party"));
    }
}
