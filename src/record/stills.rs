//! Snapshots: one JPEG each, written whole, and its row in the database.
//!
//! Ordered for a crash: the file and its folders are safely on the disk before there is a row; a file
//! without a row is found at the next start. Files are written on threads that may block, one at a time
//! for each call; nothing is kept in memory.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;

use super::Recorder;
use super::file;
use super::place::{self, FileName, Folders};
use crate::base::footage::{Cause, Footage, What};
use crate::base::time::MonoTime;
use crate::base::wall::Wall;
use crate::base::{Error, Result};

/// A picture to be kept.
#[derive(Clone, Debug)]
pub struct Still {
    /// Of its source.
    pub token: String,
    pub cause: Cause,
    /// When it came from the camera.
    pub taken: MonoTime,
    pub jpeg: Bytes,
    /// Where it is put; without it, in the folders of the time at which it was taken.
    pub folders: Option<Folders>,
    /// What it is called; without it, a name of our own.
    pub name: Option<FileName>,
}

impl Recorder {
    /// `Ok` when a snapshot of this source could be kept now.
    ///
    /// # Errors
    /// `Full` or `Refused`, with a text that names the volume.
    pub fn snapshot_possible(&self, token: &str) -> Result<()> {
        self.volumes.of_source(token).writable()
    }

    /// Keeps a snapshot on the source's volume.
    ///
    /// # Errors
    /// `Refused` naming the parameter `filename` where there is such a file already; as
    /// [`super::volume::Volume::writable`]; `Internal` when disk or database fail.
    pub async fn save_snapshot(self: &Arc<Self>, still: Still) -> Result<Footage> {
        let recorder = self.clone();
        tokio::task::spawn_blocking(move || recorder.save(still))
            .await
            .map_err(|_| Error::internal("saving the snapshot was given up"))?
    }

    fn save(&self, still: Still) -> Result<Footage> {
        let volume = self.volumes.of_source(&still.token);
        let start = self.wall_at(still.taken);
        let folders = still.folders.unwrap_or_else(|| Folders::at(start));
        let path = match &still.name {
            Some(name) => place::named_path(&self.store, &folders, What::Snapshot, &still.token, name)?,
            None => place::own_path(&self.store, &folders, What::Snapshot, &still.token)?,
        };
        file::create(&volume, &path, &still.jpeg)?;
        volume.written(still.jpeg.len() as u64);
        let mut footage = Footage {
            id: 0,
            what: What::Snapshot,
            token: still.token,
            cause: still.cause,
            volume: volume.name.clone(),
            path,
            start,
            end: start,
            offset: folders.offset,
            bytes: still.jpeg.len() as u64,
            open: false,
            locked: false,
        };
        match self.store.insert_footage(&footage) {
            Ok(id) => footage.id = id,
            Err(error) => {
                // Without its row it would only be found again at the next start.
                let _ = fs::remove_file(volume.file(&footage.path));
                return Err(error);
            }
        }
        Ok(footage)
    }

    /// What the clock on the wall showed then.
    pub(super) fn wall_at(&self, then: MonoTime) -> Wall {
        let ago = self.clock.mono().since(then).as_millis();
        Wall::from(self.clock.wall()).plus_millis(-i64::try_from(ago).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::base::config::{Config, VolumeEntry};
    use crate::base::time::Clock;
    use crate::base::wall::Offset;
    use crate::record::volume::Volumes;
    use crate::store::Store;

    struct Box {
        dir: tempfile::TempDir,
        clock: Clock,
        recorder: Arc<Recorder>,
    }

    impl Box {
        /// On 2018-03-29T12:03:29Z.
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            let volumes = Volumes::open(&[VolumeEntry::in_data_dir(dir.path())], &store).unwrap();
            let clock = Clock::simulated(std::time::UNIX_EPOCH + Duration::from_secs(1_522_325_009));
            let settings = (&Config::default()).into();
            let stop = CancellationToken::new();
            let recorder = Recorder::start(settings, volumes, store, clock.clone(), stop).unwrap();
            Self { dir, clock, recorder }
        }

        fn still(&self) -> Still {
            Still {
                token: "token1".into(),
                cause: Cause::Manual,
                taken: self.clock.mono(),
                jpeg: Bytes::from_static(b"picture"),
                folders: Some(Folders::parse("2018-3-29", "20-3-29", Some("8")).unwrap()),
                name: Some(FileName::parse("gate").unwrap()),
            }
        }
    }

    #[tokio::test]
    async fn a_snapshot_is_a_file_and_a_row() {
        let a = Box::new();
        let still = a.still();
        a.clock.advance(Duration::from_secs(3));
        let kept = a.recorder.save_snapshot(still).await.unwrap();
        assert_eq!(kept.url(), "/mediastore/snapshot/token1/2018-3-29TZ8/20-3-29/gate.jpg");
        // The picture's time, not that of the asking.
        assert_eq!((kept.start, kept.end), (Wall(1_522_325_009_000), Wall(1_522_325_009_000)));
        assert_eq!((kept.offset, kept.bytes, kept.open), (Offset(480), 7, false));
        let file = a.dir.path().join("mediastore").join(&kept.path);
        assert_eq!(fs::read(file).unwrap(), b"picture");
        assert_eq!(a.recorder.store.footage(kept.id).unwrap(), Some(kept));
    }

    #[tokio::test]
    async fn nothing_is_overwritten() {
        let a = Box::new();
        let kept = a.recorder.save_snapshot(a.still()).await.unwrap();
        let error = a.recorder.save_snapshot(a.still()).await.unwrap_err();
        assert!(error.to_string().starts_with("parameter filename: there is "), "{error}");
        // A file that the database does not know is somebody's too.
        a.recorder.store.delete_footage(kept.id).unwrap();
        let other = Still { jpeg: Bytes::from_static(b"other"), ..a.still() };
        let error = a.recorder.save_snapshot(other).await.unwrap_err();
        assert!(error.to_string().starts_with("there is snapshot/token1/"), "{error}");
        let file = a.dir.path().join("mediastore").join(&kept.path);
        assert_eq!(fs::read(file).unwrap(), b"picture");
    }

    #[tokio::test]
    async fn unnamed_ones_lie_in_the_folders_of_their_time() {
        let a = Box::new();
        let still = Still { folders: None, name: None, ..a.still() };
        let (one, two) =
            (a.recorder.save_snapshot(still.clone()).await, a.recorder.save_snapshot(still).await);
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_ne!(one.path, two.path);
        let (day, time) = one.start.folders(Offset::local(one.start));
        assert!(one.path.starts_with(&format!("snapshot/token1/{day}/{time}/token1-")), "{}", one.path);
    }

    #[tokio::test]
    async fn the_volumes_root_is_never_made() {
        let a = Box::new();
        fs::remove_dir_all(a.dir.path().join("mediastore")).unwrap();
        let error = a.recorder.save_snapshot(a.still()).await.unwrap_err();
        assert!(error.to_string().contains("volume main"), "{error}");
        assert!(!a.dir.path().join("mediastore").exists());
    }
}
