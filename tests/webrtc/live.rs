//! WebRTC viewers on loopback: start, replay, resending, limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use h5edge::base::error::Kind;
use h5edge::base::time::MediaTime;
use h5edge::media::params::VideoCodec::{H264, H265};
use h5edge::media::stream::Stream;

use crate::client::{Client, PATIENCE, frame, server, stream};

/// Pushes frame after frame at 25 per second until dropped.
fn feed(stream: &Arc<Stream>, from: i64, gop: i64) -> tokio::task::JoinHandle<()> {
    let stream = stream.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(40));
        for n in from.. {
            ticks.tick().await;
            stream.hub.push(frame(n, gop, 60_000));
        }
    })
}

fn assert_rising(units: &[(u32, bool)]) {
    for pair in units.windows(2) {
        let step = pair[1].0.wrapping_sub(pair[0].0);
        assert!((1..90_000).contains(&step), "timestamp steps by {step}");
    }
}

#[tokio::test]
async fn a_viewer_starts_at_the_key_frame_and_reaches_the_live_edge() {
    let (server, _shutdown) = server(4);
    let stream = stream(H264, 45, 50);
    let mut client = Client::udp().await;
    client.whep(&server, stream.clone()).await;
    assert_eq!((server.connect_count(), stream.viewers()), (1, 1));
    client.run_until("the replay", |c| c.units().len() >= 45).await;
    let replay = client.units();
    assert!(replay[0].1, "the first access unit is a key frame");
    assert_rising(&replay);
    let span = replay[44].0.wrapping_sub(replay[0].0);
    assert!(span < 44 * 3600 / 8, "a replay of {span} ticks would hold the viewer back");

    (45..60).for_each(|n| stream.hub.push(frame(n, 50, 60_000)));
    client.run_until("live frames", |c| c.units().len() >= 60).await;
    let units = client.units();
    assert_rising(&units);
    assert_eq!(units[59].0.wrapping_sub(units[44].0), 15 * 3600, "live frames keep their distance");
    assert!(units[50].1 && !units[51].1);
}

#[tokio::test]
async fn a_lost_packet_is_sent_again() {
    let (server, _shutdown) = server(4);
    let stream = stream(H264, 10, 50);
    let mut client = Client::udp().await;
    client.lose = Some(20);
    client.whep(&server, stream.clone()).await;
    let feeder = feed(&stream, 10, 50);
    client.run_until("the gap", |c| c.missing() == 1).await;
    client.run_until("the resent packet", |c| c.missing() == 0 && c.units().len() > 20).await;
    let late = client.order.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(late >= 1, "one packet came late");
    feeder.abort();
}

#[tokio::test]
async fn picture_loss_is_answered_with_a_replay_but_not_twice_in_a_row() {
    let (server, _shutdown) = server(4);
    let stream = stream(H264, 20, 1000);
    let mut client = Client::udp().await;
    client.whep(&server, stream.clone()).await;
    client.run_until("the start", |c| c.units().len() == 20).await;
    let rested = Instant::now() + Duration::from_millis(550);
    client.run_until("the rest after a replay", |_| Instant::now() > rested).await;

    client.request_key_frame();
    client.run_until("the replay", |c| c.units().len() == 40).await;
    client.request_key_frame();
    let quiet = Instant::now() + Duration::from_millis(300);
    client.run_until("nothing", |_| Instant::now() > quiet).await;
    let units = client.units();
    assert_eq!(units.len(), 40, "the second request is about the replay under way");
    assert!(units[20].1 && units.iter().filter(|u| u.1).count() == 2);
    assert_rising(&units);
}

#[tokio::test]
async fn a_viewer_behind_a_firewall_watches_over_tcp() {
    let (server, _shutdown) = server(4);
    let stream = stream(H264, 30, 50);
    let mut client = Client::tcp(server.local_port()).await;
    client.whep(&server, stream.clone()).await;
    client.run_until("the replay", |c| c.units().len() >= 30).await;
    assert!(client.units()[0].1);
    assert_rising(&client.units());
    assert_eq!(client.missing(), 0);
}

#[tokio::test]
async fn a_burst_is_paced() {
    let (server, _shutdown) = server(4);
    // 1.5 MB at 40 Mbit/s take 0.3 s.
    let stream = stream(H264, 0, 50);
    (0..50).for_each(|n| stream.hub.push(frame(n, 50, 1_300_000)));
    let mut client = Client::udp().await;
    client.whep(&server, stream).await;
    client.run_until("the first packet", |c| !c.packets.is_empty()).await;
    let start = Instant::now();
    client.run_until("the replay", |c| c.units().len() == 50).await;
    let took = start.elapsed();
    assert!(took > Duration::from_millis(200) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn streams_and_viewers_that_do_not_fit_are_refused() {
    let (server, _shutdown) = server(1);
    let peer = "127.0.0.1:9".parse().unwrap();
    let (offer, _) = Client::udp().await.offer();

    let reordered = stream(H264, 0, 50);
    let mut b = frame(0, 50, 1000);
    b.pts += MediaTime(3600);
    reordered.hub.push(b);
    let error = server.whep(reordered, &offer, peer).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported, "{error}");

    let plain = stream(H264, 5, 50);
    let error = server.whep(plain.clone(), "v=0\r\nnonsense", peer).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BadInput, "{error}");

    let hevc = stream(H265, 5, 50);
    let (without, _) = Client::udp_with(false).await.offer();
    let error = server.whep(hevc, &without, peer).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported, "{error}");

    assert_eq!(server.connect_count(), 0, "refused viewers hold no place");
    server.whep(plain.clone(), &offer, peer).await.unwrap();
    let error = server.whep(plain, &offer, peer).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Full, "{error}");
}

/// Waits until the server has no viewer.
async fn gone(server: &h5edge::play::webrtc::Rtc, stream: &Stream) {
    let empty = async {
        while server.connect_count() > 0 || stream.viewers() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, empty).await.expect("the session is still there");
}

#[tokio::test]
async fn a_session_ends_when_deleted_and_when_the_source_goes() {
    let (server, _shutdown) = server(4);
    let stream = stream(H264, 5, 50);
    let mut client = Client::udp().await;
    let id = client.whep(&server, stream.clone()).await;
    client.run_until("pictures", |c| c.units().len() == 5).await;
    server.whep_patch(&id, "a=ice-ufrag:x\r\na=candidate:1 1 udp 1 abc.local 9 typ host\r\n").await.unwrap();
    server.whep_delete(&id).await.unwrap();
    gone(&server, &stream).await;
    client.run_until("the goodbye", |c| !c.rtc.is_alive()).await;
    assert_eq!(server.whep_delete(&id).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(server.whep_patch("x", "").await.unwrap_err().kind(), Kind::NotFound);

    let mut client = Client::udp().await;
    client.whep(&server, stream.clone()).await;
    client.run_until("pictures", |c| c.units().len() == 5).await;
    stream.hub.end();
    gone(&server, &stream).await;
}

#[tokio::test]
async fn a_viewer_that_vanishes_is_noticed() {
    let (server, _shutdown) = server(4);
    let stream = stream(H264, 5, 50);
    let mut client = Client::udp().await;
    client.whep(&server, stream.clone()).await;
    client.run_until("pictures", |c| c.units().len() == 5).await;
    let vanished = Instant::now();
    drop(client);
    gone(&server, &stream).await;
    assert!(vanished.elapsed() < Duration::from_secs(12), "{:?}", vanished.elapsed());
}
