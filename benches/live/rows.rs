//! The rows of the table: what is measured, in which order, against which target. A row starts a
//! daemon of its own, so that none sees what another left behind.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::browser;
use crate::cloud;
use crate::footage;
use crate::measure::{Size, children, cpu, cpu_seconds, quantile};
use crate::onvif;
use crate::reconcile;
use crate::recording;
use crate::site::{SETTLE, Site};
use crate::viewers::{Kind, Report, Viewers};

/// Something measured together.
pub struct Row {
    /// What `--only` looks at.
    pub name: &'static str,
    pub what: &'static str,
    pub figures: &'static [Figure],
    /// One value per figure, in their order.
    pub measure: fn() -> Vec<f64>,
}

pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    /// The most it may be.
    pub target: Option<f64>,
}

const fn figure(name: &'static str, unit: &'static str) -> Figure {
    Figure { name, unit, target: None }
}

const fn at_most(target: f64, name: &'static str, unit: &'static str) -> Figure {
    Figure { name, unit, target: Some(target) }
}

const CORE: &str = "% of a core";
const GOP: u32 = 50;
const LONG_GOP: u32 = 250;
const CONNECTS: usize = 100;
const SHORT_GOP: u32 = 25;
const SNAPSHOT_COUNT: usize = 20;

pub const ROWS: &[Row] = &[
    Row {
        name: "idle",
        what: "idle daemon, no source",
        figures: &[
            at_most(0.1, "CPU", CORE),
            at_most(25.0, "RSS", "MB"),
            figure("RSS that is no file's", "MB"),
            figure("threads", ""),
        ],
        measure: idle,
    },
    Row {
        name: "camera-1",
        what: "one pulled camera, no viewer: more than idle",
        figures: &[
            at_most(1.0, "CPU", CORE),
            at_most(2.5, "RSS that is no file's", "MB"),
            figure("RSS", "MB"),
            at_most(6.0, "threads", ""),
        ],
        measure: || cameras(1),
    },
    Row {
        name: "camera-10",
        what: "ten pulled cameras, no viewer: more than idle, each",
        figures: &[
            at_most(1.0, "CPU", CORE),
            at_most(2.5, "RSS that is no file's", "MB"),
            figure("RSS", "MB"),
            at_most(6.0, "threads", ""),
        ],
        measure: || cameras(10),
    },
    Row {
        name: "ws-1",
        what: "1 WebSocket viewer",
        figures: &[
            figure("CPU in all", CORE),
            at_most(2.0, "delay camera to viewer p50", "ms"),
            figure("delay camera to viewer p95", "ms"),
        ],
        measure: || {
            let seen = Seen::of(Kind::Ws, 1);
            vec![seen.cpu, quantile(&seen.report.delays_ms, 0.5), quantile(&seen.report.delays_ms, 0.95)]
        },
    },
    Row {
        name: "ws-200",
        what: "200 WebSocket viewers of one camera",
        figures: MANY_WS,
        measure: || Seen::of(Kind::Ws, 200).crowd(),
    },
    Row {
        name: "connect-50",
        what: "first media bytes after a WebSocket connect, warm, GOP 50",
        figures: CONNECT,
        measure: || connects(GOP),
    },
    Row {
        name: "connect-250",
        what: "first media bytes after a WebSocket connect, warm, GOP 250",
        figures: CONNECT,
        measure: || connects(LONG_GOP),
    },
    Row {
        name: "picture-ws",
        what: "first picture in Chromium over WebSocket, warm",
        figures: &[
            at_most(150.0, "from connect() p50", "ms"),
            figure("from connect() p95", "ms"),
            figure("from navigation p50", "ms"),
        ],
        measure: || browser::pictures("ws.html"),
    },
    Row {
        name: "rtc-25",
        what: "25 WebRTC viewers of one camera",
        figures: MANY_RTC,
        measure: || Seen::of(Kind::Rtc, 25).crowd(),
    },
    Row {
        name: "picture-rtc",
        what: "first picture in Chromium over WebRTC, warm",
        figures: &[
            at_most(300.0, "from connect() p50", "ms"),
            figure("from connect() p95", "ms"),
            figure("from navigation p50", "ms"),
        ],
        measure: || browser::pictures("rtc.html"),
    },
    Row {
        name: "wall-16",
        what: "the live page on a first visit, 16 tiles",
        figures: &[
            at_most(200.0, "loaded over the wire", "kB"),
            at_most(1000.0, "page shown after", "ms"),
            figure("picture in a tile after, p50", "ms"),
            figure("pictures in all tiles after", "ms"),
            figure("tasks over 50 ms on the main thread, per minute", ""),
            figure("JavaScript heap", "MB"),
            figure("RSS of the page's process", "MB"),
        ],
        measure: browser::wall,
    },
    Row {
        name: "record-1",
        what: "recording one camera: more than its pull",
        figures: &[at_most(0.3, "CPU", CORE), at_most(1.0, "syncs in 2 s", "")],
        measure: || recording::recorded(1),
    },
    Row {
        name: "record-16",
        what: "recording 16 cameras: more than their pull",
        figures: &[at_most(12.0, "CPU in all", CORE), at_most(1.0, "syncs in 2 s, each", "")],
        measure: || recording::recorded(16),
    },
    Row {
        name: "search",
        what: "Search over 500 000 rows, while the daemon commits all the time",
        figures: &[
            figure("a camera's day p50", "ms"),
            at_most(20.0, "a camera's day p95", "ms"),
            figure("5000 entries p95", "ms"),
            at_most(20.0, "a month's calendar p95", "ms"),
        ],
        measure: footage::search,
    },
    Row {
        name: "reconcile",
        what: "start with 50 000 recordings",
        figures: &[at_most(10.0, "until all files are compared", "s"), figure("until it answers", "s")],
        measure: reconcile::seconds,
    },
    Row {
        name: "snapshot",
        what: "one snapshot, kept on the disk, of a warm stream, 1080p",
        figures: SNAPSHOTS,
        measure: snapshots,
    },
    Row {
        name: "onvif-search",
        what: "OnvifSearch, 10 s, 200 cameras that answer",
        figures: &[at_most(50.0, "CPU", CORE), at_most(0.0, "cameras missed", "")],
        measure: onvif::search,
    },
    Row {
        name: "onvif-probe",
        what: "OnvifProbe of a camera with 4 profiles and a password",
        figures: &[figure("p50", "ms"), at_most(300.0, "p95", "ms")],
        measure: onvif::probe,
    },
    Row {
        name: "onvif-ptz",
        what: "Ptz to the camera and back, warm",
        figures: &[figure("p50", "ms"), at_most(50.0, "p95", "ms")],
        measure: onvif::steer,
    },
    Row {
        name: "onvif-device",
        what: "GetProfiles of our ONVIF device with 64 sources",
        figures: &[at_most(20.0, "Media1 p95", "ms"), at_most(20.0, "Media2 p95", "ms")],
        measure: onvif::profiles,
    },
    Row {
        name: "cloud-delay",
        what: "1 viewer at the edge, then 1 at the central",
        figures: &[
            figure("delay camera to viewer at the edge p50", "ms"),
            figure("delay camera to viewer at the central p50", "ms"),
            at_most(10.0, "what the central adds, p50", "ms"),
            figure("what the central adds, p95", "ms"),
        ],
        measure: cloud::delay,
    },
    Row {
        name: "cloud-50",
        what: "50 viewers at the central of one camera of an edge",
        figures: &[
            figure("up-link with 1 viewer", "Mbit/s"),
            figure("up-link", "Mbit/s"),
            at_most(1.05, "up-link, in streams", ""),
            figure("CPU of the edge more than with 1", CORE),
            figure("CPU of the central", CORE),
            figure("delay camera to viewer p50", "ms"),
        ],
        measure: cloud::crowd,
    },
    Row {
        name: "cloud-10000",
        what: "10 000 edges at one central, over TLS",
        figures: &[
            figure("all registered after", "s"),
            figure("CPU until then", "s"),
            at_most(50.0, "RSS more, per idle edge", "kB"),
            at_most(100.0, "CPU in all, idle", CORE),
            figure("all back after its end and start", "s"),
            figure("CPU of the new one until then", "s"),
            figure("RSS more, per idle edge, then", "kB"),
            at_most(0.0, "edges lost", ""),
        ],
        measure: cloud::swarm,
    },
];

