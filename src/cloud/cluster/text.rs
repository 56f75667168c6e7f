//! Names and texts from outside that become parts of NATS subjects and keys.

use crate::base::{Error, Result};

/// `text`, or as much of its beginning as has at most `most` octets.
pub(super) fn clipped(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
}

/// A node's name is one part of a subject: 1–64 of `A-Z a-z 0-9 _ -`.
pub(super) fn check_node(name: &str) -> Result<()> {
    match (1..=64).contains(&name.len()) && name.chars().all(plain) {
        true => Ok(()),
        false => Err(Error::bad_input("node: a name has 1 to 64 letters, digits, `_` or `-`")),
    }
}

/// The key of a site: its server token (1–64 of `A-Z a-z 0-9 . _ -`, no dot in front) with `=` for a dot,
/// since two dots in a row, or one at the end, cannot stand in a key.
pub(super) fn site_key(site: &str) -> Result<String> {
    let fits = (1..=64).contains(&site.len())
        && !site.starts_with('.')
        && site.chars().all(|letter| plain(letter) || letter == '.');
    match fits {
        true => Ok(format!("site.{}", site.replace('.', "="))),
        false => Err(Error::bad_input("site: a server token has 1 to 64 letters, digits, `.`, `_` or `-`")),
    }
}

/// The site that `key` is of, if it is a site's key.
pub(super) fn site_of(key: &str) -> Option<String> {
    let site = key.strip_prefix("site.")?.replace('=', ".");
    site_key(&site).is_ok().then_some(site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_have_keys_and_back() {
        for site in ["a", "A-b_9", "a..b", "a.", "550e8400-e29b-41d4-a716-446655440000"] {
            assert_eq!(site_of(&site_key(site).unwrap()).unwrap(), site);
        }
        for site in ["", ".a", "a b", "a*", "a>", "ä", "a=b", &"x".repeat(65)] {
            assert!(site_key(site).is_err(), "{site}");
        }
        for key in ["site.", "site.a b", "mark.a", "site.=a"] {
            assert_eq!(site_of(key), None, "{key}");
        }
    }

    #[test]
    fn a_node_name_is_one_part_of_a_subject() {
        for name in ["n1", "central-a_2"] {
            check_node(name).unwrap();
        }
        for name in ["", "a.b", "*", ">", "a b", &"x".repeat(65)] {
            assert!(check_node(name).is_err(), "{name}");
        }
    }
}
