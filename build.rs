//! The pages are embedded at compile time, compressed; without a web build there are none, and the daemon
//! still builds. Also finds out what it is built from, for `h5edge version`: `H5EDGE_BUILD` of the environment, else the
//! commit that lies checked out here, else nothing is known (a tarball).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=web/dist");
    fs::create_dir_all("web/dist")?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?).join("dist");
    // What an earlier build had is not ours to serve.
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut table = String::new();
    compress(Path::new("web/dist"), &out, "", &mut table)?;
    fs::write(out.with_extension("rs"), format!("&[{table}]"))?;
    println!("cargo::rerun-if-env-changed=H5EDGE_BUILD");
    let given = std::env::var("H5EDGE_BUILD").ok().filter(|build| is_plain(build));
    let build = given.or_else(commit).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=H5EDGE_BUILD={build}");
    Ok(())
}

/// Writes each file of `from` to `to` as gzip, and into `table` its path below the first folder with the bytes.
fn compress(from: &Path, to: &Path, below: &str, table: &mut String) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut entries = fs::read_dir(from)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let (packed, path) = (to.join(&name), format!("{below}{}", name.to_string_lossy()));
        if entry.file_type()?.is_dir() {
            compress(&entry.path(), &packed, &format!("{path}/"), table)?;
            continue;
        }
        let mut encoder = GzEncoder::new(File::create(&packed)?, Compression::best());
        io::copy(&mut File::open(entry.path())?, &mut encoder)?;
        encoder.finish()?;
        table.push_str(&format!("({path:?}, include_bytes!({packed:?})),\n"));
    }
    Ok(())
}

fn is_plain(build: &str) -> bool {
    (1..=64).contains(&build.len())
        && build.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
}

/// The commit's hash, with `-dirty` where files of the repository differ from it.
fn commit() -> Option<String> {
    // Of another repository around an unpacked tarball nothing is to be told.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(".").canonicalize().ok()? {
        return None;
    }
    let hash = git(&["rev-parse", "--short=12", "HEAD"])?;
    // All that a new commit or another branch can change, also in a worktree; HEAD's log alone would do,
    // but need not be kept. What is not there is left out, for it would have us run each time.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    for source in ["build.rs", "Cargo.toml", "Cargo.lock", "src"] {
        println!("cargo::rerun-if-changed={source}");
    }
    // Without locks: looking must not change the index, which others may be using.
    let changed = git(&["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { hash } else { format!("{hash}-dirty") })
}

/// What git says; `None` where it fails, or is not there.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
