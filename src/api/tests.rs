//! The whole surface over real connections to a server on a free port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::alarms::Alarms;
use super::board::Board;
use super::cloud::Cloud;
use super::events::EventHub;
use super::frames::Frames;
use super::onvif_device::OnvifDevice;
use super::onvif_device::site::{Edge, Ports};
use super::tls::Certificate;
use super::update::Updates;
use super::{Context, Listeners, serve};
use crate::auth::Auth;
use crate::base::config::{Config, VolumeEntry};
use crate::base::secret::Secret;
use crate::base::time::Clock;
use crate::media::hub::DEFAULT_KEEP;
use crate::play::hls::{Hls, HlsSettings};
use crate::play::webrtc::{Rtc, RtcSettings};
use crate::play::ws::Ws;
use crate::record::Recorder;
use crate::record::volume::Volumes;
use crate::snapshot::{CodecSettings, Snapshots};
use crate::source::{Settings, Sources};
use crate::store::Store;
use crate::system::{Appliance, Sampler};

const DEADLINE: Duration = Duration::from_secs(20);
/// MD5 of `12345`, as every client page sends it.
const DEFAULT_MD5: &str = "827ccb0eea8a706c4c34a16891f84e7b";

pub(super) struct Server {
    address: SocketAddr,
    https: SocketAddr,
    pub(super) ctx: Arc<Context>,
    dir: TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        assert!(self.body.ends_with(b"\r\n"), "no CRLF behind the body");
        serde_json::from_slice(&self.body).unwrap()
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("no head") + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end..].to_vec() }
    }
}

