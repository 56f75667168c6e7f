use bytes::Bytes;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::base::config::{Config, VolumeEntry};
use crate::base::footage::{Cause, Footage};
use crate::base::time::Clock;
use crate::media::frame::Track;
use crate::media::h264;
use crate::media::hub::Hub;
use crate::media::hybrid::scan;
use crate::record::Settings;
use crate::record::volume::{Volume, Volumes};
use crate::store::Store;

const FRAME: Duration = Duration::from_millis(40);
const GOP: i64 = 25;

/// A camera whose time the test makes, and a recording of it.
struct Site {
    hub: Arc<Hub>,
    clock: Clock,
    recorder: Arc<Recorder>,
    control: Arc<Control>,
    root: std::path::PathBuf,
    _dir: TempDir,
}

impl Site {
    fn new(ring_bytes: usize) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let entry = VolumeEntry { keep_free_mb: 0, ..VolumeEntry::in_data_dir(dir.path()) };
        let volumes = Volumes::open(std::slice::from_ref(&entry), &store).unwrap();
        let clock = Clock::simulated(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
        let settings = Settings::from(&Config::default());
        let stop = CancellationToken::new();
        let recorder = Recorder::start(settings, volumes, store, clock.clone(), stop.clone()).unwrap();
        let hub = Hub::new(ring_bytes, MediaTime::from_secs(5));
        let control = Control::new(Cause::Manual, None, stop.child_token());
        let session = Session {
            recorder: recorder.clone(),
            control: control.clone(),
            stream: Stream::new("cam", hub.clone()),
            naming: Naming::Own,
            now_or_never: true,
        };
        let done = control.clone();
        tokio::spawn(async move {
            let ended = session.run().await;
            done.set(Phase::Ended(ended.err()));
        });
        Self { hub, clock, recorder, control, root: entry.path, _dir: dir }
    }

    /// The camera delivers these, each when its time has come.
    fn deliver(&self, frames: std::ops::Range<i64>) {
        for n in frames {
            self.clock.advance(FRAME);
            let dts = MediaTime::from_millis(n * 40);
            self.hub.push(Frame {
                track: Track::Video,
                dts,
                pts: dts,
                duration: FRAME.into(),
                key: n % GOP == 0,
                data: Bytes::from(vec![n as u8; 1000]),
                arrived: self.clock.mono(),
            });
        }
    }

    async fn wait(&self, wanted: impl Fn(&Phase) -> bool) {
        let mut phases = self.control.watch();
        let found = tokio::time::timeout(Duration::from_secs(20), phases.wait_for(wanted)).await;
        assert!(found.is_ok(), "{:?}", self.control.phase());
    }

    async fn stop(&self) {
        self.control.stop();
        self.wait(|phase| matches!(phase, Phase::Ended(None))).await;
    }

    /// What is on the disk, each with its numbers of pictures, which all are as they were delivered.
    fn files(&self) -> Vec<(Footage, Vec<u8>)> {
        let (from, to) = (Wall(0), Wall(i64::MAX));
        let rows = self.recorder.store.find_footage(What::Record, "cam", from, to, 100).unwrap();
        rows.into_iter()
            .map(|row| {
                let bytes = std::fs::read(self.root.join(&row.path)).unwrap();
                let scan = scan(&mut std::io::Cursor::new(&bytes), bytes.len() as u64, true).unwrap();
                assert_eq!((scan.complete, row.open, row.bytes), (true, false, bytes.len() as u64));
                let samples = scan.index.samples(Track::Video);
                (row, samples.map(|sample| bytes[sample.at as usize]).collect())
            })
            .collect()
    }

    fn volume(&self) -> Arc<Volume> {
        self.recorder.volumes.of_source("cam")
    }
}

/// An `avcC` as an encoder made it.
const HIGH: &str =
    "01640014ffe1001e67640014acd94150878888c05a83030352800000030080000019478a14cb01000568ebecb22c";

