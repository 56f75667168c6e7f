//! A box comes back after whatever happens to it, to its link or to its central, and who watches another one does not
//! notice.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::lab::ip_in;
use crate::net::{BOX, FAR, Net, ROUTER, SMALL, is_there};
use crate::support::{scene, wait_for};
use crate::wan::{FAIR, Weather};
use crate::watch::{Other, Watch};

/// Far more than any of it takes, which is 0.5 to 4 s of rest, and a second for the picture.
const MOST: Duration = Duration::from_secs(20);
/// What it takes to notice a connection at which nobody is any more comes on top.
const UNNOTICED: Duration = Duration::from_secs(15);

/// Longer than either side waits. `H5EDGE_OUTAGE`: seconds.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("H5EDGE_OUTAGE").map_or(14, |text| text.parse().expect("seconds")))
}

fn came_back(watch: &Watch, begin: Instant, most: Duration, what: &str) {
    let took = watch.next_after(begin, what);
    eprintln!("{what}: a picture after {:.1} s", took.as_secs_f64());
    assert!(took < most, "{what}: {took:?}");
}

#[test]
fn a_box_comes_back_and_another_one_does_not_notice() {
    let mut net = Net::new(&SMALL, false);
    let (other, watch) = (Other::of(&net), net.watch(FAR));
    link_down(&net, &watch);
    another_public_address(&net, &watch);
    another_own_address(&net, &watch);

    net.far.kill();
    let Net { far, lab, .. } = &mut net;
    let start = Instant::now();
    lab.enter("far", || far.restart());
    let up = format!("the box was killed, and is up {:.1?} after its start", start.elapsed());
    came_back(&watch, Instant::now(), MOST, &up);

    other.is_undisturbed(&net);

    net.central.kill();
    let start = Instant::now();
    net.restart_central();
    let up = format!("the central was killed, and is up {:.1?} after its start", start.elapsed());
    let restarted = Instant::now();
    for watch in [&watch, other.here()] {
        watch.as_user(&net.user);
    }
    came_back(&watch, restarted, MOST, &up);
    came_back(other.here(), restarted, MOST, "the same at the other site");
}

/// Longer than either side waits, so that the connection is given up.
fn link_down(net: &Net, watch: &Watch) {
    let (down, outage) = (Instant::now(), outage());
    net.wan.set(Weather { up: false, ..FAIR });
    let away = wait_for("the outage to be noticed", outage, || {
        thread::sleep(Duration::from_millis(100));
        net.source(FAR).filter(|source| !is_there(source))
    });
    eprintln!("an outage is noticed after {:.1} s", down.elapsed().as_secs_f64());
    let why = away["strOfflineText"].as_str().expect("a text");
    assert!(why.starts_with("site far is not connected since 20"), "{why}");
    // The stream ends as one that changed does; whoever comes again learns why there is none.
    let told = wait_for("the viewer to be told", scene::PATIENCE, || watch.told_of("is not connected"));
    eprintln!("viewers are told after {:.1} s: {told}", down.elapsed().as_secs_f64());
    thread::sleep(outage.saturating_sub(down.elapsed()));
    net.wan.set(FAIR);
    came_back(watch, Instant::now(), MOST, &format!("the link was down for {outage:?}"));
}

/// The router gets another address from its provider: what comes for the old one reaches nobody.
fn another_public_address(net: &Net, watch: &Watch) {
    let since = net.since("far");
    net.lab.enter("router", || {
        ip_in(&["addr", "add", "10.9.0.77/24", "dev", "wan0"]);
        ip_in(&["addr", "del", &format!("{ROUTER}/24"), "dev", "wan0"]);
        ip_in(&["addr", "replace", "10.9.0.77/24", "dev", "wan0"]);
    });
    connected_anew(net, watch, &since, "the router has another address");
}

/// The box gets another address from the router.
fn another_own_address(net: &Net, watch: &Watch) {
    let since = net.since("far");
    net.lab.enter("far", || {
        ip_in(&["addr", "add", "198.51.100.77/24", "dev", "eth0"]);
        ip_in(&["addr", "del", &format!("{BOX}/24"), "dev", "eth0"]);
        ip_in(&["addr", "replace", "198.51.100.77/24", "dev", "eth0"]);
        ip_in(&["route", "replace", "default", "via", "198.51.100.1"]);
    });
    connected_anew(net, watch, &since, "the box has another address");
}

/// Pictures may go on for a moment: what counts is the one after the box has come again.
fn connected_anew(net: &Net, watch: &Watch, before: &str, what: &str) {
    let begin = Instant::now();
    wait_for(what, MOST + UNNOTICED, || {
        thread::sleep(Duration::from_millis(50));
        (net.since("far") != before && net.source(FAR).is_some_and(|source| is_there(&source))).then_some(())
    });
    eprintln!("{what}: it is connected anew after {:.1} s", begin.elapsed().as_secs_f64());
    came_back(watch, Instant::now(), MOST, what);
}
