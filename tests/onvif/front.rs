//! A camera's web service, as small as can be: Media2 and Media1 over HTTP/1.1 or HTTPS with
//! WS-UsernameToken, made so that a test can change, break and stop it. One thread per connection; the
//! streams it names are somebody else's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use h5edge::onvif::xml::{self, Element};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::head::Head;
use crate::support::daemon::Daemon;

pub const USER: &str = "admin";
pub const PASSWORD: &str = "pass 1&2";
/// What [`add`] calls it.
pub const CAM: (&str, &str) = ("token", "cam");

/// Makes the camera at this port of loop-back a source that is pulled on demand.
pub fn add(daemon: &Daemon, port: u16) {
    let port = port.to_string();
    let place = [("ip", "127.0.0.1"), ("port", &port), ("user", USER), ("password", PASSWORD)];
    let more = [("name", "cam"), CAM, ("connect", "H5_ONDEMAND")];
    daemon.api_ok("AddSrcONVIF", &[&place[..], &more].concat());
}

/// A profile and where its stream is.
#[derive(Clone, Debug)]
pub struct Shown {
    pub token: &'static str,
    /// Codec, width and height as the camera tells them; nothing: it keeps them to itself.
    pub told: Option<(&'static str, u32, u32)>,
    pub url: String,
}

/// What can be changed while it runs.
#[derive(Debug)]
pub struct State {
    pub profiles: Vec<Shown>,
    /// Without it there is Media1 only.
    pub media2: bool,
    /// With it, TLS is spoken.
    pub tls: Option<Arc<ServerConfig>>,
    /// Operations in the order in which they came, with `!` behind where the credentials were refused.
    pub calls: Vec<String>,
    /// Its head and its events, if it has any.
    pub head: Option<Head>,
}

/// The running web service; gone when dropped.
pub struct Front {
    pub port: u16,
    pub state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    pub fn start(profiles: Vec<Shown>) -> Self {
        let state = State { profiles, media2: true, tls: None, calls: Vec::new(), head: None };
        Self::start_at(0, Arc::new(Mutex::new(state)))
    }

    /// At this port, 0 for any, with the state of one that was there before.
    pub fn start_at(port: u16, state: Arc<Mutex<State>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (state.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, stopped) = (shared.clone(), stopped.clone());
                std::thread::spawn(move || {
                    let tls = shared.lock().expect("a state").tls.clone();
                    let _ = match tls {
                        None => serve(stream, port, &shared, &stopped),
                        Some(config) => {
                            let tls = ServerConnection::new(config).expect("a TLS server");
                            serve(StreamOwned::new(tls, stream), port, &shared, &stopped)
                        }
                    };
                });
            }
        });
        Self { port, state, stop, thread: Some(thread) }
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        self.with(|state| state.calls.iter().filter(|call| *call == operation).count())
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().expect("a state"))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread, which closes the port.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A certificate that nobody signed, and its SHA-256 in hex.
pub fn certificate() -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(["camera".to_owned()]).expect("a certificate");
    let der: CertificateDer = made.cert.der().clone();
    let pin = Sha256::digest(&der).iter().map(|byte| format!("{byte:02x}")).collect();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![der], key);
    (Arc::new(config.expect("a server's configuration")), pin)
}

/// Answers until the client leaves.
fn serve(stream: impl Read + Write, port: u16, state: &Mutex<State>, stop: &AtomicBool) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let request = body(&mut reader)?;
        if stop.load(Ordering::SeqCst) {
            return None;
        }
        wait_for_events(&request, state, stop);
        let (status, answer) = answer(&request, port, &mut state.lock().expect("a state"));
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        let writer = reader.get_mut();
        writer.write_all((head + &answer).as_bytes()).and_then(|()| writer.flush()).ok()?;
    }
}

