//! A child process that announces itself with one line of JSON on standard output.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::wait_for;

/// The child, killed and reaped on drop; its standard error goes to a file that is printed if the
/// test fails. Its standard input stays open for as long as this lives.
pub struct Process {
    child: Child,
    log: NamedTempFile,
    /// It leads a process group, which ends with it.
    group: bool,
}

impl Process {
    /// Starts `command` and waits for its line, at most `patience`. `Err` holds the log of a child
    /// that ended without one.
    pub fn start(mut command: Command, patience: Duration) -> Result<(Self, Value), String> {
        let log = NamedTempFile::new().expect("a log file");
        let stderr = log.reopen().expect("the log file again");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().expect("a piped stdout");
        let process = Self { child, log, group: false };
        let (announce, announced) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            let _ = stdout.read_line(&mut line);
            let _ = announce.send(line);
            // Read on, so that a talkative child never waits for us.
            let _ = stdout.read_to_end(&mut Vec::new());
        });
        let line = announced
            .recv_timeout(patience)
            .map_err(|_| format!("{command:?} said nothing in {patience:?}:\n{}", process.log()))?;
        match serde_json::from_str(&line) {
            Ok(announcement) => Ok((process, announcement)),
            Err(_) => Err(format!("{command:?} did not start: {line}{}", process.log())),
        }
    }

    /// Starts a program that announces nothing, in a process group of its own that ends with it, and waits
    /// until it listens at all of `addresses`. All it writes is its log.
    pub fn start_listening(mut command: Command, addresses: &[SocketAddr], patience: Duration) -> Self {
        let log = NamedTempFile::new().expect("a log file");
        let stdout = log.reopen().expect("the log file");
        let stderr = stdout.try_clone().expect("the log file");
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).process_group(0).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut process = Self { child, log, group: true };
        wait_for(&format!("{command:?} at {addresses:?}"), patience, || {
            let ended = process.child.try_wait().expect("a child to wait for");
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            addresses.iter().all(|address| TcpStream::connect(address).is_ok()).then_some(())
        });
        process
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All it wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    pub fn threads(&self) -> usize {
        self.entries("task")
    }

    /// Open file descriptors.
    pub fn fds(&self) -> usize {
        self.entries("fd")
    }

    /// Resident memory in KiB.
    pub fn rss_kb(&self) -> u64 {
        let status = self.proc_file("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    }

    /// CPU time so far, of all threads, in user and kernel mode; the kernel counts in 1/100 s.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = self.proc_file("stat");
        // The name before ") " may hold blanks; utime and stime are fields 14 and 15 of the whole.
        let (_, fields) = stat.rsplit_once(") ").expect("a process name");
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().expect("ticks"));
        ticks.sum::<f64>() / 100.0
    }

    /// Sends `signal`; SIGSTOP makes it a machine that hangs, SIGCONT wakes it.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid() as i32), signal).expect("a signal to a living child");
    }

    /// SIGTERM; how long it took to end, and with what status.
    pub fn terminate(&mut self) -> (Duration, ExitStatus) {
        let asked = Instant::now();
        self.signal(Signal::SIGTERM);
        let status = wait_for("an end after SIGTERM", Duration::from_secs(20), || {
            self.child.try_wait().expect("a child to wait for")
        });
        (asked.elapsed(), status)
    }

    /// SIGKILL, as a power cut would be; harmless if it has ended already.
    pub fn kill(&mut self) {
        if self.group {
            let _ = killpg(Pid::from_raw(self.pid() as i32), Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn entries(&self, folder: &str) -> usize {
        fs::read_dir(format!("/proc/{}/{folder}", self.pid())).expect("a living child").count()
    }

    fn proc_file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid())).expect("a living child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of process {} ---\n{}", self.pid(), self.log());
        }
    }
}

/// The folder with the built programs, from which this test was started.
pub fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_h5edge")).parent().expect("a folder")
}
