//! TLS to a camera. Cameras sign their certificates themselves, for names that they are not reached
//! by; what can be held to is that it is the same certificate as at first (its pin), and that the peer
//! owns its key.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::without_zone;
use crate::base::spec::Trust;
use crate::onvif::bytes::hex;
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
    let config = config(expected).map_err(|error| failed(&error.to_string()))?;
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

/// SHA-256 of a certificate's DER in lower-case hex: what a pin is.
pub fn fingerprint(certificate: &CertificateDer) -> String {
    hex(&Sha256::digest(certificate))
}

fn config(expected: Option<String>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { expected, provider: Arc::clone(&provider) });
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn refused(error: &io::Error, place: &str) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::General(text)) => Failure::new(Why::Tls, format!("{place}: {text}")),
        Some(other) => Failure::new(Why::Tls, format!("TLS with {place}: {other}")),
        None => Failure::new(Why::Tls, format!("{place} breaks off the TLS handshake: {error}")),
    }
}

#[derive(Debug)]
struct Verifier {
    /// The pin; `None` takes any certificate.
    expected: Option<String>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(expected) = &self.expected else { return Ok(ServerCertVerified::assertion()) };
        let shown = fingerprint(end_entity);
        if shown == *expected {
            return Ok(ServerCertVerified::assertion());
        }
        let text = format!("the certificate is not the pinned one; to accept this one, set pin={shown}");
        Err(rustls::Error::General(text))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
