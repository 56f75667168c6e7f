//! The HTTPS certificate: what it says, another one in its place, and its file. The key goes in and never out.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::calls::Answer;
use super::request::Ask;
use super::tls::{self, Certificate, Facts, Pair, UTC};
use crate::base::{Error, Result};

/// `GetCertificate`
pub async fn get(ask: Ask) -> Result<Answer> {
    let Some(certificate) = &ask.ctx.certificate else {
        return Ok(Answer::Json(json!({ "bStatus": true, "strCode": "", "bHttps": false })));
    };
    let shown = certificate.shown();
    let cert = shown.chain.first().ok_or_else(|| Error::internal("there is no certificate"))?;
    let facts = Facts::of(cert).map_err(|why| Error::internal(format!("the certificate {why}")))?;
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "",
        "bHttps": true,
        "strSubject": facts.subject,
        "strIssuer": facts.issuer,
        "strNotBefore": facts.not_before.iso(UTC),
        "strNotAfter": facts.not_after.iso(UTC),
        "strFingerprint": facts.fingerprint,
        "bSelfSigned": facts.is_self_signed(),
        "names": facts.names,
        "strTrouble": shown.trouble,
    })))
}

/// `SetCertificate`
pub async fn set(ask: Ask) -> Result<Answer> {
    let pair = Pair::read(ask.require("cert")?.as_bytes(), ask.require("key")?.as_bytes())
        .map_err(|fault| fault.of("parameter cert", "parameter key"))?;
    tls::check_chain(&pair.chain, ask.ctx.recorder.clock.wall().into())
        .map_err(|why| Error::bad_input(format!("parameter cert: {why}")))?;
    replace(&ask, move || Ok(pair)).await?;
    Ok(Answer::done("Set successfully"))
}

/// `RenewCertificate`
pub async fn renew(ask: Ask) -> Result<Answer> {
    replace(&ask, Pair::make).await?;
    Ok(Answer::done("Renewed successfully"))
}

/// `GetCertificateFile`
pub async fn file(ask: Ask) -> Result<Answer> {
    let pem = tls::cert_pem(&certificate(&ask)?.shown().chain);
    Ok(Answer::Text { name: "h5edge-certificate.pem", text: Bytes::from(pem) })
}

fn certificate(ask: &Ask) -> Result<Arc<Certificate>> {
    let none = || Error::refused("HTTPS is off (http.https_port)");
    ask.ctx.certificate.clone().ok_or_else(none)
}

async fn replace(ask: &Ask, pair: impl FnOnce() -> Result<Pair> + Send + 'static) -> Result<()> {
    let certificate = certificate(ask)?;
    let replaced = tokio::task::spawn_blocking(move || certificate.replace(&pair()?));
    replaced.await.map_err(|_| Error::internal("replacing the certificate was given up"))?
}
