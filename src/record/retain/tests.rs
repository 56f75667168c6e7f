use std::fs;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::base::config::{Config, VolumeEntry};
use crate::base::footage::Cause;
use crate::base::time::Clock;
use crate::base::wall::Offset;
use crate::record::Settings;
use crate::record::volume::Volumes;
use crate::store::Store;

const DAY: i64 = 86_400_000;
/// 2026-01-01.
const NOW: i64 = 1_767_225_600_000;

struct Scene {
    recorder: Arc<Recorder>,
    _dir: TempDir,
}

impl Scene {
    fn new(keep_free_mb: u64) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let entry = VolumeEntry { keep_free_mb, ..VolumeEntry::in_data_dir(dir.path()) };
        let volumes = Volumes::open(&[entry], &store).unwrap();
        let days = |days| Some(Duration::from_millis(days * DAY as u64));
        let config = Settings::from(&Config::default());
        let retention = Retention { keep: days(30), keep_snapshots: days(2), ..config.retention };
        let settings = Settings { retention, ..config };
        let clock = Clock::simulated(std::time::UNIX_EPOCH + Duration::from_millis(NOW as u64));
        let stop = CancellationToken::new();
        stop.cancel();
        let recorder = Recorder::start(settings, volumes, store, clock, stop).unwrap();
        Self { recorder, _dir: dir }
    }

    /// An entry of `kib`, so many days old.
    fn add(&self, what: What, days: i64, kib: u64, locked: bool) -> Footage {
        let start = Wall(NOW - days * DAY);
        let (day, time) = start.folders(Offset(0));
        let name = format!("{}-{days}.{}", what.as_str(), what.extension());
        let entry = Footage {
            id: 0,
            what,
            token: "t".into(),
            cause: Cause::Manual,
            volume: "main".into(),
            path: format!("{}/t/{day}/{time}/{name}", what.as_str()),
            start,
            end: start.plus_millis(1000),
            offset: Offset(0),
            bytes: kib << 10,
            open: false,
            locked,
        };
        let file = self.volume().file(&entry.path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, vec![0; (kib << 10) as usize]).unwrap();
        Footage { id: self.recorder.store.insert_footage(&entry).unwrap(), ..entry }
    }

    fn volume(&self) -> Arc<Volume> {
        self.recorder.volumes.list()[0].clone()
    }

    /// Both the row and the file, or neither.
    fn is_there(&self, entry: &Footage) -> bool {
        let row = self.recorder.store.footage(entry.id).unwrap().is_some();
        assert_eq!(self.volume().file(&entry.path).exists(), row, "{}", entry.path);
        row
    }

    fn there(&self, entries: &[&Footage]) -> Vec<bool> {
        entries.iter().map(|entry| self.is_there(entry)).collect()
    }
}

#[tokio::test]
async fn age_takes_what_is_neither_locked_nor_in_use() {
    let scene = Scene::new(0);
    let old = scene.add(What::Record, 31, 1, false);
    let young = scene.add(What::Record, 29, 1, false);
    let locked = scene.add(What::Record, 40, 1, true);
    let played = scene.add(What::Record, 50, 1, false);
    let still = scene.add(What::Snapshot, 3, 1, false);
    let new_still = scene.add(What::Snapshot, 1, 1, false);
    let pin = scene.recorder.pins.pin(played.id);
    tidy(&scene.recorder, &scene.volume()).unwrap();
    let all = [&old, &young, &locked, &played, &still, &new_still];
    assert_eq!(scene.there(&all), [false, true, true, true, false, true]);
    let folder = scene.volume().file(&old.path);
    assert!(!folder.parent().unwrap().parent().unwrap().exists(), "empty folders go too");
    assert!(scene.volume().file("record/t").exists());
    drop(pin);
    tidy(&scene.recorder, &scene.volume()).unwrap();
    assert!(!scene.is_there(&played));
}

#[tokio::test]
async fn a_share_is_kept_to_with_the_oldest_first_and_locked_ones_last() {
    let scene = Scene::new(0);
    let locked = scene.add(What::Record, 9, 100, true);
    let first = scene.add(What::Snapshot, 8, 100, false);
    let played = scene.add(What::Record, 7, 100, false);
    let second = scene.add(What::Record, 6, 100, false);
    let newest = scene.add(What::Snapshot, 1, 100, false);
    let all = [&locked, &first, &played, &second, &newest];
    let pin = scene.recorder.pins.pin(played.id);
    hold_to_share(&scene.recorder, 300 << 10).unwrap();
    assert_eq!(scene.there(&all), [true, false, true, false, true]);
    drop(pin);
    hold_to_share(&scene.recorder, 100 << 10).unwrap();
    assert_eq!(scene.there(&all), [true, false, false, false, false]);
    hold_to_share(&scene.recorder, 10 << 10).unwrap();
    assert_eq!(scene.there(&all), [false; 5]);
    assert!(scene.recorder.store.totals().unwrap().is_empty());
}

#[tokio::test]
async fn more_entries_than_a_batch_go_in_order() {
    let scene = Scene::new(0);
    let entries: Vec<_> = (0..250).map(|days| scene.add(What::Record, days, 1, false)).collect();
    hold_to_share(&scene.recorder, 100 << 10).unwrap();
    let there: Vec<_> = entries.iter().map(|entry| scene.is_there(entry)).collect();
    assert_eq!(there, [vec![true; 100], vec![false; 150]].concat());
}

#[tokio::test]
async fn a_disk_with_too_little_room_gives_all_it_has_and_is_full_then() {
    // More than any disk has free.
    let scene = Scene::new(1_000_000_000);
    let old = scene.add(What::Record, 9, 1, false);
    let locked = scene.add(What::Record, 99, 1, true);
    let played = scene.add(What::Record, 3, 1, false);
    let pin = scene.recorder.pins.pin(played.id);
    tidy(&scene.recorder, &scene.volume()).unwrap();
    assert_eq!(scene.there(&[&old, &locked, &played]), [false, false, true]);
    assert_eq!(scene.volume().state(), State::Online, "it made room, and will see whether that was enough");
    tidy(&scene.recorder, &scene.volume()).unwrap();
    assert_eq!(scene.volume().state().as_str(), "full");
    drop(pin);
    tidy(&scene.recorder, &scene.volume()).unwrap();
    assert!(!scene.is_there(&played));
}