fn params() -> Params {
    let byte = |at: usize| u8::from_str_radix(&HIGH[2 * at..2 * at + 2], 16).unwrap();
    let config: Bytes = (0..HIGH.len() / 2).map(byte).collect();
    Params { video: h264::from_avcc(&config).unwrap(), audio: None }
}

fn is_recording(phase: &Phase) -> bool {
    matches!(phase, Phase::Recording { .. })
}

fn numbers(range: std::ops::Range<i64>) -> Vec<u8> {
    range.map(|n| n as u8).collect()
}

#[tokio::test]
async fn a_clock_that_was_set_begins_a_new_file() {
    let it = Site::new(1 << 20);
    it.hub.begin(params());
    it.deliver(0..60);
    it.wait(is_recording).await;
    // Between two frames the wall clock moves on by more than the frames do.
    it.clock.advance(Duration::from_secs(3600));
    it.deliver(60..110);
    it.stop().await;
    let files = it.files();
    assert_eq!(
        files.iter().map(|(_, frames)| frames.clone()).collect::<Vec<_>>(),
        [numbers(0..75), numbers(75..110)]
    );
    assert_eq!(files[0].0.start, Wall(1_600_000_000_040));
    assert_eq!(files[0].0.end, Wall(1_600_000_003_040));
    assert_eq!(files[1].0.start, Wall(1_600_003_603_040));
}

#[tokio::test]
async fn a_disk_that_is_too_slow_costs_frames_and_says_so() {
    let it = Site::new(30_000);
    it.hub.begin(params());
    it.deliver(0..10);
    it.wait(is_recording).await;
    it.deliver(10..20);
    // More than the ring holds, before the recording looks again.
    it.deliver(20..160);
    it.stop().await;
    let files = it.files();
    assert_eq!((files.len(), it.control.skips()), (2, 1));
    let first = files[0].1.len() as i64;
    assert_eq!(files[0].1, numbers(0..first));
    assert_eq!(files[1].1, numbers(150..160));
}

#[tokio::test]
async fn an_epoch_is_recorded_to_its_last_frame() {
    let it = Site::new(1 << 20);
    it.hub.begin(params());
    it.deliver(0..10);
    it.wait(is_recording).await;
    it.deliver(10..30);
    it.hub.begin(params());
    it.deliver(0..5);
    it.wait(|phase| matches!(phase, Phase::Waiting(_))).await;
    it.wait(is_recording).await;
    it.hub.end();
    it.stop().await;
    let frames: Vec<_> = it.files().into_iter().map(|(_, frames)| frames).collect();
    assert_eq!(frames, [numbers(0..30), numbers(0..5)]);
}

#[tokio::test]
async fn a_volume_that_goes_and_comes_back() {
    let it = Site::new(1 << 20);
    it.hub.begin(params());
    it.deliver(0..60);
    it.wait(is_recording).await;
    let synced = || it.recorder.running.progress(1).is_some_and(|progress| progress.millis == 2000);
    while !synced() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let look = || it.volume().settle(it.volume().look());
    let aside = it.root.with_extension("aside");
    std::fs::rename(&it.root, &aside).unwrap();
    look();
    // Enough for a fragment.
    it.deliver(60..120);
    it.wait(|phase| matches!(phase, Phase::Trouble(_))).await;
    assert!(!it.root.exists(), "an empty mount point was written to");
    assert_eq!(it.recorder.running.progress(1), None);

    std::fs::rename(&aside, &it.root).unwrap();
    look();
    // Housekeeping compares rows and files, which completes the first file, and lets writers in.
    tokio::time::timeout(Duration::from_secs(20), async {
        let mut next = 120;
        while !is_recording(&it.control.phase()) {
            it.deliver(next..next + 5);
            next += 5;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .unwrap();
    it.stop().await;
    let files = it.files();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0].1, numbers(0..50));
    assert_eq!(files[1].1[0] as i64 % GOP, 0);
}
