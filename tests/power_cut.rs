//! The power goes while four cameras are recorded: by SIGKILL at random moments, also during the recovery
//! itself, and on a disk of its own that keeps only what had reached it. After each cut all that is on the
//! disk opens, the database agrees with it, and less than 2.5 s are missing.
//!
//! `H5EDGE_POWER_CUT_ROUNDS` sets how often (8), `H5EDGE_POWER_CUT_SEED` repeats a run, and with
//! `H5EDGE_POWER_CUT_CHROMIUM` the browser opens all files in the end (it needs what `web` installs).

mod support;

use std::{
    collections::BTreeSet,
    env,
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime},
};

use nix::sys::signal::Signal;
use support::{
    daemon::{Daemon, DaemonOptions},
    disk::Disk,
    fakecam::Fakecam,
    footage, players, rows,
    scene::{self, PATIENCE},
    stamp, wait_for,
};

const CAMERAS: usize = 4;
/// What a cut may cost, in milliseconds.
const LOSS_MS: i64 = 2500;

/// Enough for moments at random (xorshift64).
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = env::var("H5EDGE_POWER_CUT_SEED").ok().map(|seed| seed.parse().expect("a number"));
        let seed = given.unwrap_or_else(stamp::now_us).max(1);
        eprintln!("H5EDGE_POWER_CUT_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

fn rounds() -> u64 {
    env::var("H5EDGE_POWER_CUT_ROUNDS").map_or(8, |rounds| rounds.parse().expect("a number"))
}

/// Four cameras, all of them recorded all the time in files of 5 s.
struct Plant {
    daemon: Daemon,
    root: PathBuf,
    /// Files that players have looked at.
    seen: BTreeSet<PathBuf>,
    losses: Vec<i64>,
    _cameras: Fakecam,
}

impl Plant {
    fn start(options: DaemonOptions, root: Option<PathBuf>) -> Self {
        let cameras = scene::cameras(25, &["--cams", "4"]);
        let mut daemon = Daemon::start(options);
        daemon.login();
        for number in 0..CAMERAS {
            let token = token(number);
            scene::add(&daemon, &token, &cameras.rtsp_url(number), &[]);
            daemon.api_ok("SetRecordSchedule", &[("token", &token), ("week", "always")]);
        }
        let root = root.unwrap_or_else(|| footage::volume(&daemon));
        Self { daemon, root, seen: BTreeSet::new(), losses: Vec::new(), _cameras: cameras }
    }

    /// Waits until all cameras are recorded; since when, in milliseconds since 1970.
    fn wait_recording(&self) -> [i64; CAMERAS] {
        std::array::from_fn(|number| {
            let token = token(number);
            wait_for("a recording", PATIENCE, || {
                let entry = self.daemon.source(&token).expect("the source");
                (entry["strRecState"] == "recording").then_some(())
            });
            now_ms()
        })
    }

    /// Starts again after a cut at `cut`, and checks everything.
    fn recover(&mut self, cut: i64, since: [i64; CAMERAS]) {
        let restart = SystemTime::now();
        self.daemon.restart();
        self.daemon.login();
        wait_for("rows and files to be compared", PATIENCE, || {
            (self.daemon.api_ok("GetStorageInfo", &[])["volume"][0]["bReconciled"] == true).then_some(())
        });
        let rows = rows::consistent_since(self.daemon.data_dir(), &[("main", self.root.clone())], restart);
        for row in rows.iter().filter(|row| !row.open) {
            let path = self.root.join(&row.path);
            if self.seen.insert(path.clone()) {
                let seconds = players::ffprobe(&path).seconds;
                let stated = (row.end - row.start) as f64 / 1000.0;
                assert!((seconds - stated).abs() < 0.05, "{row:?} plays for {seconds} s");
            }
        }
        for (number, since) in since.into_iter().enumerate() {
            let token = token(number);
            let before = rows.iter().filter(|row| row.token == token && row.start < cut && !row.open);
            let end = before.map(|row| row.end).max().unwrap_or(0).max(since);
            self.losses.push(cut - end);
            assert!(cut - end <= LOSS_MS, "{token}: {} ms are lost; {rows:#?}", cut - end);
        }
        let aside = &self.daemon.api_ok("GetStorageInfo", &[])["volume"][0]["nSetAside"];
        assert_eq!(aside, 0, "{}", self.daemon.process.log());
    }

    /// Stops in order; nothing is open then.
    fn finish(mut self) {
        self.wait_recording();
        self.daemon.terminate();
        let rows = rows::consistent(self.daemon.data_dir(), &[("main", self.root.clone())]);
        assert!(rows.iter().all(|row| !row.open), "{rows:#?}");
        self.losses.sort_unstable();
        let middle = self.losses[self.losses.len() / 2];
        let most = self.losses.last().expect("losses");
        if env::var_os("H5EDGE_POWER_CUT_CHROMIUM").is_some() {
            let opened = Command::new("node")
                .arg("tests/browser/open_files.mjs")
                .arg(&self.root)
                .output()
                .expect("node");
            let told = String::from_utf8_lossy(&opened.stdout);
            assert!(opened.status.success(), "{told}{}", String::from_utf8_lossy(&opened.stderr));
            eprint!("{told}");
        }
        eprintln!("{} files; lost per camera and cut: {middle} ms (median), {most} ms (most)", rows.len());
    }
}

fn token(number: usize) -> String {
    format!("cam{number}")
}

fn now_ms() -> i64 {
    (stamp::now_us() / 1000) as i64
}

#[test]
fn killed_at_any_moment() {
    let mut random = Random::new();
    let config = "[recording]\nrollover_seconds = 5\n";
    let mut plant = Plant::start(DaemonOptions { config: config.into(), ..DaemonOptions::default() }, None);
    for round in 0..rounds() {
        let since = plant.wait_recording();
        std::thread::sleep(random.millis(6000));
        let cut = now_ms();
        plant.daemon.kill();
        // Every other time the recovery is cut as well, more than once.
        for _ in 0..if round % 2 == 0 { 0 } else { 1 + random.below(3) } {
            plant.daemon.start_and_kill(random.millis(1000));
        }
        plant.recover(cut, since);
    }
    plant.finish();
}

#[test]
fn cut_off_the_disk() {
    let Some(mut disk) = Disk::ext4(96) else { return };
    let mut random = Random::new();
    let (data, root) = (disk.path().join("data"), disk.path().join("footage"));
    let config = format!(
        "[recording]\nrollover_seconds = 5\n\
         [[volume]]\nname = \"main\"\npath = {root:?}\nkeep_free_mb = 1\n"
    );
    let options = DaemonOptions { config, data_dir: Some(data), ..DaemonOptions::default() };
    let mut plant = Plant::start(options, Some(root));
    for _ in 0..rounds().div_ceil(2) {
        let since = plant.wait_recording();
        std::thread::sleep(random.millis(6000));
        let cut = now_ms();
        plant.daemon.process.signal(Signal::SIGSTOP);
        disk.cut(|| plant.daemon.kill());
        plant.recover(cut, since);
    }
    plant.finish();
}
