//! What recording costs beside the pull, in CPU and in syncs.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::measure::cpu;
use crate::site::{SETTLE, Site};
use crate::support::process::Process;

const GOP: u32 = 50;
/// How long syncs are counted.
const COUNTED: Duration = Duration::from_secs(20);

/// More CPU than the pull of `count` cameras takes, and syncs per camera and 2 s.
pub fn recorded(count: usize) -> Vec<f64> {
    let mut site = Site::idle();
    site.pull(count, GOP);
    let pulled = cpu(&site.daemon.process);
    for number in 1..=count {
        site.daemon.api_ok("ManualRecordStart", &[("token", &format!("token{number}"))]);
    }
    sleep(SETTLE);
    let recorded = cpu(&site.daemon.process);
    vec![recorded - pulled, syncs(&site.daemon.process) / count as f64]
}

/// Syncs in 2 s, as `strace` counts them; not a number where that may not look.
fn syncs(process: &Process) -> f64 {
    let begun = Instant::now();
    let traced = Command::new("timeout")
        .args(["--signal=INT", &COUNTED.as_secs().to_string(), "strace", "-f", "-c", "-U", "calls,name"])
        .args(["-e", "trace=fsync,fdatasync,sync_file_range,msync", "-p", &process.pid().to_string()])
        .output();
    let Ok(traced) = traced else { return f64::NAN };
    let text = String::from_utf8_lossy(&traced.stderr);
    let total = text.lines().find(|line| line.trim_end().ends_with("total"));
    let calls = total.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    calls.map_or(f64::NAN, |calls| calls / begun.elapsed().as_secs_f64() * 2.0)
}