/// A question for events is answered when there are some, or after a while.
fn wait_for_events(request: &[u8], state: &Mutex<State>, stop: &AtomicBool) {
    if !request.windows(13).any(|window| window == b"<PullMessages") {
        return;
    }
    let end = Instant::now() + Duration::from_secs(5);
    let idle = || state.lock().expect("a state").head.as_ref().is_some_and(Head::is_idle);
    while idle() && Instant::now() < end && !stop.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The next request's body.
fn body(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn answer(request: &[u8], port: u16, state: &mut State) -> (&'static str, String) {
    let envelope = xml::parse(request).expect("a SOAP request");
    let operation = envelope.child("Body").and_then(|body| body.children.first()).expect("an operation");
    let open = matches!(operation.name.as_str(), "GetSystemDateAndTime");
    if !open && !is_ours(&envelope) {
        state.calls.push(format!("{}!", operation.name));
        return ("400 Bad Request", fault("Sender", "ter:NotAuthorized", "Sender not authorized"));
    }
    state.calls.push(operation.name.clone());
    let is_media2 = operation.namespace.contains("ver20/media");
    if let Some(told) = state.head.as_mut().and_then(|head| head.answer(&envelope, operation, port)) {
        return match told {
            Ok(inner) => {
                ("200 OK", envelope_of(&format!("<{0}Response>{inner}</{0}Response>", operation.name)))
            }
            Err((subcode, text)) => ("400 Bad Request", fault("Sender", subcode, text)),
        };
    }
    let inner = match operation.name.as_str() {
        "GetSystemDateAndTime" => time(),
        "GetServices" => services(port, state),
        "GetCapabilities" => String::new(),
        "GetDeviceInformation" => {
            "<tds:Manufacturer>Test</tds:Manufacturer><tds:Model>Front 1</tds:Model>".into()
        }
        "GetScopes" => ["type/video_encoder", "name/North%20gate"]
            .map(|scope| {
                format!("<tds:Scopes><tt:ScopeItem>onvif://www.onvif.org/{scope}</tt:ScopeItem></tds:Scopes>")
            })
            .concat(),
        "GetProfiles" if is_media2 => {
            state.profiles.iter().map(|shown| profile(shown, true, state)).collect()
        }
        "GetProfiles" => state.profiles.iter().map(|shown| profile(shown, false, state)).collect(),
        "GetStreamUri" => {
            let wanted = operation.find("ProfileToken").map(|token| token.text.clone()).unwrap_or_default();
            match state.profiles.iter().find(|shown| shown.token == wanted) {
                None => return ("400 Bad Request", fault("Sender", "ter:NoProfile", "no such profile")),
                Some(shown) if is_media2 => format!("<tr2:Uri>{}</tr2:Uri>", xml::escape(&shown.url)),
                Some(shown) => {
                    format!("<trt:MediaUri><tt:Uri>{}</tt:Uri></trt:MediaUri>", xml::escape(&shown.url))
                }
            }
        }
        _ => return ("500 Internal Server Error", fault("Receiver", "ter:ActionNotSupported", "not here")),
    };
    ("200 OK", envelope_of(&format!("<{0}Response>{inner}</{0}Response>", operation.name)))
}

/// WS-UsernameToken with a digest of the right password.
fn is_ours(envelope: &Element) -> bool {
    let text = |name: &str| envelope.find(name).map(|found| found.text.clone()).unwrap_or_default();
    let Ok(nonce) = BASE64_STANDARD.decode(text("Nonce")) else { return false };
    let digest = Sha1::new().chain_update(nonce).chain_update(text("Created")).chain_update(PASSWORD);
    text("Username") == USER && text("Password") == BASE64_STANDARD.encode(digest.finalize())
}

fn time() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let (hours, minutes, seconds) = (now / 3600 % 24, now / 60 % 60, now % 60);
    let date = jiff::Timestamp::from_second(now as i64).expect("a date").strftime("%Y-%m-%d").to_string();
    let mut parts = date.split('-');
    let mut part = || parts.next().expect("a part");
    format!(
        "<tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>{hours}</tt:Hour><tt:Minute>{minutes}</tt:Minute>\
         <tt:Second>{seconds}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month>\
         <tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>",
        part(),
        part(),
        part()
    )
}

fn services(port: u16, state: &State) -> String {
    let mut all = vec![("ver10/device", "device"), ("ver10/media", "media")];
    if state.media2 {
        all.push(("ver20/media", "media2"));
    }
    if state.head.is_some() {
        all.extend([("ver20/ptz", "ptz"), ("ver20/imaging", "imaging"), ("ver10/events", "events")]);
    }
    // Its own idea of its address leads nowhere.
    let service = |(namespace, path)| {
        format!(
            "<tds:Service><tds:Namespace>http://www.onvif.org/{namespace}/wsdl</tds:Namespace>\
             <tds:XAddr>http://198.51.100.99:{port}/onvif/{path}</tds:XAddr></tds:Service>"
        )
    };
    all.into_iter().map(service).collect()
}

fn profile(shown: &Shown, media2: bool, state: &State) -> String {
    let (open, close, source, encoder, ptz) = match media2 {
        true => ("<tr2:Configurations>", "</tr2:Configurations>", "VideoSource", "VideoEncoder", "PTZ"),
        false => ("", "", "VideoSourceConfiguration", "VideoEncoderConfiguration", "PTZConfiguration"),
    };
    let steered = state.head.as_ref().filter(|head| head.profile.is_none_or(|token| token == shown.token));
    let ptz = steered.map(|_| format!("<tr2:{ptz} token=\"ptz\"/>")).unwrap_or_default();
    let told = shown.told.map(|(codec, width, height)| {
        format!(
            "<tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height>\
             </tt:Resolution><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:BitrateLimit>300</tt:BitrateLimit>\
             </tt:RateControl>"
        )
    });
    format!(
        "<tr2:Profiles token=\"{0}\"><tt:Name>{0}</tt:Name>{open}<tr2:{source} token=\"c\"><tt:SourceToken>lens</tt:SourceToken>\
         </tr2:{source}><tr2:{encoder} token=\"e\">{1}</tr2:{encoder}>{ptz}{close}</tr2:Profiles>",
        xml::escape(shown.token),
        told.unwrap_or_default()
    )
}

fn fault(code: &str, subcode: &str, text: &str) -> String {
    envelope_of(&format!(
        "<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>\
         <s:Reason><s:Text xml:lang=\"en\">{text}</s:Text></s:Reason></s:Fault>"
    ))
}

fn envelope_of(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" \
         xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" xmlns:tr2=\"http://www.onvif.org/ver20/media/wsdl\" \
         xmlns:ter=\"http://www.onvif.org/ver10/error\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}
