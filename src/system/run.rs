//! What `GetRunInfo` tells: how long the daemon has run, and how busy the machine is.
//!
//! Nothing runs in the background here. A sample is taken when somebody asks, at most once a second, and
//! rates are over the time since the sample before it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::statvfs::statvfs;
use sysinfo::{MemoryRefreshKind, Networks, System};

use super::heat::{Temperature, temperatures};

/// Askers within this time share a sample; also far enough above sysinfo's own floor of 0.2 s for the
/// CPU figure to mean something.
const FRESH: Duration = Duration::from_secs(1);

/// One sample. Sizes in bytes, rates in bits per second, percentages of the whole machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunInfo {
    /// Since the daemon started.
    pub uptime: Duration,
    /// 0 to 100, over all cores.
    pub cpu_percent: u8,
    /// 0 to 100: memory that is not available to a new program.
    pub memory_percent: u8,
    pub memory_total: u64,
    /// Over all interfaces but loopback.
    pub network_in: u64,
    pub network_out: u64,
    /// Of the file system that holds the data directory.
    pub disk_total: u64,
    /// What a program without special rights can still write there.
    pub disk_free: u64,
    /// Of each part that is measured.
    pub temperatures: Vec<Temperature>,
}

/// Takes samples. Calls block, for about a millisecond (reads of `/proc` and `/sys`).
pub struct Sampler {
    data_dir: PathBuf,
    start: Instant,
    last: Mutex<Last>,
}

struct Last {
    system: System,
    networks: Networks,
    taken: Instant,
    info: RunInfo,
}

impl Sampler {
    /// Takes the first sample: the first asker gets rates since now. `data_dir` must exist.
    pub fn new(data_dir: &Path) -> Self {
        let now = Instant::now();
        let mut last = Last {
            system: System::new(),
            networks: Networks::new_with_refreshed_list(),
            taken: now,
            info: RunInfo::default(),
        };
        last.refresh(now, data_dir);
        Self { data_dir: data_dir.to_owned(), start: now, last: Mutex::new(last) }
    }

    /// The figures now, or those of less than a second ago.
    pub fn read(&self) -> RunInfo {
        let now = Instant::now();
        let mut last = self.last();
        if now.duration_since(last.taken) >= FRESH {
            last.refresh(now, &self.data_dir);
        }
        RunInfo { uptime: now.duration_since(self.start), ..last.info.clone() }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        // Whatever a panic left half read is read again by the next sample.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn refresh(&mut self, now: Instant, data_dir: &Path) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        self.networks.refresh(true);
        let (received, sent) = self
            .networks
            .iter()
            .filter(|(name, _)| *name != "lo")
            .fold((0, 0), |(received, sent), (_, data)| {
                (received + data.received(), sent + data.transmitted())
            });
        let elapsed = now.duration_since(self.taken);
        let memory_total = self.system.total_memory();
        let (disk_total, disk_free) = disk(data_dir);
        self.taken = now;
        self.info = RunInfo {
            uptime: Duration::ZERO,
            cpu_percent: self.system.global_cpu_usage().round().clamp(0.0, 100.0) as u8,
            memory_percent: percent(self.system.used_memory(), memory_total),
            memory_total,
            network_in: bits_per_second(received, elapsed),
            network_out: bits_per_second(sent, elapsed),
            disk_total,
            disk_free,
            temperatures: temperatures(Path::new("/sys/class/thermal")),
        };
    }
}

/// Total and free bytes of the file system that holds `path`; zeros when it cannot be asked. Not from
/// sysinfo, which lists mounts and leaves it to the caller to find the right one.
#[allow(clippy::unnecessary_cast, reason = "these types have 32 bits on 32-bit ARM")]
fn disk(path: &Path) -> (u64, u64) {
    statvfs(path).map_or((0, 0), |fs| {
        let block = fs.fragment_size() as u64;
        (fs.blocks() as u64 * block, fs.blocks_available() as u64 * block)
    })
}

fn percent(part: u64, whole: u64) -> u8 {
    if whole == 0 { 0 } else { (part as f64 / whole as f64 * 100.0).round().min(100.0) as u8 }
}

fn bits_per_second(bytes: u64, elapsed: Duration) -> u64 {
    if elapsed.is_zero() { 0 } else { (bytes as f64 * 8.0 / elapsed.as_secs_f64()).round() as u64 }
}

impl RunInfo {
    /// `strRunTime`: `0H 23MIN` (manual 5.2.5); hours count on past 24.
    pub fn run_time(&self) -> String {
        let minutes = self.uptime.as_secs() / 60;
        format!("{}H {}MIN", minutes / 60, minutes % 60)
    }
}

/// `strNetworkIn` and `strNetworkOut`: `0kpbs`, spelt as in manual 5.2.5, meaning 1000 bits a second.
pub fn rate_text(bits_per_second: u64) -> String {
    format!("{}kpbs", bits_per_second / 1000)
}

/// `strTotalSpace` and `strFreeSpace`: `63Gbytes`, as later editions have it, of 2^30 bytes each.
pub fn space_text(bytes: u64) -> String {
    format!("{}Gbytes", bytes >> 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_true_to_their_bounds() {
        let dir = tempfile::tempdir().unwrap();
        let info = Sampler::new(dir.path()).read();
        assert!(info.memory_total > 64 << 20);
        assert!((1..=100).contains(&info.memory_percent));
        assert!(info.cpu_percent <= 100);
        assert!(info.disk_total > info.disk_free && info.disk_free > 0);
        assert_eq!(disk(Path::new("/no/such/place")), (0, 0));
    }

    #[test]
    fn askers_within_a_second_share_a_sample() {
        let dir = tempfile::tempdir().unwrap();
        let sampler = Sampler::new(dir.path());
        sampler.last().info.network_in = 4_711;
        sampler.last().taken = Instant::now();
        assert_eq!(sampler.read().network_in, 4_711);
        sampler.last().info.memory_total = 0;
        sampler.last().taken = Instant::now().checked_sub(FRESH).unwrap();
        assert_ne!(sampler.read().memory_total, 0);
    }

    #[test]
    fn texts_are_the_manuals() {
        let info = RunInfo { uptime: Duration::from_secs(23 * 60 + 59), ..RunInfo::default() };
        assert_eq!(info.run_time(), "0H 23MIN");
        let info = RunInfo { uptime: Duration::from_secs(44 * 3600 + 5 * 60), ..RunInfo::default() };
        assert_eq!(info.run_time(), "44H 5MIN");
        assert_eq!((rate_text(999), rate_text(12_345)), ("0kpbs".into(), "12kpbs".into()));
        assert_eq!(space_text(63 << 30), "63Gbytes");
        assert_eq!(bits_per_second(1000, Duration::from_secs(2)), 4000);
        assert_eq!((percent(1, 3), percent(0, 0)), (33, 0));
    }
}
