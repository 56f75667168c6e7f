//! Disks that tests can pull out, fill and cut: file systems in images or in memory, mounted below a
//! temporary folder. Needs root; where mounting is not permitted, tests are skipped and say so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A mounted disk; unmounted on drop.
pub struct Disk {
    dir: TempDir,
    /// `None`: in memory.
    device: Option<String>,
}

impl Disk {
    /// `mb` in memory.
    pub fn memory(mb: u32) -> Option<Self> {
        let disk = Self::unmounted(None);
        let mounted = run("mount", &["-t", "tmpfs", "-o", &format!("size={mb}m"), "tmpfs", &disk.at()]);
        disk.or_skip(mounted)
    }

    /// An ext4 file system of `mb` in an image.
    pub fn ext4(mb: u64) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let image = dir.path().join("image");
        fs::File::create(&image).and_then(|file| file.set_len(mb << 20)).expect("an image");
        run("mkfs.ext4", &["-q", text(&image)]).expect("a file system");
        Self::of_image(dir)
    }

    /// Cuts its power and puts it back: what had reached the device is there, and nothing else. The copy
    /// of the image that becomes the disk was read twice with the same result, so it is the state at one
    /// moment. Whoever wrote to it must have been stopped, and be killed by `kill`.
    pub fn cut(&mut self, kill: impl FnOnce()) {
        let copy = self.dir.path().join("copy");
        loop {
            fs::copy(self.image(), &copy).expect("a copy");
            if fs::read(&copy).expect("the copy") == fs::read(self.image()).expect("the image") {
                break;
            }
        }
        kill();
        self.unmount();
        let device = self.device.take().expect("a disk with an image");
        // Busy until the last page is written; that goes to a file without a name.
        let _ = run("losetup", &["-d", &device]);
        fs::rename(&copy, self.image()).expect("the copy in place");
        let device = run("losetup", &["--find", "--show", text(&self.image())]).expect("a device");
        self.device = Some(device.trim().to_owned());
        self.mount().expect("a file system that mounts after a cut");
    }

    fn of_image(dir: TempDir) -> Option<Self> {
        let image = dir.path().join("image");
        let device = run("losetup", &["--find", "--show", text(&image)]);
        let mut disk = Self::unmounted(Some(dir));
        match device {
            Ok(device) => disk.device = Some(device.trim().to_owned()),
            Err(error) => return disk.or_skip(Err(error)),
        }
        let mounted = disk.mount();
        disk.or_skip(mounted)
    }

    fn unmounted(dir: Option<TempDir>) -> Self {
        let dir = dir.unwrap_or_else(|| tempfile::tempdir().expect("a folder"));
        fs::create_dir(dir.path().join("disk")).expect("a mount point");
        Self { dir, device: None }
    }

    fn or_skip(self, mounted: Result<String, String>) -> Option<Self> {
        match mounted {
            Ok(_) => Some(self),
            Err(error) => {
                eprintln!("SKIPPED: no disks can be mounted here: {error}");
                None
            }
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("disk")
    }

    pub fn image(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    fn at(&self) -> String {
        text(&self.path()).to_owned()
    }

    /// Pulls it out: the folder is bare from now on; who has a file open keeps it.
    pub fn unmount(&self) {
        run("umount", &["-l", &self.at()]).expect("an unmounted disk");
    }

    /// Puts it back.
    pub fn mount(&self) -> Result<String, String> {
        let device = self.device.as_deref().expect("a disk with an image");
        run("mount", &["-o", "errors=remount-ro", device, &self.at()])
    }

    /// Puts it where another one was.
    pub fn mount_at(&self, place: &Path) {
        let device = self.device.as_deref().expect("a disk with an image");
        run("mount", &[device, text(place)]).expect("a mounted disk");
    }

    /// As at a start after the file system was given up.
    pub fn repair(&self) {
        self.unmount();
        let device = self.device.as_deref().expect("a disk with an image");
        // Its status says that something was repaired.
        let _ = run("fsck.ext4", &["-y", device]);
        self.mount().expect("a repaired disk");
    }

    pub fn remount(&self, options: &str) {
        run("mount", &["-o", &format!("remount,{options}"), &self.at()]).expect("a remounted disk");
    }

    /// Free bytes, for root.
    pub fn free(&self) -> u64 {
        let fs = nix::sys::statvfs::statvfs(&self.path()).expect("a mounted disk");
        fs.blocks_available() * fs.fragment_size()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", &self.at()]);
        if let Some(device) = &self.device {
            let _ = run("losetup", &["-d", device]);
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr))),
    }
}

/// Temporary folders have plain names.
fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
