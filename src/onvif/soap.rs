//! SOAP 1.2 envelopes: written in the shape that all cameras take, and opened on either side.

use super::xml::{Element, escape, parse};
use crate::base::{Error, Result};

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
/// Namespace of ONVIF's own fault subcodes (`ter:`).
pub const ERRORS: &str = "http://www.onvif.org/ver10/error";

/// A request. `header` and `arguments` are XML; `arguments` in `namespace` as default, with `tt:` bound.
///
/// Its prefixes, and where they are declared, are not free: there are cameras that look for exactly
/// `<s:Body xmlns:xsi… xmlns:xsd…><Operation xmlns="`.
pub fn request(namespace: &str, operation: &str, header: &str, arguments: &str) -> String {
    let header = if header.is_empty() { String::new() } else { format!("<s:Header>{header}</s:Header>") };
    let schema = super::service::SCHEMA;
    format!(
        "<s:Envelope xmlns:s=\"{ENVELOPE}\">{header}\
         <s:Body xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\
         <{operation} xmlns=\"{namespace}\" xmlns:tt=\"{schema}\">{arguments}</{operation}>\
         </s:Body></s:Envelope>"
    )
}

/// WS-Addressing headers, by which event services tell their subscriptions apart. `to` may be empty.
pub fn addressing(action: &str, to: &str) -> String {
    let id = format!("urn:uuid:{}", uuid::Uuid::new_v4());
    let header = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<wsa:{name} xmlns:wsa=\"{ADDRESSING}\">{}</wsa:{name}>", escape(value)),
    };
    [header("Action", action), header("MessageID", &id), header("To", to)].concat()
}

/// An envelope around `body`, which is XML. `header` may be empty; `s:` is bound.
pub fn envelope(header: &str, body: &str) -> String {
    let header = if header.is_empty() { String::new() } else { format!("<s:Header>{header}</s:Header>") };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s:Envelope xmlns:s=\"{ENVELOPE}\">{header}<s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    Sender,
    Receiver,
}

/// A fault for an envelope's body, with subcodes of ONVIF's error namespace, the widest first
/// (ONVIF Core 5.8.2).
pub fn fault(blame: Blame, subcodes: &[&str], reason: &str) -> String {
    let mut inner = String::new();
    for subcode in subcodes.iter().rev() {
        inner = format!("<s:Subcode><s:Value>ter:{subcode}</s:Value>{inner}</s:Subcode>");
    }
    let code = match blame {
        Blame::Sender => "Sender",
        Blame::Receiver => "Receiver",
    };
    format!(
        "<s:Fault xmlns:ter=\"{ERRORS}\"><s:Code><s:Value>s:{code}</s:Value>{inner}</s:Code>\
         <s:Reason><s:Text xml:lang=\"en\">{}</s:Text></s:Reason></s:Fault>",
        escape(reason)
    )
}

/// An envelope, opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Empty where there is none.
    pub header: Element,
    /// The first element of the body; `None` where that is empty.
    pub body: Option<Element>,
}

impl Opened {
    /// Reads a request or an answer.
    ///
    /// # Errors
    /// `BadInput` saying what is wrong with it.
    pub fn read(document: &[u8]) -> Result<Self> {
        let root = parse(document)?;
        if root.name != "Envelope" {
            return Err(Error::bad_input(format!("no SOAP: the document is a <{}>", root.name)));
        }
        let mut opened = Self::default();
        let mut body = None;
        for child in root.children {
            match child.name.as_str() {
                "Header" => opened.header = child,
                "Body" => body = body.or(Some(child)),
                _ => {}
            }
        }
        let body = body.ok_or_else(|| Error::bad_input("no SOAP: the envelope has no body"))?;
        opened.body = body.children.into_iter().next();
        Ok(opened)
    }

    /// The fault, if it is one.
    pub fn fault(&self) -> Option<Fault> {
        self.body.as_ref().filter(|body| body.name == "Fault").map(Fault::of)
    }
}

/// A camera's refusal. Local names: prefixes are bound to whatever, or to nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// `Sender`, `Receiver`, or SOAP 1.1's `Client`, `Server`.
    pub code: String,
    /// `NotAuthorized`, `ActionNotSupported`, …, the widest first.
    pub subcodes: Vec<String>,
    /// At most [`MAX_REASON`] characters.
    pub reason: String,
}

/// Most that is kept of a reason.
const MAX_REASON: usize = 200;

impl Fault {
    fn of(element: &Element) -> Self {
        let local = |text: &str| text.rsplit(':').next().unwrap_or_default().trim().to_owned();
        let code = element.text_at(&["Code", "Value"]).or_else(|| element.text_at(&["faultcode"]));
        let mut subcodes = Vec::new();
        let mut next = element.at(&["Code", "Subcode"]);
        while let Some(subcode) = next {
            subcodes.extend(subcode.text_at(&["Value"]).map(local));
            next = subcode.child("Subcode");
        }
        let reason = element.text_at(&["Reason", "Text"]).or_else(|| element.text_at(&["faultstring"]));
        let shown = reason.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
        Self { code: code.map(local).unwrap_or_default(), subcodes, reason: shown }
    }

    /// Whether it says that we may not, for want of the right password or the right role.
    pub fn is_about_login(&self) -> bool {
        let codes = ["NotAuthorized", "FailedAuthentication", "SenderNotAuthorized", "InvalidSecurity"];
        let tokens = ["InvalidSecurityToken", "MessageExpired", "FailedCheck", "SecurityTokenUnavailable"];
        let known = |code: &String| codes.contains(&code.as_str()) || tokens.contains(&code.as_str());
        if self.subcodes.iter().any(known) || known(&self.code) {
            return true;
        }
        let reason = self.reason.to_ascii_lowercase();
        let texts = [
            "not authorized",
            "unauthorized",
            "not authorised",
            "authority failure",
            "authentication fail",
            "failed authentication",
            "timestamp expired",
        ];
        texts.iter().any(|text| reason.contains(text))
    }

    /// Whether it says that there is no such operation or service.
    pub fn is_unsupported(&self) -> bool {
        let known = |code: &String| {
            ["ActionNotSupported", "OptionalActionNotImplemented", "NoSuchService"].contains(&code.as_str())
        };
        let reason = self.reason.to_ascii_lowercase();
        self.subcodes.iter().any(known)
            || ["not implemented", "not supported", "unknown action"].iter().any(|text| reason.contains(text))
    }

    /// What a user may be shown of it.
    pub fn shown(&self) -> String {
        let code = self.subcodes.last().unwrap_or(&self.code);
        match (code.is_empty(), self.reason.is_empty()) {
            (true, true) => "a fault without a reason".into(),
            (true, false) => self.reason.clone(),
            (false, true) => code.clone(),
            (false, false) => format!("{} ({code})", self.reason),
        }
    }
}

#[cfg(test)]
mod tests;
