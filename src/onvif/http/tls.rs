//! TLS to a camera. Cameras sign their certificates themselves, for names that they are not reached
//! by; what can be held to is that it is the same certificate as at first (its pin), and that the peer
//! owns its key.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::without_zone;
use crate::base::pin::{fingerprint, pinned};
use crate::base::spec::Trust;
use crate::onvif::{Failure, Why};

/// Makes `socket` a TLS connection, and pins the certificate where `trust` says so.
///
/// # Errors
/// `Tls`, saying whether the certificate is another one than the pinned; `Unreachable` where the peer
/// hung up.
pub async fn secure(
    socket: TcpStream,
    host: &str,
    trust: &Trust,
    pin: &OnceLock<String>,
    place: &str,
) -> Result<TlsStream<TcpStream>, Failure> {
    let failed = |text: &str| Failure::new(Why::Tls, format!("TLS with {place}: {text}"));
    let expected = match trust {
        Trust::Pinned(pin) => Some(pin.clone()),
        Trust::FirstUse => pin.get().cloned(),
        Trust::Any | Trust::Plain => None,
    };
    let config = pinned(expected).map_err(|error| failed(&error.to_string()))?;
    let name = ServerName::try_from(without_zone(host).to_owned()).map_err(|_| failed("no host name"))?;
    let connector = TlsConnector::from(Arc::new(config));
    let secured = connector.connect(name, socket).await.map_err(|error| refused(&error, place))?;
    if *trust == Trust::FirstUse
        && let Some(certificate) = secured.get_ref().1.peer_certificates().and_then(<[_]>::first)
    {
        pin.get_or_init(|| fingerprint(certificate));
    }
    Ok(secured)
}

fn refused(error: &io::Error, place: &str) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::General(text)) => Failure::new(Why::Tls, format!("{place}: {text}")),
        Some(other) => Failure::new(Why::Tls, format!("TLS with {place}: {other}")),
        None => Failure::new(Why::Tls, format!("{place} breaks off the TLS handshake: {error}")),
    }
}
