//! Password forms and hashes.
//!
//! Clients in the field send the lowercase MD5 hex of a password, the manual's Login sample plain
//! text. What is kept is argon2id over the MD5 hex, so that both verify. 19 MiB and two passes (the
//! OWASP minimum) are estimated to take 50 to 100 ms on a Raspberry Pi.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use md5::{Digest, Md5};

use crate::base::bytes::hex;
use crate::base::{Error, Result};

/// Longest password that is taken, in bytes.
pub const MAX_BYTES: usize = 256;

/// MD5 hex of `text`, lowercase.
pub fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

pub fn is_md5_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What `given` can mean: 32 hex digits are an MD5 hash, or a plain password that looks like one.
pub fn candidates(given: &str) -> Vec<String> {
    let plain = md5_hex(given);
    if is_md5_hex(given) { vec![given.to_ascii_lowercase(), plain] } else { vec![plain] }
}

/// The MD5 hex of a password that is to be set, and may be hashed already.
pub fn hex_of(given: &str) -> String {
    if is_md5_hex(given) { given.to_ascii_lowercase() } else { md5_hex(given) }
}

/// The MD5 hex of a password that is to be set, which the manual wants hashed already (5.2.6).
///
/// Errors: `BadInput` when it is empty, too long, or that of delivery, whose MD5 hex is `delivered`.
pub fn checked_new(given: &str, delivered: Option<&str>) -> Result<String> {
    if given.len() > MAX_BYTES {
        return Err(Error::bad_input(format!("newpassword: longer than {MAX_BYTES} bytes")));
    }
    let hex = hex_of(given);
    if hex == md5_hex("") {
        return Err(Error::bad_input("newpassword: is empty"));
    }
    if delivered == Some(hex.as_str()) {
        return Err(is_delivered());
    }
    Ok(hex)
}

/// Why a new password is refused that is the old one of delivery.
pub fn is_delivered() -> Error {
    Error::bad_input("newpassword: is the password that the device was delivered with")
}

fn argon2() -> Result<Argon2<'static>> {
    let params =
        Params::new(19 * 1024, 2, 1, None).map_err(|error| Error::internal(format!("argon2: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string to keep for an MD5 hex. Blocks for the time of the module header.
pub fn hash(hex: &str) -> Result<String> {
    argon2()?
        .hash_password(hex.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(format!("argon2: {error}")))
}

/// Whether one of `candidates` made `hash`. Tries all of them, so that the time tells nothing about
/// which it was. Blocks.
pub fn verify(hash: &str, candidates: &[String]) -> Result<bool> {
    let hash =
        PasswordHash::new(hash).map_err(|error| Error::internal(format!("stored password hash: {error}")))?;
    let argon2 = argon2()?;
    Ok(candidates
        .iter()
        .fold(false, |found, hex| argon2.verify_password(hex.as_bytes(), &hash).is_ok() | found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_password_verify() {
        let kept = hash(&md5_hex("12345")).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        for given in ["12345", "827ccb0eea8a706c4c34a16891f84e7b", "827CCB0EEA8A706C4C34A16891F84E7B"] {
            assert!(verify(&kept, &candidates(given)).unwrap(), "{given}");
        }
        for given in ["", "1234", "123456", "827ccb0eea8a706c4c34a16891f84e7c"] {
            assert!(!verify(&kept, &candidates(given)).unwrap(), "{given}");
        }
    }

    #[test]
    fn a_plain_password_may_look_like_a_hash() {
        let plain = "0123456789abcdef0123456789abcdef";
        let by_hashing_client = hash(&md5_hex(plain)).unwrap();
        let by_plain_client = hash(&checked_new(plain, None).unwrap()).unwrap();
        assert!(verify(&by_hashing_client, &candidates(plain)).unwrap());
        assert!(verify(&by_plain_client, &candidates(plain)).unwrap());
    }

    #[test]
    fn useless_new_passwords_are_refused_in_both_forms() {
        let long = "x".repeat(MAX_BYTES + 1);
        for given in
            ["", "12345", "827CCB0EEA8A706C4C34A16891F84E7B", "d41d8cd98f00b204e9800998ecf8427e", &long]
        {
            let error = checked_new(given, Some(&md5_hex("12345"))).unwrap_err();
            assert!(error.to_string().starts_with("newpassword: "), "{error}");
        }
        assert!(checked_new("123456", Some(&md5_hex("12345"))).is_ok());
        assert!(checked_new("12345", None).is_ok());
    }
}
