//! An `hvcC` box from anywhere: parsed or refused, and what we write from it reads back the same.

#![no_main]

use bytes::Bytes;
use h5edge::media::h265;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(params) = h265::from_hvcc(&Bytes::copy_from_slice(data)) {
        assert_eq!(h265::from_hvcc(&params.config).ok(), Some(params));
    }
});