const SNAPSHOTS: &[Figure] = &[
    at_most(35.0, "CPU of daemon and worker p50", "ms"),
    at_most(50.0, "from call to answer p50", "ms"),
    figure("CPU of daemon and worker p95", "ms"),
    figure("from call to answer p95", "ms"),
];

const CONNECT: &[Figure] = &[figure("p50", "ms"), at_most(10.0, "p95", "ms")];

const MANY_WS: &[Figure] = &[
    at_most(16.0, "CPU in all", CORE),
    at_most(0.3, "RSS more, per viewer", "MB"),
    at_most(0.0, "threads more", ""),
    figure("delay camera to viewer p50", "ms"),
    figure("delay camera to viewer p95", "ms"),
];

const MANY_RTC: &[Figure] = &[
    at_most(9.0, "CPU in all", CORE),
    figure("RSS more, per viewer", "MB"),
    at_most(0.0, "threads more", ""),
    figure("delay camera to viewer p50", "ms"),
    figure("delay camera to viewer p95", "ms"),
];

fn idle() -> Vec<f64> {
    let site = Site::idle();
    let used = cpu(&site.daemon.process);
    let size = Size::of(&site.daemon.process);
    vec![used, size.rss, size.own, size.threads]
}

fn cameras(count: usize) -> Vec<f64> {
    let mut site = Site::idle();
    let (idle, before) = (cpu(&site.daemon.process), Size::of(&site.daemon.process));
    site.pull(count, GOP);
    let (used, after) = (cpu(&site.daemon.process), Size::of(&site.daemon.process));
    let more = [used - idle, after.own - before.own, after.rss - before.rss, after.threads - before.threads];
    more.iter().map(|value| value / count as f64).collect()
}

