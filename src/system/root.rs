//! Everything that is changed of a box goes through a [`Root`]: files and programs below one folder,
//! which is `/` on a box and another in tests. A rehearsal there starts only the programs of that folder
//! and leaves the machine's name and clock alone.
//!
//! Files are put in place whole, by renaming. Programs get argument vectors and a deadline; of what they
//! write at most [`MAX_OUTPUT`] bytes are kept, unless a caller says how many.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_settime};

use crate::base::{Error, Result};

/// Most of a program's output that is kept, of each stream.
const MAX_OUTPUT: u64 = 64 * 1024;
/// Longest file that is read.
const MAX_FILE: u64 = 256 * 1024;
/// Where programs are, wherever `PATH` may point.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
/// How long the end of a program's output is waited for once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What our own short-lived files lie in. World-readable.
pub const RUN: &str = "/run/h5edge-system";

/// See the module.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where the absolute `path` lies.
    pub fn at(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn is_real(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// The text of `path`, `None` where there is no such file.
    ///
    /// # Errors
    /// Names the file.
    pub fn read(&self, path: &str) -> Result<Option<String>> {
        let mut text = String::new();
        let read = File::open(self.at(path)).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
        match read {
            Ok(_) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::from(error).context(path)),
        }
    }

    /// Puts `text` at `path`, with the folders above it. For files in `/run`, which need not last.
    ///
    /// # Errors
    /// Names the file.
    pub fn put(&self, path: &str, text: &str, mode: u32) -> Result<()> {
        self.write(path, text, mode, false).map_err(|error| Error::from(error).context(path))
    }

    /// Puts `text` at `path` such that after a power cut either it or what was there before is there.
    ///
    /// # Errors
    /// Names the file.
    pub fn keep(&self, path: &str, text: &str, mode: u32) -> Result<()> {
        self.write(path, text, mode, true).map_err(|error| Error::from(error).context(path))
    }

    fn write(&self, path: &str, text: &str, mode: u32, lasting: bool) -> std::io::Result<()> {
        let path = self.at(path);
        let folder = path.parent().unwrap_or(&self.0);
        make_folders(folder)?;
        let fresh = beside(&path);
        // What an earlier attempt left may have other rights.
        remove(&fresh)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if lasting {
            file.sync_all()?;
        }
        fs::rename(&fresh, &path)?;
        if lasting {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Makes `path` a link to `target`, which is taken as it is.
    ///
    /// # Errors
    /// Names the link.
    pub fn link(&self, path: &str, target: &str) -> Result<()> {
        let link = || -> std::io::Result<()> {
            let at = self.at(path);
            make_folders(at.parent().unwrap_or(&self.0))?;
            let fresh = beside(&at);
            remove(&fresh)?;
            std::os::unix::fs::symlink(target, &fresh)?;
            fs::rename(&fresh, &at)
        };
        link().map_err(|error| Error::from(error).context(path))
    }

    /// Makes the folder `path`, its parents as usual and itself with `mode`.
    ///
    /// # Errors
    /// Names the folder.
    pub fn folder(&self, path: &str, mode: u32) -> Result<()> {
        let make = || -> std::io::Result<()> {
            let at = self.at(path);
            make_folders(at.parent().unwrap_or(&self.0))?;
            match fs::DirBuilder::new().mode(mode).create(&at) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        };
        make().map_err(|error| Error::from(error).context(path))
    }

    /// Removes the file `path` if it is there.
    ///
    /// # Errors
    /// Names the file.
    pub fn remove(&self, path: &str) -> Result<()> {
        remove(&self.at(path)).map_err(|error| Error::from(error).context(path))
    }

    /// Names of the files and folders in the folder `path`, in order; none where it is not there.
    pub fn list(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    pub fn has(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    /// Where `program` is.
    ///
    /// # Errors
    /// `Unsupported` where it is missing.
    pub fn program(&self, program: &str) -> Result<PathBuf> {
        let found = PROGRAM_FOLDERS.iter().map(|folder| self.at(folder).join(program)).find(|at| at.exists());
        found.ok_or_else(|| Error::unsupported(format!("{program} is not installed")))
    }

    /// Runs `program` to its end, at most for `patience`; what it wrote to standard output.
    ///
    /// # Errors
    /// `Unsupported` where the program is missing, `Timeout`, `Internal` with what it complained of.
    pub fn run(&self, program: &str, arguments: &[&str], patience: Duration) -> Result<String> {
        let output = self.output(program, arguments, patience, MAX_OUTPUT)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// As [`Self::run`], but keeps `most` bytes of the output.
    ///
    /// # Errors
    /// As there.
    pub fn output(
        &self,
        program: &str,
        arguments: &[&str],
        patience: Duration,
        most: u64,
    ) -> Result<Vec<u8>> {
        let found = self.program(program)?;
        let failed = |what: &dyn std::fmt::Display| Error::internal(format!("{program}: {what}"));
        let mut child = Command::new(found)
            .args(arguments)
            .env_clear()
            .env("PATH", PROGRAM_FOLDERS.join(":"))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        let output = collect(child.stdout.take(), most);
        let complaint = collect(child.stderr.take(), MAX_OUTPUT);
        let deadline = Instant::now() + patience;
        let status = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                None => {
                    // It may have ended this moment; then there is nothing to kill.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Error::timeout(format!("{program} did not end in {} s", patience.as_secs())));
                }
            }
        };
        // What the program started may hold its end of the pipe for longer than it lives.
        let words = |from: mpsc::Receiver<Vec<u8>>| from.recv_timeout(LAST_WORDS).unwrap_or_default();
        if status.success() {
            return Ok(words(output));
        }
        let complaint = words(complaint);
        let complaint = String::from_utf8_lossy(&complaint);
        let line = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
        Err(failed(&if line.is_empty() { status.to_string() } else { line }))
    }

    /// Gives the machine its name.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn set_hostname(&self, name: &str) -> Result<()> {
        if self.is_real() {
            nix::unistd::sethostname(name)
                .map_err(|error| Error::from(std::io::Error::from(error)).context("the host name"))?;
        }
        self.put(&format!("{RUN}/hostname"), &format!("{name}\n"), 0o644)
    }

    /// Sets the clock to `at`, in seconds since 1970.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn set_clock(&self, at: i64) -> Result<()> {
        if !self.is_real() {
            return self.put(&format!("{RUN}/rehearsed-clock"), &at.to_string(), 0o644);
        }
        clock_settime(ClockId::CLOCK_REALTIME, TimeSpec::new(at, 0))
            .map_err(|error| Error::from(std::io::Error::from(error)).context("the clock"))
    }
}

/// Makes what is missing of `folder`, open to the services that read there, whatever the mask of this process.
fn make_folders(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), make_folders)?;
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, fs::Permissions::from_mode(0o755)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The name under which `path` is written before it is renamed.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads `stream` to its end on a thread of its own, and gives the first `most` bytes.
fn collect(stream: Option<impl Read + Send + 'static>, most: u64) -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    if let Some(mut stream) = stream {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // What could be read is enough; nobody may be listening any more.
            let _ = (&mut stream).take(most).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
            let _ = tell.send(bytes);
        });
    }
    told
}

#[cfg(test)]
pub mod rehearsal;
#[cfg(test)]
mod tests;
