//! A recording file from anywhere: read or refused, no sample beyond its end, and the same when read
//! again up to there.

#![no_main]

use std::io::Cursor;

use h5edge::media::frame::Track;
use h5edge::media::hybrid;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let scan = |length: u64, verify| hybrid::scan(&mut Cursor::new(data), length, verify);
    let Ok(found) = scan(data.len() as u64, false) else { return };
    for track in [Track::Video, Track::Audio] {
        assert!(found.index.samples(track).all(|sample| sample.at + u64::from(sample.size) <= found.end));
    }
    found.index.moov(&found.params, &found.label);
    let again = scan(found.end, false).unwrap();
    assert!(again.index.fragments().eq(found.index.fragments()));
    assert!(scan(data.len() as u64, true).unwrap().end <= found.end);
});
