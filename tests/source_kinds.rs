//! Every kind of input plays: RTSP in all its ways, RTMP from a real server, and looped files.

mod support;

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use gstreamer as gst;
use gstreamer_rtsp::RTSPLowerTrans;
use gstreamer_rtsp_server::{RTSPMediaFactory, RTSPServer, prelude::*};
use support::{
    boxes::Track,
    daemon::Daemon,
    process,
    scene::{self, PATIENCE},
    wait_for,
    ws::{Viewer, Watched},
};

const SECOND: Duration = Duration::from_secs(1);

/// Watches for `span` once pictures come, which has to go by the rules.
async fn watch(daemon: &Daemon, token: &str, span: Duration) -> Watched {
    scene::wait_pictures(daemon, token);
    let mut viewer = Viewer::watch(daemon.http, token, &daemon.session).await.expect("a socket");
    viewer.watch_for(span).await;
    assert!(!viewer.closed, "{token}: {:?}\n{}", viewer.farewell, daemon.process.log());
    let watched = viewer.check();
    assert!(watched.media_seconds() > span.as_secs_f64() - 1.5, "{token}: {} s", watched.media_seconds());
    watched
}

/// Sample entries, such as `avc1`.
type Entries<'a> = &'a [[u8; 4]];

fn entries(watched: &Watched) -> Vec<[u8; 4]> {
    watched.tracks.iter().map(|track| track.entry).collect()
}

/// Kills and reaps the program when dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn rtsp_over_each_transport() {
    let cam = scene::cameras(25, &[]);
    let daemon = scene::daemon("");
    for transport in ["H5_RTSP_TCP", "H5_RTSP_UDP", "H5_RTSP_AUTO"] {
        scene::add(&daemon, transport, &cam.rtsp_url(0), &[("transport", transport)]);
        let watched = watch(&daemon, transport, 3 * SECOND).await;
        assert_eq!(entries(&watched), [*b"avc1"]);
        assert!(!watched.delays_us.is_empty(), "the camera's own bytes arrive");
        daemon.api_ok("DelSrc", &[("token", transport)]);
    }
}

