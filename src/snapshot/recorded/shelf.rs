//! What is kept of recordings that were looked at: pictures that were decoded, and where the key frames of
//! the last files lie. What was not used for longest goes first.
//!
//! Memory: [`MAX_BYTES`] of pictures, and [`MAX_KEYS`] key frames of at most [`MAX_FILES`] files (1.5 MB).

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::keys::Keys;

/// About 300 pictures of the usual width.
const MAX_BYTES: usize = 4 << 20;
const MAX_FILES: usize = 16;
/// A day and a half at one a second, half an hour of a camera that sends nothing else.
const MAX_KEYS: usize = 1 << 16;

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// Id of the footage; none is given twice.
    pub file: i64,
    /// Offset of the key frame.
    pub at: u64,
    /// As it was asked for.
    pub width: u32,
}

/// See the module. The newest are at the back.
#[derive(Debug, Default)]
pub struct Shelf {
    pictures: VecDeque<(Name, Bytes)>,
    bytes: usize,
    files: VecDeque<File>,
}

#[derive(Debug)]
struct File {
    id: i64,
    /// Of the file when it was read: an open one grows.
    bytes: u64,
    keys: Arc<Keys>,
}

impl Shelf {
    pub fn jpeg(&mut self, name: &Name) -> Option<Bytes> {
        let place = self.pictures.iter().position(|(known, _)| known == name)?;
        let found = self.pictures.remove(place)?;
        let jpeg = found.1.clone();
        self.pictures.push_back(found);
        Some(jpeg)
    }

    pub fn put(&mut self, name: Name, jpeg: Bytes) {
        if self.jpeg(&name).is_some() {
            return;
        }
        self.bytes += jpeg.len();
        self.pictures.push_back((name, jpeg));
        while self.bytes > MAX_BYTES {
            let Some((_, oldest)) = self.pictures.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }

    /// The key frames of a file that has not grown since.
    pub fn keys(&mut self, id: i64, bytes: u64) -> Option<Arc<Keys>> {
        let place = self.files.iter().position(|file| file.id == id && file.bytes == bytes)?;
        let found = self.files.remove(place)?;
        let keys = found.keys.clone();
        self.files.push_back(found);
        Some(keys)
    }

    pub fn put_keys(&mut self, id: i64, bytes: u64, keys: Arc<Keys>) {
        self.files.retain(|file| file.id != id);
        self.files.push_back(File { id, bytes, keys });
        let sum = |files: &VecDeque<File>| files.iter().map(|file| file.keys.len()).sum::<usize>();
        while self.files.len() > MAX_FILES || sum(&self.files) > MAX_KEYS {
            self.files.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::MediaTime;
    use crate::media::params::Params;

    fn name(at: u64) -> Name {
        Name { file: 1, at, width: 320 }
    }

    fn keys(count: usize) -> Arc<Keys> {
        let shown: Vec<i64> = (0..count as i64).map(|n| n * 100).collect();
        Arc::new(Keys::of(Arc::new(Params::bare()), &shown))
    }

    #[test]
    fn pictures_are_bounded_by_their_bytes_and_the_unused_go() {
        let mut shelf = Shelf::default();
        let quarter = Bytes::from(vec![0; MAX_BYTES / 4]);
        (0..4).for_each(|at| shelf.put(name(at), quarter.clone()));
        assert!(shelf.jpeg(&name(0)).is_some());
        shelf.put(name(0), quarter.clone());
        shelf.put(name(4), quarter);
        let there: Vec<bool> = (0..5).map(|at| shelf.jpeg(&name(at)).is_some()).collect();
        assert_eq!(there, [true, false, true, true, true]);
        assert!(shelf.jpeg(&Name { width: 640, ..name(0) }).is_none());
        shelf.put(name(9), Bytes::from(vec![0; MAX_BYTES + 1]));
        assert_eq!((shelf.bytes, shelf.pictures.len()), (0, 0), "nothing is kept beyond the bound");
    }

    #[test]
    fn key_frames_are_those_of_the_file_as_it_is_now() {
        let mut shelf = Shelf::default();
        shelf.put_keys(7, 1000, keys(3));
        assert!(shelf.keys(7, 1000).is_some());
        assert!(shelf.keys(7, 2000).is_none(), "it has grown");
        shelf.put_keys(7, 2000, keys(5));
        assert_eq!((shelf.files.len(), shelf.keys(7, 2000).map(|keys| keys.len())), (1, Some(5)));
        (0..40).for_each(|id| shelf.put_keys(100 + id, 1, keys(1)));
        assert_eq!(shelf.files.len(), MAX_FILES);
        shelf.put_keys(1, 1, keys(MAX_KEYS + 1));
        assert!(shelf.files.is_empty());
    }

    #[test]
    fn the_key_frame_shown_at_a_time_is_the_last_before_it() {
        let keys = keys(3);
        let at = |time| keys.at(MediaTime(time)).map(|key| key.shown.0);
        assert_eq!([at(-5), at(0), at(99), at(100), at(1000)], [0, 0, 0, 100, 200].map(Some));
        assert_eq!(super::tests::keys(0).at(MediaTime(0)), None);
    }
}
