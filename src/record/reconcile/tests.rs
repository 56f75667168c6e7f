//! A volume with every way in which rows and files can differ.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::base::config::{Config, VolumeEntry};
use crate::base::footage::{Cause, What};
use crate::base::time::Clock;
use crate::base::wall::{Offset, Wall};
use crate::media::hybrid::tests::{LABEL, short_file};
use crate::record::Settings;
use crate::record::volume::Volumes;

const JPEG: &[u8] = &[0xff, 0xd8, 1, 2, 3, 0xff, 0xd9];

struct Scene {
    recorder: Arc<Recorder>,
    dir: TempDir,
}

impl Scene {
    /// Its tasks never get their turn: the tests wait for nothing.
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let volumes = Volumes::open(&[VolumeEntry::in_data_dir(dir.path())], &store).unwrap();
        let settings = Settings::from(&Config::default());
        let stop = CancellationToken::new();
        let recorder = Recorder::start(settings, volumes, store, Clock::real(), stop).unwrap();
        Self { recorder, dir }
    }

    fn volume(&self) -> Arc<Volume> {
        self.recorder.volumes.list()[0].clone()
    }

    fn run(&self) {
        run(&self.recorder, &self.volume(), Owed::Everything).unwrap();
    }

    fn file(&self, path: &str, bytes: &[u8]) {
        let file = self.volume().file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn row(&self, path: &str, bytes: usize, open: bool) -> i64 {
        let what = if path.ends_with("jpg") { What::Snapshot } else { What::Record };
        let row = Footage {
            id: 0,
            what,
            token: "t".into(),
            cause: Cause::Schedule,
            volume: "main".into(),
            path: path.into(),
            start: LABEL.start,
            end: LABEL.start,
            offset: Offset(480),
            bytes: bytes as u64,
            open,
            locked: true,
        };
        self.recorder.store.insert_footage(&row).unwrap()
    }

    fn aside(&self) -> Vec<String> {
        let folder = self.volume().file("set-aside");
        let mut names: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn path(name: &str) -> String {
    let ending = if name.contains('.') { "" } else { ".mp4" };
    let what = if name.ends_with("jpg") { "snapshot" } else { "record" };
    format!("{what}/t/2018-3-29TZ8/20-3-29/{name}{ending}")
}

#[tokio::test]
async fn open_rows_are_closed_with_what_is_in_their_files() {
    let scene = Scene::new();
    let (_, written) = short_file();
    scene.file(&path("a"), &written.bytes);
    let id = scene.row(&path("a"), 100, true);
    scene.run();
    let row = scene.recorder.store.footage(id).unwrap().unwrap();
    let length = fs::metadata(scene.volume().file(&path("a"))).unwrap().len();
    assert!(!row.open && row.locked);
    assert_eq!(row.bytes, length);
    assert!(row.bytes > written.bytes.len() as u64);
    assert_eq!(row.end.0 - row.start.0, written.index.duration().0 / 90);
    // Again is the same.
    scene.run();
    assert_eq!(scene.recorder.store.footage(id).unwrap().unwrap(), row);
}

#[tokio::test]
async fn rows_without_a_file_go_and_files_without_a_row_are_adopted() {
    let scene = Scene::new();
    let (_, written) = short_file();
    let lost = scene.row(&path("lost"), 5, false);
    // Sorted as bytes, `a-b/` comes before `a/`.
    for name in ["a", "a-b", "z"] {
        scene.file(&path(name), &written.bytes);
    }
    scene.file(&path("p.jpg"), JPEG);
    scene.file(&path("kept.jpg"), JPEG);
    let kept = scene.row(&path("kept.jpg"), JPEG.len(), false);
    scene.run();
    let store = &scene.recorder.store;
    assert_eq!(store.footage(lost).unwrap(), None);
    assert!(store.footage(kept).unwrap().unwrap().locked);
    for name in ["a", "a-b", "z"] {
        let row = store.footage_by_path(&path(name)).unwrap().expect(name);
        assert_eq!((row.start, row.offset, row.cause), (LABEL.start, LABEL.offset, LABEL.cause));
        assert_eq!((row.token.as_str(), row.open, row.volume.as_str()), ("t", false, "main"));
        assert!(row.end > row.start);
    }
    let picture = store.footage_by_path(&path("p.jpg")).unwrap().unwrap();
    assert_eq!(picture.start.iso(Offset(480)), "2018-03-29T20:03:29+08:00");
    assert_eq!((picture.what, picture.end, picture.bytes), (What::Snapshot, picture.start, 7));
    let totals = store.totals().unwrap();
    assert_eq!(totals.iter().map(|total| total.entries).sum::<u64>(), 5);
    assert!(scene.aside().is_empty());
}

#[tokio::test]
async fn what_cannot_be_used_is_set_aside_and_what_is_empty_is_deleted() {
    let scene = Scene::new();
    let (_, written) = short_file();
    scene.file(&path("foreign"), &[7; 100_000]);
    scene.file(&path("half.jpg"), &JPEG[..5]);
    scene.file(&path("notes.txt"), b"mine");
    let id = scene.row(&path("half.jpg"), 7, false);
    scene.file(&path("empty"), b"");
    scene.file(&path("head"), &written.bytes[..written.ends[0]]);
    let head = scene.row(&path("head"), written.ends[0], true);
    fs::create_dir_all(scene.volume().file("record/t/2018-3-30TZ8/1-1-1")).unwrap();
    scene.run();
    let store = &scene.recorder.store;
    assert_eq!((store.footage(id).unwrap(), store.footage(head).unwrap()), (None, None));
    let aside = scene.aside();
    assert_eq!(aside.len(), 6, "{aside:?}");
    let reason =
        fs::read_to_string(scene.volume().file("set-aside/1-snapshot_t_2018-3-29TZ8_20-3-29_half.jpg.txt"));
    assert_eq!(reason.unwrap(), "snapshot/t/2018-3-29TZ8/20-3-29/half.jpg\nit is not a whole JPEG picture\n");
    assert_eq!(scene.volume().checked().set_aside, 3);
    assert!(!scene.volume().file("record/t").exists(), "no empty folders");
    scene.run();
    assert_eq!((scene.aside(), scene.volume().checked().set_aside), (aside, 3));
}

#[tokio::test]
async fn a_renamed_volume_keeps_its_rows() {
    let scene = Scene::new();
    let (_, written) = short_file();
    scene.file(&path("a"), &written.bytes);
    let id = scene.row(&path("a"), written.bytes.len(), false);
    let row = scene.recorder.store.footage(id).unwrap().unwrap();
    scene.recorder.store.apply(&[Change::Move { id, volume: "old".into() }]).unwrap();
    scene.run();
    let found = scene.recorder.store.footage_by_path(&row.path).unwrap().unwrap();
    assert_eq!(Footage { id: row.id, ..found }, row);
}

#[tokio::test]
async fn a_recording_that_goes_on_is_left_alone() {
    let scene = Scene::new();
    let (_, written) = short_file();
    scene.file(&path("a"), &written.bytes);
    let id = scene.row(&path("a"), 100, true);
    let entry = scene.recorder.running.begin(id);
    scene.run();
    assert!(scene.recorder.store.footage(id).unwrap().unwrap().open);
    assert_eq!(fs::read(scene.volume().file(&path("a"))).unwrap(), written.bytes);
    drop(entry);
    run(&scene.recorder, &scene.volume(), Owed::OpenRows).unwrap();
    assert!(!scene.recorder.store.footage(id).unwrap().unwrap().open);
}

/// 50 000 files in 10 s is promised; run with `--ignored`, in release mode.
#[tokio::test]
#[ignore = "takes long"]
async fn fifty_thousand_files() {
    let scene = Scene::new();
    let (params, written) = short_file();
    let bytes = crate::media::hybrid::tests::complete(&written, &params);
    let mut rows = Vec::new();
    for number in 0..50_000 {
        let (day, minutes) = (number % 28 + 1, number / 28);
        let (hour, minute, second) = (minutes / 60 % 24, minutes % 60, minutes / 1440);
        let path = format!("record/t/2018-3-{day}TZ8/{hour}-{minute}-{second}/t-{number:08x}.mp4");
        scene.file(&path, &bytes);
        rows.push(Change::Add(Footage {
            id: 0,
            what: What::Record,
            token: "t".into(),
            cause: Cause::Schedule,
            volume: "main".into(),
            path,
            start: Wall(number * 600_000),
            end: Wall(number * 600_000 + 1),
            offset: Offset(480),
            bytes: bytes.len() as u64,
            open: false,
            locked: false,
        }));
    }
    rows.chunks(1000).for_each(|rows| scene.recorder.store.apply(rows).unwrap());
    let begun = Instant::now();
    scene.run();
    println!("known: {:?} in {}", begun.elapsed(), scene.dir.path().display());
    assert!(begun.elapsed() < Duration::from_secs(10));
    let all: Vec<_> = scene.recorder.store.footage_after_path("main", "", 60_000).unwrap();
    let removed: Vec<_> = all.iter().map(|row| Change::Remove(row.id)).collect();
    scene.recorder.store.apply(&removed).unwrap();
    let begun = Instant::now();
    scene.run();
    println!("adopted: {:?}", begun.elapsed());
    assert_eq!(scene.recorder.store.totals().unwrap()[0].entries, 50_000);
    assert!(begun.elapsed() < Duration::from_secs(60));
}
