//! Which other sites may show the pages in a frame. Nobody, unless an Administrator names them: who shows a page
//! in a frame can lay something over it and have its buttons pressed.
//!
//! Kept in the database and in memory; bound: [`MAX_ORIGINS`] origins of [`MAX_TEXT`] bytes together.

use std::sync::{PoisonError, RwLock};

use serde_json::json;
use url::{Host, Url};

use super::calls::Answer;
use super::request::Ask;
use crate::base::{Error, Result};
use crate::store::Store;

/// Longest text of all origins, in bytes.
pub const MAX_TEXT: usize = 2048;
const MAX_ORIGINS: usize = 16;
/// Where they are kept, with commas between.
const KEY: &str = "frame_origins";

/// The allowed origins, each as [`origin`] makes it.
#[derive(Debug, Default)]
pub struct Frames(RwLock<Vec<String>>);

impl Frames {
    /// Reads them from the database.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(store: &Store) -> Result<Self> {
        let kept = store.setting(KEY)?.unwrap_or_default();
        // Nothing else is ever put there; and what no version took must get into no header.
        let origins = origins(&kept).unwrap_or_else(|error| {
            tracing::error!("{KEY} in the database: {error}; nobody may show the pages in a frame");
            Vec::new()
        });
        Ok(Self(RwLock::new(origins)))
    }

    /// What is allowed now.
    pub fn origins(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `GetFrames`
pub async fn get(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({ "bStatus": true, "strCode": "", "origins": ask.ctx.frames.origins() })))
}

/// `SetFrames`
pub async fn set(ask: Ask) -> Result<Answer> {
    let origins = origins(ask.get("origins").unwrap_or_default())
        .map_err(|error| Error::bad_input(format!("parameter origins: {error}")))?;
    let text = origins.join(",");
    ask.ctx.store.run(move |store| store.put_setting(KEY, &text)).await?;
    *ask.ctx.frames.0.write().unwrap_or_else(PoisonError::into_inner) = origins;
    Ok(Answer::done("Set successfully"))
}

fn origins(text: &str) -> std::result::Result<Vec<String>, String> {
    let mut origins = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let origin = origin(part).map_err(|why| format!("{part:.100} {why}"))?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    if origins.len() > MAX_ORIGINS {
        return Err(format!("more than {MAX_ORIGINS} of them"));
    }
    Ok(origins)
}

/// As a browser names it: `https://wall.example:8443`, without the port that the scheme has anyway. Holds nothing
/// that means something in a policy.
fn origin(text: &str) -> std::result::Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no origin such as https://wall.example:8443")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http:// nor https://");
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() || text.contains(['?', '#', '@', '\\'])
    {
        return Err("holds more than scheme, host and port");
    }
    match url.host() {
        // CSP 3, 2.3.1: a host of a policy is made of letters, digits, dashes and dots.
        Some(Host::Ipv6(_)) => {
            return Err("is an IPv6 address, which browsers cannot be told; it needs a name");
        }
        Some(Host::Ipv4(_)) => {}
        Some(Host::Domain(name))
            if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.') => {}
        _ => return Err("has no host that can be named"),
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_brought_to_one_form() {
        let text = " https://Wall.Example:443/, http://192.168.1.9:8080 ,,https://wall.example,http://host";
        let expected = ["https://wall.example", "http://192.168.1.9:8080", "http://host"];
        assert_eq!(origins(text).unwrap(), expected);
        assert_eq!(origins(" , ").unwrap(), [""; 0]);
        let kept = origins(&expected.join(",")).unwrap();
        assert_eq!(kept, expected);
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for (bad, why) in [
            ("*", "no origin"),
            ("wall.example", "no origin"),
            ("null", "no origin"),
            ("file:///x", "neither"),
            ("https:", "no origin"),
            ("https://*.wall.example", "no host"),
            ("https://a;script-src", "no host"),
            ("https://a'unsafe-inline'", "no host"),
            ("https://a_b", "no host"),
            ("https://[::1]:8443", "IPv6"),
            ("https://wall.example/page", "more than"),
            ("https://wall.example/?", "more than"),
            ("https://wall.example#", "more than"),
            ("https://user@wall.example", "more than"),
            ("https://@wall.example", "more than"),
            ("https://wall.example:99999", "no origin"),
            ("https://a https://b", "no origin"),
        ] {
            let said = origins(&format!("https://good.example,{bad}")).expect_err(bad);
            assert!(said.contains(why) && said.starts_with(&bad[..1]), "{bad}: {said}");
        }
        let many: Vec<_> = (0..=MAX_ORIGINS).map(|number| format!("http://h{number}")).collect();
        assert!(origins(&many.join(",")).unwrap_err().contains("more than 16"));
    }
}
