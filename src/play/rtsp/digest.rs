//! Digest authentication as RTSP clients do it (RFC 2326 D, RFC 2617 3.2.2): MD5, without `qop`, which
//! GStreamer's own client does not know. Pure.

use md5::{Digest as _, Md5};

use crate::base::bytes::{hex, same};

/// Of all challenges.
pub const REALM: &str = "h5edge";

/// What a client says in `Authorization: Digest …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    pub user: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub response: String,
}

impl Claim {
    /// From the value of the header field; `None` for other ways of authentication.
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, mut rest) = value.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut claim = Self::default();
        while let Some((name, after)) = rest.split_once('=') {
            let after = after.trim_start();
            let (value, next) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            rest = next.trim_start().trim_start_matches(',');
            let value = value.trim().to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "username" => claim.user = value,
                "realm" => claim.realm = value,
                "nonce" => claim.nonce = value,
                "uri" => claim.uri = value,
                "response" => claim.response = value,
                _ => {}
            }
        }
        Some(claim)
    }

    /// Whether whoever made it knew `password`, for a request with this method and the nonce that the
    /// connection was given.
    pub fn proves(&self, password: &str, method: &str, nonce: &str) -> bool {
        let secret = md5_hex(&format!("{}:{REALM}:{password}", self.user));
        let request = md5_hex(&format!("{method}:{}", self.uri));
        let right = md5_hex(&format!("{secret}:{nonce}:{request}"));
        self.realm == REALM
            && self.nonce == nonce
            && same(right.as_bytes(), self.response.to_ascii_lowercase().as_bytes())
    }
}

/// What is sent with a 401.
pub fn challenge(nonce: &str) -> String {
    format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\"")
}

fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(response: &str) -> Claim {
        let text = format!(
            "Digest username=\"viewer\", Realm=\"{REALM}\",nonce=\"0123\" , algorithm=MD5, \
             uri=\"rtsp://h:8554/live/a\", response={response}"
        );
        Claim::parse(&text).unwrap()
    }

    #[test]
    fn other_ways_and_broken_texts_are_no_claim() {
        for text in ["", "Digest", "Basic dXNlcjpwYXNz", "Bearer x=y", "Digest username=\"viewer"] {
            assert_eq!(Claim::parse(text), None, "{text}");
        }
        assert_eq!(Claim::parse("digest username").unwrap(), Claim::default());
    }

    #[test]
    fn only_the_right_password_method_and_nonce_prove_anything() {
        let right = md5_hex(&format!(
            "{}:0123:{}",
            md5_hex("viewer:h5edge:secret"),
            md5_hex("DESCRIBE:rtsp://h:8554/live/a")
        ));
        assert!(claim(&right).proves("secret", "DESCRIBE", "0123"));
        assert!(claim(&right.to_ascii_uppercase()).proves("secret", "DESCRIBE", "0123"));
        assert!(!claim(&right).proves("Secret", "DESCRIBE", "0123"));
        assert!(!claim(&right).proves("secret", "SETUP", "0123"));
        assert!(!claim(&right).proves("secret", "DESCRIBE", "0124"));
        assert!(!claim("").proves("secret", "DESCRIBE", "0123"));
        let foreign = Claim { realm: "other".into(), ..claim(&right) };
        assert!(!foreign.proves("secret", "DESCRIBE", "0123"));
    }

    #[test]
    fn the_digest_is_the_one_of_the_rfc() {
        // RFC 2617 3.5, without its qop: HA1 and HA2 of the example.
        assert_eq!(md5_hex("Mufasa:testrealm@host.com:Circle Of Life"), "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(md5_hex("GET:/dir/index.html"), "39aff3a2bab6126f332b942af96d3366");
    }
}
