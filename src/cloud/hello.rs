//! The handshake of a tunnel: JSON texts over its WebSocket, before yamux begins (docs/protocol.md 6).
//!
//! The central sends a [`Challenge`], the edge answers with its [`Hello`], whose signature proves that it has the key;
//! the central says with a [`Verdict`] whether it is let in. An edge that nobody knows, but which shows a claim code,
//! waits for its verdict until somebody types the code at the central.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::key::{self, DeviceKey};
use crate::base::secret::Secret;
use crate::base::spec::{MAX_NAME, MAX_TOKEN};
use crate::base::{Error, Result};

/// What both sides must agree on.
pub const VERSION: u32 = 1;
/// How long the other side may take to say its next text.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// An edge that waits to be claimed hears a ping more often than that.
const SILENCE: Duration = Duration::from_secs(45);
/// Longest text, in bytes.
const MAX_TEXT: usize = 8 << 10;

/// The central's first text.
#[derive(Debug, Serialize, Deserialize)]
pub struct Challenge {
    pub version: u32,
    /// 64 hex digits, made for this connection.
    pub challenge: String,
}

/// Who the edge is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Hello {
    pub version: u32,
    /// The server token that it would like to have, or has.
    pub token: String,
    pub name: String,
    /// Its host id.
    pub uuid: String,
    /// Its public key, 64 hex digits.
    pub key: String,
    /// Of [`signed`], 128 hex digits.
    pub signature: String,
    /// Of its program.
    pub build: String,
    /// [`key::code_hash`] of the code that it shows; empty: it shows none.
    #[serde(default)]
    pub claim: String,
    /// A user of the central who may add sites, for an edge that is not known yet.
    #[serde(default)]
    pub user: String,
    /// The password or its MD5, as in log-ins.
    #[serde(default, serialize_with = "exposed")]
    password: Secret,
}

/// What the central says to that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The tunnel begins; `token` is the edge's server token at the central.
    Welcome { token: String, name: String },
    /// Somebody has to type the code at the central. Another verdict follows.
    Unclaimed,
    /// It ends here, for a reason in words. `lasting`: trying again soon is of no use.
    Refused { text: String, lasting: bool },
}

/// What is signed. The token is in it, so that a signature made for one central says nothing at another under another
/// name.
fn signed(challenge: &str, token: &str) -> Vec<u8> {
    format!("h5edge tunnel {VERSION}\n{challenge}\n{token}").into_bytes()
}

/// This message is the one place that tells the password, to the central.
fn exposed<S: serde::Serializer>(password: &Secret, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_str(password.expose())
}

impl Hello {
    /// A signed answer to `challenge`.
    pub fn new(key: &DeviceKey, challenge: &str, token: &str) -> Self {
        Self {
            version: VERSION,
            token: token.to_owned(),
            key: key.public(),
            signature: key.sign(&signed(challenge, token)),
            ..Self::default()
        }
    }

    /// The same of this name, host id and program, with the hash of the code that it shows.
    #[must_use]
    pub fn of(self, name: &str, uuid: &str, build: &str, claim: &str) -> Self {
        let [name, uuid, build, claim] = [name, uuid, build, claim].map(str::to_owned);
        Self { name, uuid, build, claim, ..self }
    }

    /// The same with a log-in.
    #[must_use]
    pub fn with_login(self, user: &str, password: &Secret) -> Self {
        Self { user: user.to_owned(), password: password.clone(), ..self }
    }

    /// The log-in, if there is one.
    pub fn login(&self) -> Option<(&str, &str)> {
        // Without its password, which is forgotten once it served, a user is nobody.
        let whole = !self.user.is_empty() && !self.password.is_empty();
        whole.then_some((self.user.as_str(), self.password.expose()))
    }

    /// # Errors
    /// `BadInput` naming the field that cannot be, `Unauthorised` when the signature is not that of the key.
    pub fn check(&self, challenge: &str) -> Result<()> {
        if self.version != VERSION {
            let text = format!("this central speaks version {VERSION} of the tunnel, not {}", self.version);
            return Err(Error::unsupported(text));
        }
        check_token(&self.token)?;
        let fields = [
            ("name", self.name.as_str(), MAX_NAME),
            ("uuid", self.uuid.as_str(), 64),
            ("build", self.build.as_str(), 64),
            ("claim", self.claim.as_str(), 64),
            ("user", self.user.as_str(), 256),
            ("password", self.password.expose(), 256),
        ];
        for (name, text, most) in fields {
            if text.len() > most || text.chars().any(char::is_control) {
                return Err(Error::bad_input(format!("{name}: too long, or not a text")));
            }
        }
        if !key::is_signed(&self.key, &self.signature, &signed(challenge, &self.token)) {
            return Err(Error::unauthorised("the signature is not that of the key"));
        }
        Ok(())
    }
}

