//! The camera simulator as a child process; `examples/fakecam` says what it can do.

use std::{process::Command, time::Duration};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{http, process};

/// Encoding a clip for the first time on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running simulator; ends with the test.
pub struct Fakecam {
    pub process: process::Process,
    rtsp: String,
    control: u16,
}

impl Fakecam {
    /// Starts it with the given options, on free ports.
    pub fn start(args: &[&str]) -> Self {
        let program = process::programs().join("examples/fakecam");
        assert!(program.exists(), "not built: run `cargo build --example fakecam`");
        let mut command = Command::new(program);
        command.arg("--until-stdin-closes").args(args);
        let (process, ready) =
            process::Process::start(command, PATIENCE).unwrap_or_else(|error| panic!("{error}"));
        let rtsp = ready["rtsp"].as_str().and_then(|url| url.strip_suffix("/cam0")).expect("an address");
        let control = ready["control"].as_u64().expect("a control port") as u16;
        Self { process, rtsp: rtsp.to_owned(), control }
    }

    /// `rtsp://127.0.0.1:PORT/camN`
    pub fn rtsp_url(&self, cam: usize) -> String {
        format!("{}/cam{cam}", self.rtsp)
    }

    /// The same with user and password inside.
    pub fn rtsp_url_as(&self, cam: usize, user: &str, password: &str) -> String {
        self.rtsp_url(cam).replacen("://", &format!("://{user}:{password}@"), 1)
    }

    /// A control call that has to succeed, such as `stall?cam=0&seconds=3`.
    pub fn control(&self, call: &str) -> Value {
        let response = http::get(self.control, &format!("/{call}"));
        assert_eq!(response.status, 200, "{call}: {}", response.text());
        response.json()
    }

    /// A control call that has to be refused; its reason.
    pub fn refused(&self, call: &str) -> String {
        let response = http::get(self.control, &format!("/{call}"));
        assert_eq!(response.status, 400, "{call}: {}", response.text());
        response.json()["error"].as_str().expect("a reason").to_owned()
    }

    /// RTSP sessions on a camera: how often it is being pulled.
    pub fn sessions(&self, cam: usize) -> u64 {
        self.stat(cam, "sessions")
    }

    /// Access units a camera has sent so far, to all its clients together.
    pub fn frames(&self, cam: usize) -> u64 {
        self.stat(cam, "frames")
    }

    /// A machine that hangs: accepts connections, answers nothing.
    pub fn freeze(&self) {
        self.process.signal(Signal::SIGSTOP);
    }

    pub fn thaw(&self) {
        self.process.signal(Signal::SIGCONT);
    }

    fn stat(&self, cam: usize, name: &str) -> u64 {
        self.control("stats")["cams"][cam][name].as_u64().expect("a number")
    }
}
