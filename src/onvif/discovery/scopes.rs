//! Scopes: the list of URIs by which a device describes itself (ONVIF Core 7.3.2).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Longest text that is taken from a scope, in characters.
const MOST: usize = 128;

/// The scopes in the text of a `Scopes` element.
///
/// They are separated by white space of any kind. Some devices leave the blanks in a name as they are,
/// so a word that is no URI belongs to the scope before it.
pub fn split(text: &str) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match scopes.last_mut() {
            Some(last) if !has_scheme(word) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => scopes.push(word.to_owned()),
        }
    }
    scopes
}

fn has_scheme(word: &str) -> bool {
    match word.split_once(':') {
        Some((scheme, _)) => {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        }
        None => false,
    }
}

/// What the first scope of the category (`hardware`, `name`, `location`) says, decoded; what is encoded
/// badly stays as it is.
pub fn value(scopes: &[String], category: &str) -> Option<String> {
    scopes.iter().find_map(|scope| {
        let (_, rest) = scope.split_once("://")?;
        let mut parts = rest.splitn(3, '/').skip(1);
        if !parts.next()?.eq_ignore_ascii_case(category) {
            return None;
        }
        let decoded = decode(parts.next()?);
        let text: String = decoded.chars().filter(|c| !c.is_control()).take(MOST).collect();
        let text = text.trim().trim_end_matches('/');
        (!text.is_empty()).then(|| text.to_owned())
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// How a probe wants its scopes compared (WS-Discovery 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// By URI, segment by segment; the default.
    Rfc3986,
    /// As strings.
    Strcmp0,
    /// A rule that we do not have: nothing matches.
    Other,
}

impl Rule {
    /// The rule that the attribute `MatchBy` names.
    pub fn named(match_by: Option<&str>) -> Self {
        match match_by.map(|uri| uri.trim().rsplit('/').next().unwrap_or_default()) {
            // The draft of 2005 calls it after the older of the two RFCs.
            None | Some("" | "rfc3986" | "rfc2396") => Self::Rfc3986,
            Some("strcmp0") => Self::Strcmp0,
            Some(_) => Self::Other,
        }
    }

    /// Whether a device with the scope `own` is meant by `wanted`.
    pub fn holds(self, wanted: &str, own: &str) -> bool {
        match self {
            Self::Rfc3986 => is_prefix(wanted, own).unwrap_or(false),
            Self::Strcmp0 => wanted == own,
            Self::Other => false,
        }
    }
}

/// Scheme and authority equal but for case, the path of `wanted` a prefix by whole segments; query and
/// fragment do not count. `None` where either is no such URI.
fn is_prefix(wanted: &str, own: &str) -> Option<bool> {
    let (wanted_scheme, wanted_rest) = wanted.split_once(':')?;
    let (own_scheme, own_rest) = own.split_once(':')?;
    let (wanted_host, wanted_path) = parts(wanted_rest);
    let (own_host, own_path) = parts(own_rest);
    if wanted_path.iter().chain(&own_path).any(|segment| segment == "." || segment == "..") {
        return None;
    }
    let same = wanted_scheme.eq_ignore_ascii_case(own_scheme) && wanted_host.eq_ignore_ascii_case(own_host);
    Some(same && own_path.starts_with(&wanted_path))
}

/// Authority, and the decoded segments of the path; an empty one at the end does not count.
fn parts(rest: &str) -> (&str, Vec<Cow<'_, str>>) {
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", rest),
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments = if path.is_empty() { Vec::new() } else { path.split('/').map(decode).collect() };
    (host, segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_separated_by_any_white_space() {
        let text = "onvif://www.onvif.org/type/ptz\r\n  onvif://www.onvif.org/name/A\tonvif://www.onvif.org/hardware/B";
        assert_eq!(split(text).len(), 3);
        assert_eq!(split("  \n "), Vec::<String>::new());
    }

    #[test]
    fn blanks_in_a_name_that_were_not_encoded_stay_in_it() {
        let scopes = split("onvif://www.onvif.org/name/IPy Cam 1 onvif://www.onvif.org/hardware/IPyCam");
        assert_eq!(value(&scopes, "name").as_deref(), Some("IPy Cam 1"));
        assert_eq!(value(&scopes, "hardware").as_deref(), Some("IPyCam"));
    }

    #[test]
    fn names_are_decoded_and_bad_escapes_borne() {
        let name = |scope: &str| value(&[scope.to_owned()], "name");
        assert_eq!(
            name("onvif://www.onvif.org/name/Camera%20009%20%E9%97%A8").as_deref(),
            Some("Camera 009 门")
        );
        assert_eq!(name("onvif://www.onvif.org/name/100%ZZ%2").as_deref(), Some("100%ZZ%2"));
        assert_eq!(name("onvif://www.onvif.org/Name/a/b/").as_deref(), Some("a/b"));
        assert_eq!(name("onvif://www.onvif.org/name/%C3%28").as_deref(), Some("\u{fffd}("));
        assert_eq!(name("onvif://www.onvif.org/name/a%00b%0A").as_deref(), Some("ab"));
        assert_eq!(name("onvif://www.onvif.org/name/"), None);
        assert_eq!(name("onvif://www.onvif.org/name"), None);
        assert_eq!(name("name"), None);
    }

    #[test]
    fn a_scope_is_meant_by_a_prefix_of_whole_segments() {
        let own = "onvif://www.onvif.org/location/country/china%20north";
        let meant = |wanted: &str| Rule::Rfc3986.holds(wanted, own);
        assert!(meant("onvif://www.onvif.org"));
        assert!(meant("onvif://www.onvif.org/"));
        assert!(meant("ONVIF://WWW.onvif.org/location"));
        assert!(meant("onvif://www.onvif.org/location/country/"));
        assert!(meant("onvif://www.onvif.org/location/country/china north?x=1"));
        assert!(!meant("onvif://www.onvif.org/loc"));
        assert!(!meant("onvif://www.onvif.org/Location"));
        assert!(!meant("onvif://www.onvif.org/location/country/china%20north/beijing"));
        assert!(!meant("onvif://www.onvif.org/location/../location"));
        assert!(!meant("http://www.onvif.org/location"));
        assert!(!meant("onvif"));
    }

    #[test]
    fn the_rule_is_the_one_that_is_named() {
        const BASE: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery/";
        assert_eq!(Rule::named(None), Rule::Rfc3986);
        assert_eq!(Rule::named(Some(&format!("{BASE}rfc3986"))), Rule::Rfc3986);
        assert_eq!(Rule::named(Some(&format!("{BASE}rfc2396"))), Rule::Rfc3986);
        assert_eq!(Rule::named(Some(&format!("{BASE}ldap"))), Rule::Other);
        let exact = Rule::named(Some(&format!("{BASE}strcmp0")));
        assert!(exact.holds("onvif://a/b", "onvif://a/b"));
        assert!(!exact.holds("onvif://a", "onvif://a/b"));
        assert!(!Rule::Other.holds("onvif://a", "onvif://a"));
    }
}
