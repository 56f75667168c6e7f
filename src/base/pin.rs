//! TLS to a peer that is known by its certificate alone: one that is the same as at first (its pin), whoever signed it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};

use super::bytes::hex;

/// SHA-256 of a certificate's DER in lower-case hex: what a pin is.
pub fn fingerprint(certificate: &CertificateDer) -> String {
    hex(&Sha256::digest(certificate))
}

/// The pin that somebody wrote: its 64 hex digits, with colons or without; `None` when it is none.
pub fn read(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|&c| c != ':').collect();
    let is_pin = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_pin.then(|| digits.to_ascii_lowercase())
}

/// TLS to whoever shows the certificate with this pin and owns its key; `None` takes any certificate. A wrong one is
/// told as [`rustls::Error::General`], with the pin that would fit.
///
/// # Errors
/// rustls' own.
pub fn pinned(expected: Option<String>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier { expected, provider: Arc::clone(&provider) });
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// TLS to whoever shows a certificate that an authority of this machine signed for its name. Another one is told like a
/// wrong pin, so that it can be pinned.
///
/// # Errors
/// rustls' own, and when the machine's authorities cannot be read.
pub fn public() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Public(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?));
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// What stands before the fitting pin in the text of a certificate that is refused.
const OFFER: &str = "to accept this one, set pin=";

/// The pin that would fit, in the text of a certificate that was refused; empty without.
pub fn offered(text: &str) -> &str {
    let pin = text.split_once(OFFER).map_or("", |(_, rest)| rest);
    pin.get(..64).filter(|pin| pin.bytes().all(|byte| byte.is_ascii_hexdigit())).unwrap_or_default()
}

#[derive(Debug)]
struct Public(rustls_platform_verifier::Verifier);

impl ServerCertVerifier for Public {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| {
            let why = match error {
                rustls::Error::InvalidCertificate(why) => why.to_string(),
                other => other.to_string(),
            };
            let pin = fingerprint(end_entity);
            rustls::Error::General(format!("the certificate is not to be trusted ({why}); {OFFER}{pin}"))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
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
        let text = format!("the certificate is not the pinned one; {OFFER}{shown}");
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
