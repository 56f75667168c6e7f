//! What a camera or another recorder sends: XML, envelopes and Digest headers are read or refused, and
//! never more deeply than allowed.

#![no_main]

use h5edge::onvif::digest::best;
use h5edge::onvif::soap::Opened;
use h5edge::onvif::xml::{Element, MAX_DEPTH, escape, parse};
use libfuzzer_sys::fuzz_target;

fn depth(element: &Element) -> usize {
    1 + element.children.iter().map(depth).max().unwrap_or_default()
}

fuzz_target!(|data: &[u8]| {
    if let Ok(root) = parse(data) {
        assert!(depth(&root) <= MAX_DEPTH + 1);
    }
    if let Some(fault) = Opened::read(data).ok().and_then(|opened| opened.fault()) {
        let _ = (fault.is_about_login(), fault.is_unsupported(), fault.shown());
    }
    let text = String::from_utf8_lossy(data);
    let _ = best([&*text]);
    let written = format!("<a b=\"{0}\">{0}</a>", escape(&text));
    assert!(parse(written.as_bytes()).is_ok() || written.len() > 1 << 20);
});
