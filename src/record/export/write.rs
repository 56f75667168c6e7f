//! Writes a planned export: under a hidden name until it is whole, with one sync at its end. Memory: one
//! buffer of [`STEP`] bytes, and the encoded `moov`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Job;
use super::plan::Plan;
use crate::base::{Error, Result};
use crate::media::recorded::{Library, Reading};
use crate::record::volume::Volume;

/// How much is copied at once.
const STEP: usize = 256 << 10;

/// The name under which the file at `path` is written.
pub fn hidden(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// Writes the file at `path` below the volume and gives its length.
///
/// # Errors
/// When it was cancelled, a recording cannot be read, or the volume takes no more; the hidden file may
/// be there then.
pub fn write(plan: &Plan, library: &dyn Library, volume: &Volume, path: &str, job: &Job) -> Result<u64> {
    let target = volume.file(path);
    let part = hidden(&target);
    let mut out = Out { file: volume.on(create(&part))?, volume, bytes: 0 };
    out.write(&plan.movie.plain_head(&plan.params, plan.bytes))?;
    job.begin_writing(out.bytes + plan.bytes);
    job.wrote(out.bytes);
    let mut open: Option<(i64, Reading)> = None;
    let mut buffer = vec![0; STEP];
    for stretch in &plan.stretches {
        let reading = match open.take_if(|(piece, _)| *piece == stretch.piece) {
            Some((_, reading)) => reading,
            None => library.open(stretch.piece)?,
        };
        for at in (stretch.at..stretch.at + stretch.bytes).step_by(STEP) {
            job.check()?;
            let count = (stretch.at + stretch.bytes - at).min(STEP as u64) as usize;
            let Some(buffer) = buffer.get_mut(..count) else { break };
            reading.file.read_exact_at(buffer, at)?;
            out.write(buffer)?;
            job.wrote(count as u64);
        }
        open = Some((stretch.piece, reading));
    }
    volume.on(finish(&out.file, &part, &target))?;
    Ok(out.bytes)
}

struct Out<'a> {
    file: File,
    volume: &'a Volume,
    bytes: u64,
}

impl Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.volume.on(self.file.write_all(bytes))?;
        self.volume.written(bytes.len() as u64);
        self.bytes += bytes.len() as u64;
        // Retention may be making room.
        self.volume.writable()
    }
}

impl Volume {
    /// What a writing call gave; a failure is looked into.
    fn on<T>(&self, done: io::Result<T>) -> Result<T> {
        done.map_err(|error| {
            self.failed(&error);
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Error::full(format!("volume {} is full", self.name))
                }
                _ => Error::from(error).context(format!("volume {}", self.name)),
            }
        })
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(path)
}

fn finish(file: &File, part: &Path, target: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(part, target)?;
    match target.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
