//! What a certificate says (RFC 5280): for whom, by whom, until when.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use crate::base::wall::{Offset, Wall};

/// Of one certificate.
#[derive(Debug)]
pub struct Facts {
    /// As RFC 4514 writes names: `CN=edge`.
    pub subject: String,
    pub issuer: String,
    pub not_before: Wall,
    pub not_after: Wall,
    /// SHA-256 of the whole, `AA:BB:...`.
    pub fingerprint: String,
    /// Host names and addresses that it is good for.
    pub names: Vec<String>,
}

impl Facts {
    /// # Errors
    /// What is wrong with it.
    pub fn of(der: &CertificateDer) -> Result<Self, String> {
        let failed = |error: x509_cert::der::Error| format!("cannot be read: {error}");
        let cert = Certificate::from_der(der).map_err(failed)?;
        let cert = cert.tbs_certificate();
        let names = cert.get_extension::<SubjectAltName>().map_err(failed)?;
        let names = names.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
        Ok(Self {
            subject: cert.subject().to_string(),
            issuer: cert.issuer().to_string(),
            not_before: wall(cert.validity().not_before),
            not_after: wall(cert.validity().not_after),
            fingerprint: fingerprint(der),
            names: names.iter().filter_map(name).collect(),
        })
    }

    /// Whether it vouches for itself.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Whether each of them holds at `now`, and each was issued by the one after it.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn check_chain(chain: &[CertificateDer], now: Wall) -> Result<(), String> {
    let facts = chain.iter().map(Facts::of).collect::<Result<Vec<_>, _>>()?;
    for cert in &facts {
        let (from, until) = (cert.not_before.iso(UTC), cert.not_after.iso(UTC));
        if now < cert.not_before {
            return Err(format!("{} is not valid before {from}; it is {} now", cert.subject, now.iso(UTC)));
        }
        if now > cert.not_after {
            return Err(format!("{} expired at {until}; it is {} now", cert.subject, now.iso(UTC)));
        }
    }
    match facts.windows(2).find(|pair| pair[0].issuer != pair[1].subject) {
        Some(pair) => Err(format!(
            "behind {} must come its issuer {}, and not {}",
            pair[0].subject, pair[0].issuer, pair[1].subject
        )),
        None => Ok(()),
    }
}

/// Certificates have no other zone.
pub const UTC: Offset = Offset(0);

fn wall(time: Time) -> Wall {
    Wall(i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX))
}

fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<_> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(bytes.as_bytes()).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes.as_bytes()).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, Issuer, KeyPair, date_time_ymd};

    use super::*;

    fn params(name: &str, years: [i32; 2]) -> CertificateParams {
        let mut params =
            CertificateParams::new(vec![name.to_owned(), "192.0.2.7".into(), "2001:db8::7".into()])
                .expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(years[0], 1, 1);
        params.not_after = date_time_ymd(years[1], 1, 1);
        params
    }

    fn at(text: &str) -> Wall {
        Wall(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn it_tells_what_stands_in_it() {
        let key = KeyPair::generate().unwrap();
        let cert = params("edge.example", [2020, 2040]).self_signed(&key).unwrap();
        let facts = Facts::of(cert.der()).unwrap();
        assert!(facts.subject.contains("CN=edge.example"), "{}", facts.subject);
        assert!(facts.is_self_signed());
        assert_eq!(facts.not_before, at("2020-01-01T00:00:00Z"));
        assert_eq!(facts.not_after, at("2040-01-01T00:00:00Z"));
        assert_eq!(facts.names, ["edge.example", "192.0.2.7", "2001:db8::7"]);
        assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
        assert!(Facts::of(&CertificateDer::from(vec![1, 2])).unwrap_err().starts_with("cannot be read: "));
    }

    #[test]
    fn it_is_good_for_its_time_only() {
        let key = KeyPair::generate().unwrap();
        let cert = params("edge", [2020, 2040]).self_signed(&key).unwrap();
        let at = |time: &str| check_chain(&[cert.der().clone()], at(time));
        assert_eq!(at("2030-06-01T00:00:00Z"), Ok(()));
        assert!(
            at("2019-12-31T23:59:59Z").unwrap_err().contains("not valid before 2020-01-01T00:00:00+00:00")
        );
        assert!(at("2040-01-01T00:00:01Z").unwrap_err().contains("expired at 2040-01-01T00:00:00+00:00"));
    }

    #[test]
    fn issuers_stand_behind_what_they_issued() {
        let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let root = params("root", [2020, 2040]).self_signed(&root_key).unwrap();
        let issuer = Issuer::new(params("root", [2020, 2040]), root_key);
        let own = params("edge", [2020, 2040]).signed_by(&key, &issuer).unwrap();
        let now = at("2030-06-01T00:00:00Z");
        let [own, root] = [own, root].map(|cert| cert.der().clone());
        assert!(!Facts::of(&own).unwrap().is_self_signed());
        assert_eq!(check_chain(&[own.clone(), root.clone()], now), Ok(()));
        assert!(check_chain(&[root, own], now).unwrap_err().starts_with("behind "));
    }
}
