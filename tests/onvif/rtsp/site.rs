//! An RTSP server over a simulated camera, and the programs that look at it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use h5edge::auth::throttle::Throttle;
use h5edge::base::config::{Config, VolumeEntry};
use h5edge::base::footage::Cause;
use h5edge::base::secret::Secret;
use h5edge::base::spec::{Connect, RtspTransport, SourceKind, SourceSpec};
use h5edge::base::time::{Clock, MediaTime};
use h5edge::base::wall::Wall;
use h5edge::media::recorded::{Library, Piece};
use h5edge::play::rtsp::{Backend, RtspServer, Settings, Tried};
use h5edge::record::volume::Volumes;
use h5edge::record::{self, Recorder, Request};
use h5edge::source::{self, Sources};
use h5edge::store::Store;
use md5::{Digest, Md5};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::support::fakecam::Fakecam;
use crate::support::wait_for;

pub const MAX_CLIENTS: usize = 40;
const PATIENCE: Duration = Duration::from_secs(60);

/// A camera, its source `cam0`, its recordings and the server.
pub struct Served {
    pub camera: Fakecam,
    pub port: u16,
    pub sources: Arc<Sources>,
    pub recorder: Arc<Recorder>,
    pub runtime: Runtime,
    server: Option<RtspServer>,
    backend: Backend,
    shutdown: CancellationToken,
    _dir: TempDir,
}

impl Served {
    pub fn start(camera: &[&str]) -> Self {
        let small = ["--size", "320x240", "--bitrate", "300", "--clip-seconds", "4", "--gop", "100"];
        let camera = Fakecam::start(&[&small, camera].concat());
        let _ = gstreamer::init();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let entered = runtime.enter();
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.recording.rollover_seconds = 5;
        let (shutdown, clock) = (CancellationToken::new(), Clock::real());
        let store = Store::open(dir.path()).unwrap();
        let volumes = Volumes::open(&[VolumeEntry::in_data_dir(dir.path())], &store).unwrap();
        let settings = record::Settings::from(&config);
        let recorder = Recorder::start(settings, volumes, store, clock.clone(), shutdown.clone()).unwrap();
        let settings = source::Settings {
            default_connect: Connect::OnDemand,
            default_transport: RtspTransport::Auto,
            warm: Duration::from_secs(1),
            stall: Duration::from_secs(5),
            ring_bytes: 32 << 20,
            keep: MediaTime::from_secs(5),
            max_sources: 8,
        };
        let sources = Sources::new(settings, clock.clone());
        sources.add(spec(&camera)).unwrap();
        recorder.attach(sources.get("cam0").unwrap().stream.clone());
        let found = sources.clone();
        let minute = Duration::from_secs(60);
        let throttle = Mutex::new(Throttle::new(5, minute, minute));
        let backend = Backend {
            streams: Arc::new(move |token| Some(found.get(token)?.stream.clone())),
            users: Arc::new(move |peer, name, proof| {
                let mut throttle = throttle.lock().unwrap();
                if throttle.begin(clock.mono(), peer, name).locked_for.is_some() {
                    return Tried::Locked;
                }
                if name != "viewer" || !proof(&Secret::new("secret")) {
                    return Tried::Wrong;
                }
                throttle.succeeded(clock.mono(), peer, name);
                Tried::Right
            }),
            recordings: recorder.clone(),
        };
        let server = runtime.block_on(open(backend.clone(), &shutdown));
        drop(entered);
        let port = server.port();
        Self { camera, port, sources, recorder, runtime, server: Some(server), backend, shutdown, _dir: dir }
    }

    /// Switches the server off, does `meanwhile` beside that, and switches it on again at another port.
    pub fn off_and_on(&mut self, meanwhile: impl FnOnce()) {
        let stopped = self.runtime.spawn(self.server.take().expect("a server").stop());
        meanwhile();
        self.runtime.block_on(stopped).unwrap();
        let server = self.runtime.block_on(open(self.backend.clone(), &self.shutdown));
        self.port = server.port();
        self.server = Some(server);
    }

    /// With user and password inside.
    pub fn url(&self, path: &str) -> String {
        format!("rtsp://viewer:secret@127.0.0.1:{}{path}", self.port)
    }

    pub fn viewers(&self, token: &str) -> usize {
        self.sources.get(token).unwrap().stream.viewers()
    }

    /// Records for a time; the files.
    pub fn record(&self, duration: Duration) -> Vec<Piece> {
        let request = Request {
            cause: Cause::Manual,
            duration: Some(duration),
            at_least: false,
            name: None,
            folders: None,
            apart: false,
        };
        self.runtime.block_on(self.recorder.record("cam0", request)).unwrap();
        wait_for("the recording's end", 4 * PATIENCE, || {
            let pieces = self.recorder.pieces("cam0", Wall(0), Wall(i64::MAX)).unwrap();
            let (begin, end) = (pieces.first()?.start.0, pieces.last()?.end.0);
            let whole = end - begin >= duration.as_millis() as i64 - 1000;
            (whole && pieces.iter().all(|piece| !piece.open)).then_some(pieces)
        })
    }

