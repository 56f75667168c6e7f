//! Somebody who uses a central from elsewhere: by HTTPS and wss only, and knowing it by its certificate's pin.

use std::net::SocketAddr;
use std::sync::Arc;

use h5edge::base::pin::pinned;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error;

use crate::support::daemon::encode;
use crate::support::http::{Response, connect, exchange};
use crate::support::ws::Viewer;

/// With a session of the central's administrator.
#[derive(Clone)]
pub struct User {
    place: SocketAddr,
    tls: Arc<ClientConfig>,
    session: String,
}

impl User {
    /// Logs in.
    pub fn new(place: SocketAddr, pin: &str) -> Self {
        let tls = Arc::new(pinned(Some(pin.to_owned())).expect("TLS"));
        let mut user = Self { place, tls, session: String::new() };
        user.login();
        user
    }

    /// Logs in again, at a central that was started anew.
    pub fn login(&mut self) {
        let answer = self.get("/api/v1/Login?user=admin&password=12345").json();
        self.session = answer["strSession"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    }

    /// GET with the session.
    pub fn get(&self, target: &str) -> Response {
        let tls = ClientConnection::new(self.tls.clone(), self.name()).expect("TLS");
        let stream = StreamOwned::new(tls, connect(self.place));
        exchange(stream, &self.place.to_string(), "GET", &self.with_session(target), &[], b"")
    }

    /// A call, and what was answered.
    pub fn api(&self, call: &str, params: &[(&str, &str)]) -> Value {
        let query: Vec<String> =
            params.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        self.get(&format!("/api/v1/{call}?{}", query.join("&"))).json()
    }

    /// The same, and it has to succeed.
    pub fn api_ok(&self, call: &str, params: &[(&str, &str)]) -> Value {
        let answer = self.api(call, params);
        assert!(answer["bStatus"] != false, "{call} {params:?}: {answer}");
        answer
    }

    /// The entry of GetSrc, if there is one.
    pub fn source(&self, mapped: &str) -> Option<Value> {
        let answer = self.api_ok("GetSrc", &[]);
        answer["src"].as_array()?.iter().find(|entry| entry["strToken"] == mapped).cloned()
    }

    /// A socket.
    pub async fn open(&self, target: &str) -> Result<Viewer, Error> {
        let stream = TcpStream::connect(self.place).await?;
        let stream = TlsConnector::from(self.tls.clone()).connect(self.name(), stream).await?;
        Viewer::over(Box::new(stream), &format!("wss://{}{}", self.place, self.with_session(target))).await
    }

    /// Live pictures.
    pub async fn watch(&self, mapped: &str) -> Result<Viewer, Error> {
        self.open(&format!("/api/v1/h5swsapi?token={mapped}&hevc=false&profile=main")).await
    }

    fn name(&self) -> ServerName<'static> {
        ServerName::from(self.place.ip())
    }

    fn with_session(&self, target: &str) -> String {
        let joint = if target.contains('?') { '&' } else { '?' };
        format!("{target}{joint}session={}", self.session)
    }
}
