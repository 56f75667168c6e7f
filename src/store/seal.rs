//! Camera passwords at rest: XChaCha20-Poly1305 with a random nonce, under a key that lives beside
//! the database in `<data-dir>/secret.key` (32 bytes, mode 0600). That keeps the passwords out of a
//! copied database or a support file; it does not keep them from whoever has the whole disk.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::base::secret::Secret;
use crate::base::{Error, Result};

const FILE: &str = "secret.key";
const NONCE: usize = 24;

/// Seals and opens secrets.
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// Reads the key, or makes one where there is none yet.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(data_dir)?,
            Err(error) => return Err(Error::from(error).context(FILE)),
        };
        XChaCha20Poly1305::new_from_slice(&bytes).map(Self).map_err(|_| {
            Error::internal(format!(
                "{FILE} has {} bytes where 32 belong: restore it from a backup",
                bytes.len()
            ))
        })
    }

    /// `secret`, readable only together with the key and the same `context`. Empty stays empty.
    pub fn seal(&self, secret: &Secret, context: &str) -> Result<Vec<u8>> {
        if secret.is_empty() {
            return Ok(Vec::new());
        }
        let nonce =
            XNonce::try_generate().map_err(|error| Error::internal(format!("randomness: {error}")))?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: context.as_bytes() };
        let text = self.0.encrypt(&nonce, payload).map_err(|_| Error::internal("cannot encrypt"))?;
        Ok([&nonce[..], &text].concat())
    }

    /// The reverse of [`Seal::seal`].
    pub fn unseal(&self, sealed: &[u8], context: &str) -> Result<Secret> {
        if sealed.is_empty() {
            return Ok(Secret::default());
        }
        let failed = || Error::internal(format!("cannot be decrypted: {FILE} was lost or replaced"));
        let (nonce, text) = sealed.split_at_checked(NONCE).ok_or_else(failed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| failed())?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        let plain = self.0.decrypt(&nonce, payload).map_err(|_| failed())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| failed())
    }
}

/// Writes a new key, under another name first: after a power cut there is a whole key or none.
fn make(data_dir: &Path) -> Result<Vec<u8>> {
    let key = Key::<XChaCha20Poly1305>::try_generate()
        .map_err(|error| Error::internal(format!("randomness: {error}")))?;
    let fresh = data_dir.join("secret.key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&fresh, data_dir.join(FILE))?;
    File::open(data_dir)?.sync_all()?;
    Ok(key.to_vec())
}
