//! Links that are thin, or long and lossy: the picture goes on, and calls do not wait behind it.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::net::{FAR, Net, SMALL};
use crate::support::wait_for;
use crate::wan::{FAIR, Weather};
use crate::watch::Other;

/// On a link that carries so little a call that waits behind video takes many seconds.
const SOON: Duration = Duration::from_millis(1500);

#[test]
fn a_thin_link_carries_the_small_picture_and_calls_do_not_wait_behind_it() {
    let large = ["--size", "1280x720", "--bitrate", "4000", "--clip-seconds", "4", "--gop", "50"];
    let net = Net::new(&large, true);
    let (other, watch) = (Other::of(&net), net.watch(FAR));
    let width = || net.api_ok("GetVidStreamStatus", &[("token", FAR)])["nVideoWidth"].as_u64();
    assert_eq!(width(), Some(1280));
    let since = net.since("far");

    net.wan.set(Weather { rate: 1_000_000 / 8, delay: Duration::from_millis(20), ..FAIR });
    let thin = Instant::now();
    let took = net.calls(15);
    eprintln!("1 Mbit/s, calls beside 4 Mbit/s of video: p50 {:.2?}, longest {:.2?}", took[7], took[14]);
    wait_for("the small picture", Duration::from_secs(60), || {
        thread::sleep(Duration::from_millis(100));
        (width() == Some(320)).then_some(())
    });
    eprintln!("the small picture after {:.1?}", thin.elapsed());
    let (before, settled) = (watch.count(), Instant::now());
    let took_small = net.calls(15);
    eprintln!("calls beside the small picture: p50 {:.2?}, longest {:.2?}", took_small[7], took_small[14]);
    thread::sleep(Duration::from_secs(5).saturating_sub(settled.elapsed()));
    let frames = watch.count() - before;
    eprintln!("{frames} pictures of it in {:.1?}", settled.elapsed());
    assert!(frames > 30, "{frames} frames of the small picture");
    assert!(took[7] < SOON && took_small[7] < SOON, "{took:?}, {took_small:?}");
    assert_eq!(net.since("far"), since, "it was connected anew");
    other.is_undisturbed(&net);
}

#[test]
fn a_long_and_lossy_link_carries_a_picture() {
    let net = Net::new(&SMALL, false);
    let (other, since) = (Other::of(&net), net.since("far"));
    net.wan.set(Weather { delay: Duration::from_millis(100), lost: 20, ..FAIR });
    let watch = net.watch(FAR);
    let (started, before) = (Instant::now(), watch.count());
    thread::sleep(Duration::from_secs(10));
    let (frames, gap) = (watch.count() - before, watch.longest_gap(started));
    let took = net.calls(10);
    eprintln!("200 ms and 2 %: {frames} pictures in 10 s, longest gap {gap:.1?}");
    eprintln!("calls: p50 {:.2?}, longest {:.2?}", took[5], took[9]);
    assert!(frames > 100, "{frames} frames");
    assert!(took[5] < 2 * SOON, "{took:?}");
    assert_eq!(net.since("far"), since, "it was connected anew");
    other.is_undisturbed(&net);
}
