//! The daemon itself as a child process, with its own data directory and free ports.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use h5edge::base::pin::fingerprint;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value;
use tempfile::TempDir;

use super::{http, process};

/// From start to the announcement; making the certificate and the first password hash included.
const PATIENCE: Duration = Duration::from_secs(30);
/// A port found free may be taken before the daemon gets it.
const ATTEMPTS: usize = 3;

/// How to start it.
#[derive(Clone, Debug, Default)]
pub struct DaemonOptions {
    /// Configuration as TOML. Address, ports and the password of delivery are added unless they are given
    /// here.
    pub config: String,
    /// Environment variables beyond the test's own.
    pub env: Vec<(String, String)>,
    /// The data directory; a temporary one without it.
    pub data_dir: Option<PathBuf>,
}

/// A running daemon, killed and reaped on drop. Its data directory outlives [`Daemon::restart`].
pub struct Daemon {
    pub process: process::Process,
    pub http: u16,
    /// 0 where turned off.
    pub https: u16,
    pub webrtc: u16,
    /// From the last [`Daemon::login`]; empty before.
    pub session: String,
    options: DaemonOptions,
    dir: PathBuf,
    _temporary: Option<TempDir>,
}

impl Daemon {
    /// Starts `h5edge serve` and waits for the ports it announces.
    pub fn start(options: DaemonOptions) -> Self {
        let temporary = options.data_dir.is_none().then(|| tempfile::tempdir().expect("a data directory"));
        let dir = match (&options.data_dir, &temporary) {
            (Some(dir), _) => dir.clone(),
            (None, temporary) => temporary.as_ref().expect("a data directory").path().to_owned(),
        };
        fs::create_dir_all(&dir).expect("a data directory");
        let (process, ready) = launch(&options, &dir);
        let session = String::new();
        let mut daemon =
            Self { process, http: 0, https: 0, webrtc: 0, session, options, dir, _temporary: temporary };
        daemon.set_ports(&ready);
        daemon
    }

    /// Starts it again on the same data after [`Daemon::terminate`] or [`Daemon::kill`]. Ports change
    /// and the session is gone.
    pub fn restart(&mut self) {
        self.process.kill();
        let (process, ready) = launch(&self.options, &self.dir);
        self.process = process;
        self.session.clear();
        self.set_ports(&ready);
    }

    fn set_ports(&mut self, ready: &Value) {
        let port = |name: &str| ready[name].as_u64().unwrap_or_default() as u16;
        (self.http, self.https, self.webrtc) = (port("http"), port("https"), port("webrtc"));
        assert_ne!(self.http, 0, "no HTTP port in {ready}");
    }

    pub fn data_dir(&self) -> &Path {
        &self.dir
    }

    /// SHA-256 of its certificate, as a peer pins it.
    pub fn pin(&self) -> String {
        let file = self.dir.join("tls/cert.pem");
        fingerprint(&CertificateDer::from_pem_file(file).expect("a certificate"))
    }

    /// GET of the target as it is: status and JSON body, which has to end with CRLF.
    pub fn get(&self, target: &str) -> (u16, Value) {
        let response = http::get(self.http, target);
        assert!(response.body.ends_with(b"\r\n"), "{target}: no CRLF after {:?}", response.text());
        (response.status, response.json())
    }

    /// Logs in with the password of delivery; later [`Daemon::api`] calls use the session.
    pub fn login(&mut self) -> String {
        self.login_as("admin", "12345")
    }

    /// Logs in; the user and password have to be right.
    pub fn login_as(&mut self, user: &str, password: &str) -> String {
        let (status, answer) = self.get(&format!("/api/v1/Login?user={user}&password={password}"));
        assert_eq!((status, &answer["bStatus"]), (200, &Value::Bool(true)), "{answer}");
        self.session = answer["strSession"].as_str().expect("a session").to_owned();
        self.session.clone()
    }

    /// `/api/v1/<name>` with the parameters (encoded here) and the session.
    pub fn api(&self, name: &str, params: &[(&str, &str)]) -> (u16, Value) {
        let session = ("session", self.session.as_str());
        let query: Vec<String> =
            params.iter().chain([&session]).map(|(key, value)| format!("{key}={}", encode(value))).collect();
        self.get(&format!("/api/v1/{name}?{}", query.join("&")))
    }

    /// [`Daemon::api`], and it has to succeed.
    pub fn api_ok(&self, name: &str, params: &[(&str, &str)]) -> Value {
        let (status, answer) = self.api(name, params);
        // Lists such as GetSrc carry no bStatus.
        assert!(status == 200 && answer["bStatus"] != false, "{name} {params:?}: {status} {answer}");
        answer
    }

    /// The entry of GetSrc for `token`, if there is one.
    pub fn source(&self, token: &str) -> Option<Value> {
        let answer = self.api_ok("GetSrc", &[]);
        answer["src"].as_array()?.iter().find(|entry| entry["strToken"] == token).cloned()
    }

    pub fn threads(&self) -> usize {
        self.process.threads()
    }

    pub fn fds(&self) -> usize {
        self.process.fds()
    }

    pub fn rss_kb(&self) -> u64 {
        self.process.rss_kb()
    }

    pub fn cpu_seconds(&self) -> f64 {
        self.process.cpu_seconds()
    }

    /// SIGTERM; how long the orderly stop took, which has to succeed.
    pub fn terminate(&mut self) -> Duration {
        let (took, status) = self.process.terminate();
        assert!(status.success(), "after SIGTERM: {status}\n{}", self.process.log());
        took
    }

    /// Starts it on the same data, and kills it after `after`, however far it has got.
    pub fn start_and_kill(&mut self, after: Duration) {
        self.process.kill();
        let mut command = Command::new(env!("CARGO_BIN_EXE_h5edge"));
        command.arg("serve").arg("--data-dir").arg(&self.dir);
        command.arg("--config").arg(self.dir.join("test.toml")).args(["--http-port", "0"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).envs(self.options.env.iter().cloned());
        let mut child = command.spawn().expect("the daemon");
        std::thread::sleep(after);
        child.kill().and_then(|()| child.wait()).expect("an end");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

fn launch(options: &DaemonOptions, dir: &Path) -> (process::Process, Value) {
    let mut failure = String::new();
    for _ in 0..ATTEMPTS {
        let config = dir.join("test.toml");
        fs::write(&config, configuration(&options.config)).expect("a configuration file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_h5edge"));
        command.arg("serve").arg("--data-dir").arg(dir).arg("--config").arg(config);
        command.args(["--http-port", "0"]).envs(options.env.iter().cloned());
        match process::Process::start(command, PATIENCE) {
            Ok(started) => return started,
            Err(error) => failure = error,
        }
    }
    panic!("{failure}")
}

/// `wanted`, and where it leaves them open, the loopback address, free ports and a password of delivery.
fn configuration(wanted: &str) -> String {
    let mut config: toml::Table = wanted.parse().expect("TOML");
    let mut default = |section: &str, key: &str, value: toml::Value| {
        let entry = config.entry(section).or_insert_with(|| toml::Table::new().into());
        entry.as_table_mut().expect("a section").entry(key).or_insert(value);
    };
    default("http", "bind", "127.0.0.1".into());
    default("http", "https_port", i64::from(free_port()).into());
    default("webrtc", "port", i64::from(free_port()).into());
    default("rtsp", "port", i64::from(free_port()).into());
    default("auth", "initial_password", "12345".into());
    config.to_string()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// For a query.
pub fn encode(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
