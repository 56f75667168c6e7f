//! Passwords that a device must not be set up with, because everybody tries them first.
//!
//! They are made when one is to be checked: words with and without figures behind them, rows of keys, one
//! character over and over. Each is compared as MD5, so that a password that came hashed is looked at too.

use super::password;
use crate::base::{Error, Result};

/// Fewest characters of a password in plain text.
const SHORTEST: usize = 8;

const WORDS: [&str; 58] = [
    "access",
    "admin",
    "administrator",
    "baseball",
    "camera",
    "cctv",
    "changeme",
    "charlie",
    "computer",
    "default",
    "dragon",
    "edge",
    "football",
    "gateway",
    "guest",
    "h5edge",
    "h5stream",
    "hello",
    "iloveyou",
    "internet",
    "ipcam",
    "letmein",
    "login",
    "maintenance",
    "manager",
    "master",
    "michael",
    "monkey",
    "monitor",
    "network",
    "nvr",
    "onvif",
    "operator",
    "p@ssw0rd",
    "p@ssword",
    "pass",
    "passw0rd",
    "passwd",
    "password",
    "princess",
    "qwerty",
    "qwertz",
    "recorder",
    "root",
    "secret",
    "security",
    "service",
    "shadow",
    "starwars",
    "sunshine",
    "superman",
    "supervisor",
    "support",
    "system",
    "test",
    "trustno1",
    "user",
    "welcome",
];
/// What people put behind a word to make it long enough.
const ENDS: [&str; 19] = [
    "",
    "!",
    "0",
    "00",
    "01",
    "1",
    "1!",
    "12",
    "123",
    "123!",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "2024",
    "2025",
    "2026",
];
/// Each beginning of these, read in either direction.
const ROWS: [&str; 9] = [
    "01234567890123456789",
    "12345678901234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "asdfghjkl;",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn",
];
/// Longest run of one character that is looked for.
const RUN: usize = 32;

/// The MD5 hex of a first password, which may be hashed already.
///
/// # Errors
/// `BadInput` when it is too short or too long, as far as that can be seen, or a poor one.
pub fn checked_first(given: &str) -> Result<String> {
    let bad = |what: &str| Err(Error::bad_input(format!("the password {what}")));
    if given.len() > password::MAX_BYTES {
        return bad("is longer than 256 bytes");
    }
    if given.chars().count() < SHORTEST {
        return bad("has fewer than 8 characters");
    }
    let hex = password::hex_of(given);
    // Case is little to guess.
    let small =
        if password::is_md5_hex(given) { hex.clone() } else { password::md5_hex(&given.to_lowercase()) };
    if given.trim().is_empty() || hex == password::md5_hex("") || is_poor(&small) {
        return bad("is one of the first that anybody tries");
    }
    Ok(hex)
}

fn is_poor(hex: &str) -> bool {
    let is = |text: &str| password::md5_hex(text) == hex;
    // A hashed one may have had its capital letter.
    let capital = |text: &str| {
        let mut chars = text.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    };
    let words = WORDS.iter().any(|word| {
        ENDS.iter().any(|end| {
            let text = format!("{word}{end}");
            is(&text) || is(&capital(&text)) || is(&format!("{text}{word}"))
        })
    });
    let rows = ROWS.iter().any(|row| {
        let backwards: String = row.chars().rev().collect();
        (1..=row.len()).any(|end| {
            is(&row[..end])
                || is(&row[..end].repeat(2))
                || is(&backwards[..end])
                || is(&backwards[row.len() - end..])
        })
    });
    let runs = || (' '..='~').any(|c| (1..=RUN).any(|length| is(&String::from(c).repeat(length))));
    words || rows || runs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(given: &str) -> Option<String> {
        checked_first(given).err().map(|error| error.to_string())
    }

    #[test]
    fn short_and_well_known_passwords_are_refused() {
        for (given, expected) in [
            ("", "the password has fewer than 8 characters"),
            ("7 chars", "the password has fewer than 8 characters"),
            ("\u{e4}\u{f6}\u{fc}\u{df}\u{e4}\u{f6}\u{fc}", "the password has fewer than 8 characters"),
            ("12345678", "the password is one of the first that anybody tries"),
            ("87654321", "the password is one of the first that anybody tries"),
            ("password", "the password is one of the first that anybody tries"),
            ("PassWord1", "the password is one of the first that anybody tries"),
            ("adminadmin", "the password is one of the first that anybody tries"),
            ("qwertzui", "the password is one of the first that anybody tries"),
            ("12341234", "the password is one of the first that anybody tries"),
            ("aaaaaaaaaa", "the password is one of the first that anybody tries"),
            ("          ", "the password is one of the first that anybody tries"),
        ] {
            assert_eq!(fault(given).as_deref(), Some(expected), "{given:?}");
        }
        assert!(fault(&"x".repeat(257)).is_some());
        for good in
            ["correct horse", "Kx7-pp2Qa", "\u{5bc6}\u{7801}\u{5f88}\u{96be}\u{731c}\u{7684}\u{54e6}\u{5440}"]
        {
            assert_eq!(fault(good), None, "{good:?}");
        }
    }

    #[test]
    fn hashed_ones_are_known_too() {
        for plain in ["", "12345", "12345678", "password", "Password1", "admin", "000000", "11111111"] {
            let hex = password::md5_hex(plain);
            assert!(fault(&hex).is_some() && fault(&hex.to_uppercase()).is_some(), "{plain:?}");
        }
        let hex = password::md5_hex("correct horse");
        assert_eq!(checked_first(&hex.to_uppercase()).unwrap(), hex);
    }
}