    /// ffmpeg, which reads over TCP until the stream ends.
    pub fn play(&self, path: &str) -> Player {
        Player::start(&self.url(path))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
        self.shutdown.cancel();
        self.runtime.block_on(async {
            self.recorder.stopped().await;
            self.sources.stop().await;
        });
    }
}

async fn open(backend: Backend, shutdown: &CancellationToken) -> RtspServer {
    let settings = Settings { address: Ipv4Addr::LOCALHOST.into(), port: 0, max_clients: MAX_CLIENTS };
    RtspServer::start(settings, backend, shutdown).await.unwrap()
}

fn spec(camera: &Fakecam) -> SourceSpec {
    SourceSpec {
        token: "cam0".into(),
        name: "cam0".into(),
        kind: SourceKind::Stream,
        url: camera.rtsp_url(0),
        sub_url: None,
        user: String::new(),
        password: Secret::default(),
        audio: true,
        connect: Connect::OnDemand,
        transport: RtspTransport::Auto,
        onvif: None,
    }
}

/// What ffprobe says of a stream.
#[derive(Debug)]
pub struct Found {
    pub video: String,
    pub width: u64,
    pub height: u64,
    pub audio: Option<String>,
}

pub fn ffprobe(url: &str, transport: &str) -> Result<Found, String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-rtsp_transport", transport, "-of", "json", "-show_streams", url])
        .output()
        .expect("ffprobe is installed");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let stream = |kind: &str| report["streams"].as_array()?.iter().find(|s| s["codec_type"] == kind).cloned();
    let video = stream("video").ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Found {
        video: text(&video["codec_name"]),
        width: video["width"].as_u64().unwrap_or_default(),
        height: video["height"].as_u64().unwrap_or_default(),
        audio: stream("audio").map(|audio| text(&audio["codec_name"])),
    })
}

/// How many pictures ffmpeg decodes of the first `count`, without a complaint.
pub fn frames(url: &str, transport: &str, count: usize) -> usize {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rtsp_transport", transport, "-i", url, "-an"])
        .args(["-frames:v", &count.to_string(), "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg is installed");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{url}");
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| !line.starts_with('#')).count()
}

/// A running ffmpeg.
pub struct Player {
    child: Child,
    frames: Arc<AtomicUsize>,
}

impl Player {
    fn start(url: &str) -> Self {
        let mut child = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy"])
            .args(["-flush_packets", "1", "-f", "framecrc", "-"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("ffmpeg is installed");
        let frames = Arc::new(AtomicUsize::new(0));
        let (stdout, counter) = (child.stdout.take().unwrap(), frames.clone());
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.filter(|line| !line.starts_with('#')).for_each(|_| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
        });
        Self { child, frames }
    }

    pub fn has_frames(&mut self, count: usize, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.frames.load(Ordering::Relaxed) < count {
            if Instant::now() > deadline || self.child.try_wait().unwrap().is_some() {
                return self.frames.load(Ordering::Relaxed) >= count;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    pub fn wait_end(&mut self, patience: Duration) {
        wait_for("the player's end", patience, || self.child.try_wait().unwrap());
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of one request on a connection of its own, with Digest if a user is given.
pub fn ask(port: u16, method: &str, path: &str, user: Option<(&str, &str)>) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("rtsp://127.0.0.1:{port}{path}");
    let first = exchange(&mut stream, method, &url, 1, "");
    let (Some((user, password)), 401) = (user, status_of(&first)) else { return status_of(&first) };
    let digest = authorization(&first, user, password, method, &url);
    status_of(&exchange(&mut stream, method, &url, 2, &digest))
}

/// The header field that answers the challenge in `head`.
pub fn authorization(head: &str, user: &str, password: &str, method: &str, url: &str) -> String {
    let quoted = |name: &str| head.split(&format!("{name}=\"")).nth(1)?.split('"').next();
    let (nonce, realm) = (quoted("nonce").expect("a nonce"), quoted("realm").expect("a realm"));
    let secret = md5(&format!("{user}:{realm}:{password}"));
    let response = md5(&format!("{secret}:{nonce}:{}", md5(&format!("{method}:{url}"))));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{url}\", \
         response=\"{response}\"\r\n"
    )
}

/// Sends a request; the head of its answer.
pub fn exchange(stream: &mut TcpStream, method: &str, url: &str, number: u32, more: &str) -> String {
    write!(stream, "{method} {url} RTSP/1.0\r\nCSeq: {number}\r\n{more}\r\n").unwrap();
    head(stream)
}

/// Up to the empty line.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            other => panic!("{other:?} after {}", String::from_utf8_lossy(&head)),
        }
    }
    String::from_utf8(head).unwrap()
}

pub fn status_of(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status")
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the server closes a new connection at once.
pub fn is_closed(port: u16) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    matches!(stream.read(&mut [0]), Ok(0))
        || matches!(stream.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset)
}
