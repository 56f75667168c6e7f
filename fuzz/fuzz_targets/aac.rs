//! An AudioSpecificConfig from anywhere: parsed or refused, with a rate and channels that can be.

#![no_main]

use bytes::Bytes;
use h5edge::media::aac;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(params) = aac::from_config(&Bytes::copy_from_slice(data)) {
        assert!((1..=192_000).contains(&params.rate));
        assert!((1..=8).contains(&params.channels));
        let _ = aac::Adts::new(&params).map(|adts| adts.header(data.len()));
    }
});
