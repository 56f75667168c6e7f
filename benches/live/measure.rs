//! What a process uses, as the kernel tells it.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::support::process::Process;

/// How long CPU use is watched. With less, the cameras' key frames weigh unevenly.
const WINDOW: Duration = Duration::from_secs(10);

/// Memory and threads at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Resident, in MB of 10^6 bytes: programs and libraries from the disk count too.
    pub rss: f64,
    /// The part of it that is the process's own and not a file's.
    pub own: f64,
    pub threads: f64,
}

impl Size {
    pub fn of(process: &Process) -> Self {
        let file = format!("/proc/{}/smaps_rollup", process.pid());
        let text = fs::read_to_string(file).expect("a living process");
        let megabytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a line of smaps_rollup");
            line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number of kB") * 1024.0 / 1e6
        };
        Self { rss: megabytes("Rss:"), own: megabytes("Anonymous:"), threads: process.threads() as f64 }
    }
}

/// CPU use over [`WINDOW`], user and kernel, in per cent of one core.
pub fn cpu(process: &Process) -> f64 {
    let (from, begun) = (cpu_seconds(process.pid()), Instant::now());
    sleep(WINDOW);
    (cpu_seconds(process.pid()) - from) / begun.elapsed().as_secs_f64() * 100.0
}

/// What a process has used of the CPU so far, user and kernel.
pub fn cpu_seconds(pid: u32) -> f64 {
    let clock = clock_getcpuclockid(Pid::from_raw(pid as i32)).expect("a CPU clock");
    Duration::from(clock.now().expect("a living process")).as_secs_f64()
}

/// The children of a process.
pub fn children(process: &Process) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{}/task", process.pid())).expect("a living process");
    let children = threads.map(|thread| thread.expect("a thread").path().join("children"));
    let text: String = children.filter_map(|file| fs::read_to_string(file).ok()).collect();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The value below which `share` of `values` lie; not a number if there are none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
