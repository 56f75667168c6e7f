//! What can be said of a bundle without its keys: that it is one, and whole. RAUC tells a file that broke off
//! and a wrong signature apart only in its log.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::base::{Error, Result};

/// The name of a bundle in the folder of updates.
pub const FILE: &str = "bundle.raucb";
/// Largest bundle: a slot holds 384 MiB.
pub const MAX_BYTES: u64 = 512 << 20;
/// A signature with its certificates; RAUC takes no larger one.
const MAX_SIGNATURE: u64 = 64 << 10;

/// Looks at the head and the tail of the bundle at `path`: a squashfs, its signature, and the signature's
/// length in eight bytes.
///
/// # Errors
/// `BadInput` saying what is wrong, `Refused` where there is none.
pub fn look(path: &Path) -> Result<()> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(path);
    let mut file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::refused("there is no bundle: upload one first"));
        }
        Err(error) => return Err(error.into()),
    };
    let damaged = |what: &str| Err(Error::bad_input(format!("the bundle is damaged or is none: {what}")));
    let bytes = file.metadata()?.len();
    let mut head = [0; 48];
    if bytes < head.len() as u64 + 8 {
        return damaged("it is too short");
    }
    file.read_exact(&mut head)?;
    if !head.starts_with(b"hsqs") {
        return damaged("it does not begin like one");
    }
    let mut tail = [0; 8];
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut tail)?;
    let signature = u64::from_be_bytes(tail);
    // Bytes 40 to 47 of a squashfs are its length.
    let content = head[40..].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    if signature == 0 || signature > MAX_SIGNATURE || content.saturating_add(signature + 8) > bytes {
        return damaged("its end is missing");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(content: u64, bytes: usize, signature: u64) -> Vec<u8> {
        let mut file = vec![0; bytes];
        file[..4].copy_from_slice(b"hsqs");
        file[40..48].copy_from_slice(&content.to_le_bytes());
        file[bytes - 8..].copy_from_slice(&signature.to_be_bytes());
        file
    }

    #[test]
    fn what_is_no_whole_bundle_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(look(&path).unwrap_err().to_string(), "there is no bundle: upload one first");
        let check = |file: Vec<u8>| {
            std::fs::write(&path, file).unwrap();
            look(&path).map_err(|error| error.to_string().split(": ").last().unwrap().to_owned())
        };
        assert_eq!(check(bundle(4096, 6000, 1000)), Ok(()));
        assert_eq!(check(vec![]), Err("it is too short".into()));
        assert_eq!(check(vec![0; 5000]), Err("it does not begin like one".into()));
        assert_eq!(check(bundle(5000, 6000, 1000)), Err("its end is missing".into()));
        for signature in [0, 70_000, u64::MAX] {
            assert_eq!(check(bundle(4096, 6000, signature)), Err("its end is missing".into()));
        }
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", &path).unwrap();
        assert!(look(&path).is_err());
    }
}
