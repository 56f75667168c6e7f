use std::path::PathBuf;
use std::sync::Arc;

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

const MINUTE: i64 = 60_000;
/// 2018-03-29T00:00:00Z
const MIDNIGHT: i64 = 1_522_281_600_000;

struct Site {
    recorder: Arc<Recorder>,
    store: Arc<Store>,
    root: PathBuf,
    _dir: TempDir,
}

impl Site {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let volume = VolumeEntry::in_data_dir(dir.path());
        let volumes = Volumes::open(std::slice::from_ref(&volume), &store).unwrap();
        let settings = Settings::from(&Config::default());
        let recorder =
            Recorder::start(settings, volumes, store.clone(), Clock::real(), CancellationToken::new())
                .unwrap();
        Self { recorder, store, root: volume.path, _dir: dir }
    }

    /// A row and its file; minutes after [`MIDNIGHT`].
    fn add(&self, name: &str, start: i64, end: i64, open: bool) -> i64 {
        let path = format!("record/t/2018-3-29TZ8/20-3-{start}/{name}.mp4");
        let file = self.root.join(&path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, b"0123456789").unwrap();
        let row = Footage {
            id: 0,
            what: What::Record,
            token: "t".into(),
            cause: Cause::Manual,
            volume: "main".into(),
            path,
            start: Wall(MIDNIGHT + start * MINUTE),
            end: Wall(MIDNIGHT + end * MINUTE),
            offset: Offset(480),
            bytes: 10,
            open,
            locked: false,
        };
        self.store.insert_footage(&row).unwrap()
    }

    fn search(&self, from: i64, to: i64, limit: usize) -> Page {
        let (from, to) = (Wall(MIDNIGHT + from * MINUTE), Wall(MIDNIGHT + to * MINUTE));
        let search = Search { what: What::Record, token: "t", from, to, cause: None, after: None, limit };
        self.recorder.find(&search).unwrap()
    }
}

#[tokio::test]
async fn a_running_recording_ends_where_its_file_does() {
    let it = Site::new();
    let id = it.add("open", 10, 10, true);
    let entry = it.recorder.running.begin(id);
    entry.set(Progress { millis: 5 * MINUTE, bytes: 4 });
    let found = it.search(0, 60, 10).found;
    assert!(found[0].running);
    assert_eq!((found[0].footage.end, found[0].footage.bytes), (Wall(MIDNIGHT + 15 * MINUTE), 4));
    assert_eq!(it.search(14, 60, 10).found.len(), 1);
    // It does not reach that far yet.
    assert_eq!(it.search(15, 60, 10).found, []);
    let reading = it.recorder.open(id).unwrap();
    assert_eq!((reading.bytes, reading.open), (4, true));

    it.store.close_footage(id, Wall(MIDNIGHT + 20 * MINUTE), 10).unwrap();
    drop(entry);
    let found = it.search(16, 60, 10).found;
    assert!(!found[0].running);
    let reading = it.recorder.open(id).unwrap();
    assert_eq!((reading.bytes, reading.open), (10, false));
}

#[tokio::test]
async fn what_the_power_cut_left_is_shown_and_not_served() {
    let it = Site::new();
    let id = it.add("cut", 10, 10, true);
    let found = it.search(0, 60, 10).found;
    assert!(!found[0].running);
    let error = it.recorder.open(id).err().unwrap();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().ends_with("cut.mp4 is not completed yet"), "{error}");
}

#[tokio::test]
async fn a_page_says_where_the_next_begins() {
    let it = Site::new();
    let ids: Vec<_> = (0..3).map(|n| it.add("a", n, n + 1, false)).collect();
    let page = it.search(0, 60, 2);
    assert_eq!((page.found.len(), page.next), (2, Some((Wall(MIDNIGHT + MINUTE), ids[1]))));
    assert_eq!(it.search(0, 60, 3).next, None);
}

#[tokio::test]
async fn paths_are_known_in_the_forms_that_clients_write() {
    let it = Site::new();
    it.add("a b.c", 1, 2, false);
    for path in [
        "record/t/2018-3-29TZ8/20-3-1/a b.c.mp4",
        "/mediastore/record/t/2018-3-29TZ8/20-3-1/a b.c.mp4",
        "/mediastore/record/t/2018-3-29Tz8/20-3-1/a b.c.mp4",
        "mediastore/record/t/2018-03-29tz08/20-03-01/a b.c.mp4",
    ] {
        assert_eq!(
            it.recorder.by_path(path).unwrap().footage.place(),
            "/mediastore/record/t/2018-3-29TZ8/20-3-1/a b.c.mp4"
        );
    }
    for path in [
        "",
        "/",
        "record/t/2018-3-29TZ8/20-3-1/a b.c.jpg",
        "record/t/2018-3-29TZ8/20-3-1/a b.c",
        "record/t/2018-3-29TZ8/20-3-1/../20-3-1/a b.c.mp4",
        "snapshot/t/2018-3-29TZ8/20-3-1/a b.c.mp4",
        "record/t/2018-3-29TZ9/20-3-1/a b.c.mp4",
        "record/t/2018-3-29/20-3-1/a b.c.mp4",
        "record/t/TZ/20-3-1/a b.c.mp4",
        "record/t/\u{130}TZ8/20-3-1/a b.c.mp4",
        "/etc/passwd",
    ] {
        assert_eq!(it.recorder.by_path(path).unwrap_err().kind(), Kind::NotFound, "{path}");
    }
}

