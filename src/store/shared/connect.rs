//! One connection to the shared database: TCP, TLS where it is wanted, log-in. The future that drives a
//! connection is spawned by whoever asked for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::{Client, NoTls};
use tokio_rustls::TlsConnector;

use crate::base::config::{CloudServer, Database};
use crate::base::{Error, Result};

/// PostgreSQL's own limit of a statement, waiting for locks included, is below ours, so that its answer comes
/// first and the connection stays good. Its notices would be logged.
const SESSION: &str = "SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '10s';
                       SET client_min_messages = warning";

/// What a client says to go on in TLS (PostgreSQL manual, 54.7 SSLRequest): length 8, code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Where to connect and how.
pub struct Address {
    at: Database,
    tls: Option<TlsConnector>,
}

impl Address {
    /// # Errors
    /// Those of reading `database_ca`; `BadInput` when there is no certificate in it.
    pub fn new(settings: &CloudServer) -> Result<Self> {
        let at = settings.database.clone();
        let tls = at.tls.then(|| connector(&settings.database_ca)).transpose()?;
        Ok(Self { at, tls })
    }

    /// A client that has logged in. Its connection lives on in a task of the runtime that this is called in.
    pub async fn dial(&self) -> std::result::Result<Client, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect((self.at.host.as_str(), self.at.port)).await?;
        stream.set_nodelay(true)?;
        // So that what stands between does not forget an idle connection.
        let alive = TcpKeepalive::new().with_time(Duration::from_secs(30));
        SockRef::from(&stream).set_tcp_keepalive(&alive)?;
        match &self.tls {
            Some(tls) => self.log_in(self.encrypt(tls, stream).await?).await,
            None => self.log_in(stream).await,
        }
    }

    async fn encrypt(
        &self,
        tls: &TlsConnector,
        mut stream: TcpStream,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        stream.write_all(&SSL_REQUEST).await?;
        // No byte more than this one: what follows it in the clear could come from anybody.
        if stream.read_u8().await? != b'S' {
            return Err(std::io::Error::other("it has no TLS (see sslmode)"));
        }
        let name = ServerName::try_from(self.at.host.clone()).map_err(std::io::Error::other)?;
        tls.connect(name, stream).await
    }

    async fn log_in<S>(
        &self,
        stream: S,
    ) -> std::result::Result<Client, Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut config = tokio_postgres::Config::new();
        config.user(&self.at.user).dbname(&self.at.name).application_name("h5edge");
        if !self.at.password.is_empty() {
            config.password(self.at.password.expose());
        }
        // TLS is there already.
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        let (client, connection) = config.connect_raw(stream, NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the shared database ended");
            }
        });
        client.batch_execute(SESSION).await?;
        Ok(client)
    }
}

/// TLS that trusts the authorities in the file `ca`, or those of the system.
fn connector(ca: &Path) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    if ca.as_os_str().is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::bad_input(format!("cloud.server.database_ca: {}: {error}", ca.display()))
        };
        for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| wrong(&error))? {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.is_empty() {
            return Err(wrong(&"there is no certificate in it"));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
