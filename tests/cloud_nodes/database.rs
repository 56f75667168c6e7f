//! The nodes' database goes away and comes back.

use crate::support::{scene, wait_for};
use crate::yard::{REGISTERED, SPREAD, Yard};

const LATER: &str = "site1-cam2";

#[test]
fn what_was_told_while_the_database_was_away_holds_when_it_is_back() {
    let mut yard = Yard::new(1, REGISTERED);
    (0..3).for_each(|node| drop(yard.wait_listed(node, true)));
    assert_eq!(yard.home(), Some(1));

    // The node with the tunnel knows a new camera, and cannot tell the others how it is called.
    yard.postgres.stop();
    scene::add(&yard.edge, "cam2", "rtsp://127.0.0.1:9/x", &[]);
    wait_for("the camera at b", SPREAD, || yard.nodes[1].source(LATER).map(drop));
    wait_for("it is not written", SPREAD, || {
        yard.nodes[1].process.log().contains("its list of sources is not written yet").then_some(())
    });
    assert!(yard.nodes[0].source(LATER).is_none());
    yard.postgres.start();
    wait_for("the camera at a", 3 * SPREAD, || yard.nodes[0].source(LATER).map(drop));

    // What b missed it cannot look up at once.
    let online = || yard.edge.api_ok("GetCloudClientInfo", &[])["bOnline"] == true;
    assert!(online());
    (0..3).for_each(|server| yard.nats.kill(server));
    yard.nodes[0].api_ok("UpdateServer", &[("servertoken", "site1"), ("enable", "false")]);
    yard.postgres.stop();
    (0..3).for_each(|server| yard.nats.revive(server));
    wait_for("b tries to look it up", 3 * SPREAD, || {
        yard.nodes[1].process.log().contains("the sites are not read again yet").then_some(())
    });
    assert!(online());
    yard.postgres.start();
    wait_for("the box is put out", 3 * SPREAD, || (!online()).then_some(()));
}