/// Whether `token` can be a server token.
///
/// # Errors
/// `BadInput`
pub fn check_token(token: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if token.is_empty() || token.len() > MAX_TOKEN || token.starts_with('.') || !token.chars().all(allowed) {
        let text = "servertoken: 1 to 64 letters, digits and . _ - that do not start with a dot";
        return Err(Error::bad_input(text));
    }
    Ok(())
}

/// # Errors
/// `Timeout` when the connection is gone.
pub async fn say<T>(socket: &mut WebSocketStream<T>, text: &impl Serialize) -> Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let text = serde_json::to_string(text).map_err(|error| Error::internal(error.to_string()))?;
    let said = timeout(PATIENCE, socket.send(Message::text(text))).await;
    said.ok().and_then(std::result::Result::ok).ok_or_else(|| Error::timeout("the connection broke off"))
}

/// The next text of the other side.
///
/// # Errors
/// `Timeout` when the connection is gone or nothing is said, `BadInput` for anything else than `M`.
pub async fn hear<T, M>(socket: &mut WebSocketStream<T>, patience: Duration) -> Result<M>
where
    T: AsyncRead + AsyncWrite + Unpin,
    M: DeserializeOwned,
{
    let silent = |_| Error::timeout("the other side says nothing");
    let broken = || Error::timeout("the connection broke off");
    let heard = async {
        loop {
            match timeout(SILENCE, socket.next()).await.map_err(silent)? {
                Some(Ok(Message::Text(text))) if text.len() <= MAX_TEXT => return Ok(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(broken()),
                Some(Ok(_)) => return Err(Error::bad_input("what the other side says is no handshake")),
            }
        }
    };
    let text = timeout(patience, heard).await.map_err(silent)??;
    serde_json::from_str(&text).map_err(|_| Error::bad_input("what the other side says is no handshake"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(change: impl FnOnce(&mut Hello)) -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let mut hello = Hello::new(&DeviceKey::open(dir.path()).unwrap(), "c0", "site1");
        change(&mut hello);
        hello.check("c0")
    }

    #[test]
    fn only_the_holder_of_the_key_is_let_in() {
        hello(|_| {}).unwrap();
        assert!(hello(|hello| hello.token = "site2".into()).is_err());
        let other = DeviceKey::open(tempfile::tempdir().unwrap().path()).unwrap();
        assert!(hello(|hello| hello.key = other.public()).is_err());
        assert!(hello(|hello| hello.signature = String::new()).is_err());
        let mut old = hello(|hello| hello.signature = other.sign(&signed("c1", "site1")));
        assert!(old.is_err());
        old = hello(|hello| hello.version = 2);
        assert!(old.unwrap_err().to_string().contains("version 1"));
    }

    #[test]
    fn what_an_edge_says_is_checked() {
        for bad in ["", ".a", "a/b", "a b", &"x".repeat(65)] {
            assert!(check_token(bad).is_err(), "{bad}");
        }
        check_token("fc2f0aa4-86ca-4d75-ad29-59b91326dfae").unwrap();
        assert!(hello(|hello| hello.name = "a\nb".into()).unwrap_err().to_string().starts_with("name"));
        assert!(hello(|hello| hello.build = "b".repeat(65)).unwrap_err().to_string().starts_with("build"));
    }

    #[test]
    fn a_password_goes_to_the_central_and_into_no_log() {
        let dir = tempfile::tempdir().unwrap();
        let hello = Hello::new(&DeviceKey::open(dir.path()).unwrap(), "c", "t");
        let hello = hello.with_login("eve", &Secret::new("open sesame"));
        assert!(!format!("{hello:?}").contains("sesame"));
        let heard: Hello = serde_json::from_str(&serde_json::to_string(&hello).unwrap()).unwrap();
        assert_eq!(heard.login(), Some(("eve", "open sesame")));
    }
}