fn connects(gop: u32) -> Vec<f64> {
    let site = Site::with_camera(gop);
    let (_, report) = Viewers::start(Kind::Connects, CONNECTS, &site.daemon);
    vec![quantile(&report.first_ms, 0.5), quantile(&report.first_ms, 0.95)]
}

/// Each of another key frame.
fn snapshots() -> Vec<f64> {
    let site = Site::with_camera(SHORT_GOP);
    let daemon = &site.daemon;
    let snapshot = || daemon.api_ok("Snapshot", &[("token", "token1")]);
    let (mut used, mut took) = (Vec::new(), Vec::new());
    snapshot();
    let processes: Vec<u32> = children(&daemon.process).into_iter().chain([daemon.process.pid()]).collect();
    let so_far = || processes.iter().map(|&pid| cpu_seconds(pid)).sum::<f64>();
    for _ in 0..SNAPSHOT_COUNT {
        sleep(Duration::from_secs(1) * (SHORT_GOP + 1) / 25);
        let (from, begun) = (so_far(), Instant::now());
        snapshot();
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
        // The decoder is closed after the answer.
        sleep(Duration::from_millis(20));
        used.push((so_far() - from) * 1000.0);
    }
    let at = |share| [quantile(&used, share), quantile(&took, share)];
    [at(0.5), at(0.95)].concat()
}

/// What a crowd of viewers cost and got.
struct Seen {
    viewers: usize,
    cpu: f64,
    before: Size,
    after: Size,
    report: Report,
}

impl Seen {
    fn of(kind: Kind, viewers: usize) -> Self {
        let site = Site::with_camera(GOP);
        let process = &site.daemon.process;
        let before = Size::of(process);
        let (mut crowd, _) = Viewers::start(kind, viewers, &site.daemon);
        // The GOP that each started with is no delay of a running viewer.
        sleep(SETTLE);
        crowd.report();
        let cpu = cpu(process);
        let after = Size::of(process);
        let report = crowd.report();
        assert_eq!(report.watching, viewers, "viewers still watching");
        Self { viewers, cpu, before, after, report }
    }

    fn crowd(&self) -> Vec<f64> {
        vec![
            self.cpu,
            (self.after.rss - self.before.rss) / self.viewers as f64,
            self.after.threads - self.before.threads,
            quantile(&self.report.delays_ms, 0.5),
            quantile(&self.report.delays_ms, 0.95),
        ]
    }
}