/// An RTSP server that carries its picture over UDP and refuses everything else (461).
fn udp_only() -> String {
    gst::init().expect("GStreamer");
    let server = RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service("0");
    let factory = RTSPMediaFactory::new();
    factory.set_launch(
        "( videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=300 ! rtph264pay name=pay0 )",
    );
    factory.set_protocols(RTSPLowerTrans::UDP);
    server.mount_points().expect("mount points").add_factory("/cam", factory);
    server.attach(None).expect("a port");
    let url = format!("rtsp://127.0.0.1:{}/cam", server.bound_port());
    // Serves until the test program ends.
    std::thread::spawn(move || {
        let _server = server;
        gst::glib::MainLoop::new(None, false).run();
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_takes_udp_where_tcp_is_refused() {
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &udp_only(), &[]);
    watch(&daemon, "a", 3 * SECOND).await;
}

/// Takes TLS off in front of the RTSP server at `port`; its own port. A camera's certificate is its
/// own as well.
async fn tls_in_front_of(port: u16) -> u16 {
    let made = rcgen::generate_simple_self_signed(["camera".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .expect("a TLS server");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await.ok()?;
                let mut camera = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
                tokio::io::copy_bidirectional(&mut client, &mut camera).await.ok()
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn rtsps_with_a_certificate_that_nobody_signed() {
    let cam = scene::cameras(25, &["--auth", "digest", "--user", "ann", "--password", "s3cret"]);
    let plain = cam.rtsp_url(0);
    let port: u16 = plain.split([':', '/']).nth(4).and_then(|port| port.parse().ok()).expect("a port");
    let url = format!("rtsps://127.0.0.1:{}/cam0", tls_in_front_of(port).await);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &url, &[("user", "ann"), ("password", "s3cret")]);
    watch(&daemon, "a", 3 * SECOND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_with_passwords() {
    let daemon = scene::daemon("");
    for auth in ["basic", "digest"] {
        let cam = scene::cameras(25, &["--auth", auth, "--user", "ann", "--password", "p@ss:w/rd &+%"]);
        let fields = [("user", "ann"), ("password", "p@ss:w/rd &+%")];
        scene::add(&daemon, auth, &cam.rtsp_url(0), &fields);
        watch(&daemon, auth, 2 * SECOND).await;
        let inside = format!("{auth}-in-url");
        scene::add(&daemon, &inside, &cam.rtsp_url_as(0, "ann", "p%40ss%3Aw%2Frd%20&+%25"), &[]);
        watch(&daemon, &inside, 2 * SECOND).await;
        let wrong = format!("{auth}-wrong");
        scene::add(&daemon, &wrong, &cam.rtsp_url_as(0, "ann", "wrong"), &[]);
        scene::wait_offline(&daemon, &wrong, "unauthorised");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h265_and_sound_of_all_sorts() {
    let daemon = scene::daemon("");
    let kinds: [(&[&str], &str, Entries<'_>); 5] = [
        (&["--codec", "h265"], "hvc1.", &[*b"hvc1"]),
        (&["--codec", "h265", "--audio", "aac"], "mp4a.40.2", &[*b"hvc1", *b"mp4a"]),
        (&["--audio", "aac", "--bframes", "2"], "mp4a.40.2", &[*b"avc1", *b"mp4a"]),
        (&["--audio", "pcma"], "avc1.", &[*b"avc1"]),
        (&["--audio", "pcmu"], "avc1.", &[*b"avc1"]),
    ];
    for (number, (args, codec, tracks)) in kinds.into_iter().enumerate() {
        let cam = scene::cameras(24, args);
        let token = format!("kind{number}");
        scene::add(&daemon, &token, &cam.rtsp_url(0), &[("audio", "true")]);
        let watched = watch(&daemon, &token, 4 * SECOND).await;
        assert!(watched.mime.contains(codec), "{args:?}: {}", watched.mime);
        assert_eq!(entries(&watched), tracks, "{args:?}");
        // Without being asked for, sound stays away.
        let silent = format!("silent{number}");
        scene::add(&daemon, &silent, &cam.rtsp_url(0), &[]);
        assert_eq!(entries(&watch(&daemon, &silent, 2 * SECOND).await), tracks[..1], "{args:?}");
    }
}

/// A clip with two B-frames in a row and AAC, `seconds` long, in the container that `name` ends with.
fn clip(dir: &Path, name: &str, seconds: u32, more: &[&str]) -> PathBuf {
    fs::create_dir_all(dir).expect("a folder");
    let file = dir.join(name);
    let status = Command::new(process::programs().join("examples/makeclip"))
        .args(["--size", "320x240", "--bitrate", "300", "--seconds", &seconds.to_string(), "--out"])
        .arg(&file)
        .args(more)
        .status()
        .expect("makeclip: run `cargo build --examples`");
    assert!(status.success(), "{name}");
    file
}

/// Presentation times in seconds, in order.
fn shown(watched: &Watched, track: Track) -> Vec<f64> {
    let mut times = Vec::new();
    for arrived in watched.of(track) {
        let mut decode = arrived.run.decode_time as i64;
        for sample in &arrived.run.samples {
            times.push((decode + i64::from(sample.offset)) as f64 / f64::from(track.timescale));
            decode += i64::from(sample.duration);
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_looped_with_continuous_time() {
    let daemon = scene::daemon("");
    let folder = daemon.data_dir().join("files");
    let files: [(&str, &[&str], Entries<'_>); 4] = [
        ("clip.mp4", &[], &[*b"avc1", *b"mp4a"]),
        ("clip.mkv", &[], &[*b"avc1", *b"mp4a"]),
        ("clip.ts", &[], &[*b"avc1", *b"mp4a"]),
        ("h265.mp4", &["--codec", "h265", "--silent"], &[*b"hvc1"]),
    ];
    for (name, more, _) in files {
        let file = clip(&folder, name, 3, more);
        let options = [("audio", "true"), ("connect", "H5_ALWAYS")];
        scene::add(&daemon, name, file.to_str().expect("text"), &options);
    }
    for (name, _, tracks) in files {
        // Three times over the loop point.
        let watched = watch(&daemon, name, 10 * SECOND).await;
        assert_eq!(entries(&watched), tracks, "{name}");
        let video = watched.video();
        let times = shown(&watched, video);
        // The burst at the beginning is squeezed, and its end may be mixed with what follows.
        let live = times.iter().position(|&time| time > 0.5).expect("more than a burst");
        for pair in times[live..times.len() - 4].windows(2) {
            let step = pair[1] - pair[0];
            assert!((0.005..0.25).contains(&step), "{name}: a step of {step} s at {} s", pair[0]);
        }
        let offsets = watched.of(video).flat_map(|arrived| &arrived.run.samples).map(|sample| sample.offset);
        let offsets: std::collections::BTreeSet<_> = offsets.collect();
        assert!(offsets.len() > 1, "{name}: no B-frames in {offsets:?}");
    }
}

#[test]
fn files_that_are_none_say_so() {
    let daemon = scene::daemon("");
    let folder = daemon.data_dir().join("files");
    fs::create_dir_all(&folder).expect("a folder");
    let bad: [(&str, &[u8]); 3] = [
        ("empty.mp4", b""),
        ("text.mp4", b"not a clip at all, but some text that goes on for a while"),
        ("picture.mp4", b"\xff\xd8\xff\xe0\0\x10JFIF\0 and no more of it"),
    ];
    for (name, bytes) in bad {
        let file = folder.join(name);
        fs::write(&file, bytes).expect("a file");
        scene::add(&daemon, name, file.to_str().expect("text"), &[("connect", "H5_ALWAYS")]);
    }
    for (name, _) in bad {
        let entry = scene::wait_source(&daemon, name, "a reason", |entry| {
            entry["bOnline"] == false && entry["strOfflineReason"] != "connecting"
        });
        let reason = entry["strOfflineReason"].as_str().expect("text");
        assert!(["unsupported", "lost"].contains(&reason), "{name}: {entry}");
    }
}

/// nginx with its RTMP module, and ffmpeg that publishes `file` there over and over.
struct Rtmp {
    _server: Running,
    publisher: Option<Running>,
    url: String,
    _dir: tempfile::TempDir,
}

impl Rtmp {
    fn start(file: &Path) -> Self {
        let (dir, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let config = format!(
            "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so; daemon off; master_process off;\n\
             pid nginx.pid; error_log error.log; events {{ worker_connections 64; }}\n\
             rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n"
        );
        fs::write(dir.path().join("nginx.conf"), config).expect("a configuration");
        let mut nginx = Command::new("/usr/sbin/nginx");
        let server =
            Running::start(nginx.arg("-p").arg(dir.path()).args(["-c", "nginx.conf", "-e", "error.log"]));
        wait_for("the RTMP server", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        let url = format!("rtmp://127.0.0.1:{port}/live/cam");
        let mut rtmp = Self { _server: server, publisher: None, url, _dir: dir };
        rtmp.publish(file);
        rtmp
    }

    fn publish(&mut self, file: &Path) {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-re", "-stream_loop", "-1", "-i"]).arg(file);
        self.publisher = Some(Running::start(ffmpeg.args(["-c", "copy", "-f", "flv", &self.url])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rtmp_from_a_real_server() {
    let daemon = scene::daemon("");
    let file = clip(daemon.data_dir(), "publish.mp4", 20, &[]);
    let mut rtmp = Rtmp::start(&file);
    scene::add(&daemon, "a", &rtmp.url, &[("audio", "true"), ("connect", "H5_ALWAYS")]);
    let watched = watch(&daemon, "a", 8 * SECOND).await;
    assert_eq!(entries(&watched), [*b"avc1", *b"mp4a"]);

    rtmp.publisher = None;
    scene::wait_source(&daemon, "a", "its end", |entry| entry["bOnline"] == false);
    rtmp.publish(&file);
    scene::wait_pictures(&daemon, "a");
    let mut viewer = Viewer::watch(daemon.http, "a", &daemon.session).await.expect("a socket");
    viewer.watch_for(4 * SECOND).await;
    // The publisher does not keep its pace yet.
    assert!(viewer.check_but_pace().frames() > 50);
}
