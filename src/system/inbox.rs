//! The folder that a bundle is received in, from a browser or from the network. It holds one bundle, under
//! its name only when it is whole and on the disk; what broke off is removed.
//!
//! Blocks go straight to the file; memory is the file's buffer of tokio (2 MiB).

use std::path::{Path, PathBuf};

use tokio::fs::{self, File};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::bundle::{FILE, MAX_BYTES};
use super::wear;
use crate::base::{Error, Result};

/// What is left free of the disk, whatever comes: the database and open recordings go on. The rest of what
/// recordings keep free may be used, they make room again.
const RESERVE: u64 = 256 << 20;
/// How often the free space is looked at while a bundle comes.
const LOOK_EVERY: u64 = 16 << 20;

/// See the module.
#[derive(Clone, Debug)]
pub struct Inbox {
    dir: PathBuf,
}

impl Inbox {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Begins to receive. `bytes` where the sender says how many will come. The bundle that lay here is
    /// gone from then on.
    ///
    /// # Errors
    /// `BadInput` when that is too large, `Full` when the disk has no room, those of the disk.
    pub async fn begin(&self, bytes: Option<u64>) -> Result<Incoming> {
        self.clear().await?;
        check_size(bytes.unwrap_or_default())?;
        self.check_space(bytes.unwrap_or(LOOK_EVERY))?;
        let part = self.dir.join("bundle.part");
        let within = |error: std::io::Error| Error::from(error).context(part.display());
        let file = File::create(&part).await.map_err(within)?;
        Ok(Incoming { inbox: self.clone(), file, part: Part(part), bytes: 0, looked: 0 })
    }

    /// Removes what lies here.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn clear(&self) -> Result<()> {
        for name in [FILE, "bundle.part"] {
            match fs::remove_file(self.dir.join(name)).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_space(&self, bytes: u64) -> Result<()> {
        let free = wear::volume(&self.dir).map_err(|error| error.context(self.dir.display()))?.free;
        if free < bytes.saturating_add(RESERVE) {
            let (free, wanted) = (free >> 20, bytes.saturating_add(RESERVE) >> 20);
            return Err(Error::full(format!("the disk has {free} MiB free, {wanted} MiB are needed")));
        }
        Ok(())
    }
}

fn check_size(bytes: u64) -> Result<()> {
    if bytes > MAX_BYTES {
        return Err(Error::bad_input(format!("the bundle is larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(())
}

/// A bundle that comes; removed unless it is finished.
pub struct Incoming {
    inbox: Inbox,
    file: File,
    part: Part,
    bytes: u64,
    looked: u64,
}

impl Incoming {
    /// # Errors
    /// `BadInput` when it gets too large, `Full` when the disk has no room, those of the disk.
    pub async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.bytes += piece.len() as u64;
        check_size(self.bytes)?;
        if self.bytes - self.looked >= LOOK_EVERY {
            self.looked = self.bytes;
            self.inbox.check_space(LOOK_EVERY)?;
        }
        Ok(self.file.write_all(piece).await?)
    }

    /// So much has come.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Empties it, for a sender that begins anew.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).await?;
        self.file.rewind().await?;
        (self.bytes, self.looked) = (0, 0);
        Ok(())
    }

    /// All has come: syncs it and gives it its name.
    ///
    /// # Errors
    /// `BadInput` when nothing came, those of the disk.
    pub async fn finish(mut self) -> Result<()> {
        if self.bytes == 0 {
            return Err(Error::bad_input("the body is empty: it must be the bundle"));
        }
        self.file.flush().await?;
        self.file.sync_all().await?;
        fs::rename(&self.part.0, self.inbox.dir.join(FILE)).await?;
        Ok(File::open(&self.inbox.dir).await?.sync_all().await?)
    }
}

/// A file that is removed; no longer there under this name once it is finished.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_bundle_has_its_name_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(dir.path());
        let mut incoming = inbox.begin(Some(6)).await.unwrap();
        incoming.write(b"abc").await.unwrap();
        assert_eq!(names(dir.path()), ["bundle.part"]);
        drop(incoming);
        assert!(names(dir.path()).is_empty());

        let mut incoming = inbox.begin(None).await.unwrap();
        incoming.write(b"abc").await.unwrap();
        incoming.restart().await.unwrap();
        incoming.write(b"def").await.unwrap();
        assert_eq!(incoming.bytes(), 3);
        incoming.finish().await.unwrap();
        assert_eq!(names(dir.path()), [FILE]);
        assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), b"def");

        let empty = inbox.begin(None).await.unwrap();
        assert!(empty.finish().await.unwrap_err().to_string().contains("empty"));
        assert!(names(dir.path()).is_empty());
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let inbox = Inbox::new(dir.path());
        let text = inbox.begin(Some(MAX_BYTES + 1)).await.err().unwrap().to_string();
        assert_eq!(text, "the bundle is larger than 512 MiB");
        let mut incoming = inbox.begin(None).await.unwrap();
        incoming.bytes = MAX_BYTES;
        assert!(incoming.write(b"x").await.is_err());
        assert!(inbox.check_space(u64::MAX).unwrap_err().to_string().contains("MiB are needed"));
        let nowhere = Inbox::new(Path::new("/no/such/place")).begin(None).await.err().unwrap();
        assert!(nowhere.to_string().contains("/no/such/place"), "{nowhere}");
    }
}
