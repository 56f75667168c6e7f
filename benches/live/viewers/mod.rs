//! Viewers in a process of their own, so that what they use is not counted as the daemon's.
//!
//! The process prints a [`Report`] as one line of JSON when each viewer has got media, and another,
//! about the time since, for each line on its standard input. It ends with its standard input.

mod rtc;
mod ws;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::support::daemon::Daemon;
use crate::support::{stamp, wait_for};

/// Time until the last viewer has got media.
const PATIENCE: Duration = Duration::from_secs(60);
/// Viewers whose frames are looked into; the others only read.
const SAMPLED: usize = 10;
/// Between one viewer's start and the next, so that they do not come as one herd.
const APART: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// WebSocket viewers that stay.
    Ws,
    /// WebSocket viewers that come one after the other, and leave with the first media.
    Connects,
    /// WebRTC viewers that stay.
    Rtc,
}

#[derive(clap::Args)]
pub struct Arguments {
    kind: Kind,
    count: usize,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    session: String,
    #[arg(long)]
    token: String,
}

/// What is watched, and where.
#[derive(Clone, Debug)]
struct Target {
    port: u16,
    session: String,
    token: String,
}

/// What viewers saw.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// From the connect to the first media, per viewer that has got some.
    pub first_ms: Vec<f64>,
    /// From the camera's stamp to the whole access unit, per frame of the sampled viewers.
    pub delays_ms: Vec<f64>,
    /// Viewers that have got media and not been dropped.
    pub watching: usize,
}

/// The report that all viewers of the process write into.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Report>>);

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Report) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn first(&self, since: Instant) {
        self.with(|report| {
            report.first_ms.push(since.elapsed().as_secs_f64() * 1000.0);
            report.watching += 1;
        });
    }

    fn frame(&self, stamp: u64) {
        let delay = stamp::now_us().saturating_sub(stamp) as f64 / 1000.0;
        self.with(|report| report.delays_ms.push(delay));
    }

    fn lost(&self) {
        self.with(|report| report.watching -= 1);
    }

    /// The report so far; a new one begins.
    fn take(&self) -> Report {
        self.with(|report| {
            let watching = report.watching;
            std::mem::replace(report, Report { watching, ..Report::default() })
        })
    }
}

/// The child's side. One thread does all the viewing.
pub fn run(arguments: &Arguments) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let shared = Shared::default();
    let Arguments { port, session, token, .. } = arguments;
    let target = Target { port: *port, session: session.clone(), token: token.clone() };
    match arguments.kind {
        Kind::Connects => runtime.block_on(ws::connects(target, arguments.count, shared.clone())),
        Kind::Ws | Kind::Rtc => {
            for number in 0..arguments.count {
                let (target, shared, sampled) = (target.clone(), shared.clone(), number < SAMPLED);
                match arguments.kind {
                    Kind::Rtc => drop(runtime.spawn(rtc::watch(target, sampled, shared))),
                    _ => drop(runtime.spawn(ws::watch(target, sampled, shared))),
                }
                std::thread::sleep(APART);
            }
            wait_for("media for each viewer", PATIENCE, || {
                (shared.with(|report| report.watching) == arguments.count).then_some(())
            });
        }
    }
    tell(&shared.take());
    for _ in std::io::stdin().lines() {
        tell(&shared.take());
    }
}

fn tell(report: &Report) {
    println!("{}", serde_json::to_string(report).expect("a report in JSON"));
}

/// The parent's side: ends the process on drop.
pub struct Viewers {
    child: Child,
    ask: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Viewers {
    /// Starts `count` viewers of `token1` and waits until each has got media.
    pub fn start(kind: Kind, count: usize, daemon: &Daemon) -> (Self, Report) {
        Self::of("token1", kind, count, daemon)
    }

    /// The same of another source.
    pub fn of(token: &str, kind: Kind, count: usize, daemon: &Daemon) -> (Self, Report) {
        let kind = kind.to_possible_value().expect("a name");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["viewers", kind.get_name(), &count.to_string()]);
        command.args(["--port", &daemon.http.to_string(), "--session", &daemon.session]);
        command.args(["--token", token]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a viewer process");
        let ask = child.stdin.take().expect("its standard input");
        let told = BufReader::new(child.stdout.take().expect("its standard output"));
        let mut viewers = Self { child, ask, told };
        let report = viewers.hear();
        (viewers, report)
    }

    /// What they saw since the last report.
    pub fn report(&mut self) -> Report {
        self.ask.write_all(b"\n").expect("living viewers");
        self.hear()
    }

    fn hear(&mut self) -> Report {
        let mut line = String::new();
        self.told.read_line(&mut line).expect("a line from the viewers");
        serde_json::from_str(&line).expect("a report")
    }
}

impl Drop for Viewers {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
