//! The HTTPS certificate: `<data-dir>/tls/cert.pem` and `key.pem` ([`files`]). Made by ourselves at the first
//! start, read as they are ever after, so that an owner can put their own in place, and replaced while
//! the daemon runs by SetCertificate and RenewCertificate.
//!
//! A connection is greeted with what holds when it comes; those that are open keep what they have. Files that
//! cannot be used keep nobody out: they stay for their owner to mend, the log and GetCertificate tell what is
//! wrong with them, and meanwhile there is a certificate in memory.
//!
//! No task of its own. Replacing blocks on the disk, one at a time.

mod facts;
mod files;
mod pair;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use rustls::pki_types::CertificateDer;
use tokio_rustls::TlsAcceptor;

pub use self::facts::{Facts, UTC, check_chain};
pub use self::pair::{Pair, cert_pem};
use crate::base::{Error, Result};

/// What HTTPS connections are greeted with.
pub struct Certificate {
    dir: PathBuf,
    shown: RwLock<Shown>,
    /// Held while the files change.
    turn: Mutex<()>,
}

/// What holds now.
#[derive(Clone)]
pub struct Shown {
    acceptor: TlsAcceptor,
    /// Our own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Why it is not the one of the files; empty if it is.
    pub trouble: String,
}

impl Shown {
    /// What was negotiated with another certificate is not resumed: each has an acceptor of its own.
    fn new(pair: &Pair, trouble: String) -> Self {
        Self { acceptor: pair.acceptor(), chain: pair.chain.clone(), trouble }
    }
}

impl Certificate {
    /// Reads the pair under `data_dir`, making it first if neither file is there. Blocks on the disk.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let dir = data_dir.join("tls");
        let shown = match files::read(&dir) {
            Ok(Some(pair)) => Shown::new(&pair, String::new()),
            Ok(None) => {
                let pair = Pair::make()?;
                let kept = files::write(&dir, &pair);
                Shown::new(&pair, kept.err().map(|error| troubled(&error)).unwrap_or_default())
            }
            Err(error) => Shown::new(&Pair::make()?, troubled(&error)),
        };
        Ok(Self { dir, shown: RwLock::new(shown), turn: Mutex::new(()) })
    }

    /// For a connection that comes now.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).acceptor.clone()
    }

    /// What holds now.
    pub fn shown(&self) -> Shown {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps `pair`, and greets new connections with it. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk takes none of it; then nothing has changed.
    pub fn replace(&self, pair: &Pair) -> Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        files::write(&self.dir, pair)?;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Shown::new(pair, String::new());
        Ok(())
    }
}

fn troubled(error: &Error) -> String {
    tracing::error!("{error}; HTTPS has a certificate made for now");
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn trouble(dir: &Path) -> String {
        Certificate::open(dir).unwrap().shown().trouble
    }

    #[test]
    fn the_certificate_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(trouble(dir.path()), "");
        let (cert, key) = (dir.path().join("tls/cert.pem"), dir.path().join("tls/key.pem"));
        let made = std::fs::read(&cert).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(trouble(dir.path()), "");
        assert_eq!(std::fs::read(&cert).unwrap(), made);
    }

    #[test]
    fn bad_files_are_named_and_stay_and_there_is_a_certificate_all_the_same() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(trouble(dir.path()) + &trouble(other.path()), "");
        let (cert, key) = (dir.path().join("tls/cert.pem"), dir.path().join("tls/key.pem"));

        std::fs::copy(other.path().join("tls/key.pem"), &key).unwrap();
        assert!(trouble(dir.path()).ends_with("do not belong together"), "{}", trouble(dir.path()));
        std::fs::write(&key, "no key").unwrap();
        assert!(trouble(dir.path()).ends_with("key.pem: holds no private key"), "{}", trouble(dir.path()));
        assert_eq!(std::fs::read(&key).unwrap(), b"no key");
        std::fs::write(&cert, "").unwrap();
        assert!(trouble(dir.path()).ends_with("cert.pem: holds no certificate"), "{}", trouble(dir.path()));
        std::fs::remove_file(&cert).unwrap();
        assert!(trouble(dir.path()).contains("cert.pem: "), "{}", trouble(dir.path()));

        let certificate = Certificate::open(dir.path()).unwrap();
        certificate.replace(&Pair::make().unwrap()).unwrap();
        assert_eq!(certificate.shown().trouble, "");
        assert_eq!(Certificate::open(dir.path()).unwrap().shown().chain, certificate.shown().chain);
    }

    #[test]
    fn without_a_disk_there_is_a_certificate_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tls"), "in the way").unwrap();
        assert_ne!(trouble(dir.path()), "");
        let certificate = Certificate::open(dir.path()).unwrap();
        let before = certificate.shown().chain;
        assert!(certificate.replace(&Pair::make().unwrap()).is_err());
        assert_eq!(certificate.shown().chain, before);
    }
}
