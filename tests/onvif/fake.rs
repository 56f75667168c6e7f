//! A camera made of answers: reads requests from real sockets and does with each what the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use h5edge::base::secret::Secret;
use h5edge::base::spec::{OnvifSpec, Trust};
use h5edge::onvif::{Address, Camera};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request as the camera sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which of the connections that were accepted, from 0.
    pub connection: usize,
    pub path: String,
    /// Request line and headers.
    pub head: String,
    pub body: String,
}

impl Seen {
    /// Whether it asks for this operation.
    pub fn asks(&self, operation: &str) -> bool {
        self.body.contains(&format!("<{operation} xmlns="))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Whether a password went into it.
    pub fn has_credentials(&self) -> bool {
        self.body.contains("UsernameToken") || self.header("Authorization").is_some()
    }
}

/// What the camera does.
pub enum Act {
    Answer(Vec<u8>),
    /// And closes the connection without having said so.
    AnswerAndClose(Vec<u8>),
    /// Byte by byte, with a pause after each.
    Trickle(Vec<u8>, Duration),
}

/// Runs until it is dropped.
pub struct Fake {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    pub async fn start(act: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1", None, act).await
    }

    /// On this address, with TLS where there is an acceptor.
    pub async fn at(
        host: &str,
        tls: Option<TlsAcceptor>,
        act: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (noted, act) = (Arc::clone(&seen), Arc::new(act));
        let task = tokio::spawn(async move {
            for connection in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                let (noted, act, tls) = (Arc::clone(&noted), Arc::clone(&act), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, connection, &noted, &*act).await,
                        Some(tls) => match tls.accept(socket).await {
                            Ok(secured) => serve(secured, connection, &noted, &*act).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { port, seen, task }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests carried a password.
    pub fn attempts(&self) -> usize {
        self.seen().iter().filter(|seen| seen.has_credentials()).count()
    }

    pub fn camera(&self) -> Arc<Camera> {
        self.camera_with("127.0.0.1", Trust::Plain, "secret")
    }

    pub fn camera_with(&self, host: &str, trust: Trust, password: &str) -> Arc<Camera> {
        let path = "/onvif/device_service".into();
        let at = OnvifSpec { host: host.into(), port: self.port, path, trust, main: None, sub: None };
        Camera::new(Address { at, user: "admin".into(), password: Secret::new(password) })
    }
}

/// Ends with `None` when the peer or the camera closes.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: S,
    connection: usize,
    noted: &Mutex<Vec<Seen>>,
    act: &(impl Fn(&Seen) -> Act + ?Sized),
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let seen = request(&mut socket, &mut buffer, connection).await?;
        noted.lock().unwrap().push(seen.clone());
        match act(&seen) {
            Act::Answer(bytes) => socket.write_all(&bytes).await.ok()?,
            Act::AnswerAndClose(bytes) => {
                socket.write_all(&bytes).await.ok()?;
                return socket.shutdown().await.ok();
            }
            Act::Trickle(bytes, pause) => {
                for byte in bytes {
                    socket.write_all(&[byte]).await.ok()?;
                    socket.flush().await.ok()?;
                    tokio::time::sleep(pause).await;
                }
            }
        }
        socket.flush().await.ok()?;
    }
}

async fn request(
    socket: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    connection: usize,
) -> Option<Seen> {
    let head_end = loop {
        match buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None if socket.read_buf(buffer).await.ok()? == 0 => return None,
            None => {}
        }
    };
    let head = String::from_utf8(buffer.drain(..head_end).collect()).unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut seen = Seen { connection, path, head, body: String::new() };
    let length = seen.header("Content-Length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    seen.body = String::from_utf8(buffer.drain(..length).collect()).unwrap();
    Some(seen)
}

/// An HTTP answer; `headers` end with a line break each.
pub fn http(status: &str, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Answer(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes())
}

/// An envelope around this.
pub fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// What an honest camera says, with this in the body.
pub fn says(body: &str) -> Act {
    http("200 OK", "Content-Type: application/soap+xml\r\n", &envelope(body))
}

/// The fault by which most cameras refuse a login.
pub fn not_authorized(status: &str, headers: &str) -> Act {
    let fault = "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value>\
                 </s:Subcode></s:Code><s:Reason><s:Text>The action requested requires authorization\
                 </s:Text></s:Reason></s:Fault>";
    http(status, headers, &envelope(fault))
}

/// The camera's time, so many seconds ahead of ours.
pub fn time(ahead: i64) -> Act {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
    let at = jiff::tz::Offset::UTC.to_datetime(now);
    says(&format!(
        "<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Time><Hour>{}</Hour><Minute>{}</Minute>\
         <Second>{}</Second></Time><Date><Year>{}</Year><Month>{}</Month><Day>{}</Day></Date></UTCDateTime>\
         </SystemDateAndTime></GetSystemDateAndTimeResponse>",
        at.hour(),
        at.minute(),
        at.second(),
        at.year(),
        at.month(),
        at.day()
    ))
}

/// What an honest camera without a login says to the questions of these tests.
pub fn honest(seen: &Seen) -> Act {
    if seen.asks("GetSystemDateAndTime") {
        time(0)
    } else if seen.asks("GetServices") {
        services("http://192.0.2.1:1")
    } else if seen.asks("GetDeviceInformation") {
        says("<GetDeviceInformationResponse><Model>Fake</Model></GetDeviceInformationResponse>")
    } else if seen.asks("GetProfiles") {
        says("<GetProfilesResponse><Profiles token=\"p 1\"/></GetProfilesResponse>")
    } else {
        http("500 Internal Server Error", "", &envelope("<s:Fault><s:Reason/></s:Fault>"))
    }
}

/// Media and PTZ at `base`.
pub fn services(base: &str) -> Act {
    let service = |namespace: &str, path: &str| {
        format!(
            "<Service><Namespace>http://www.onvif.org/{namespace}/wsdl</Namespace>\
             <XAddr>{base}{path}</XAddr></Service>"
        )
    };
    let (media, ptz) = (service("ver10/media", "/onvif/media?a=b"), service("ver10/ptz", "/onvif/ptz"));
    says(&format!("<GetServicesResponse>{media}{ptz}</GetServicesResponse>"))
}

/// A TLS acceptor with a certificate of its own, which says nothing true about anybody.
pub fn acceptor() -> TlsAcceptor {
    let pair = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["factory.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let certificate: CertificateDer = params.self_signed(&pair).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
