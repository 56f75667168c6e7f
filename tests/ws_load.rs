//! Two hundred viewers that come and go for a minute leave nothing behind.

mod support;

use std::time::{Duration, Instant};

use support::{
    daemon::Daemon,
    scene::{self, PATIENCE},
    wait_for,
    ws::Viewer,
};

const VIEWERS: u32 = 200;
const MINUTE: Duration = Duration::from_secs(60);
/// What the allocator may keep of the memory of 200 viewers.
const RSS_MARGIN_KB: u64 = 12 * 1024;

/// Keeps [`VIEWERS`] seats taken for `span`: each viewer stays for one to eight seconds and then
/// leaves, every second one without a word, and the next one takes the seat. How many there were.
async fn churn(port: u16, session: &str, span: Duration) -> usize {
    let end = Instant::now() + span;
    let seats: Vec<_> = (0..VIEWERS)
        .map(|seat| {
            let session = session.to_owned();
            tokio::spawn(async move {
                let mut guests = 0;
                while Instant::now() < end {
                    let mut viewer = Viewer::watch(port, "a", &session).await.expect("a socket");
                    let stay = Duration::from_millis(u64::from(1000 + (seat * 37 + guests * 1009) % 7000));
                    viewer.watch_for(stay.min(end.saturating_duration_since(Instant::now()))).await;
                    assert!(!viewer.closed, "{:?}", viewer.farewell);
                    guests += 1;
                    match guests % 2 {
                        0 => viewer.leave().await,
                        _ => drop(viewer),
                    }
                }
                guests
            })
        })
        .collect();
    let mut guests = 0;
    for seat in seats {
        guests += seat.await.expect("a viewer that was served") as usize;
    }
    guests
}

/// Threads, descriptors and KiB once nobody watches.
fn rest(daemon: &Daemon) -> (usize, usize, u64) {
    wait_for("the last viewer's end", PATIENCE, || {
        (daemon.api_ok("h5swsapi/Status", &[])["nConnectCount"] == 0).then_some(())
    });
    (daemon.threads(), daemon.fds(), daemon.rss_kb())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_viewers_come_and_go_for_a_minute() {
    // Few frames: this is about coming and going.
    let cam = scene::cameras(10, &["--fps", "5"]);
    let daemon = scene::daemon("");
    scene::add(&daemon, "a", &cam.rtsp_url(0), &[("connect", "H5_ALWAYS")]);
    scene::wait_pictures(&daemon, "a");
    // What the first crowd makes the daemon fetch once is not a leak.
    churn(daemon.http, &daemon.session, Duration::from_secs(5)).await;
    let (threads, fds, rss) = rest(&daemon);
    let guests = churn(daemon.http, &daemon.session, MINUTE).await;
    assert!(guests > 1000, "{guests}");
    assert_eq!((cam.sessions(0), cam.control("stats")["cams"][0]["starts"].as_u64()), (1, Some(1)));

    wait_for("all threads and descriptors back", PATIENCE, || {
        let (now_threads, now_fds, _) = rest(&daemon);
        (now_threads <= threads && now_fds <= fds).then_some(())
    });
    let (.., now_rss) = rest(&daemon);
    eprintln!("{guests} viewers; {threads} threads, {fds} descriptors, {rss} -> {now_rss} KiB");
    assert!(now_rss < rss + RSS_MARGIN_KB, "{rss} -> {now_rss} KiB");
}