#[tokio::test]
async fn recordings_are_named() {
    let it = Site::new();
    let id = it.add("gate", 1, 2, false);
    for name in ["gate", "gate.mp4", "/mediastore/record/t/2018-3-29TZ8/20-3-1/gate.mp4"] {
        assert_eq!(it.recorder.named("t", name).unwrap().id, id);
        assert_eq!(it.recorder.named("u", name).unwrap_err().kind(), Kind::NotFound);
    }
    let missing = it.recorder.named("t", "door").unwrap_err();
    assert_eq!((missing.kind(), missing.to_string().as_str()), (Kind::NotFound, "there is no door"));
}

#[tokio::test]
async fn only_what_nobody_needs_is_deleted() {
    let it = Site::new();
    let open = it.add("open", 1, 1, true);
    let kept = it.add("kept", 2, 3, false);
    let path = "record/t/2018-3-29TZ8/20-3-2/kept.mp4";
    let refused = |what, token, path| it.recorder.delete(what, token, path).unwrap_err();
    let entry = it.recorder.running.begin(open);
    let writing = refused(What::Record, "t", "record/t/2018-3-29TZ8/20-3-1/open.mp4");
    assert!(writing.to_string().ends_with("open.mp4 is being written"), "{writing}");
    assert_eq!(refused(What::Record, "u", path).kind(), Kind::NotFound);
    assert_eq!(refused(What::Snapshot, "t", path).kind(), Kind::NotFound);
    it.recorder.lock("t", path, true).unwrap();
    assert!(refused(What::Record, "t", path).to_string().ends_with("kept.mp4 is locked"));
    it.recorder.lock("t", path, false).unwrap();
    let reading = it.recorder.open(kept).unwrap();
    assert!(refused(What::Record, "t", path).to_string().ends_with("kept.mp4 is in use"));
    assert!(it.root.join(path).exists());
    drop(reading);

    it.recorder.delete(What::Record, "t", path).unwrap();
    assert!(!it.root.join("record/t/2018-3-29TZ8/20-3-2").exists());
    assert!(it.root.join("record/t/2018-3-29TZ8/20-3-1/open.mp4").exists());
    assert_eq!(it.store.footage(kept).unwrap(), None);
    assert_eq!(refused(What::Record, "t", path).kind(), Kind::NotFound);

    // The file had gone by itself: the row goes, and so do the folders.
    drop(entry);
    it.store.close_footage(open, Wall(MIDNIGHT + 2 * MINUTE), 10).unwrap();
    let path = "record/t/2018-3-29TZ8/20-3-1/open.mp4";
    std::fs::remove_file(it.root.join(path)).unwrap();
    it.recorder.delete(What::Record, "t", path).unwrap();
    assert!(!it.root.join("record/t").exists() && it.root.exists());
}

#[tokio::test]
async fn days_are_those_of_the_zone() {
    let it = Site::new();
    // 23:50 to 0:10 of the 29th, and one at noon.
    it.add("night", -10, 10, false);
    it.add("noon", 2 * 24 * 60 + 12 * 60, 2 * 24 * 60 + 12 * 60 + 1, false);
    let days = |zone: &TimeZone| -> Vec<usize> {
        let days = it.recorder.days_recorded("t", 2018, 3, zone).unwrap();
        assert_eq!(days.len(), 31);
        days.iter().enumerate().filter(|(_, has)| **has).map(|(day, _)| day + 1).collect()
    };
    assert_eq!(days(&TimeZone::UTC), [28, 29, 31]);
    let shanghai = TimeZone::fixed(jiff::tz::offset(8));
    assert_eq!(days(&shanghai), [29, 31]);
    assert_eq!(it.recorder.days_recorded("t", 2018, 2, &shanghai).unwrap(), [false; 28]);
    assert!(it.recorder.days_recorded("t", 2018, 13, &shanghai).is_err());

    // A running one does not colour the days to come.
    let id = it.add("running", 24 * 60 + 23 * 60, 24 * 60 + 23 * 60, true);
    let entry = it.recorder.running.begin(id);
    entry.set(Progress { millis: 30 * MINUTE, bytes: 4 });
    assert_eq!(days(&TimeZone::UTC), [28, 29, 30, 31]);
    assert!(!it.recorder.days_recorded("t", 2018, 4, &TimeZone::UTC).unwrap()[0]);
}
