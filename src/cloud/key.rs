//! Who an edge is: an Ed25519 key of its own, made at its first start and kept in its data folder; and the code that
//! people type at the central to take it in.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::base::bytes::hex;
use crate::base::{Error, Result};

/// Length of a public key, in bytes.
pub const PUBLIC: usize = 32;
/// In the data folder; PKCS #8, mode 0600.
const FILE: &str = "device.key";
/// Without the letters that are read wrongly (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 40 bits: a code works once, for the edge that shows it, while that is connected.
const CODE: usize = 8;

/// The key of an edge.
pub struct DeviceKey(Ed25519KeyPair);

impl DeviceKey {
    /// Reads the key of `data_dir`, or makes one.
    ///
    /// # Errors
    /// `Internal` when it cannot be read or written.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1());
                let made = made.map_err(|_| Error::internal("no key can be made"))?;
                let new = data_dir.join(format!("{FILE}.new"));
                let mut file =
                    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
                file.write_all(made.as_ref())?;
                file.sync_all()?;
                fs::rename(&new, &path)?;
                made.as_ref().to_vec()
            }
            Err(error) => return Err(Error::from(error).context(FILE)),
        };
        let pair = Ed25519KeyPair::from_pkcs8(&bytes);
        pair.map(Self).map_err(|_| Error::internal(format!("{FILE} is damaged: restore it from a backup")))
    }

    /// 64 hex digits.
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// 128 hex digits.
    pub fn sign(&self, text: &[u8]) -> String {
        hex(self.0.sign(text).as_ref())
    }
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceKey({})", self.public())
    }
}

/// Whether `signature` over `text` is by the holder of `public`, both in hex.
pub fn is_signed(public: &str, signature: &str, text: &[u8]) -> bool {
    match (unhex(public), unhex(signature)) {
        (Some(public), Some(signature)) if public.len() == PUBLIC => {
            UnparsedPublicKey::new(&ED25519, public).verify(text, &signature).is_ok()
        }
        _ => false,
    }
}

/// Whether `text` can be a public key.
pub fn is_public(text: &str) -> bool {
    unhex(text).is_some_and(|key| key.len() == PUBLIC)
}

/// A new code, like `7KQ2-M0XZ`.
pub fn new_code() -> String {
    let mut random = rand::rng();
    let letters: String =
        (0..CODE).map(|_| char::from(LETTERS[usize::from(random.random::<u8>() % 32)])).collect();
    format!("{}-{}", &letters[..CODE / 2], &letters[CODE / 2..])
}

/// What an edge says of its code to the central, which compares it with that of the code that somebody typed: the
/// central cannot tell the code itself. Dashes, blanks and lower case do not count.
pub fn code_hash(code: &str) -> String {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let read = |letter: char| match letter {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let letters: String = letters.to_ascii_uppercase().chars().map(read).collect();
    hex(&Sha256::digest(format!("h5edge claim {letters}")))
}

/// 64 hex digits that nobody can know before.
pub fn challenge() -> String {
    hex(&rand::rng().random::<[u8; 32]>())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_its_signature_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let key = DeviceKey::open(dir.path()).unwrap();
        let public = key.public();
        assert!(is_public(&public));
        assert_eq!(DeviceKey::open(dir.path()).unwrap().public(), public);
        let signature = key.sign(b"text");
        assert!(is_signed(&public, &signature, b"text"));
        assert!(!is_signed(&public, &signature, b"other"));
        assert!(!is_signed(&public[2..], &signature, b"text"));
        assert!(!is_signed(&public, "zz", b"text"));
        let other = DeviceKey::open(tempfile::tempdir().unwrap().path()).unwrap();
        assert!(!is_signed(&other.public(), &signature, b"text"));
    }

    #[test]
    fn a_damaged_key_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "junk").unwrap();
        assert!(DeviceKey::open(dir.path()).unwrap_err().to_string().contains("damaged"));
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = new_code();
        assert_eq!(code.len(), CODE + 1);
        assert_ne!(code, new_code());
        assert_eq!(code_hash(&code), code_hash(&code.to_lowercase().replace('-', " ")));
        assert_eq!(code_hash("1O0L-ABCD"), code_hash("l001-abcd"));
        assert_ne!(code_hash("1000-ABCD"), code_hash("1000-ABCE"));
    }
}
