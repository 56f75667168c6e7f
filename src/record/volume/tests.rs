use std::fs;

use tempfile::TempDir;

use super::*;

struct Scene {
    dir: TempDir,
    store: Arc<Store>,
}

impl Scene {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(&dir.path().join("data")).unwrap();
        Self { dir, store }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    fn open(&self, keep_free_mb: u64) -> Arc<Volumes> {
        let entry = VolumeEntry { name: "disk".into(), path: self.root(), keep_free_mb, sources: vec![] };
        Volumes::open(&[entry], &self.store).unwrap()
    }
}

fn look_again(volume: &Volume) -> State {
    volume.settle(volume.look());
    volume.state()
}

#[test]
fn the_first_use_makes_the_folder_and_later_a_bare_folder_is_not_the_volume() {
    let scene = Scene::new();
    let volumes = scene.open(0);
    let volume = &volumes.list()[0];
    assert_eq!(volume.state(), State::Online);
    assert!(scene.root().join(MARKER).is_file());

    let away = scene.dir.path().join("away");
    fs::rename(scene.root(), &away).unwrap();
    fs::create_dir(scene.root()).unwrap();
    let State::Gone(text) = look_again(volume) else { panic!("{:?}", volume.state()) };
    assert!(text.starts_with("volume disk is not there: no file .h5edge-volume in "), "{text}");
    assert!(volume.writable().is_err() && volume.readable().is_err());
    // Nothing is made there, also not by a new start.
    assert_eq!(scene.open(0).list()[0].state().as_str(), "gone");
    assert_eq!(fs::read_dir(scene.root()).unwrap().count(), 0);

    fs::remove_dir(scene.root()).unwrap();
    assert_eq!(look_again(volume).as_str(), "gone");
    fs::rename(away, scene.root()).unwrap();
    assert_eq!(look_again(volume).as_str(), "checking");
    let (_, generation) = volume.to_reconcile().unwrap();
    volume.reconciled(generation);
    assert_eq!(volume.state(), State::Online);
    assert!(volume.to_reconcile().is_none());
}

#[test]
fn another_disk_and_one_that_was_put_there_on_purpose_are_taken_over() {
    let scene = Scene::new();
    let volumes = scene.open(0);
    let volume = &volumes.list()[0];
    let other = "11111111-2222-4333-8444-555555555555";
    for marker in [other, ""] {
        fs::write(scene.root().join(MARKER), marker).unwrap();
        assert_eq!(look_again(volume).as_str(), "checking");
        let (_, generation) = volume.to_reconcile().unwrap();
        volume.reconciled(generation);
        assert_eq!(look_again(volume), State::Online);
    }
    let kept = fs::read_to_string(scene.root().join(MARKER)).unwrap();
    assert_eq!(scene.store.volume_marker("disk").unwrap().as_deref(), Some(kept.trim()));
    assert_ne!(kept.trim(), other);
}

#[test]
fn what_was_compared_before_it_went_away_does_not_count() {
    let scene = Scene::new();
    let volumes = scene.open(0);
    let volume = &volumes.list()[0];
    fs::remove_file(scene.root().join(MARKER)).unwrap();
    look_again(volume);
    fs::write(scene.root().join(MARKER), "").unwrap();
    look_again(volume);
    let (_, begun) = volume.to_reconcile().unwrap();
    fs::remove_file(scene.root().join(MARKER)).unwrap();
    look_again(volume);
    fs::write(scene.root().join(MARKER), "").unwrap();
    look_again(volume);
    volume.reconciled(begun);
    assert_eq!(volume.state().as_str(), "checking");
}

#[test]
fn a_full_volume_says_figures_and_is_used_again_when_there_is_more_room_than_just_enough() {
    let scene = Scene::new();
    let volumes = scene.open(0);
    let volume = &volumes.list()[0];
    volume.exhausted();
    let State::Full(text) = volume.state() else { panic!("{:?}", volume.state()) };
    assert!(text.starts_with("volume disk is full: ") && text.contains(" MiB are free where 0 should be"));
    assert_eq!(volume.writable().unwrap_err().kind(), crate::base::Kind::Full);
    assert!(volume.readable().is_ok());
    // What was interrupted is completed first.
    assert_eq!(look_again(volume).as_str(), "checking");
    let (owed, generation) = volume.to_reconcile().unwrap();
    assert_eq!(owed, Owed::OpenRows);
    volume.reconciled(generation);
    assert_eq!(volume.state(), State::Online);

    let volumes = scene.open(1_000_000_000);
    let volume = &volumes.list()[0];
    volume.exhausted();
    assert_eq!(look_again(volume).as_str(), "checking", "that comes first");
    let (_, generation) = volume.to_reconcile().unwrap();
    volume.reconciled(generation);
    assert_eq!(look_again(volume).as_str(), "full");
    assert_eq!(state::enough_free(800 << 20, 1 << 40), 900 << 20);
    assert_eq!(state::enough_free(0, 32 << 20), 512 << 10);
}

#[test]
fn a_failed_call_has_writing_tried() {
    let scene = Scene::new();
    let volumes = scene.open(0);
    let volume = &volumes.list()[0];
    volume.failed(&io::Error::from_raw_os_error(nix::libc::EIO));
    assert_eq!(volume.state(), State::Online, "it works, so the error was not the disk's");
    assert!(!scene.root().join(".h5edge-probe").exists());
    fs::remove_dir_all(scene.root()).unwrap();
    volume.failed(&io::ErrorKind::NotFound.into());
    assert_eq!(volume.state().as_str(), "gone");
}

#[test]
fn sources_lie_where_the_configuration_says() {
    let scene = Scene::new();
    let entry = |name: &str, sources: &[&str]| VolumeEntry {
        name: name.into(),
        path: scene.dir.path().join(name),
        keep_free_mb: 0,
        sources: sources.iter().map(|&token| token.to_owned()).collect(),
    };
    let volumes = Volumes::open(&[entry("a", &[]), entry("b", &["gate"])], &scene.store).unwrap();
    assert_eq!(volumes.of_source("gate").name, "b");
    assert_eq!(volumes.of_source("yard").name, "a");
    // On one disk both, which counts once.
    assert_eq!(volumes.space().total, volumes.list()[0].space().unwrap().total);
    volumes.list()[1].written(5);
    assert_eq!((volumes.list()[1].take_unsaved(), volumes.list()[1].unsaved()), (5, 0));
}
