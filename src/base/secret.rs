//! Secrets that cannot be printed by accident.

use std::fmt;

use url::Url;

/// What the API and the logs show in place of a secret (manual 5.3.1).
pub const MASK: &str = "******";

/// A password or key: `Debug` and `Display` show [`MASK`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that must send or check it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // serde's own text would quote a password that was written without quotes.
        let shape = |_| serde::de::Error::custom("expected text in quotes");
        String::deserialize(from).map(Self).map_err(shape)
    }
}

#[cfg(test)]
impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Query parameters that cameras take a password in, as they stand in a URL.
const PASSWORD_PARAMETERS: [&str; 3] = ["password=", "passwd=", "pwd="];

/// `url` with every password in it replaced by [`MASK`]: in the user part, and in the parameters in
/// which cameras take one. Of text that is no URL, what stands before an `@` might be a password.
pub fn redact_url(url: &str) -> String {
    let mut shown = match Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // Fails only for URLs without a host, which have no password either.
            let _ = parsed.set_password(Some(MASK));
            parsed.to_string()
        }
        Ok(_) => url.to_owned(),
        Err(_) => match url.rsplit_once('@') {
            Some((_, rest)) => format!("{MASK}@{rest}"),
            None => url.to_owned(),
        },
    };
    for name in PASSWORD_PARAMETERS {
        let mut from = 0;
        while let Some(found) = shown[from..].to_ascii_lowercase().find(name) {
            let start = from + found + name.len();
            let end = shown[start..].find('&').map_or(shown.len(), |end| start + end);
            shown.replace_range(start..end, MASK);
            from = start + MASK.len();
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "****** ******");
        assert_eq!(redact_url("rtsp://u:hunter2@h:554/x?a=1"), "rtsp://u:******@h:554/x?a=1");
        assert_eq!(redact_url("rtsp://h/x"), "rtsp://h/x");
        assert_eq!(redact_url("not a url: u:hunter2@h"), "******@h");
        assert_eq!(
            redact_url("rtsp://h/x?user=u&PassWord=a&pwd=b"),
            "rtsp://h/x?user=u&PassWord=******&pwd=******"
        );
    }
}
