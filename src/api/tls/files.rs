//! The certificate's two files, replaced so that a power cut leaves a pair that belongs together.
//!
//! Two files cannot be replaced at once. So a new pair is first written whole into a third one, [`NEXT`]: from
//! the moment on that this has its name, the new pair holds. Then `key.pem` and `cert.pem` are replaced
//! from it, and it goes. A start that finds [`NEXT`] does the rest. Each file gets its name when all of
//! it is on the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::Pair;
use crate::base::{Error, Result};

const CERT: &str = "cert.pem";
const KEY: &str = "key.pem";
/// Key and certificate in one.
const NEXT: &str = "next.pem";

/// The pair in `dir`; `None` if there is neither file. Blocks on the disk.
///
/// # Errors
/// `BadInput` naming the file that cannot be used, or saying that the two do not belong together.
pub fn read(dir: &Path) -> Result<Option<Pair>> {
    if let Some(pair) = pending(dir)? {
        finish(dir, &pair);
        return Ok(Some(pair));
    }
    let (cert, key) = (dir.join(CERT), dir.join(KEY));
    if !cert.exists() && !key.exists() {
        return Ok(None);
    }
    let text = |path: &Path| fs::read(path).map_err(|error| Error::from(error).context(path.display()));
    let pair = Pair::read(&text(&cert)?, &text(&key)?);
    pair.map(Some).map_err(|fault| fault.of(cert.display(), key.display()))
}

/// Keeps `pair` in `dir`. Blocks on the disk.
///
/// # Errors
/// When the disk does not take it; then what was there holds.
pub fn write(dir: &Path, pair: &Pair) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    replace(dir, NEXT, 0o600, &(pair.key_pem() + &pair.cert_pem()))?;
    finish(dir, pair);
    tracing::info!(path = %dir.join(CERT).display(), "a new certificate for HTTPS");
    Ok(())
}

/// The pair of a replacement that was cut off.
fn pending(dir: &Path) -> Result<Option<Pair>> {
    let path = dir.join(NEXT);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| Error::from(error).context(path.display()))?,
    };
    let pair = Pair::read(&text, &text);
    pair.map(Some).map_err(|fault| fault.of(path.display(), path.display()))
}

/// Brings the two files to what [`NEXT`] says. It stays if that fails, and is what holds.
fn finish(dir: &Path, pair: &Pair) {
    let finish = || {
        replace(dir, KEY, 0o600, &pair.key_pem())?;
        replace(dir, CERT, 0o644, &pair.cert_pem())?;
        fs::remove_file(dir.join(NEXT))?;
        Ok::<_, Error>(File::open(dir)?.sync_all()?)
    };
    if let Err(error) = finish() {
        tracing::warn!("{error}; {NEXT} holds until the next start tries again");
    }
}

fn replace(dir: &Path, name: &str, mode: u32, text: &str) -> Result<()> {
    let (part, path) = (dir.join(format!("{name}.part")), dir.join(name));
    let replace = || {
        // Left by a power cut.
        match fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(dir)?.sync_all()
    };
    replace().map_err(|error| Error::from(error).context(path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The files of `dir` when the power goes after each step of replacing `old` by `new`, in order.
    fn cuts(old: &Pair, new: &Pair) -> Vec<Vec<(&'static str, String)>> {
        let next = new.key_pem() + &new.cert_pem();
        let part = next[..next.len() / 2].to_owned();
        let [before, after] = [old, new].map(|pair| (pair.key_pem(), pair.cert_pem()));
        vec![
            vec![(KEY, before.0.clone()), (CERT, before.1.clone()), ("next.pem.part", part)],
            vec![(KEY, before.0), (CERT, before.1.clone()), (NEXT, next.clone())],
            vec![(KEY, after.0.clone()), (CERT, before.1), (NEXT, next.clone())],
            vec![(KEY, after.0.clone()), (CERT, after.1.clone()), (NEXT, next)],
            vec![(KEY, after.0), (CERT, after.1)],
        ]
    }

    #[test]
    fn a_power_cut_leaves_the_old_pair_or_the_new_one() {
        let (old, new) = (Pair::make().unwrap(), Pair::make().unwrap());
        for (step, files) in cuts(&old, &new).into_iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(dir.path().join(name), text).unwrap();
            }
            let found = read(dir.path()).unwrap().unwrap();
            let expected = if step == 0 { &old } else { &new };
            assert_eq!(found.chain, expected.chain, "after step {step}");
            assert!(!dir.path().join(NEXT).exists(), "after step {step}");
            // The same again, now of the two files alone.
            assert_eq!(read(dir.path()).unwrap().unwrap().chain, expected.chain, "after step {step}");
            // What a cut left is in nobody's way.
            write(dir.path(), &old).unwrap();
            assert_eq!(read(dir.path()).unwrap().unwrap().chain, old.chain, "after step {step}");
        }
    }

    #[test]
    fn only_the_owner_reads_the_key() {
        let (dir, pair) = (tempfile::tempdir().unwrap(), Pair::make().unwrap());
        let tls = dir.path().join("tls");
        write(&tls, &pair).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&tls), mode(&tls.join(KEY)), mode(&tls.join(CERT))), (0o700, 0o600, 0o644));
        assert_eq!(fs::read_dir(&tls).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_finished_holds_all_the_same() {
        let (dir, pair) = (tempfile::tempdir().unwrap(), Pair::make().unwrap());
        // A folder is in the way of the file.
        fs::create_dir(dir.path().join(CERT)).unwrap();
        write(dir.path(), &pair).unwrap();
        assert_eq!(read(dir.path()).unwrap().unwrap().chain, pair.chain);
    }
}
