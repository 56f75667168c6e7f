//! The HTTPS certificate: `<data-dir>/tls/cert.pem` and `key.pem`. Made by ourselves at the first start
//! (ECDSA P-256, signed by its own key), and read as they are ever after, so that an owner can put
//! their own in place.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use nix::ifaddrs::getifaddrs;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::base::{Error, Result};

/// Reads the certificate under `data_dir`, making it first if neither file is there. Blocks on the
/// disk.
///
/// # Errors
/// `BadInput` naming the file that cannot be used, or saying that the two do not belong together.
pub fn acceptor(data_dir: &Path) -> Result<TlsAcceptor> {
    let dir = data_dir.join("tls");
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    if !cert.exists() && !key.exists() {
        make(&dir, &cert, &key)?;
    }
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("TLS: {error}")))?
        .with_no_client_auth()
        .with_single_cert(chain(&cert)?, private_key(&key)?)
        .map_err(|error| Error::bad_input(format!("{} and {}: {error}", cert.display(), key.display())))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |what: String| Error::bad_input(format!("{}: {what}", path.display()));
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| bad(error.to_string()))?;
    if chain.is_empty() { Err(bad("holds no certificate".into())) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| Error::bad_input(format!("{}: {error}", path.display())))
}

/// The key is written last: a start that was cut off between the two files is told about, not
/// papered over.
fn make(dir: &Path, cert: &Path, key: &Path) -> Result<()> {
    let failed = |error: rcgen::Error| Error::internal(format!("making a certificate: {error}"));
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let mut params = CertificateParams::new(names(host.as_deref())).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, host.as_deref().unwrap_or("h5edge"));
    let made = params.self_signed(&pair).map_err(failed)?;
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    write(cert, 0o644, &made.pem())?;
    write(key, 0o600, &pair.serialize_pem())?;
    tracing::info!(path = %cert.display(), "made a certificate for HTTPS");
    Ok(())
}

fn write(path: &Path, mode: u32, text: &str) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| Error::from(error).context(path.display()))
}

/// What browsers may call this machine: its host name, localhost and its addresses.
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
    names.extend(host.filter(|host| host.is_ascii() && !host.is_empty()).map(str::to_owned));
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn refusal(dir: &Path) -> String {
        acceptor(dir).err().unwrap().to_string()
    }

    #[test]
    fn the_certificate_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        acceptor(dir.path()).unwrap();
        let (cert, key) = (dir.path().join("tls/cert.pem"), dir.path().join("tls/key.pem"));
        let made = std::fs::read(&cert).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        acceptor(dir.path()).unwrap();
        assert_eq!(std::fs::read(&cert).unwrap(), made);
    }

    #[test]
    fn a_bad_replacement_is_named() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        acceptor(dir.path()).unwrap();
        acceptor(other.path()).unwrap();
        let (cert, key) = (dir.path().join("tls/cert.pem"), dir.path().join("tls/key.pem"));

        std::fs::copy(other.path().join("tls/key.pem"), &key).unwrap();
        assert!(refusal(dir.path()).contains("cert.pem and "), "{}", refusal(dir.path()));
        std::fs::write(&key, "no key").unwrap();
        assert!(refusal(dir.path()).contains("key.pem: "), "{}", refusal(dir.path()));
        std::fs::write(&cert, "").unwrap();
        assert!(refusal(dir.path()).ends_with("cert.pem: holds no certificate"), "{}", refusal(dir.path()));
        std::fs::remove_file(&cert).unwrap();
        assert!(refusal(dir.path()).contains("cert.pem: "), "{}", refusal(dir.path()));
    }

    #[test]
    fn it_is_good_for_localhost() {
        let names = names(Some("edge"));
        for name in ["localhost", "127.0.0.1", "::1", "edge"] {
            assert!(names.iter().any(|known| known == name), "{name} of {names:?}");
        }
    }
}
