//! A certificate and its key: read from PEM texts and checked to belong together, or made by ourselves
//! (ECDSA P-256, signed by its own key).

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::ifaddrs::getifaddrs;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::base::{Error, Result};

/// Characters in a line of PEM (RFC 7468, 2).
const PEM_LINE: usize = 64;

/// A certificate with those that vouch for it, and its key. They belong together.
pub struct Pair {
    /// Our own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    config: Arc<ServerConfig>,
}

/// What is wrong with a pair. Holds nothing of the key.
#[derive(Debug)]
pub enum Fault {
    Cert(String),
    Key(String),
    Both(String),
}

impl Fault {
    /// The fault of what are called `cert` and `key`.
    pub fn of(self, cert: impl Display, key: impl Display) -> Error {
        Error::bad_input(match self {
            Self::Cert(text) => format!("{cert}: {text}"),
            Self::Key(text) => format!("{key}: {text}"),
            Self::Both(text) => format!("{cert} and {key}: {text}"),
        })
    }
}

impl Pair {
    /// Reads PEM texts. What else stands in them is passed over: both may be the same text.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub fn read(cert: &[u8], key: &[u8]) -> std::result::Result<Self, Fault> {
        let chain = CertificateDer::pem_slice_iter(cert)
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Fault::Cert(format!("is no PEM: {error}")))?;
        if chain.is_empty() {
            return Err(Fault::Cert("holds no certificate".into()));
        }
        if key.windows(9).any(|part| part == b"ENCRYPTED") {
            return Err(Fault::Key("is encrypted; it is needed without its passphrase".into()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            Fault::Key(match error {
                rustls::pki_types::pem::Error::NoItemsFound => "holds no private key".into(),
                // The others say where the text breaks, and some quote it.
                _ => "is no PEM".into(),
            })
        })?;
        Self::new(chain, key)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> std::result::Result<Self, Fault> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        // Said of the right one of the two: rustls only says that something is wrong.
        provider
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(|_| Fault::Key("is of no kind that can be used".into()))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Fault::Both(format!("TLS: {error}")))?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    Fault::Both("do not belong together".into())
                }
                error => Fault::Cert(format!("cannot be used: {error}")),
            })?;
        Ok(Self { chain, key, config: Arc::new(config) })
    }

    /// A new one for today's names of this machine, signed by itself.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn make() -> Result<Self> {
        let failed = |error: rcgen::Error| Error::internal(format!("making a certificate: {error}"));
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let mut params = CertificateParams::new(names(host.as_deref())).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, host.as_deref().unwrap_or("h5edge"));
        let made = params.self_signed(&pair).map_err(failed)?;
        let key = PrivatePkcs8KeyDer::from(pair.serialize_der()).into();
        Self::new(vec![made.der().clone()], key).map_err(|fault| fault.of("the certificate", "its key"))
    }

    /// With its own memory of sessions.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    pub fn cert_pem(&self) -> String {
        cert_pem(&self.chain)
    }

    pub fn key_pem(&self) -> String {
        let label = match self.key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        pem(label, self.key.secret_der())
    }
}

/// The certificates as PEM: made anew, so that nothing else of a text that they came in is in it.
pub fn cert_pem(chain: &[CertificateDer<'static>]) -> String {
    chain.iter().map(|cert| pem("CERTIFICATE", cert)).collect()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut rest = text.as_str();
    let mut pem = format!("-----BEGIN {label}-----\n");
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(PEM_LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem + &format!("-----END {label}-----\n")
}

/// What browsers may call this machine: its host name, also as mDNS announces it, localhost and its addresses.
fn names(host: Option<&str>) -> Vec<String> {
    let addresses = getifaddrs().into_iter().flatten().filter_map(|interface| {
        let address = interface.address?;
        address
            .as_sockaddr_in()
            .map(|v4| IpAddr::V4(v4.ip()))
            .or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    });
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    names.extend(addresses.map(|address| address.to_string()));
    if let Some(host) = host.filter(|host| host.is_ascii() && !host.is_empty()) {
        names.push(host.to_owned());
        if !host.contains('.') {
            names.push(format!("{host}.local"));
        }
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(cert: &str, key: &str) -> String {
        let fault = Pair::read(cert.as_bytes(), key.as_bytes()).err().expect("a fault");
        fault.of("cert", "key").to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let pair = Pair::make().unwrap();
        let both = pair.key_pem() + &pair.cert_pem();
        let read = Pair::read(both.as_bytes(), both.as_bytes()).ok().unwrap();
        assert_eq!(read.chain, pair.chain);
        assert_eq!(read.key, pair.key);
        assert!(!read.cert_pem().contains("PRIVATE"), "a key in the certificate's text");
        assert!(both.lines().all(|line| line.len() <= PEM_LINE));
    }

    #[test]
    fn each_fault_has_its_name() {
        let (pair, other) = (Pair::make().unwrap(), Pair::make().unwrap());
        let (cert, key) = (pair.cert_pem(), pair.key_pem());
        assert_eq!(refusal("", &key), "cert: holds no certificate");
        assert_eq!(refusal(&key, &key), "cert: holds no certificate");
        assert_eq!(refusal(&cert, &cert), "key: holds no private key");
        assert_eq!(refusal(&cert, &other.key_pem()), "cert and key: do not belong together");
        let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert_eq!(refusal(&cert, &encrypted), "key: is encrypted; it is needed without its passphrase");
        let torn = cert.replace("-----END", "-----");
        assert!(refusal(&torn, &key).starts_with("cert: is no PEM: "), "{}", refusal(&torn, &key));
        assert_eq!(refusal(&cert, &key.replace("-----END", "-----")), "key: is no PEM");
        assert_eq!(refusal(&cert, &pem("PRIVATE KEY", b"x")), "key: is of no kind that can be used");
        let rubbish = refusal(&pem("CERTIFICATE", b"x"), &key);
        assert!(rubbish.starts_with("cert: cannot be used: "), "{rubbish}");
    }

    #[test]
    fn it_is_good_for_localhost_and_the_announced_name() {
        let names = names(Some("edge"));
        for name in ["localhost", "127.0.0.1", "::1", "edge", "edge.local"] {
            assert!(names.iter().any(|known| known == name), "{name} of {names:?}");
        }
    }
}
