//! A file of three fragments, interrupted at every step of being written and of being completed.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::base::Kind;
use crate::media::hybrid::tests as files;
use crate::media::hybrid::tests::{LABEL, short_file};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("file.mp4");
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn a_file_that_was_interrupted_becomes_the_same_as_one_closed_in_order() {
    let folder = Folder::new();
    let (params, written) = short_file();
    let closed = files::complete(&written, &params);
    let mut covered_only = written.bytes.clone();
    covered_only[32..48].copy_from_slice(&cover(written.bytes.len() as u64));
    let mut bad_tail = written.bytes.clone();
    bad_tail.extend([0; 5000]);
    let moov_at = written.bytes.len();
    let states = [
        ("closed", closed.clone()),
        ("not completed", written.bytes.clone()),
        ("covered, moov lost", covered_only),
        ("zeros at the end, as file systems leave them", bad_tail),
        ("half a moov", [&written.bytes, &closed[moov_at..moov_at + 300]].concat()),
        ("not covered", [&written.bytes, &closed[moov_at..]].concat()),
    ];
    for (state, bytes) in states {
        let path = folder.file(&bytes);
        for _ in 0..2 {
            let found = complete(&path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), closed, "{state}");
            assert_eq!((found.label, &*found.params), (LABEL, &params), "{state}");
            assert_eq!(found.duration, written.index.duration(), "{state}");
            assert_eq!(found.bytes, closed.len() as u64, "{state}");
        }
    }
}

#[test]
fn a_cut_at_any_byte_can_be_completed() {
    let folder = Folder::new();
    let (_, written) = short_file();
    for cut in 0..written.bytes.len() {
        let path = folder.file(&written.bytes[..cut]);
        let done = complete(&path);
        match written.ends.iter().rfind(|end| **end <= cut) {
            None => assert_eq!(done.unwrap_err().kind(), Kind::BadInput),
            Some(end) if *end == written.ends[0] => assert_eq!(done.unwrap_err().kind(), Kind::NotFound),
            Some(end) => {
                let bytes = fs::read(&path).unwrap();
                assert_eq!(bytes.len() as u64, done.unwrap().bytes);
                assert_eq!(bytes[48..*end], written.bytes[48..*end]);
                let mut file = File::open(&path).unwrap();
                let found = scan(&mut file, bytes.len() as u64, true).unwrap();
                assert_eq!((found.end, found.complete), (*end as u64, true));
            }
        }
    }
}

#[test]
fn a_file_that_is_nothing_of_ours_is_left_alone() {
    let folder = Folder::new();
    let path = folder.file(&[7; 3000]);
    assert_eq!(complete(&path).unwrap_err().kind(), Kind::BadInput);
    assert_eq!(fs::read(&path).unwrap(), [7; 3000]);
    assert_eq!(complete(&path.with_extension("none")).unwrap_err().kind(), Kind::NotFound);
}
