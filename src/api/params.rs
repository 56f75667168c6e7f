//! The parameters of one request, from its query string or its form body, decoded and checked once.
//!
//! Bound: at most [`MAX_PARAMS`] pairs, each from a query of at most 8 KiB or a body of at most
//! 64 KiB; both are limited before they come here.

use percent_encoding::percent_decode_str;

use crate::base::{Error, Result};

/// Most parameters one request may carry.
pub const MAX_PARAMS: usize = 64;
/// Longest parameter name, in bytes.
const MAX_NAME: usize = 64;

/// Where the pairs stood, which decides what a `+` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Query string: `+` is a plus sign. Times come as `+08` and passwords hold it; both are sent
    /// unencoded by clients in the field.
    Query,
    /// `application/x-www-form-urlencoded` body: `+` is a blank.
    Form,
}

/// Name and value pairs; names are unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `a=1&b=2`, tolerating what client pages really send: empty pairs (`&&`), a leading `?`,
    /// blanks around names and values (but not around passwords), quotes around the session, and
    /// `undefined` or `null` in place of one. A `%` without two hex digits behind it stands for
    /// itself.
    ///
    /// # Errors
    /// `BadInput` naming the parameter: not UTF-8, control characters, given twice with different
    /// values, or more than [`MAX_PARAMS`].
    pub fn parse(text: &str, encoding: Encoding) -> Result<Self> {
        let mut params = Self::default();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name.trim_start_matches('?'), encoding)
                .map_err(|why| Error::bad_input(format!("a parameter name {why}")))?;
            let name = name.trim();
            if name.is_empty() {
                continue;
            }
            if name.len() > MAX_NAME {
                return Err(Error::bad_input(format!("a parameter name is longer than {MAX_NAME} bytes")));
            }
            let value = match name {
                name if LINES.contains(&name) => decode_lines(value, encoding),
                _ => decode(value, encoding),
            };
            let value = value.map_err(|why| Error::bad_input(format!("parameter {name} {why}")))?;
            params.add(name, tidy(name, &value))?;
        }
        Ok(params)
    }

    /// The pairs of `self`, and those of `other`.
    ///
    /// # Errors
    /// As for [`Params::parse`].
    pub fn merged(mut self, other: Self) -> Result<Self> {
        for (name, value) in other.0 {
            self.add(&name, &value)?;
        }
        Ok(self)
    }

    /// Takes `session` as the session unless the request named one itself.
    pub fn default_session(&mut self, session: &str) -> Result<()> {
        match self.get(SESSION) {
            Some(_) => Ok(()),
            None => self.add(SESSION, tidy(SESSION, session)),
        }
    }

    /// Takes `session` as the session, whatever the request says.
    pub fn set_session(&mut self, session: String) {
        self.0.retain(|(name, _)| name != SESSION);
        self.0.push((SESSION.to_owned(), session));
    }

    /// The value of `name`, if it was given and is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The value of `name`, if it was given; empty says that there shall be none.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// `BadInput` when it is missing or empty.
    pub fn require(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| Error::bad_input(format!("parameter {name} is missing")))
    }

    /// All that was given, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names that were given, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn add(&mut self, name: &str, value: &str) -> Result<()> {
        if name == SESSION && matches!(value, "" | "undefined" | "null") {
            return Ok(());
        }
        match self.0.iter().find(|(known, _)| known == name) {
            Some((_, known)) if known == value => Ok(()),
            Some(_) => {
                Err(Error::bad_input(format!("parameter {name} is given twice with different values")))
            }
            None if self.0.len() == MAX_PARAMS => {
                Err(Error::bad_input(format!("more than {MAX_PARAMS} parameters")))
            }
            None => {
                self.0.push((name.to_owned(), value.to_owned()));
                Ok(())
            }
        }
    }
}

/// The one parameter that every call knows.
pub const SESSION: &str = "session";

/// The parameters that hold lines of text: SSH keys, and PEM.
const LINES: [&str; 3] = ["keys", "cert", "key"];

