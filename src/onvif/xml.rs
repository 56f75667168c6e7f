//! XML as cameras write it: read into a small tree by local name, with undeclared prefixes, wrong
//! namespaces, CDATA and broken UTF-8 borne. Document types are refused, as are documents that are
//! too large, too deep or too many-parted: [`MAX_BYTES`], [`MAX_DEPTH`], [`MAX_ELEMENTS`].

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::base::{Error, Result};

/// Largest document, in bytes. The longest honest answer, 64 channels' profiles, is about 300 kB.
pub const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting. ONVIF's own schemas stay under 20.
pub const MAX_DEPTH: usize = 64;
/// Most elements; attributes count as well.
pub const MAX_ELEMENTS: usize = 50_000;

/// One element with what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Namespace that the prefix is bound to; empty where it is bound to none.
    pub namespace: String,
    /// Local name and value of each attribute that is no namespace declaration.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// All text directly inside, trimmed of white space around it.
    pub text: String,
}

impl Element {
    /// The first child of this local name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this local name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element that one gets to by these names, each the first of its kind.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The text of [`Self::at`]; `None` where it is empty.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|element| element.text.as_str()).filter(|text| !text.is_empty())
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first element of this local name, itself or anywhere below, in the document's order.
    pub fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

/// Reads one document.
///
/// # Errors
/// `BadInput` saying what is wrong with it.
pub fn parse(document: &[u8]) -> Result<Element> {
    if document.len() > MAX_BYTES {
        return Err(Error::bad_input(format!("XML of more than {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8_lossy(document);
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|error| Error::bad_input(format!("no XML: {error}")))?;
        match event {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(Error::bad_input(format!("XML nested deeper than {MAX_DEPTH}")));
                }
                open.push(element(&reader, &start, &mut count)?);
            }
            Event::Empty(start) => {
                let empty = element(&reader, &start, &mut count)?;
                if let Some(root) = close(empty, &mut open) {
                    return Ok(root);
                }
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(|| Error::bad_input("no XML: an end without a start"))?;
                if let Some(root) = close(done, &mut open) {
                    return Ok(root);
                }
            }
            Event::Text(text) => add(&mut open, &text),
            Event::CData(text) => add(&mut open, &text),
            Event::GeneralRef(entity) => {
                add(&mut open, &resolved(&entity).unwrap_or_else(|| format!("&{};", &*entity)));
            }
            Event::DocType(_) => return Err(Error::bad_input("XML with a document type")),
            Event::Eof => return Err(Error::bad_input("no XML: it ends early")),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
}

/// Puts a finished element where it belongs; gives it back if it is the root.
fn close(mut done: Element, open: &mut [Element]) -> Option<Element> {
    done.text = done.text.trim().to_owned();
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(done);
            None
        }
        None => Some(done),
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart, count: &mut usize) -> Result<Element> {
    let (namespace, name) = reader.resolver().resolve_element(start.name());
    let namespace = match namespace {
        ResolveResult::Bound(bound) => unescape(bound.as_ref()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false).flatten() {
        *count += 1;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let key = attribute.key.local_name().as_ref().to_owned();
        attributes.push((key, unescape(&attribute.value)));
    }
    *count += 1;
    if *count > MAX_ELEMENTS {
        return Err(Error::bad_input(format!("XML of more than {MAX_ELEMENTS} elements")));
    }
    let name = name.as_ref().to_owned();
    Ok(Element { name, namespace, attributes, children: Vec::new(), text: String::new() })
}

/// The character that an entity stands for.
fn resolved(entity: &str) -> Option<String> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    if let Some(hex) = entity.strip_prefix("#x").or_else(|| entity.strip_prefix("#X")) {
        return number(hex, 16).map(String::from);
    }
    if let Some(decimal) = entity.strip_prefix('#') {
        return number(decimal, 10).map(String::from);
    }
    let plain = match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    };
    Some(plain.to_owned())
}

/// `text` with its entities resolved; what is none stays as it is.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = after.split_once(';').and_then(|(name, tail)| Some((resolved(name)?, tail)));
        match entity {
            Some((character, tail)) => {
                plain.push_str(&character);
                rest = tail;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// `text` for use in an element or an attribute. Control characters, which XML cannot hold, are left out.
pub fn escape(text: &str) -> Cow<'_, str> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    if text.chars().all(|c| allowed(c) && !matches!(c, '&' | '<' | '>' | '"' | '\'')) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars().filter(|c| allowed(*c)) {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_namespaces_attributes_and_text() {
        let root = parse(
            br#"<?xml version="1.0"?><s:Envelope xmlns:s="urn:s"><s:Body a="1 &amp; 2">
            <q:Op xmlns:q="urn:q" q:token=" x "> a &lt;b&#x41;<![CDATA[<c>]]> </q:Op></s:Body></s:Envelope>"#,
        )
        .unwrap();
        assert_eq!((root.name.as_str(), root.namespace.as_str()), ("Envelope", "urn:s"));
        let body = root.child("Body").unwrap();
        assert_eq!(body.attribute("a"), Some("1 & 2"));
        let op = root.at(&["Body", "Op"]).unwrap();
        assert_eq!(op.namespace, "urn:q");
        // A token is opaque, its blanks are part of it.
        assert_eq!(op.attribute("token"), Some(" x "));
        assert_eq!(op.text, "a <bA<c>");
    }

    #[test]
    fn prefixes_that_nobody_declared_are_borne() {
        let root = parse(b"<a><ptz:b>1</ptz:b><c/></a>").unwrap();
        assert_eq!(root.text_at(&["b"]), Some("1"));
        assert_eq!(root.children[0].namespace, "");
    }

    #[test]
    fn bad_documents_are_refused_with_a_reason() {
        let refused = |document: &[u8]| parse(document).unwrap_err().to_string();
        assert!(refused(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").contains("document type"));
        assert!(refused(b"hello").contains("ends early"));
        assert!(refused(b"").contains("ends early"));
        assert!(refused(b"<a><b></a>").contains("no XML"));
        assert!(refused(&b"<a>".repeat(MAX_DEPTH + 1)).contains("nested deeper"));
        assert!(refused(&[b"<a>".as_slice(), &b"<b/>".repeat(MAX_ELEMENTS)].concat()).contains("elements"));
        assert!(refused(&vec![b' '; MAX_BYTES + 1]).contains("bytes"));
    }

    #[test]
    fn broken_utf8_does_not_lose_the_rest() {
        let root = parse(b"<a><b>\xff\xfe</b><c>ok</c></a>").unwrap();
        assert_eq!(root.text_at(&["c"]), Some("ok"));
    }

    #[test]
    fn what_is_escaped_reads_back() {
        let text = "quality <h264> & \"x\" 'y' \u{7}é";
        let root = parse(format!("<a b=\"{0}\">{0}</a>", escape(text)).as_bytes()).unwrap();
        assert_eq!(root.text, "quality <h264> & \"x\" 'y' é");
        assert_eq!(root.attribute("b"), Some("quality <h264> & \"x\" 'y' é"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in "(<(/|!|\\?|[a-z]*:)?[a-z]*( [a-z:]*='[^<]?')*/?>|&(#x?)?[0-9a-z]*;?|.)*") {
            if let Ok(root) = parse(text.as_bytes()) {
                let again = format!("<a>{}</a>", escape(&root.text));
                proptest::prop_assert!(parse(again.as_bytes()).is_ok());
            }
        }
    }
}
