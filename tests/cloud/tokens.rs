//! Tokens of the central's own sources and of those of sites, which must not be mistaken for each other.

use crate::support::scene;
use crate::yard::{self, MAPPED, Yard};

const URL: (&str, &str) = ("url", "rtsp://127.0.0.1:9/x");

#[test]
fn a_source_of_the_centrals_own_never_looks_like_a_sites() {
    let yard = Yard::new("view");
    let own = yard.refusal("AddSrcRTSP", &[("name", "x"), ("token", "site1-x"), URL]);
    assert_eq!(own, "parameter token: site1-x would be a source of the site site1");
    // What only begins alike is another thing.
    scene::add(&yard.central, "site10-x", URL.1, &[]);
    scene::add(&yard.central, "barn-door", URL.1, &[]);
    let key = ("key", "aa".repeat(32));
    let register =
        |token| yard.refusal("AddServer", &[("servertoken", token), ("name", "y"), (key.0, &key.1)]);
    let complaint = |site: &str, source: &str| {
        format!(
            "parameter servertoken: {site} and the central's own source {source} could be mistaken for each other"
        )
    };
    assert_eq!(register("site10"), complaint("site10", "site10-x"));
    // A box that logs in is told so as well.
    let edge = yard::edge(&yard.central, "barn", "view");
    let told = crate::support::wait_for("the refusal", scene::PATIENCE, || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let info = edge.api_ok("GetCloudClientInfo", &[]);
        info["strStateText"].as_str().filter(|text| text.contains("mistaken")).map(str::to_owned)
    });
    assert!(told.contains(&complaint("barn", "barn-door")), "{told}");
    assert!(yard.central.source(MAPPED).is_some());
}