/// A blank around a value comes from a wrapped line, except in a password, where it may be meant.
fn tidy<'a>(name: &str, value: &'a str) -> &'a str {
    match name {
        SESSION => value.trim_matches(|c: char| c == ' ' || c == '\'' || c == '"'),
        _ if name.ends_with("password") || matches!(name, "psk" | "ssid") => value,
        _ => value.trim(),
    }
}

/// Percent-decoded text, or what is wrong with it. Says nothing of the text itself, which may be
/// a password.
pub fn decode(text: &str, encoding: Encoding) -> std::result::Result<String, &'static str> {
    let text = decode_lines(text, encoding)?;
    if text.contains(['\n', '\r']) {
        return Err(CONTROL);
    }
    Ok(text)
}

const CONTROL: &str = "holds a control character";

fn decode_lines(text: &str, encoding: Encoding) -> std::result::Result<String, &'static str> {
    let plus_as_blank;
    let text = match encoding {
        Encoding::Form => {
            plus_as_blank = text.replace('+', " ");
            &plus_as_blank
        }
        Encoding::Query => text,
    };
    let text = percent_decode_str(text).decode_utf8().map_err(|_| "is not UTF-8")?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r')) {
        return Err(CONTROL);
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Params {
        Params::parse(text, Encoding::Query).unwrap()
    }

    fn refusal(text: &str) -> String {
        Params::parse(text, Encoding::Query).unwrap_err().to_string()
    }

    #[test]
    fn plus_is_itself_in_a_query_and_a_blank_in_a_form() {
        assert_eq!(query("start=2018-03-07T120101+08").get("start"), Some("2018-03-07T120101+08"));
        assert_eq!(query("start=2018-03-07T120101%2b08").get("start"), Some("2018-03-07T120101+08"));
        let form = Params::parse("name=Front+door%2B", Encoding::Form).unwrap();
        assert_eq!(form.get("name"), Some("Front door+"));
    }

    #[test]
    fn a_session_that_says_nothing_is_none() {
        for empty in ["session=", "session", "session=undefined", "session=null", "session=''", "session=%20"]
        {
            assert_eq!(query(empty), Params::default(), "{empty}");
        }
        for quoted in ["session='c1'", "session=%22c1%22", "session=%27c1%27", "session=c1%20"] {
            assert_eq!(query(quoted).get("session"), Some("c1"), "{quoted}");
        }
        assert_eq!(query("session=undefined&session=c1").get("session"), Some("c1"));
    }

    #[test]
    fn the_header_is_only_a_second_carrier() {
        let mut params = query("session=query");
        params.default_session("header").unwrap();
        assert_eq!(params.get("session"), Some("query"));
        let mut params = query("session=null");
        params.default_session("'header'").unwrap();
        assert_eq!(params.get("session"), Some("header"));
    }

    #[test]
    fn blanks_go_except_in_passwords() {
        let params = query("%20name = Front door %20&password= a b ");
        assert_eq!(params.get("name"), Some("Front door"));
        assert_eq!(params.get("password"), Some(" a b "));
        assert_eq!(query("psk= a b ").get("psk"), Some(" a b "));
    }

    #[test]
    fn faults_name_the_parameter() {
        assert_eq!(refusal("name=%ff"), "parameter name is not UTF-8");
        assert_eq!(refusal("name=a%00b"), "parameter name holds a control character");
        assert_eq!(refusal("name=a%0ab"), "parameter name holds a control character");
        assert_eq!(query("keys=a%0d%0ab%0a").get("keys"), Some("a\r\nb"));
        assert_eq!(refusal("%0a=1"), "a parameter name holds a control character");
        assert_eq!(refusal("token=a&token=b"), "parameter token is given twice with different values");
        assert_eq!(refusal(&"x".repeat(65)), "a parameter name is longer than 64 bytes");
        let many: String = (0..65).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(refusal(&many), "more than 64 parameters");
        assert_eq!(query("token=a&token=a").get("token"), Some("a"));
        assert_eq!(query("password=50%off").get("password"), Some("50%off"));
    }
}