impl Server {
    pub(super) async fn start(change: impl FnOnce(&mut Config)) -> Self {
        gstreamer::init().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.auth.initial_password = Secret::new("12345");
        change(&mut config);
        let (clock, stop) = (Clock::real(), CancellationToken::new());
        let store = Store::open(dir.path()).unwrap();
        let files = dir.path().join("files");
        std::fs::create_dir(&files).unwrap();
        let settings = Settings {
            default_connect: config.sources.default_connect,
            default_transport: config.sources.default_transport,
            warm: Duration::from_secs(1),
            stall: Duration::from_secs(5),
            ring_bytes: 1 << 20,
            keep: DEFAULT_KEEP,
            max_sources: 2,
        };
        let volumes = Volumes::open(&[VolumeEntry::in_data_dir(dir.path())], &store).unwrap();
        let rtc = RtcSettings { port: 0, public_addresses: vec![], ice_servers: vec![], max_viewers: 2 };
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ports = Ports { http: http.local_addr().unwrap(), https: None, rtsp: 8554 };
        let sources = Sources::new(settings, clock.clone());
        let auth = Auth::open(store.clone(), clock.clone(), (&config.auth).into()).unwrap();
        let recorder =
            Recorder::start((&config).into(), volumes, store.clone(), clock.clone(), stop.clone()).unwrap();
        let site = Edge::load(&store, &config, sources.clone(), recorder.clone(), clock, ports).unwrap();
        let cloud = Cloud::open(&config, dir.path(), &store, &auth, Clock::real()).unwrap();
        let ctx = Arc::new(Context {
            data_dir: dir.path().to_owned(),
            file_roots: vec![files],
            auth,
            sources,
            recorder,
            sampler: Sampler::new(dir.path()),
            ws: Ws::default(),
            rtc: Rtc::start(rtc, stop.clone()).unwrap(),
            hls: Hls::new(HlsSettings::default(), stop.clone()),
            snapshots: Snapshots::new("/nonexistent".into(), CodecSettings::default(), stop.clone()),
            events: EventHub::default(),
            board: Board::default(),
            alarms: Alarms::load(&store).unwrap(),
            device: OnvifDevice::new(site),
            appliance: Appliance::default(),
            updates: Updates::new(dir.path()),
            certificate: Some(Arc::new(Certificate::open(dir.path()).unwrap())),
            frames: Frames::default(),
            cloud,
            journal: Default::default(),
            shutdown: stop.clone(),
            store,
            config,
        });
        let https = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, secure) = (http.local_addr().unwrap(), https.local_addr().unwrap());
        let (_, tunnel) = tokio::sync::mpsc::channel(1);
        let listeners =
            Listeners { http, https: Some(https), tunnel, nodes: tokio::sync::mpsc::channel(1).1 };
        let running = tokio::spawn(serve(listeners, ctx.clone(), stop.clone()));
        Self { address, https: secure, ctx, dir, stop, running }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `request` as it is and reads until the server closes.
    async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        let mut bytes = Vec::new();
        timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        Answer::parse(&bytes)
    }

    /// `GET target`, with whatever blanks it holds.
    async fn get(&self, target: &str) -> Answer {
        self.raw(format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes()).await
    }

    async fn post(&self, target: &str, content_type: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.raw(request.as_bytes()).await
    }

    async fn call(&self, target: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{target}")).await;
        assert_eq!(answer.status, 200, "{target}");
        answer.json()
    }

    async fn fault(&self, target: &str) -> String {
        let answer = self.call(target).await;
        assert_eq!(answer["bStatus"], false, "{target}: {answer}");
        answer["strCode"].as_str().unwrap().to_owned()
    }

    async fn login(&self) -> String {
        let answer = self.call(&format!("Login?user=admin&password={DEFAULT_MD5}")).await;
        assert_eq!(answer["bStatus"], true, "{answer}");
        answer["strSession"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_from_login_to_logout() {
    let server = Server::start(|_| {}).await;
    let answer = server.call("Login?user=admin&password=12345").await;
    assert_eq!((&answer["bStatus"], &answer["nTimeout"]), (&json!(true), &json!(600)));
    assert_eq!((&answer["bDefaultPassword"], &answer["bMustChangePassword"]), (&json!(true), &json!(false)));
    assert!(answer["strCode"].as_str().unwrap().starts_with("warning:"));

    let refused = server.call("Login?user=admin&password=wrong").await;
    assert_eq!((&refused["bStatus"], &refused["nFaultTimes"]), (&json!(false), &json!(1)));
    assert_eq!(refused["tLockTimeResidue"], 0);

    let session = server.login().await;
    let answer = server.get(&format!("/api/v1/GetSystemInfo?session={session}")).await;
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    assert_eq!(answer.json()["strLicenseType"], "None");
    assert_eq!(server.call(&format!("Keepalive?session={session}")).await["bStatus"], true);
    assert_eq!(server.call(&format!("Logout?session={session}")).await["bStatus"], true);
    assert_eq!(server.get("/api/v1/Record?token=a").await.status, 401);
    for dead in [format!("session={session}"), "session=undefined".into(), String::new()] {
        let answer = server.get(&format!("/api/v1/GetSrc?{dead}")).await;
        assert_eq!((answer.status, &answer.json()["bStatus"]), (401, &json!(false)), "{dead}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crooked_requests_on_the_wire() {
    let server = Server::start(|_| {}).await;
    let session = server.login().await;
    for target in [
        format!("//api/v1/GetRunInfo?session={session}"),
        format!("/api/v1/ GetRunInfo?session={session}"),
        format!("/api/v1/GetRunInfo&session={session}"),
        format!("/api/v1/GetRunInfo?&session=\"{session}\""),
        format!("/index.html/api/v1/getruninfo?&&session='{session}' & &x"),
        format!("http://server/api/v1/GetRunInfo?session={session}"),
    ] {
        assert!(server.get(&target).await.json()["strRunTime"].is_string(), "{target}");
    }
    let header = format!(
        "POST /api/v1/GetSrc HTTP/1.1\r\nHost: h\r\nAuthorization: token {session}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(server.raw(header.as_bytes()).await.json(), json!({"src": []}));

    let mut stream = server.connect().await;
    for _ in 0..3 {
        let request = format!("GET /api/v1/ GetVersion?session={session} HTTP/1.1\r\nHost: h\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"}\r\n") {
            let read = timeout(DEADLINE, stream.read_buf(&mut seen)).await.unwrap().unwrap();
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&seen));
        }
        assert!(Answer::parse(&seen).json()["strVer"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_are_added_listed_and_deleted() {
    let server = Server::start(|_| {}).await;
    let s = format!("session={}", server.login().await);
    let add = format!("AddSrcRTSP?name=Door&token=cam1&url=rtsp://admin:hunter2@127.0.0.1:9/x&{s}");
    let answer = server.call(&add).await;
    assert_eq!(answer, json!({"bStatus": true, "strCode": "Add successfully"}));
    assert_eq!(server.ctx.store.sources().unwrap()[0].password.expose(), "hunter2");
    assert_eq!(server.fault(&add).await, "parameter token: cam1 is used already");

    let form = "name=Front+door&token=cam2&url=rtmp%3A%2F%2F127.0.0.1%3A9%2Flive%2Fx&password=a%2Bb";
    let target = format!("/api/v1/AddSrcRTSP?{s}");
    let answer = server.post(&target, "application/x-www-form-urlencoded", form).await;
    assert_eq!(answer.json()["bStatus"], true);
    let listed = server.call(&format!("GetSrc?{s}")).await;
    assert_eq!(listed["src"].as_array().unwrap().len(), 2);
    assert_eq!(listed["src"][0]["strUrl"], "rtsp://127.0.0.1:9/x");
    assert_eq!(listed["src"][1]["strName"], "Front door");
    assert!(!listed.to_string().contains("hunter2"));
    assert_eq!(server.call(&format!("GetSrc?token=cam2&{s}")).await["src"][0]["strToken"], "cam2");
    assert_eq!(server.call(&format!("GetSrc?type=H5_FILE&{s}")).await, json!({"src": []}));
    assert_eq!(server.fault(&format!("GetSrc?token=no&{s}")).await, "parameter token: there is no source no");

    // The third is one too many, and leaves nothing behind.
    server.fault(&format!("AddSrcRTSP?name=a&token=cam3&url=rtsp://127.0.0.1:9/&{s}")).await;
    assert_eq!(server.ctx.store.sources().unwrap().len(), 2);
    let delete = format!("DelSrc?token=cam1&{s}");
    assert_eq!(server.call(&delete).await["bStatus"], true);
    assert_eq!(server.ctx.store.sources().unwrap().len(), 1);
    assert_eq!(server.fault(&delete).await, "parameter token: there is no source cam1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_calls_say_what_was_wrong() {
    let server = Server::start(|_| {}).await;
    let s = format!("session={}", server.login().await);
    let outside = server.dir.path().join("h5edge.db");
    for (target, text) in [
        (format!("NoSuch?{s}"), "unknown call NoSuch".into()),
        (
            format!("GetClaimList?{s}"),
            "this box is no central server: make it one with SetCloudServer, or with [cloud.server] in its \
             configuration"
                .into(),
        ),
        (
            format!("SetCloudInfo?cloudport=0&{s}"),
            "parameter cloudport is not a whole number from 1 to 65535".into(),
        ),
        (
            format!("SetCloudInfo?grant=all&{s}"),
            "parameter grant is none of view, playback, control, administration".into(),
        ),
        (
            format!("SetCloudInfo?enable=true&{s}"),
            "parameter cloudip is missing: the address of the central".into(),
        ),
        (format!("AddSrcRTSP?token=a&url=rtsp://h/&{s}"), "parameter name is missing".into()),
        (
            format!("AddSrcRTSP?name=a&token=a&url=ftp://h/&{s}"),
            "parameter url must start with rtsp://, rtsps://, rtmp:// or rtmps://".into(),
        ),
        (
            format!("AddSrcFile?name=a&token=a&url={}&{s}", outside.display()),
            "parameter url: lies outside the folders that files may be played from".into(),
        ),
        (format!("DelSrc?token=%00&{s}"), "parameter token holds a control character".into()),
        (format!("h5swsapi?token=a&{s}"), String::from("h5swsapi is a WebSocket")),
    ] {
        assert_eq!(server.fault(&target).await, text, "{target}");
    }
    let json = server.post(&format!("/api/v1/GetSrc?{s}"), "application/json", "{}").await.json();
    assert_eq!(json["strCode"], "the body must be application/x-www-form-urlencoded");
    let long = "x".repeat(65 * 1024);
    let long = server.post(&format!("/api/v1/GetSrc?{s}"), "text/plain", &long).await.json();
    assert_eq!(long["strCode"], "the body is longer than 65536 bytes");
    assert_eq!(server.get("/no/such/page").await.status, 404);
    assert_eq!(server.get("/../x").await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_must_change_its_password_can_do_nothing_else() {
    let server = Server::start(|config| config.auth.require_password_change = true).await;
    let s = format!("session={}", server.login().await);
    let text = "the password must be changed first, see UpdateUser";
    assert_eq!(server.fault(&format!("GetSrc?{s}")).await, text);
    let change = format!("UpdateUser?user=admin&oldpassword={DEFAULT_MD5}&newpassword=better+one&{s}");
    assert_eq!(server.call(&change).await, json!({"bStatus": true, "strCode": "Update user successfully"}));
    assert_eq!(server.call(&format!("GetSrc?{s}")).await, json!({"src": []}));
    let again = server.call("Login?user=admin&password=better+one").await;
    assert_eq!((&again["bStatus"], &again["bDefaultPassword"]), (&json!(true), &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_passes_without_a_session() {
    let strict = Server::start(|_| {}).await;
    for view in ["/api/v1/GetImage?token=a", "/hls/v1/a/hls.m3u8"] {
        assert_eq!(strict.get(view).await.status, 401, "{view}");
    }
    assert_eq!(strict.get("/api/v1/cluster/GetClusterStatus").await.json(), json!({"bEnable": false}));

    let viewing = Server::start(|config| config.auth.anonymous_view = true).await;
    let picture = viewing.get("/api/v1/GetLoadingImage?session=dead").await;
    assert_eq!((picture.status, &picture.body[..2]), (200, &b"\xff\xd8"[..]));
    assert_eq!(viewing.get("/hls/v1/a/hls.m3u8").await.status, 404);
    assert_eq!(viewing.get("/api/v1/GetSrc").await.status, 401);

    let open = Server::start(|config| config.auth.require_session = false).await;
    assert_eq!(open.call("GetSrc?session=dead").await, json!({"src": []}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_from_elsewhere_may_call_if_they_are_listed() {
    let server = Server::start(|config| config.http.cors_origins = vec!["https://vms".into()]).await;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /api/v1/GetSrc HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\nConnection: close\r\n\
             Access-Control-Request-Method: POST\r\n\r\n"
        )
    };
    let answer = server.raw(preflight("https://vms").as_bytes()).await;
    assert_eq!(answer.status, 204);
    assert!(answer.head.contains("access-control-allow-origin: https://vms\r\n"), "{}", answer.head);
    assert!(answer.head.contains("allow-headers: authorization, content-type"), "{}", answer.head);
    let answer = server.raw(preflight("https://evil").as_bytes()).await;
    assert!(!answer.head.contains("access-control"), "{}", answer.head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_too_many_is_closed() {
    let server = Server::start(|config| config.http.max_connections = 1).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    assert!(timeout(DEADLINE, first.read(&mut [0; 64])).await.unwrap().unwrap() > 0);
    let mut second = server.connect().await;
    let closed = timeout(DEADLINE, second.read(&mut [0; 64])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_and_the_stop() {
    let server = Server::start(|_| {}).await;
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let url = format!("https://{}/api/v1/cluster/GetClusterStatus", server.https);
    assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), "{\"bEnable\":false}\r\n");
    // Idle connections do not hold up the stop.
    let _idle = server.connect().await;
    server.stop.cancel();
    timeout(Duration::from_secs(3), server.running).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_open_for_known_sources_only() {
    let server = Server::start(|_| {}).await;
    let session = server.login().await;
    let s = format!("session={session}");
    server.call(&format!("AddSrcRTSP?name=a&token=cam1&url=rtsp://127.0.0.1:9/&{s}")).await;
    let url = |token: &str| {
        format!("ws://{}/index.htmlapi/v1/h5swscmnapi?token={token}&session={session}", server.address)
    };
    assert!(tokio_tungstenite::connect_async(url("nobody")).await.is_err());
    let (socket, _) = tokio_tungstenite::connect_async(url("cam1")).await.unwrap();
    let stream = server.ctx.stream("cam1").unwrap();
    let mut viewers = stream.watch_viewers();
    timeout(DEADLINE, viewers.wait_for(|&n| n == 1)).await.unwrap().unwrap();
    drop(socket);
    timeout(DEADLINE, viewers.wait_for(|&n| n == 0)).await.unwrap().unwrap();
}
